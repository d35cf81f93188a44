"""The heat map: the same numbers as companion.attention, and errors that say what to do."""

import itertools
import json
import math
import re

import numpy as np
import pytest
import torch
import traitlets

from companion.attention import attention_scores, attention_weights, causal_mask
from companion.widgets import AttentionHeatmap

TOKENS = ["the", "cat", "sat", "down", "<pad>"]
PADDING = [False, False, False, False, True]
N, D_K = len(TOKENS), 8


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def weights_of(*shape, seed=0):
    return randn(*shape, seed=seed).softmax(-1)


QUERY, KEY = randn(2, 3, N, D_K), randn(2, 3, N, D_K, seed=1)


def from_scores(**state):
    return AttentionHeatmap(TOKENS, query=QUERY, key=KEY, **state)


def state_of(widget):
    return re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]


def expected(layer, head, *, scaled, causal, padded, temperature=1.0):
    query, key = QUERY[layer, head], KEY[layer, head]
    scores = attention_scores(query, key) if scaled else query @ key.T
    mask = torch.ones(N, N, dtype=torch.bool)
    if causal:
        mask &= causal_mask(N)
    if padded:
        mask &= ~torch.tensor(PADDING)
    return attention_weights(scores / temperature, mask).numpy()


@pytest.mark.parametrize("temperature", [1.0, 0.125, 0.5, 3.0, 8.0])
@pytest.mark.parametrize(
    ("scaled", "causal", "padded"), list(itertools.product([True, False], repeat=3))
)
def test_weights_are_those_of_companion_attention(scaled, causal, padded, temperature):
    widget = from_scores(
        layer=1, head=2, scaled=scaled, causal=causal, padding=PADDING, temperature=temperature
    )
    widget.padded = padded
    wanted = expected(1, 2, scaled=scaled, causal=causal, padded=padded, temperature=temperature)
    np.testing.assert_allclose(widget.current_weights(), wanted, rtol=0, atol=1e-5)


def test_every_head_is_where_it_should_be():
    widget = from_scores()
    for layer, head in itertools.product(range(2), range(3)):
        widget.layer, widget.head = layer, head
        wanted = expected(layer, head, scaled=True, causal=False, padded=False)
        np.testing.assert_allclose(widget.current_weights(), wanted, atol=1e-5)


def test_padding_is_on_at_first_where_it_is_given():
    assert from_scores(padding=PADDING).padded
    assert not from_scores().padded


def test_without_padding_its_mask_hides_nothing():
    widget = from_scores()
    before = widget.current_weights()
    widget.padded = True
    np.testing.assert_array_equal(widget.current_weights(), before)


@pytest.mark.parametrize("shape", [(N, N), (3, N, N), (2, 3, N, N)])
def test_given_weights_are_shown(shape):
    weights = weights_of(*shape)
    widget = AttentionHeatmap(TOKENS, weights)
    assert widget.weights.shape == (1,) * (4 - len(shape)) + shape
    np.testing.assert_allclose(widget.current_weights(), weights.reshape(-1, N, N)[0], atol=1e-6)


@pytest.mark.parametrize("kind", [list, tuple])
def test_weights_may_be_one_tensor_a_layer_as_models_return_them(kind):
    layers = kind(weights_of(1, 3, N, N, seed=seed) for seed in range(2))
    widget = AttentionHeatmap(TOKENS, layers, layer=1, head=2)
    assert widget.weights.shape == (2, 3, N, N)
    np.testing.assert_allclose(widget.current_weights(), layers[1][0, 2], atol=1e-6)


def test_weights_may_be_nested_lists():
    assert AttentionHeatmap(["a", "b"], [[1, 0], [0.5, 0.5]]).weights.shape == (1, 1, 2, 2)


def test_temperature_and_masks_act_on_given_weights_as_in_the_view():
    weights = weights_of(N, N)
    widget = AttentionHeatmap(TOKENS, weights, causal=True, padding=PADDING, temperature=2.0)
    mask = causal_mask(N) & ~torch.tensor(PADDING)
    wanted = attention_weights(weights.log() / 2, mask)
    np.testing.assert_allclose(widget.current_weights(), wanted, atol=1e-5)


