"""The head pruner: it shows what was measured, and refuses what does not fit."""

import re

import numpy as np
import pytest
import traitlets

from companion.widgets import HeadPruner

HEADS, N, NETWORKS = 2, 4, 2
WORDS = ["the", "animal", "it", "tired"]
SENTENCE = {"label": "tired", "words": WORDS, "pronoun": 2, "right": 1, "wrong": 3}
RNG = np.random.default_rng(0)


def softmax(x):
    powers = np.exp(x)
    return powers / powers.sum(-1, keepdims=True)


ARRAYS = {
    "accuracy": RNG.integers(0, 101, (NETWORKS, 16)) / 100,
    "odds": RNG.normal(size=(NETWORKS, 1, 16)),
    "first": softmax(RNG.normal(size=(NETWORKS, 1, HEADS, N, N))),
    "second": softmax(RNG.normal(size=(NETWORKS, 1, 4, HEADS, N, N))),
}


def widget(**changes):
    given = {"networks": ["one", "two"], "sentences": [SENTENCE], "measured": 100, **ARRAYS}
    return HeadPruner(**{**given, **changes})


def test_all_heads_are_kept_at_first():
    assert widget().kept == 0b1111
    assert widget().heads == HEADS


@pytest.mark.parametrize("network", range(NETWORKS))
@pytest.mark.parametrize("kept", range(16))
def test_what_is_read_is_what_was_measured(network, kept):
    shown = widget(network=network, kept=kept)
    right = round(100 * ARRAYS["accuracy"][network, kept])
    assert shown.right() == right
    assert shown.describe() == (
        f"{kept.bit_count()} of 4 heads are kept: {right} of 100 sentences are answered rightly."
    )
    odds = ARRAYS["odds"][network, 0, kept]
    assert shown.share() == pytest.approx(np.exp(odds) / (1 + np.exp(odds)), abs=1e-6)
    first, second = shown.looks()
    np.testing.assert_allclose(first, ARRAYS["first"][network, 0], atol=1e-3)
    np.testing.assert_allclose(second, ARRAYS["second"][network, 0, kept & 0b11], atol=1e-3)


def test_the_picture_says_what_each_head_is_worth():
    picture = widget(kept=0b0111).picture()
    told = re.findall(r">(with|without): (\d\.\d\d)<", picture)
    accuracy = ARRAYS["accuracy"][0]
    assert told == [
        *(("without", f"{accuracy[0b0111 ^ 1 << head]:.2f}") for head in range(3)),
        ("with", f"{accuracy[0b1111]:.2f}"),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": []}, "networks: the list is empty; give at least one"),
        ({"sentences": []}, "sentences: the list is empty; give at least one"),
        ({"sentences": [{"words": WORDS}]}, "number 0 has no label, pronoun, right, wrong"),
        ({"sentences": [{**SENTENCE, "pronoun": 4}]}, "has pronoun 4; give a position from 0 to 3"),
        (
            {"sentences": [SENTENCE, {**SENTENCE, "words": WORDS[:3], "wrong": 0}]},
            "number 1 has 3 words, the first 4; give sentences of one length",
        ),
        ({"accuracy": ARRAYS["accuracy"][:1]}, r"accuracy: shape \(1, 16\); .* finite \(2, 16\)"),
        ({"accuracy": 2 * np.ones((2, 16))}, "accuracy: from 2 to 2; give shares from 0 to 1"),
        ({"odds": ARRAYS["odds"][..., :8]}, r"odds: shape \(2, 1, 8\); .* \(2, 1, 16\)"),
        ({"odds": ARRAYS["odds"] * np.nan}, r"odds: .* finite \(2, 1, 16\)"),
        ({"first": ARRAYS["first"][0]}, r"first: shape \(1, 2, 4, 4\); give \(networks, sent"),
        ({"second": ARRAYS["first"]}, r"second: shape .* give finite \(2, 1, 4, 2, 4, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(changes, message):
    with pytest.raises(ValueError, match=message):
        widget(**changes)


@pytest.mark.parametrize(
    ("name", "value"), [("kept", 16), ("network", 2), ("sentence", 1), ("kept", -1)]
)
def test_a_choice_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=f"{name}.*{value}"):
        widget(**{name: value})
    shown = widget()
    with pytest.raises(traitlets.TraitError, match=f"{name}.*{value}"):
        setattr(shown, name, value)


def test_the_weights_take_two_bytes_each():
    shown = widget()
    assert shown.first.dtype == shown.second.dtype == np.float16
    state = re.search(r'<script type="application/json">(.*?)</script>', shown.to_html())[1]
    assert len(state) < 6_000


def test_a_longer_sentence_takes_more_room():
    long = {**SENTENCE, "words": ["incomprehensibility"] * N}
    assert widget(sentences=[long]).heights > widget().heights
