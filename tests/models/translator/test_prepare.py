"""Captions translated in advance: what is told of them is what the translator says."""

import pytest
import torch

from companion.encoder_decoder import EncoderDecoder
from companion.models.graph import Live
from companion.models.translator.ask import WIDTH, looks, translate
from companion.models.translator.graph import reader
from companion.models.translator.pieces import SIZE, encode, names
from companion.models.translator.prepare import LOOKED, prepare
from companion.widgets import CaptionTranslator

TEXTS = ["A dog runs.", "  Two women <b>sit</b> at a table. "]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EncoderDecoder(SIZE, d_model=16, n_heads=2, n_layers=2, d_ff=16).eval()


@pytest.fixture(scope="module")
def prepared(model):
    return prepare(model, TEXTS)


def test_what_is_told_is_what_is_found(model, prepared):
    for text, each, example in zip(
        TEXTS, translate(model, TEXTS), prepared["examples"], strict=True
    ):
        assert example["text"] == text.strip()
        assert example["ids"] == encode(text.strip())[0]
        assert [one["text"] for one in example["found"]] == [one.text for one in each]
        assert len(each) == WIDTH
        for one, told in zip(each, example["found"], strict=True):
            assert told["ids"] == one.tokens
            assert (told["total"], told["score"]) == (one.log_probability, one.score)


def test_what_was_looked_at_is_the_mean_over_a_layers_heads(model, prepared):
    for i, example in enumerate(prepared["examples"]):
        for j, one in enumerate(example["found"]):
            n, source = len(one["ids"]), len(example["ids"]) + 1
            told = torch.from_numpy(prepared["looks"][i, j])
            expected = looks(model, example["text"], one["ids"])[:-1, LOOKED].mean(dim=1)
            torch.testing.assert_close(told[:n, :source], expected, atol=1e-5, rtol=0)
            assert told[n:].sum() == told[:, source:].sum() == 0


def test_a_widget_takes_it(model, prepared):
    made = CaptionTranslator(Live("translator", reader(model).answer), **prepared)
    assert made.names == names()
    assert made.sizes["parameters"] == sum(each.numel() for each in model.parameters())


@pytest.mark.parametrize("texts", [[], "A dog."])
def test_it_takes_a_list_of_captions(model, texts):
    with pytest.raises(ValueError, match="it must be a list of captions"):
        prepare(model, texts)
