"""Questions without labels: they are of several lengths, some have no answer, and no mark is looked at."""

from dataclasses import replace

from companion.corpora import dialogues
from companion.models.reader import lessons

TALKS = dialogues.generate(60, 0)
DRAWN = lessons.unlabelled(TALKS, 0)


def test_marks_in_the_dialogues_change_nothing():
    bare = [
        replace(talk, turns=tuple(replace(turn, frames=()) for turn in talk.turns))
        for talk in TALKS
    ]
    assert lessons.unlabelled(bare, 0) == DRAWN


def test_some_have_no_answer_and_most_have():
    share = sum(one.starts == [0] for one in DRAWN) / len(DRAWN)
    assert 0.05 < share < 0.25


def test_most_are_short_and_some_are_whole_dialogues():
    lengths = sorted(len(one.tokens) for one in DRAWN)
    assert lengths[len(lengths) // 4] < lengths[-1] / 2
