"""The BERT that the book ships: its card is true."""

import os
from pathlib import Path

import pytest
import torch

from companion.models import card, load, registry
from companion.models.bert import pieces, shipped

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[3] / "data")) / "sgd"
LIMIT = 6_000_000  # bytes of weights
TOLERANCE = 0.02  # another processor rounds otherwise, and a word or two change their place


def agrees(found, told):
    assert [metric.name for metric in found] == [figure["name"] for figure in told]
    for metric, figure in zip(found, told, strict=True):
        assert metric.figure == pytest.approx(figure["figure"], abs=TOLERANCE)
        assert metric.items == figure["items"]


def figures(begin):
    return [f for f in card("bert")["figures"] if f["name"].startswith(begin)]


def test_the_card_says_what_is_measured_on_generated_dialogues():
    agrees(shipped.evaluate(load("bert"), None), figures("generated"))


@pytest.mark.skipif(
    not DATA.is_dir(),
    reason="Schema-Guided Dialogue is not there: set COMPANION_DATA to its folder",
)
def test_the_card_says_what_is_measured_on_real_dialogues():
    found = shipped.evaluate(load("bert"), DATA)
    agrees(found, [*figures("seen"), *figures("unseen")])


def test_it_knows_much_more_than_the_commonest_word():
    for figure in card("bert")["figures"]:
        if "hidden words" in figure["name"]:
            assert figure["figure"] > 0.4  # the commonest token is one in thirteen
        else:
            assert figure["figure"] > 0.7  # chance is a half


def test_it_is_small_enough_to_travel():
    assert (registry.folder("bert") / "weights.safetensors").stat().st_size < LIMIT
    assert card("bert")["parameters"] == sum(p.numel() for p in load("bert").parameters())


def test_weights_are_what_16_bits_hold():
    for parameter in load("bert").parameters():
        assert torch.equal(parameter, parameter.half().float())


def test_there_are_as_many_pieces_as_the_model_has_rows():
    assert len(pieces.names()) == pieces.SIZE == len(load("bert").bert.words.weight)
    assert pieces.names()[: len(pieces.SPECIAL)] == list(pieces.SPECIAL)


@pytest.mark.parametrize(
    ("data", "told"), [(None, "--data: BERT is pretrained on"), (Path("nowhere"), "nowhere")]
)
def test_without_the_data_it_says_what_it_needs(data, told):
    with pytest.raises(ValueError, match=told):
        shipped.train(data, 0, None)