def test_zero_weights_stay_zero():
    widget = AttentionHeatmap(TOKENS, np.eye(N))
    np.testing.assert_array_equal(widget.current_weights(), np.eye(N))


def test_cross_attention_has_its_own_queries():
    query, key = randn(2, D_K), randn(3, D_K, seed=1)
    widget = AttentionHeatmap(
        ["a", "b", "c"], target_tokens=["x", "y"], query=query, key=key, row=1
    )
    wanted = attention_weights(attention_scores(query, key))
    np.testing.assert_allclose(widget.current_weights(), wanted, atol=1e-5)
    assert "“y” looks most at" in widget.describe()


def test_cross_attention_takes_weights():
    weights = weights_of(4, 2, 3)
    widget = AttentionHeatmap(["a", "b", "c"], weights, target_tokens=["x", "y"], head=3)
    np.testing.assert_allclose(widget.current_weights(), weights[3], atol=1e-6)


def test_a_fully_masked_row_is_all_zero_and_not_nan():
    widget = from_scores(padding=[True] * N)
    assert not widget.current_weights().any()
    assert "“the” may look at nothing" in widget.describe()
    assert "nan" not in widget.to_html().lower().split("<script", 1)[0]


def test_a_fully_masked_row_of_given_weights_is_taken():
    weights = np.eye(N)
    weights[2] = 0
    widget = AttentionHeatmap(TOKENS, weights, row=2)
    np.testing.assert_array_equal(widget.current_weights(), weights)
    assert "“sat” may look at nothing" in widget.describe()


def test_the_sentence_says_what_is_looked_at_most():
    widget = AttentionHeatmap(["a", "b"], [[[1, 0], [0, 1]], [[0.25, 0.75], [1, 0]]], head=1)
    assert widget.describe() == "Attention of layer 1, head 2: “a” looks most at “b” (weight 0.75)."


def test_tokens_need_not_be_text():
    assert AttentionHeatmap([1, 2], np.eye(2)).tokens == ["1", "2"]


# Errors: each names the argument, what was given and what would do.

