"""The translators that measure the bottleneck: two curves that part, and a card that says so."""

from pathlib import Path

import pytest
import torch

from companion.corpora import pairs as corpus
from companion.models import card, load, registry
from companion.models.bottleneck import recipe, shipped
from companion.models.bottleneck.summed import Summed


@pytest.fixture(scope="module")
def figures():
    return {m.name: m.figure for m in shipped.evaluate(load("bottleneck"), None)}


def curve(figures, name, kind=""):
    return [figures[f"{name}, {b[0]} to {b[-1]} words{kind}, BLEU"] for b in shipped.BUCKETS]


def test_with_attention_the_longest_sentences_gain_15_bleu_the_shortest_less_than_5(figures):
    attention, last = (curve(figures, name) for name in ("attention", "last"))
    assert abs(attention[0] - last[0]) < 5
    assert attention[-1] - last[-1] > 15


@pytest.mark.parametrize("name", ["last", "sum"])
def test_one_vector_loses_most_of_its_quality_with_length(figures, name):
    bleu = curve(figures, name)
    assert bleu[-1] < bleu[0] / 2


def test_one_vector_suffers_more_from_new_combinations(figures):
    lost = {
        name: curve(figures, name)[0] - curve(figures, name, ", new combinations")[0]
        for name in ("last", "attention")
    }
    assert lost["last"] > lost["attention"] + 2


def test_the_card_says_what_is_measured(figures):
    told = {figure["name"]: figure["figure"] for figure in card("bottleneck")["figures"]}
    assert figures == pytest.approx(told, abs=1)
    assert len(told) == 2 * len(shipped.NETWORKS) * len(shipped.BUCKETS)


def test_the_buckets_take_turns_without_gap():
    lengths = [length for bucket in shipped.BUCKETS for length in bucket]
    assert lengths == list(range(3, 51))
    for bucket in shipped.BUCKETS:
        for draw in (shipped.held_out, shipped.fresh):
            drawn = draw(bucket, 20)
            assert len({pair.source for pair in drawn}) == 20
            assert {pair.length for pair in drawn} == set(bucket)


def test_fresh_sentences_are_those_that_no_training_has():
    trained = {
        pair.source
        for seed in range(3)
        for pair in recipe._pool(seed, 3, 2000)  # noqa: SLF001
    }
    assert not trained & {pair.source for pair in shipped.fresh(range(3, 4), 50)}


def test_new_combinations_are_new():
    for pair in shipped.held_out(range(5, 7), 20):
        assert pair.combinations
        assert all(corpus.held_back(*both) for both in pair.combinations)


def test_the_sum_is_handed_over_and_padding_adds_nothing():
    torch.manual_seed(0)
    model = recipe.network(None, Summed, d=8, d_embedding=4).eval()
    source = torch.tensor([[5, 6, 7, 2], [8, 9, 2, 0]])
    with torch.no_grad():
        total = model.encoder(source)[0].sum(dim=1)
        state = model.read(source)
        alone = model.read(source[1:, :3])
    torch.testing.assert_close(state.memory[:, 0], total)
    torch.testing.assert_close(state.cell, model.first_cell(total))
    torch.testing.assert_close(alone.memory, state.memory[1:])


def test_all_networks_learn_from_the_same_batches(monkeypatch):
    monkeypatch.setattr(shipped, "BATCHES", 2)
    monkeypatch.setattr(shipped, "WORDS", 400)
    seen, steps = [], []

    def note(model, source, target):
        seen.append((type(model), source, target))
        return model(source, target[:, :-1]).square().mean()

    monkeypatch.setattr(recipe, "translation_loss", note)
    trained = shipped.train(None, 5, lambda step, _: steps.append(step))
    assert list(trained) == list(shipped.NETWORKS)
    assert steps == list(range(1, 7))
    for one, *others in zip(seen[:2], seen[2:4], seen[4:], strict=True):
        for other in others:
            assert torch.equal(one[1], other[1])
            assert torch.equal(one[2], other[2])


@pytest.mark.parametrize(
    "do",
    [
        lambda data: shipped.train(data, 0, None),
        lambda data: shipped.evaluate(shipped.build(), data),
    ],
)
def test_data_is_refused(do):
    with pytest.raises(ValueError, match=r"--data: the bottleneck .* leave it out"):
        do(Path("x"))


def test_it_answers_no_widget():
    assert "bottleneck" not in registry.live_names()
