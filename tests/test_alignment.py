"""Scores of queries and keys: against plain loops, the paper's formulas and our own attention."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.alignment import (
    KINDS,
    AdditiveScore,
    DotScore,
    MultiplicativeScore,
    Score,
    scorer,
    soft_look_up,
)
from companion.attention import attention_scores, scaled_dot_product_attention

SIZES = st.integers(1, 5)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain(score, s, h):
    """The formula of each for one query and one key, number by number."""
    if isinstance(score, AdditiveScore):
        w, u, v = score.of_query.weight, score.of_key.weight, score.judge.weight[0]
        hidden = [math.tanh(w[k] @ s + u[k] @ h) for k in range(len(v))]
        return sum(v[k].item() * hidden[k] for k in range(len(v)))
    if isinstance(score, MultiplicativeScore):
        w = score.turn.weight
        return sum((s[a] * w[a, b] * h[b]).item() for a in range(len(s)) for b in range(len(h)))
    return sum((s[a] * h[a]).item() for a in range(len(s)))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KINDS), SIZES, SIZES, SIZES, SIZES, st.integers(0, 99))
def test_equal_to_plain_loops(kind, n_q, n_k, d_query, d_key, seed):
    d_key = d_query if kind == "dot" else d_key
    torch.manual_seed(seed)
    score = scorer(kind, d_query, d_key, 3).double()
    query, key = drawn(n_q, d_query, seed=seed), drawn(n_k, d_key, seed=seed + 1)
    with torch.no_grad():
        expected = [[plain(score, s, h) for h in key] for s in query]
    torch.testing.assert_close(score(query, key), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_axes_in_front_broadcast_and_keys_are_prepared_once(kind):
    score = scorer(kind, 4, 4).double()
    query, key = drawn(2, 1, 3, 4), drawn(5, 6, 4, seed=1)
    scores = score(query, key)  # (2, 5, 3, 6)
    assert scores.shape == (2, 5, 3, 6)
    torch.testing.assert_close(score.compare(query, score.prepare(key)), scores)
    torch.testing.assert_close(scores[1, 2], score(query[1, 0], key[2]))


def test_dot_is_the_score_of_our_attention():
    query, key, value = drawn(2, 3, 8), drawn(2, 5, 8, seed=1), drawn(2, 5, 4, seed=2)
    scaled = DotScore(8, 8, scaled=True)(query, key)
    torch.testing.assert_close(scaled, attention_scores(query, key))
    torch.testing.assert_close(DotScore(8, 8)(query, key), attention_scores(query, key) * 8**0.5)
    mixed = soft_look_up(scaled, value)
    for one, other in zip(mixed, scaled_dot_product_attention(query, key, value), strict=True):
        torch.testing.assert_close(one, other)


def test_multiplicative_with_the_identity_is_dot():
    score = MultiplicativeScore(4, 4).double()
    with torch.no_grad():
        score.turn.weight.copy_(torch.eye(4))
    query, key = drawn(3, 4), drawn(5, 4, seed=1)
    torch.testing.assert_close(score(query, key), DotScore(4, 4)(query, key))


def test_additive_is_bounded_and_saturates():
    score = AdditiveScore(4, 4, 6).double()
    bound = score.judge.weight.abs().sum()
    scores = score(1e6 * drawn(3, 4), drawn(5, 4, seed=1))
    assert (scores.abs() <= bound + 1e-9).all()
    torch.testing.assert_close(scores, scores[:, :1].expand_as(scores))  # the keys no longer count


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_counted(kind):
    d_query, d_key, d_hidden = (4, 4, 6) if kind == "dot" else (4, 7, 6)
    expected = {
        "additive": d_query * d_hidden + d_key * d_hidden + d_hidden,
        "multiplicative": d_query * d_key,
        "dot": 0,
    }
    score = scorer(kind, d_query, d_key, d_hidden)
    assert sum(p.numel() for p in score.parameters()) == expected[kind]


def test_the_hidden_layer_is_as_wide_as_the_query_unless_told():
    assert scorer("additive", 4, 7).judge.in_features == 4
    assert scorer("additive", 4, 7, 9).judge.in_features == 9


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_agree_with_finite_differences(kind):
    torch.manual_seed(0)
    score = scorer(kind, 3, 3).double()
    inputs = drawn(2, 3).requires_grad_(), drawn(4, 3, seed=1).requires_grad_()
    parameters = tuple(score.parameters())

    def mixed(query, key, *_):
        return soft_look_up(score(query, key), key)[0]

    assert torch.autograd.gradcheck(mixed, (*inputs, *parameters))


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_keys_does_not_matter(kind):
    torch.manual_seed(1)
    score = scorer(kind, 4, 4).double()
    query, key, value = drawn(3, 4), drawn(6, 4, seed=1), drawn(6, 5, seed=2)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    mixed, weights = soft_look_up(score(query, key), value)
    again, permuted = soft_look_up(score(query, key[order]), value[order])
    torch.testing.assert_close(again, mixed)
    torch.testing.assert_close(permuted, weights[:, order])


def test_a_mixture_is_an_expected_value():
    scores, value = drawn(3, 6), drawn(6, 5, seed=1)
    mixed, weights = soft_look_up(scores, value)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, dtype=torch.float64))
    expected = sum(weights[:, j, None] * value[j] for j in range(6))
    torch.testing.assert_close(mixed, expected)
    assert (mixed <= value.max(0).values).all()
    assert (mixed >= value.min(0).values).all()
    coldest, _ = soft_look_up(scores * 1e6, value)  # the limit is a plain look-up
    torch.testing.assert_close(coldest, value[scores.argmax(-1)])


def test_what_is_hidden_has_no_weight():
    mask = torch.tensor([True, False, True])
    mixed, weights = soft_look_up(drawn(2, 3), drawn(3, 4, seed=1), mask)
    assert (weights[:, 1] == 0).all()
    seen, _ = soft_look_up(drawn(2, 3)[:, mask], drawn(3, 4, seed=1)[mask])
    torch.testing.assert_close(mixed, seen)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="kind is 'cosine': it must be one of additive, multipl"):
        scorer("cosine", 3, 3)
    with pytest.raises(ValueError, match="d_query is 3 and d_key is 6: a dot product needs them"):
        scorer("dot", 3, 6)
    with pytest.raises(ValueError, match="d_hidden is 0: it must be at least 1"):
        scorer("additive", 3, 3, 0)
    with pytest.raises(ValueError, match="d_key is 0: it must be at least 1"):
        Score(3, 0)
    with pytest.raises(ValueError, match=r"query has shape \(2, 4\): it must be \(\.\.\., n, 3\)"):
        DotScore(3, 3)(torch.zeros(2, 4), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"key has shape \(3,\): it must be \(\.\.\., n, 3\)"):
        DotScore(3, 3)(torch.zeros(2, 3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"scores has shape \(2, 3\) and value \(4, 5\)"):
        soft_look_up(torch.zeros(2, 3), torch.zeros(4, 5))
    with pytest.raises(TypeError, match="mask is"):
        soft_look_up(torch.zeros(2, 3), torch.zeros(3, 5), torch.ones(3))
