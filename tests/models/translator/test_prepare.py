"""Captions translated in advance: what is told of them is what the translator says."""

import numpy as np
import pytest
import torch

from companion.encoder_decoder import EncoderDecoder
from companion.models.graph import Live
from companion.models.translator.ask import WIDTH, looks, translate
from companion.models.translator.graph import reader
from companion.models.translator.pieces import SIZE, encode, names
from companion.models.translator.prepare import LOOKED, prepare, prepare_trees
from companion.models.translator.recipe import END
from companion.widgets import CaptionTranslator, TranslationTree

TEXTS = ["A dog runs.", "  Two women <b>sit</b> at a table. "]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EncoderDecoder(SIZE, d_model=16, n_heads=2, n_layers=2, d_ff=16).eval()


@pytest.fixture(scope="module")
def trees(model):
    return prepare_trees(model, TEXTS)


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


class TestTrees:
    def test_the_table_says_what_the_model_says_behind_each_beginning(self, model, trees):
        asked = reader(model).answer
        for text, table in trees["examples"].items():
            source = np.array([[*encode(text)[0], END]])
            place = table.texts.index(()), next(i for i, t in enumerate(table.texts) if len(t) == 1)
            past = np.zeros((2, 1, 2, 0, 8), np.float32)
            first = asked(
                {
                    "source": source,
                    "tokens": np.array([END]),
                    "past_keys": past,
                    "past_values": past,
                }
            )
            second = asked(
                {
                    "source": source,
                    "tokens": np.array(table.texts[place[1]]),
                    "past_keys": first["keys"],
                    "past_values": first["values"],
                }
            )
            for row, answer in zip(place, (first, second), strict=True):
                odds = torch.from_numpy(answer["logits"][0]).log_softmax(0)
                told = odds[table.tokens[row]]
                torch.testing.assert_close(told, table.log_probabilities[row], atol=1e-4, rtol=0)
                assert told[0] == odds.max()

    def test_beams_over_it_are_as_long_as_those_of_translate(self, trees):
        for text, table in trees["examples"].items():
            assert table.longest == len(encode(text)[0]) + 1 + 20
            assert table.tokens.shape == (len(table.texts), 2 * WIDTH)
            assert list(table.ends) == [END]

    def test_a_widget_takes_it(self, model, trees):
        made = TranslationTree(Live("translator", reader(model).answer), **trees)
        assert made.captions == [text.strip() for text in TEXTS]
        assert made.sizes == prepare(model, TEXTS)["sizes"]


@pytest.mark.parametrize("texts", [[], "A dog."])
@pytest.mark.parametrize("make", [prepare, prepare_trees])
def test_it_takes_a_list_of_captions(model, texts, make):
    with pytest.raises(ValueError, match="it must be a list of captions"):
        make(model, texts)
