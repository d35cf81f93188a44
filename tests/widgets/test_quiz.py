"""The quiz: what it takes, and what it says of a file that is not right."""

import json
from html.parser import HTMLParser

import pytest

from companion.widgets import Quiz

RIGHT = {"text": "Yes", "why": "It is.", "right": True}
WRONG = {"text": "No", "why": "It is not."}


def question(text="Is it?", answers=(RIGHT, WRONG)):
    return {"question": text, "answers": list(answers)}


def test_a_quiz_is_kept_as_json(tmp_path):
    path = tmp_path / "chapter.quiz.json"
    path.write_text(json.dumps([question(), question("Größer?")]), "utf-8")
    for given in (path, str(path)):
        quiz = Quiz.load(given)
        assert quiz.questions == [question(), question("Größer?")]
        assert quiz.chosen == [-1, -1]


def test_nothing_is_chosen_at_first():
    assert Quiz([question()] * 3).chosen == [-1, -1, -1]


def test_a_wrong_answer_may_say_that_it_is_wrong():
    assert Quiz([question(answers=[RIGHT, {**WRONG, "right": False}])])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: there is no file '.*none\.json' in '/"):
        Quiz.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b"[{", b"[\xff\xfe]"])
def test_a_file_that_is_no_json_is_named(tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"path: '.*broken\.json' is not JSON"):
        Quiz.load(path)


@pytest.mark.parametrize("questions", [[], None, {}, {"question": "?"}, "what?", 3])
def test_what_is_no_list_of_questions_is_refused(questions):
    with pytest.raises(
        ValueError, match="questions: a list of at least one question is needed, not"
    ):
        Quiz(questions)


FORM = 'give {"question": …, "answers": […]}'
LIST = 'give "answers", a list of at least two'
ANSWER = 'each answer is {"text": …, "why": …} and, for one of them, "right": true'
ONE = "exactly one answer must be right"


@pytest.mark.parametrize(
    ("malformed", "problem"),
    [
        ("Is it?", FORM),
        (None, FORM),
        ({}, FORM),
        ({"question": "Is it?"}, FORM),
        ({**question(), "hint": "no"}, FORM),
        (question(3), '"question" is a text, not 3'),
        (question(None), '"question" is a text, not None'),
        (question(["Is it?"]), '"question" is a text, not ['),
        ({"question": "?", "answers": "Yes"}, LIST),
        ({"question": "?", "answers": None}, LIST),
        ({"question": "?", "answers": 2}, LIST),
        ({"question": "?", "answers": {"Yes": True, "No": False}}, LIST),
        (question(answers=[]), LIST),
        (question(answers=[RIGHT]), LIST),
        (question(answers=["Yes", "No"]), ANSWER),
        (question(answers=[1, 2]), ANSWER),
        (question(answers=[RIGHT, None]), ANSWER),
        (question(answers=[RIGHT, {"text": "No"}]), ANSWER),
        (question(answers=[RIGHT, {"why": "It is not."}]), ANSWER),
        (question(answers=[RIGHT, {**WRONG, "correct": False}]), ANSWER),
        (question(answers=[RIGHT, {**WRONG, "text": 5}]), ANSWER),
        (question(answers=[RIGHT, {**WRONG, "why": None}]), ANSWER),
        (question(answers=[WRONG, {**RIGHT, "right": "yes"}]), ANSWER),
        (question(answers=[WRONG, WRONG]), ONE),
        (question(answers=[RIGHT, RIGHT]), ONE),
    ],
)
def test_a_malformed_question_is_named_by_its_number(malformed, problem):
    with pytest.raises(
        ValueError, match="questions: question 2 is not of the right form"
    ) as caught:
        Quiz([question(), malformed, question()])
    assert problem in str(caught.value)


def test_without_a_script_the_right_answers_are_folded_away():
    still = Quiz([question()]).still()
    assert still == (
        "<ol><li>Is it?<details><summary>Answer</summary>Yes It is.</details></li></ol>"
    )


def test_without_a_script_nothing_in_a_question_is_html():
    class Tags(HTMLParser):
        def __init__(self, html):
            super().__init__()
            self.seen = []
            self.feed(html)

        def handle_starttag(self, tag, _attributes):
            self.seen.append(tag)

    nasty = "<script>alert('&')</script><b>"
    right = {"text": nasty, "why": nasty, "right": True}
    quiz = Quiz([question(nasty, answers=[right, WRONG])])
    assert Tags(quiz.still()).seen == ["ol", "li", "details", "summary"]


def test_the_sentence_counts_the_questions():
    assert Quiz([question()]).describe() == "A quiz of 1 question."
    assert Quiz([question()] * 5).describe() == "A quiz of 5 questions."


def test_the_height_grows_with_the_longest_question():
    small = Quiz([question()]).heights
    more_answers = Quiz([question(), question(answers=[RIGHT, WRONG, WRONG])]).heights
    longer = Quiz([question(), question("Is it? " * 30)]).heights
    for bigger in (more_answers, longer):
        assert bigger[0] > small[0]
        assert bigger[1] > small[1]
    assert Quiz([question()] * 5).heights == small
