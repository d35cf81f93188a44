"""The turns written by hand: as many of each act, none twice, none in both parts."""

import pytest

from companion.corpora import turns
from companion.corpora.acts import ACTS


def test_there_are_as_many_of_each_act():
    for drawn, each in ((turns.train(), 24), (turns.train(3), 3), (turns.held_out(), 16)):
        labels = [label for _, label in drawn]
        assert [labels.count(number) for number in range(len(ACTS))] == [each] * len(ACTS)


def test_none_is_there_twice():
    texts = [text for text, _ in [*turns.train(), *turns.held_out()]]
    assert len(set(texts)) == len(texts) == 200


def test_fewer_are_among_more():
    assert set(turns.train(2)) < set(turns.train(5)) < set(turns.train())


@pytest.mark.parametrize("each", [0, 25])
def test_there_are_no_more_than_there_are(each):
    with pytest.raises(ValueError, match=f"each is {each}: there are 1 to 24 turns"):
        turns.train(each)