GOOD = np.eye(N)
NEGATIVE = np.eye(N)
NEGATIVE[1, 1:3] = 1.5, -0.5
NAN = np.eye(N)
NAN[3] = math.nan


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"weights": np.eye(4)},
            r"weights: shape \(1, 1, 4, 4\) .*5 query tokens × 5 key .*\(5, 5\)",
        ),
        (
            {"weights": GOOD, "target_tokens": ["x"]},
            r"weights: shape .* fit 1 query tokens × 5 key",
        ),
        ({"weights": np.ones(5)}, r"weights: shape \(5,\) has 1 axes; give \(layers, heads"),
        ({"weights": np.ones((1, 1, 1, 5, 5))}, "weights: shape .* has 5 axes; give"),
        (
            {"weights": np.ones((N, N))},
            r"weights: row 0 of layer 0, head 0 sums to 5\.000, not 1; give",
        ),
        ({"weights": GOOD * 0.9}, r"weights: row 0 .* sums to 0\.900, not 1; .* softmax"),
        (
            {"weights": NEGATIVE},
            "weights: row 1 .* has a negative entry; give weights after the soft",
        ),
        (
            {"weights": NAN},
            r"weights: NaN in layer 0, head 0, row 3 \('down'\).*make such rows zero",
        ),
        ({"weights": []}, r"weights: shape \(0,\)"),
        ({"weights": [[1.0], [1.0, 2.0]]}, "weights: cannot be made one array .*give a tensor"),
        (
            {"weights": [torch.eye(5), torch.eye(4)]},
            "weights: cannot be made one array .*all of the",
        ),
        ({"weights": "attention"}, "weights: cannot be made one array of numbers .*give a tensor"),
        ({}, "give either `weights`, or both `query` and `key`"),
        ({"weights": GOOD, "query": QUERY, "key": KEY}, "give either `weights`, or both"),
        ({"weights": GOOD, "query": QUERY}, "give either `weights`, or both"),
        ({"query": QUERY}, "key: missing; scores need both query and key"),
        ({"key": KEY}, "query: missing; scores need both query and key"),
        ({"query": QUERY, "key": KEY[:, :, :4]}, r"key: shape .* holds 4 vectors for 5 tokens"),
        ({"query": QUERY[:, :, :4], "key": KEY}, r"query: shape .* holds 4 vectors for 5 tokens"),
        (
            {"query": QUERY, "key": KEY[..., :4]},
            r"query \(2, 3, 5, 8\) and key \(2, 3, 5, 4\) .*d_k",
        ),
        ({"query": QUERY, "key": KEY[:, :2]}, r"query .* and key .*layers, heads and d_k"),
        ({"query": QUERY[..., :0], "key": KEY[..., :0]}, r"query .*d_k \(at least 1\)"),
        ({"query": QUERY * math.nan, "key": KEY}, "query: holds NaN or infinity"),
        ({"query": QUERY, "key": KEY / 0}, "key: holds NaN or infinity"),
        ({"query": QUERY[0, 0, 0], "key": KEY}, r"query: shape \(8,\) has 1 axes"),
        (
            {"weights": GOOD, "padding": [True]},
            "padding: 1 flags for 5 key tokens; give one for each",
        ),
        (
            {"weights": GOOD[:2], "target_tokens": ["x", "y"], "causal": True},
            "causal: a causal mask needs as many queries as keys; this is cross-attention",
        ),
        (
            {"weights": GOOD[:0], "target_tokens": []},
            "target_tokens: the list is empty; give at least",
        ),
        (
            {"tokens": [], "weights": np.ones((0, 0))},
            "tokens: the list is empty; give at least one",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionHeatmap(**{"tokens": TOKENS, **arguments})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layer", 2, r"layer: 2 was given, there are 2 \(0 to 1\)"),
        ("head", 3, r"head: 3 was given, there are 3 \(0 to 2\)"),
        ("row", 5, r"row: 5 was given, there are 5 \(0 to 4\)"),
        ("column", 5, r"column: 5 was given, there are 5 \(0 to 4\)"),
        ("layer", -1, "'layer' .* not be less than 0, but a value of -1"),
        ("column", -2, "'column' .* not be less than -1, but a value of -2"),
        ("temperature", 0.0, r"'temperature' .* not be less than 0\.125, but a value of 0\.0"),
        ("temperature", 9.0, r"'temperature' .* not be greater than 8\.0, but a value of 9\.0"),
    ],
)
def test_a_state_out_of_range_is_refused(name, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        from_scores(**{name: value})
    widget = from_scores()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_the_height_grows_with_the_tokens():
    def heights(n):
        return AttentionHeatmap(["x"] * n, np.eye(n)).heights

    assert heights(2) < heights(8) < heights(16) < heights(300)
    assert heights(2)[1] < heights(8)[1] < heights(16)[1] < heights(300)[1]


def test_the_height_grows_with_the_heads_to_pick_from():
    def heights(layers, heads):
        return AttentionHeatmap(["x"], np.ones((layers, heads, 1, 1))).heights

    assert heights(1, 1) < heights(1, 2) < heights(2, 2) < heights(6, 2)
    assert heights(1, 1)[1] < heights(1, 2)[1] < heights(2, 2)[1] < heights(2, 16)[1]


def test_twelve_tokens_take_little_room():
    tokens = [f"token-{i}" for i in range(12)]
    query = randn(2, 8, 12, 64)
    for widget in (
        AttentionHeatmap(tokens, query=query, key=query, causal=True, padding=[False] * 12),
        AttentionHeatmap(tokens, weights_of(2, 8, 12, 12)),
    ):
        assert len(state_of(widget)) < 200_000
        assert len(state_of(widget)) < 4 * 4 / 3 * 2 * 8 * 12 * 12 + 1_000


def test_many_weights_take_two_bytes_each():
    n_values = 6 * 12 * 128 * 128
    widget = AttentionHeatmap(["x"] * 128, weights_of(6, 12, 128, 128))
    assert widget.weights.dtype == np.float16
    assert widget.weights.nbytes == 2 * n_values
    state = state_of(widget)
    assert len(state) < 2 * n_values * 4 / 3 + 5_000  # base64 writes three bytes as four
    assert json.loads(state)["weights"]["dtype"] == "float16"
    np.testing.assert_allclose(widget.current_weights().sum(-1), 1, atol=1e-5)
