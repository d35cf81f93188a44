"""Questions about dialogues: their answers stand where they are said to stand."""

import pytest

from companion.corpora import dialogues, questions
from companion.corpora.sgd import Dialogue, Frame, Span, Turn
from companion.corpora.transcript import as_text, places

DIALOGUES = dialogues.generate(150, 3)
ASKED = questions.ask(DIALOGUES, 0)


def test_an_utterance_begins_where_its_place_says():
    for dialogue in DIALOGUES[:20]:
        text = as_text(dialogue)
        for turn, begin in zip(dialogue.turns, places(dialogue), strict=True):
            assert text[begin:].startswith(turn.utterance + "\n")


def test_every_answer_is_what_the_annotation_says():
    by_text = {as_text(dialogue): dialogue for dialogue in DIALOGUES}
    for question in ASKED:
        said = {
            turn.utterance[span.start : span.end]
            for turn in by_text[question.text].turns
            for frame in turn.frames
            for span in frame.spans
            if span.slot == question.slot
        }
        assert set(question.told) == said


def test_all_places_of_an_answer_say_the_same():
    for question in ASKED:
        assert len({told.lower() for told in question.told}) <= 1


def test_a_question_is_worded_for_its_slot_and_asked_once_of_a_dialogue():
    for question in ASKED:
        assert question.question in questions.wordings(question.slot)
    assert len({(q.text, q.slot) for q in ASKED}) == len(ASKED)


def test_no_other_slot_that_is_said_is_asked_for_in_the_same_words():
    by_text = {as_text(dialogue): dialogue for dialogue in DIALOGUES}
    for question in ASKED:
        said = {
            span.slot
            for turn in by_text[question.text].turns
            for frame in turn.frames
            for span in frame.spans
        }
        alike = {s for s in said if questions.wordings(s) == questions.wordings(question.slot)}
        assert alike == ({question.slot} if question.answers else set())


def test_the_share_without_an_answer_follows_what_was_asked_for():
    def share(unanswerable):
        drawn = questions.ask(DIALOGUES, 1, unanswerable=unanswerable)
        return sum(not q.answers for q in drawn) / len(drawn)

    assert share(0.0) == 0
    assert 0.1 < share(0.3) < 0.35
    assert share(1.0) == 1


def test_equal_seeds_give_equal_questions():
    assert questions.ask(DIALOGUES, 0) == ASKED
    assert questions.ask(DIALOGUES, 1) != ASKED


def test_a_slot_with_two_values_is_not_asked_for():
    turns = tuple(
        Turn("USER", f"To {city}.", (Frame("Trains_1", spans=(Span("destination", 3, 7),)),))
        for city in ("Rome", "Oslo")
    )
    talk = Dialogue("1", ("Trains_1",), turns)
    assert questions.ask([talk], 0, unanswerable=0) == []
    once = Dialogue("1", ("Trains_1",), turns[:1])
    assert questions.ask([once], 0, unanswerable=0)[0].told == ("Rome",)


def test_an_unknown_slot_has_no_wording():
    assert questions.wordings("colour_of_the_moon") == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"most": 0}, "most is 0: it must be at least 1"),
        ({"unanswerable": 1.5}, "unanswerable is 1.5: it must be from 0 to 1"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        questions.ask(DIALOGUES, 0, **arguments)
