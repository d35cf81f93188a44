"""The recipe of the two translators: what they are told, what they are asked for, and that they learn."""

from itertools import pairwise

import pytest
import torch

from companion.corpora import pairs as corpus
from companion.models.bottleneck import recipe
from companion.models.bottleneck.recipe import END, PAD, START

EASY = {"shares": [(range(3, 5), 1.0)], "words": 400, "d": 16, "d_embedding": 8, "warm_up": 2}


def test_the_numbers_are_those_of_the_vocabulary():
    for side in corpus.vocabulary():
        assert (side[PAD], side[START], side[END]) == ("<pad>", "<s>", "</s>")


def test_pairs_as_numbers():
    pairs = [*corpus.held_out(2, 0, 5), *corpus.held_out(2, 0, 9)]
    source, target = recipe.encode(pairs)
    english, german = corpus.vocabulary()
    for row, pair in zip(source.tolist(), pairs, strict=True):
        words = [*pair.source, "</s>"]
        assert [english[i] for i in row] == words + ["<pad>"] * (len(row) - len(words))
    for row, pair in zip(target.tolist(), pairs, strict=True):
        words = ["<s>", *pair.target, "</s>"]
        assert [german[i] for i in row] == words + ["<pad>"] * (len(row) - len(words))
    assert (source[-1] != PAD).any()


def test_each_batch_has_one_length_and_the_plan_is_kept():
    shares = [((3, 4), 0.5), ((9,), 1.0)]
    batches = list(recipe.batches(0, shares=shares, steps=10, batch=4, words=50))
    assert len(batches) == 10
    for source, target in batches:
        assert len(source) == len(target) == 4
    marks = torch.tensor([corpus.vocabulary()[0].index(mark) for mark in (",", ".")])
    lengths = []
    for source, _ in batches:
        words = (source > END) & ~torch.isin(source, marks)
        assert len(words.sum(dim=1).unique()) == 1
        lengths.append(words[0].sum().item())
    assert set(lengths[:5]) <= {3, 4}
    assert set(lengths[5:]) == {9}


def test_the_loss_asks_for_each_next_word_and_not_for_padding():
    torch.manual_seed(0)
    model = recipe.network("dot", d=8, d_embedding=4)
    pairs = [corpus.held_out(1, 0, 4)[0], corpus.held_out(1, 0, 8)[0]]
    source, target = recipe.encode(pairs)
    odds = model(source, target[:, :-1]).log_softmax(dim=-1)
    summed, count = 0.0, 0
    for row, pair in enumerate(pairs):
        words = target[row, : len(pair.target) + 2].tolist()
        for step, (_, word) in enumerate(pairwise(words)):
            summed, count = summed - odds[row, step, word], count + 1
    loss = recipe.translation_loss(model, source, target)
    torch.testing.assert_close(loss, summed / count)


@pytest.mark.parametrize("attention", [None, "multiplicative"])
def test_training_begins_to_learn(attention):
    losses = []
    model = recipe.train(attention, steps=60, on_step=lambda _, loss: losses.append(loss), **EASY)
    assert not model.training
    assert len(losses) == 60
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_the_same_seed_trains_the_same_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    one, other = (recipe.train("dot", 3, steps=2, **EASY).state_dict() for _ in range(2))
    for a, b in zip(one.values(), other.values(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ["steps", "batch", "words"])
def test_numbers_that_cannot_be(name):
    with pytest.raises(ValueError, match=f"{name} is 0: it must be above 0"):
        recipe.train(None, **({"steps": 1} | EASY | {name: 0}))


def test_too_few_words_for_a_pair():
    with pytest.raises(ValueError, match="words: too few for a pair of 4 words to train on"):
        recipe.train(None, steps=1, **EASY | {"words": 2, "shares": [((4,), 1.0)]})


def test_the_forget_gate_begins_by_keeping():
    model = recipe.network(None, d=8, d_embedding=4)
    assert model.encoder.lstm.bias_ih_l0[8:16].tolist() == [1.0] * 8


class _Parrot:
    """Says the German of the pairs it was given, whatever it is told."""

    def __init__(self, pairs):
        self.rows = recipe.encode(pairs)[1]
        self.calls = 0

    def read(self, source):
        return torch.zeros(len(source), 1)

    def step(self, words, state):
        at = state[:, 0].long()
        rows = self.rows if len(self.rows) == len(words) else None
        assert rows is not None
        logits = torch.nn.functional.one_hot(rows.gather(1, at[:, None] + 1)[:, 0], 400).float()
        return logits, state + 1


def test_a_right_translation_scores_100():
    pairs = [corpus.held_out(1, 0, 12)[0]]
    assert recipe.translate(_Parrot(pairs), pairs) == [list(pairs[0].target)]
    assert recipe.bleu(_Parrot(pairs), pairs) == pytest.approx(100)
