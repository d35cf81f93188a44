"""Translating: what the search finds, sentence by sentence or many at once, and what was looked at."""

import pytest
import torch

from companion.encoder_decoder import EncoderDecoder
from companion.models.translator.ask import MORE, looks, translate
from companion.models.translator.pieces import SIZE, decode, encode
from companion.models.translator.recipe import END, LONGEST

TEXTS = ["A dog runs.", "Two women are sitting at a long table.", "Children", "A dog runs."]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EncoderDecoder(SIZE, d_model=16, n_heads=2, n_layers=2, d_ff=16).eval()


def log_probability(model, text, tokens):
    """Of a translation, its end included, by teacher forcing."""
    source = torch.tensor([[*encode(text)[0], END]])
    target = torch.tensor([[END, *tokens]])
    odds = model.score(model(source, target)).log_softmax(dim=-1)[0]  # (n + 1, vocabulary)
    return odds[torch.arange(len(tokens) + 1), [*tokens, END]].sum().item()


def test_each_sentence_gets_its_own_translations_best_first(model):
    found = translate(model, TEXTS, width=3)
    assert len(found) == len(TEXTS)
    assert found[0] == found[3]
    for text, each in zip(TEXTS, found, strict=True):
        assert [one.score for one in each] == sorted((one.score for one in each), reverse=True)
        for one in each:
            assert END not in one.tokens
            assert one.text == decode(one.tokens).strip()
            if one.ended:
                expected = log_probability(model, text, one.tokens)
                assert one.log_probability == pytest.approx(expected, abs=1e-3)


def test_one_by_one_they_are_the_same(model):
    """Filling, which shorter sentences get beside longer ones, is not looked at."""
    for text, found in zip(TEXTS, translate(model, TEXTS), strict=True):
        (alone,) = translate(model, [text])
        # A translation may be as long as the longest source of its batch allows.
        shared = {tuple(one.tokens): one.log_probability for one in found if one.ended}
        for one in alone:
            if tuple(one.tokens) in shared:
                assert one.log_probability == pytest.approx(shared[tuple(one.tokens)], abs=1e-3)


def test_a_higher_penalty_for_length_favours_longer_ones(model):
    plain, longer = (
        translate(model, TEXTS[:1], width=4, alpha=alpha)[0][0] for alpha in (0.0, 3.0)
    )
    assert len(longer.tokens) >= len(plain.tokens)


def test_what_was_looked_at_sums_to_1(model):
    tokens = encode("Ein Hund")[0]
    found = looks(model, "A dog.", tokens)
    assert found.shape == (len(tokens) + 1, 2, 2, len(encode("A dog.")[0]) + 1)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(found.shape[:-1]))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["A dog.", "  "], r"texts\[1\] is empty: it must be a sentence"),
        (["dog " * LONGEST], rf"texts\[0\] has \d+ tokens: it must have at most {LONGEST - MORE}"),
    ],
)
def test_what_cannot_be_translated(model, texts, message):
    with pytest.raises(ValueError, match=message):
        translate(model, texts)


def test_a_beam_has_a_width(model):
    with pytest.raises(ValueError, match="width is 0"):
        translate(model, TEXTS, width=0)
