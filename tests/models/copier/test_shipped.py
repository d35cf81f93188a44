"""The copiers: the matrix of the paper, in its shape."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from companion.models import card, load, registry
from companion.models.copier import shipped
from companion.reformer import Reformer


@pytest.fixture(scope="module")
def model():
    return load("copier")


@pytest.fixture(scope="module")
def matrix(model):
    """Accuracy by what a network was trained with, and what it is evaluated with."""
    figures = {metric.name: metric.figure for metric in shipped.evaluate(model, None)}
    return {
        (trained, name): figures[f"trained {trained}, evaluated {name}"]
        for trained in shipped.TRAINED
        for name in shipped.ATTENTION
    }


def test_the_card_says_what_is_measured(matrix):
    told = {figure["name"]: figure["figure"] for figure in card("copier")["figures"]}
    assert len(told) == len(matrix) == 20
    for (trained, name), accuracy in matrix.items():
        assert accuracy == pytest.approx(told[f"trained {trained}, evaluated {name}"], abs=0.05)


def test_full_attention_copies_all(matrix):
    assert matrix["full", "full"] > 0.99


def test_trained_on_full_attention_few_rounds_hurt(matrix):
    assert matrix["full", "LSH-8"] > 0.95
    assert matrix["full", "LSH-1"] < matrix["full", "LSH-8"] - 0.05


@pytest.mark.parametrize("trained", shipped.TRAINED)
def test_more_rounds_at_evaluation_help(matrix, trained):
    rounds = [matrix[trained, f"LSH-{n}"] for n in (1, 2, 4, 8)]
    assert all(more >= less - 0.005 for less, more in pairwise(rounds))
    assert rounds[-1] > rounds[0]


def test_trained_in_buckets_few_rounds_hurt_less(matrix):
    assert matrix["LSH-1", "LSH-1"] > matrix["full", "LSH-1"] + 0.03
    assert matrix["LSH-1", "LSH-2"] > matrix["full", "LSH-2"]


def test_full_attention_is_one_chunk():
    assert shipped.ATTENTION["full"] == (shipped.POSITIONS, 1)


def test_attending_leaves_a_network_as_it_was(model):
    layer = model["full"].stack.blocks[0].f
    before = layer.chunk, layer.rounds
    with shipped.attending(model["full"], "LSH-4"):
        assert (layer.chunk, layer.rounds) == (shipped.CHUNK, 4)
    assert (layer.chunk, layer.rounds) == before


def test_measuring_draws_nothing_from_the_global_generator(model):
    before = torch.get_rng_state()
    one, other = (shipped.accuracy(model["LSH-1"], "LSH-1") for _ in range(2))
    assert one == other
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ["full", "LSH-2"])
def test_training_begins_to_learn(name, monkeypatch):
    monkeypatch.setattr(shipped, "STEPS_EACH", 60)
    monkeypatch.setattr(shipped, "WARM_UP", 10)
    losses = []
    network = shipped.train_one(name, 0, lambda _, loss: losses.append(loss))
    assert isinstance(network, Reformer)
    assert len(losses) == 60
    assert losses[-1] < losses[0] - 0.01


def test_the_same_seed_trains_the_same(monkeypatch):
    monkeypatch.setattr(shipped, "STEPS_EACH", 2)
    steps = []
    one = shipped.train(None, 5, lambda i, _: steps.append(i))
    other = shipped.train(None, 5, None)
    assert steps == list(range(1, 9))
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "do",
    [
        lambda data: shipped.train(data, 0, None),
        lambda data: shipped.evaluate(shipped.build(), data),
    ],
)
def test_data_is_refused(do):
    with pytest.raises(ValueError, match=r"--data: the copier .* leave it out"):
        do(Path("x"))


def test_it_answers_no_widget():
    assert "copier" not in registry.live_names()
    with pytest.raises(ValueError, match="name: copier answers no widget"):
        registry.graph("copier")
