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


def test_there_are_short_stretches_and_whole_dialogues(monkeypatch):
    def longest(*turns):
        monkeypatch.setattr(lessons, "TURNS", turns)
        return max(len(one.tokens) for one in lessons.unlabelled(TALKS, 0))

    assert longest(2) < longest(None)
