"""`companion.attention` against torch's own functions, and against what attention must do."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.attention import (
    MultiHeadAttention,
    attention_scores,
    attention_weights,
    causal_mask,
    join_heads,
    padding_mask,
    scaled_dot_product_attention,
    split_heads,
)

ATOL = {torch.float32: 1e-6, torch.float64: 1e-12}
SHAPES = [  # query, key, value
    ((5, 4), (5, 4), (5, 4)),
    ((3, 4), (6, 4), (6, 2)),
    ((2, 3, 4), (2, 6, 4), (2, 6, 5)),
    ((2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 1)),
    ((2, 3, 5, 8), (1, 3, 7, 8), (1, 3, 7, 6)),
    ((1, 1), (1, 1), (1, 1)),
]

properties = settings(deadline=None, max_examples=40, derandomize=True)
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def randn(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_inputs(shapes, seed=0, dtype=torch.float32):
    return [randn(*shape, seed=seed + i, dtype=dtype) for i, shape in enumerate(shapes)]


def random_mask(*shape, seed=0):
    """Half hidden; every query sees at least the first key."""
    mask = randn(*shape, seed=seed) > 0
    mask[..., 0] = True
    return mask


@st.composite
def inputs(draw):
    """A query, a key and a value, with or without a batch in front, in float64."""
    batch = draw(st.sampled_from([(), (2,), (2, 3)]))
    n_q, n_k, d_k, d_v = draw(st.tuples(sizes, sizes, sizes, sizes))
    shapes = [(*batch, n_q, d_k), (*batch, n_k, d_k), (*batch, n_k, d_v)]
    return random_inputs(shapes, draw(seeds), torch.float64)


# Against torch ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ATOL)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
def test_equals_torch(shapes, dtype, masked):
    query, key, value = random_inputs(shapes, dtype=dtype)
    mask = random_mask(*query.shape[:-1], key.shape[-2]) if masked else None
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(output, expected, atol=ATOL[dtype], rtol=0)
    assert output.dtype == weights.dtype == dtype
    assert weights.shape == (*query.shape[:-1], key.shape[-2])


@pytest.mark.parametrize("shape", [(), (7,), (5, 1), (5, 7), (1, 1, 7), (3, 1, 7), (2, 1, 5, 7)])
def test_mask_broadcasts(shape):
    query, key, value = random_inputs([(2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 6)])
    mask = randn(*shape, seed=5) > 0
    output, _ = scaled_dot_product_attention(query, key, value, mask)
    whole = mask.expand(2, 3, 5, 7)  # torch itself refuses a mask with fewer than two axes
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=whole)
    torch.testing.assert_close(output, expected, atol=1e-6, rtol=0)


def with_weights_of(theirs, d_model, n_heads):
    """Our module with the weights of a torch.nn.MultiheadAttention."""
    ours = MultiHeadAttention(d_model, n_heads, bias=theirs.in_proj_bias is not None).double()
    projections = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        for layer, weight in zip(projections, theirs.in_proj_weight.chunk(3), strict=True):
            layer.weight.copy_(weight)
        ours.output.weight.copy_(theirs.out_proj.weight)
        if theirs.in_proj_bias is not None:
            theirs.in_proj_bias.normal_()
            theirs.out_proj.bias.normal_()
            for layer, bias in zip(projections, theirs.in_proj_bias.chunk(3), strict=True):
                layer.bias.copy_(bias)
            ours.output.bias.copy_(theirs.out_proj.bias)
    return ours


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_heads", [1, 3])
@pytest.mark.parametrize("source", ["self", "memory", "values_from"])
@pytest.mark.parametrize("masked", [False, True])
def test_module_equals_torch(n_heads, bias, source, masked):
    theirs = nn.MultiheadAttention(12, n_heads, bias=bias, batch_first=True, dtype=torch.float64)
    ours = with_weights_of(theirs, 12, n_heads)
    x = randn(2, 5, 12, dtype=torch.float64)
    memory = None if source == "self" else randn(2, 7, 12, seed=1, dtype=torch.float64)
    values_from = randn(2, 7, 12, seed=2, dtype=torch.float64) if source == "values_from" else None
    keys = x if memory is None else memory
    values = keys if values_from is None else values_from

    mask, hidden = None, {}
    if masked:
        n_k = keys.shape[1]
        tokens = torch.ones(2, n_k, dtype=torch.long)
        tokens[0, -2:] = 0
        causal, not_padding = causal_mask(5, n_k), padding_mask(tokens, 0)
        mask = causal & not_padding
        hidden = {"attn_mask": ~causal, "key_padding_mask": ~not_padding[:, 0, 0]}

    output, weights = ours(x, memory, mask, values_from=values_from)
    expected = theirs(x, keys, values, average_attn_weights=False, **hidden)
    torch.testing.assert_close(output, expected[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(weights, expected[1], atol=1e-12, rtol=0)


def test_module_projections_give_its_output():
    module = MultiHeadAttention(12, 3)
    x, memory, values_from = random_inputs([(2, 5, 12), (2, 7, 12), (2, 7, 12)])
    query, key, value = module.project(x, memory, values_from)
    assert (query.shape, key.shape, value.shape) == ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4))
    mixed, weights = scaled_dot_product_attention(query, key, value)
    output, same_weights = module(x, memory, values_from=values_from)
    assert torch.equal(module.output(join_heads(mixed)), output)
    assert torch.equal(weights, same_weights)


def test_module_names_and_counts_its_parameters():
    names = {name for name, _ in MultiHeadAttention(12, 3).named_children()}
    assert names == {"query", "key", "value", "output"}
    assert sum(p.numel() for p in MultiHeadAttention(12, 3).parameters()) == 4 * (12 * 12 + 12)
    module = MultiHeadAttention(12, 3, bias=False)
    assert sum(p.numel() for p in module.parameters()) == 4 * 12 * 12


def test_heads_are_consecutive_pieces_and_join_again():
    x = randn(2, 5, 12)
    heads = split_heads(x, 3)
    assert torch.equal(heads[1, 2], x[1, :, 8:12])
    assert torch.equal(join_heads(heads), x)


# What attention must do -------------------------------------------------------------------------


def test_scores_by_hand():
    query, key = torch.tensor([[2.0, 0.0, 0.0, 4.0]]), torch.tensor([[1.0, 5, 5, 1], [0, 9, 9, 1]])
    assert attention_scores(query, key).tolist() == [[3.0, 2.0]]


@properties
@given(inputs(), seeds)
def test_rows_sum_to_one_and_average_the_values(given_inputs, seed):
    query, key, value = given_inputs
    mask = random_mask(query.shape[-2], key.shape[-2], seed=seed)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (weights >= 0).all()
    assert (weights.masked_select(~mask) == 0).all()
    assert (output <= value.amax(-2, keepdim=True) + 1e-12).all()
    assert (output >= value.amin(-2, keepdim=True) - 1e-12).all()


@properties
@given(inputs(), st.randoms(use_true_random=False))
def test_order_of_keys_is_nothing_and_order_of_queries_is_kept(given_inputs, random):
    query, key, value = given_inputs
    output, weights = scaled_dot_product_attention(query, key, value)
    keys = random.sample(range(key.shape[-2]), key.shape[-2])
    queries = random.sample(range(query.shape[-2]), query.shape[-2])
    permuted, permuted_weights = scaled_dot_product_attention(
        query[..., queries, :], key[..., keys, :], value[..., keys, :]
    )
    torch.testing.assert_close(permuted, output[..., queries, :])
    torch.testing.assert_close(permuted_weights, weights[..., queries, :][..., keys])


@properties
@given(inputs(), st.floats(-50, 50), seeds)
def test_a_constant_added_to_a_row_of_scores_is_nothing(given_inputs, constant, seed):
    query, key, _ = given_inputs
    scores = attention_scores(query, key)
    rows = constant * randn(query.shape[-2], 1, seed=seed, dtype=torch.float64)
    for mask in (None, random_mask(*scores.shape, seed=seed)):
        torch.testing.assert_close(
            attention_weights(scores + rows, mask), attention_weights(scores, mask)
        )


@properties
@given(inputs(), seeds, st.floats(-1e6, 1e6))
def test_a_hidden_key_is_nothing_bit_for_bit(given_inputs, seed, other):
    query, key, value = given_inputs
    mask = random_mask(query.shape[-2], key.shape[-2], seed=seed)
    hidden = key.shape[-2] - 1
    mask[:, hidden] = False  # with one key alone every row is hidden: zeros
    before = scaled_dot_product_attention(query, key, value, mask)
    key, value = key.clone(), value.clone()
    key[..., hidden, :], value[..., hidden, :] = other, -other
    after = scaled_dot_product_attention(query, key, value, mask)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])


@properties
@given(st.integers(2, 8), st.data(), seeds)
def test_causal_attention_does_not_see_the_future(n, data, seed):
    now = data.draw(st.integers(0, n - 2))
    module = MultiHeadAttention(6, 2)
    x = randn(1, n, 6, seed=seed).requires_grad_()
    output, _ = module(x, mask=causal_mask(n))
    output[:, now].square().sum().backward()
    assert (x.grad[:, now + 1 :] == 0).all()
    assert (x.grad[:, : now + 1] != 0).any(-1).all()

    changed = x.detach().clone()
    changed[:, now + 1 :] = randn(1, n - now - 1, 6, seed=seed + 1)
    output_again, _ = module(changed, mask=causal_mask(n))
    assert torch.equal(output_again[:, : now + 1], output[:, : now + 1])


def test_gradients():
    tensors = random_inputs([(2, 3, 4), (2, 5, 4), (2, 5, 3)], dtype=torch.float64)
    tensors = [x.requires_grad_() for x in tensors]
    mask = random_mask(3, 5)
    mask[1] = False
    assert torch.autograd.gradcheck(scaled_dot_product_attention, tensors)
    assert torch.autograd.gradcheck(scaled_dot_product_attention, (*tensors, mask))


# Rows where everything is hidden ----------------------------------------------------------------


@pytest.mark.parametrize("mask_shape", [(), (5,), (1, 5), (3, 5), (3, 1), (2, 3, 5)])
def test_all_hidden_gives_zeros(mask_shape):
    query, key, value = random_inputs([(2, 3, 4), (2, 5, 4), (2, 5, 3)])
    mask = torch.zeros(mask_shape, dtype=torch.bool)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    assert torch.equal(output, torch.zeros(2, 3, 3))
    assert torch.equal(weights, torch.zeros(2, 3, 5))


def test_hidden_keys_get_nothing_however_low_the_other_scores():
    scores = torch.tensor([[-1e30, 5.0]])
    assert attention_weights(scores, torch.tensor([True, False])).tolist() == [[1.0, 0.0]]


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
def test_a_hidden_row_has_no_nan_in_its_gradient_nor_on_the_way():
    shapes = [(2, 3, 4), (2, 5, 4), (2, 5, 3)]
    ours = [x.requires_grad_() for x in random_inputs(shapes)]
    theirs = [x.requires_grad_() for x in random_inputs(shapes)]
    mask = random_mask(3, 5)
    mask[1] = False
    with torch.autograd.detect_anomaly():  # raises at any NaN in a backward function
        scaled_dot_product_attention(*ours, mask)[0].square().sum().backward()
    functional.scaled_dot_product_attention(*theirs, mask).square().sum().backward()
    assert (ours[0].grad[:, 1] == 0).all()
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our.grad, their.grad, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mask", [None, causal_mask(3)])
def test_module_with_a_sequence_of_padding_alone(mask):
    module = MultiHeadAttention(6, 2)
    tokens = torch.tensor([[4, 4, 4], [0, 0, 0]])
    mask = padding_mask(tokens, 0) if mask is None else mask & padding_mask(tokens, 0)
    x = randn(2, 3, 6).requires_grad_()
    output, weights = module(x, mask=mask)
    output.sum().backward()
    assert (weights[1] == 0).all()
    assert torch.equal(output[1], module.output.bias.expand(3, 6))
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in module.parameters())


# Half precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_with_large_scores_and_a_mask(dtype):
    query, key, value = (x.to(dtype) for x in random_inputs([(2, 4, 8), (2, 6, 8), (2, 6, 3)]))
    query, key = (60 * query).requires_grad_(), 60 * key  # scores in the thousands
    mask = random_mask(4, 6)
    mask[1] = False
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    output.sum().backward()
    assert attention_scores(query, key).abs().max() > 1000
    assert output.dtype == weights.dtype == dtype
    assert output.isfinite().all()
    assert query.grad.isfinite().all()
    assert (weights.masked_select(~mask) == 0).all()
    torch.testing.assert_close(weights.float().sum(-1)[:, 2:], torch.ones(2, 2), atol=1e-2, rtol=0)


# Masks ------------------------------------------------------------------------------------------


def test_causal_mask():
    assert causal_mask(3).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(3).dtype == torch.bool
    assert causal_mask(2, 4).tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert causal_mask(1, 4).all()
    assert torch.equal(causal_mask(2, 5), causal_mask(5)[-2:])


def test_causal_mask_serves_cached_keys():
    module = MultiHeadAttention(6, 2).double()
    x = randn(1, 5, 6, dtype=torch.float64)
    whole, _ = module(x, mask=causal_mask(5))
    last, _ = module(x[:, 3:], x, causal_mask(2, 5))
    torch.testing.assert_close(last, whole[:, 3:])


def test_padding_mask():
    mask = padding_mask(torch.tensor([[5, 6, 0], [7, 0, 0]]), pad=0)
    assert mask.tolist() == [[[[True, True, False]]], [[[True, False, False]]]]


# Errors -----------------------------------------------------------------------------------------


def ones(*shape):
    return torch.ones(*shape)


def sdpa_with_mask(mask):
    return scaled_dot_product_attention(ones(3, 4), ones(5, 4), ones(5, 2), mask)


MODULE = MultiHeadAttention(6, 2)
ERRORS = {
    "d_k differs": (
        lambda: attention_scores(ones(3, 4), ones(5, 6)),
        ValueError,
        "query has shape (3, 4) and key (5, 6)",
    ),
    "d_k is 0": (
        lambda: attention_scores(ones(3, 0), ones(5, 0)),
        ValueError,
        "query has shape (3, 0) and key (5, 0)",
    ),
    "query is a vector": (
        lambda: attention_scores(ones(4), ones(5, 4)),
        ValueError,
        "query has shape (4,)",
    ),
    "key is a vector": (
        lambda: attention_scores(ones(3, 4), ones(4)),
        ValueError,
        "key has shape (4,)",
    ),
    "query of integers": (
        lambda: attention_scores(ones(3, 4).long(), ones(5, 4)),
        ValueError,
        "query has dtype torch.int64",
    ),
    "number of values": (
        lambda: scaled_dot_product_attention(ones(3, 4), ones(5, 4), ones(6, 2)),
        ValueError,
        "value has shape (6, 2) and key (5, 4)",
    ),
    "value is a vector": (
        lambda: scaled_dot_product_attention(ones(3, 4), ones(5, 4), ones(5)),
        ValueError,
        "value has shape (5,)",
    ),
    "mask of floats": (lambda: sdpa_with_mask(ones(3, 5)), TypeError, "mask is torch.float32"),
    "mask of integers": (
        lambda: attention_weights(ones(3, 5), ones(3, 5).long()),
        TypeError,
        "mask is torch.int64",
    ),
    "mask is a list": (lambda: sdpa_with_mask([[True]]), TypeError, "mask is list"),
    "mask of another shape": (
        lambda: sdpa_with_mask(ones(3, 4).bool()),
        ValueError,
        "mask has shape (3, 4) and scores (3, 5)",
    ),
    "mask with more axes": (
        lambda: sdpa_with_mask(ones(2, 3, 5).bool()),
        ValueError,
        "mask has shape (2, 3, 5) and scores (3, 5)",
    ),
    "more queries than keys": (
        lambda: causal_mask(4, 3),
        ValueError,
        "n_query is 4 and n_key is 3",
    ),
    "no query": (lambda: causal_mask(0), ValueError, "n_query is 0"),
    "no key": (lambda: causal_mask(1, 0), ValueError, "n_key is 0"),
    "tokens of one sequence": (
        lambda: padding_mask(ones(3), 0),
        ValueError,
        "tokens has shape (3,)",
    ),
    "d_model is no multiple": (
        lambda: MultiHeadAttention(6, 4),
        ValueError,
        "d_model is 6 and n_heads is 4",
    ),
    "no heads": (lambda: MultiHeadAttention(6, 0), ValueError, "n_heads is 0"),
    "negative d_model": (lambda: MultiHeadAttention(-6, 2), ValueError, "d_model is -6"),
    "split no batch": (lambda: split_heads(ones(5, 6), 2), ValueError, "x has shape (5, 6)"),
    "split unevenly": (
        lambda: split_heads(ones(1, 5, 6), 4),
        ValueError,
        "d_model is 6 and n_heads is 4",
    ),
    "join no heads": (lambda: join_heads(ones(1, 5, 6)), ValueError, "x has shape (1, 5, 6)"),
    "x without batch": (lambda: MODULE(ones(5, 6)), ValueError, "x has shape (5, 6)"),
    "x of another d_model": (lambda: MODULE(ones(1, 5, 7)), ValueError, "x has shape (1, 5, 7)"),
    "memory of another d_model": (
        lambda: MODULE(ones(1, 5, 6), ones(1, 5, 7)),
        ValueError,
        "memory has shape (1, 5, 7)",
    ),
    "memory of another batch": (
        lambda: MODULE(ones(1, 5, 6), ones(2, 5, 6)),
        ValueError,
        "memory has shape (2, 5, 6) and x (1, 5, 6)",
    ),
    "values_from of another shape": (
        lambda: MODULE(ones(1, 5, 6), values_from=ones(1, 4, 6)),
        ValueError,
        "values_from has shape (1, 4, 6) and memory (1, 5, 6)",
    ),
    "mask for batch or for heads?": (
        lambda: MODULE(ones(2, 5, 6), mask=ones(2, 5, 5).bool()),
        ValueError,
        "mask has shape (2, 5, 5)",
    ),
}


@pytest.mark.parametrize(("call", "error", "says"), ERRORS.values(), ids=ERRORS)
def test_errors_name_the_argument_and_what_was_given(call, error, says):
    with pytest.raises(error, match=re.escape(says)) as raised:
        call()
    assert "must" in str(raised.value)


def test_scale_is_that_of_the_paper():
    # "the dot products grow large in magnitude": the standard deviation stays 1 as d_k grows.
    for d_k in (16, 256, 1024):
        scores = attention_scores(randn(200, d_k), randn(200, d_k, seed=1))
        assert math.isclose(scores.std().item(), 1, rel_tol=0.05)
