"""Questions that nobody wrote: what is asked for is said elsewhere in the dialogue."""

import pytest

from companion.corpora import cloze, dialogues
from companion.corpora.sgd import Dialogue, Turn

DIALOGUES = dialogues.generate(60, 1)
COMMON = cloze.common_words(DIALOGUES)
ASKED = cloze.ask(DIALOGUES, COMMON, 0)


def talk(*utterances):
    speakers = ("USER", "SYSTEM")
    return Dialogue("1", (), tuple(Turn(speakers[i % 2], u) for i, u in enumerate(utterances)))


def test_every_answer_fills_its_hole_and_stands_in_the_rest():
    said = {turn.utterance.lower() for dialogue in DIALOGUES for turn in dialogue.turns}
    for question in ASKED:
        parts = question.question.lower().split(cloze.HOLE)
        filled = {
            f"{cloze.HOLE.join(parts[:i])}{told.lower()}{cloze.HOLE.join(parts[i:])}"
            for told in question.told
            for i in range(1, len(parts))
        }
        assert filled & said


def test_the_longest_words_that_recur_are_asked_for():
    one = talk("A table at the Golden Lantern, please.", "The Golden Lantern is full.", "Oh.")
    for question in cloze.ask([one], frozenset({"a", "at", "the", "is", "please"}), 0):
        assert question.told == ("Golden Lantern",)
        assert "Golden" not in question.question


def test_a_name_is_not_looked_for_inside_another_word():
    assert cloze.ask([talk("To Rom.", "Romance, in Rome.")], frozenset({"to", "in"}), 0) == []


def test_names_and_numbers_are_not_common_words():
    words = cloze.common_words([talk("We go to Rome at 9 to eat.", "To Rome at 9, right.")], 2)
    assert words == {"to", "at"}


def test_what_somebody_asks_is_answered_by_the_other_s_next_turn():
    one = talk("I need a train.", "Sure. Which city do you want to go to?", "To Ghent, please.")
    (question,) = cloze.replies([one], frozenset({"to", "please"}), 0)
    assert question.question == "Which city do you want to go to?"
    assert question.told == ("Ghent",)
    assert "Which city" not in question.text


def test_two_names_in_the_reply_are_one_too_many():
    one = talk("Where from and where to?", "From Ghent to Lyon.")
    assert cloze.replies([one], frozenset({"from", "to"}), 0) == []


def test_what_can_be_answered_with_yes_is_left_out():
    one = talk("Shall I take the one to Lyon?", "Yes, Lyon.")
    assert cloze.replies([one], frozenset({"yes"}), 0) == []


def test_of_a_long_dialogue_only_some_turns_are_shown_the_answer_s_among_them():
    for ask in (cloze.ask, cloze.replies):
        asked = ask(DIALOGUES, COMMON, 0, turns=3)
        assert len(asked) > 10
        for question in asked:
            assert len(question.text.splitlines()) <= 3
            assert question.told
        with pytest.raises(ValueError, match="turns is 0"):
            ask(DIALOGUES, COMMON, 0, turns=0)


def test_a_dialogue_is_asked_about_so_often_at_most():
    assert len(cloze.ask(DIALOGUES, COMMON, 0, most=1)) <= len(DIALOGUES)
    with pytest.raises(ValueError, match="most is 0"):
        cloze.ask(DIALOGUES, COMMON, 0, most=0)


def test_questions_without_an_answer_show_only_turns_that_do_not_say_it():
    for ask in (cloze.ask, cloze.replies):
        answered = ask(DIALOGUES, COMMON, 0, turns=4)
        silent = ask(DIALOGUES, COMMON, 0, turns=4, unanswerable=1.0)
        assert len(silent) > len(answered) / 2
        assert all(not q.answers and q.text for q in silent)
        mixed = ask(DIALOGUES, COMMON, 0, turns=4, unanswerable=0.5)
        assert 0.2 < sum(not q.answers for q in mixed) / len(mixed) < 0.7
        with pytest.raises(ValueError, match="unanswerable is 2: it must be from 0 to 1"):
            ask(DIALOGUES, COMMON, 0, unanswerable=2)
