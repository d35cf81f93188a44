"""Learning a unigram model: the library's pieces and scores, once its slip is made as well."""

import json
import math
from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from companion.corpora import dialogues
from companion.tokenization import spelled
from companion.unigram import Unigram, space_marked_words
from companion.unigram_learning import (
    digamma,
    expectation,
    learn,
    library_seeds,
    maximized,
    pruned,
    rounds,
    seeds,
)

WORDS = st.dictionaries(
    st.one_of(st.text("ab", min_size=1, max_size=9), st.text("abcdé🙂", min_size=1, max_size=9)),
    st.integers(1, 6),
    min_size=12,
    max_size=50,
)


LIKE_LIBRARY = {"begin": library_seeds, "slip": True}


def library(words, size):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.UnigramTrainer(vocab_size=size, unk_token="[UNK]", show_progress=False)  # noqa: S106
    text = " ".join(word for word in words for _ in range(words[word]))
    tokenizer.train_from_iterator([text], trainer)
    [_, *pieces] = json.loads(tokenizer.to_str())["model"]["vocab"]
    return dict(map(tuple, pieces))


@settings(max_examples=60)
@given(WORDS, st.integers(3, 40))
def test_the_library_learns_the_same_with_its_seeds_and_its_slip(words, more):
    """Left out: pieces that are worth the same but for rounding, of which either may go."""
    size = len(set("".join(words))) + more
    steps = list(rounds(words, size, **LIKE_LIBRARY))
    assume(not _tie(steps))
    agree(learn(words, size, **LIKE_LIBRARY), library(words, size), steps[-1].scores)


def agree(ours, theirs, learned):
    """All that was learned has the library's scores.

    Characters that are no piece any more get the lowest ones, in an order that the library leaves to chance.
    """
    assert ours.keys() == theirs.keys()
    assert sorted(ours.values()) == pytest.approx(sorted(theirs.values()), abs=1e-9)
    for piece in ours.keys() & learned.keys():
        assert ours[piece] == pytest.approx(theirs[piece], abs=1e-9)


def _tie(steps):
    """Whether two pieces of a round that drops some are worth the same, but for rounding."""
    for before, after in pairwise(steps):
        if after.what == "drop":
            scores = sorted(before.scores.values())
            if any(b - a < 1e-9 for a, b in pairwise(scores)):
                return True
    last = sorted(steps[-1].scores.values())
    return any(b - a < 1e-9 for a, b in pairwise(last))


@pytest.fixture(scope="module")
def words():
    return Counter(
        spelled(word)
        for dialogue in dialogues.generate(60, seed=1)
        for turn in dialogue.turns
        for word in space_marked_words(turn.utterance)
    )


@pytest.mark.parametrize("size", [150, 300])
def test_on_dialogues(words, size):
    ours = learn(words, size, **LIKE_LIBRARY)
    theirs = library(words, size)
    assert len(ours) == size - 1
    *_, last = rounds(words, size, **LIKE_LIBRARY)
    agree(ours, theirs, last.scores)


def test_the_slip_is_not_without_effect(words):
    right, slipped = (learn(words, 150, begin=library_seeds, slip=slip) for slip in (False, True))
    assert right.keys() != slipped.keys()


def test_likelihood_grows_with_every_step_of_em(words):
    """The plain EM step (without the digamma function, nothing dropped) can only raise it."""
    scores = seeds(words)
    losses = []
    for _ in range(4):
        counts, loss = expectation(Unigram(scores, "<UNK>"), words)
        losses.append(loss)
        total = math.fsum(counts.values())
        scores = {piece: math.log(n / total) for piece, n in counts.items() if n > 1e-9}
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1] + 0.1


def test_seeds_are_characters_and_what_is_met_twice():
    found = seeds({"abc": 3, "abd": 1})
    assert list(found) == ["b", "a", "c", "d", "abc", "ab", "bc"]
    total = 4 + 4 + 3 + 1 + 3 * 3 + 4 * 2 + 3 * 2
    assert found["abc"] == pytest.approx(math.log(9 / total))
    assert found["d"] == pytest.approx(math.log(1 / total))


def test_the_library_s_seeds_are_what_goes_on_in_two_ways():
    """By hand: `ab` goes on with c, d and the end; `abc` always with the end, `b` is a character."""
    found = library_seeds({"abc": 3, "abd": 1, "ab": 1})
    assert list(found) == ["b", "a", "c", "d", "ab"]
    total = 5 + 5 + 3 + 1 + 3 * 2
    assert found["ab"] == pytest.approx(math.log(6 / total))
    assert found["c"] == pytest.approx(math.log(3 / total))


@pytest.mark.parametrize("begin", [seeds, library_seeds])
def test_no_seed_is_too_long(begin):
    words = {"aaaaaa": 2, "aaaaab": 1}
    assert max(map(len, begin(words))) > 4
    assert max(map(len, begin(words, 3))) == 3


@settings(max_examples=30)
@given(WORDS, st.integers(3, 40))
def test_any_words_can_be_learned_from(words, more):
    size = len(set("".join(words))) + more
    learned = learn(words, size)
    assert set("".join(words)) <= learned.keys()
    assert len(learned) < size
    *_, last = rounds(words, size)
    assert math.fsum(map(math.exp, last.scores.values())) <= 1 + 1e-9


def test_what_is_hardly_expected_goes():
    assert maximized(
        {"a": 3.0, "b": 0.4, "c": 0.5}, {"a": -1, "b": -1, "c": -1, "d": -1}
    ).keys() == {"a", "c"}


def test_the_piece_that_is_missed_least_is_dropped():
    words = {"abab": 8, "cd": 1, "a": 1, "b": 1, "c": 1, "d": 1}
    model = Unigram(dict.fromkeys(["a", "b", "c", "d", "ab", "cd", "ba"], -2.0), "<UNK>")
    assert list(pruned(model, words, 6)) == ["a", "b", "c", "d", "ab", "cd"]  # `ba` is not used
    assert list(pruned(model, words, 5)) == ["a", "b", "c", "d", "ab"]
    assert list(pruned(model, words, 0)) == ["a", "b", "c", "d"]


def test_every_character_is_a_piece():
    learned = learn({"abab": 9, "xyz": 1}, 8)
    assert set("abxyz") <= learned.keys()
    assert list(learned.values()) == sorted(learned.values(), reverse=True)


@pytest.mark.parametrize(("words", "size"), [({}, 5), ({"ab": 0}, 5), ({"abc": 1}, 3)])
def test_too_small_a_vocabulary_is_refused(words, size):
    with pytest.raises(ValueError, match=f"size is {size}: the words have . different characters"):
        learn(words, size)


@given(st.floats(1e-3, 1e6))
def test_digamma(x):
    assert digamma(x) == pytest.approx(
        torch.digamma(torch.tensor(x, dtype=torch.float64)).item(), abs=1e-9, rel=1e-9
    )
