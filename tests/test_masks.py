"""The masks against their definitions, and what arrives through layers against a network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.attention import MultiHeadAttention, causal_mask
from companion.masks import leaks, prefix_mask, receptive_field, window_mask

SIZES = st.integers(1, 7)


@st.composite
def masks(draw):
    n = draw(SIZES)
    rows = draw(st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n))
    return torch.tensor(rows)


@given(st.data(), SIZES)
def test_prefix_mask_entry_by_entry(data, n):
    prefix = data.draw(st.integers(0, n))
    mask = prefix_mask(n, prefix)
    for i in range(n):
        for j in range(n):
            assert mask[i, j].item() == (j <= i or j < prefix)


def test_prefix_mask_has_two_ends():
    assert torch.equal(prefix_mask(5, 0), causal_mask(5))
    assert prefix_mask(5, 5).all()


@given(SIZES, st.integers(1, 9))
def test_window_mask_entry_by_entry(n, width):
    mask = window_mask(n, width)
    for i in range(n):
        for j in range(n):
            assert mask[i, j].item() == (i - width < j <= i)


def test_window_mask_has_two_ends():
    assert torch.equal(window_mask(5, 1), torch.eye(5, dtype=torch.bool))
    assert torch.equal(window_mask(5, 5), causal_mask(5))


def walk(mask, start, steps):
    """The positions that a walk of so many steps can reach, one step after the other."""
    known = {start}
    for _ in range(steps):
        known |= {j for i in known for j in range(len(mask)) if mask[i, j]}
    return known


@given(masks(), st.integers(0, 8))
def test_receptive_field_is_what_a_walk_reaches(mask, layers):
    reached = receptive_field(mask, layers)
    assert reached.dtype == torch.bool
    for i in range(len(mask)):
        assert set(reached[i].nonzero().flatten().tolist()) == walk(mask, i, layers)


@given(masks(), st.integers(0, 4))
def test_more_layers_reach_no_less(mask, layers):
    less, more = receptive_field(mask, layers), receptive_field(mask, layers + 1)
    assert (more | ~less).all()


@given(SIZES, st.integers(0, 5))
def test_a_causal_mask_never_leaks(n, layers):
    assert torch.equal(receptive_field(causal_mask(n), max(layers, 1)), causal_mask(n))
    assert not leaks(causal_mask(n), layers).any()


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 4))
def test_a_window_reaches_as_far_as_its_layers_carry(n, width, layers):
    expected = window_mask(n, layers * (width - 1) + 1)
    assert torch.equal(receptive_field(window_mask(n, width), layers), expected)


@settings(max_examples=20)
@given(masks(), st.integers(1, 3))
def test_receptive_field_is_where_a_networks_gradient_is_not_zero(mask, layers):
    torch.manual_seed(0)
    stack = nn.ModuleList([MultiHeadAttention(8, 2).double() for _ in range(layers)])
    x = torch.randn(1, len(mask), 8, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in stack:
        y = y + layer(y, mask=mask)[0]
    weights = torch.randn(8, dtype=torch.float64)
    reached = torch.stack(
        [
            torch.autograd.grad((y[0, i] * weights).sum(), x, retain_graph=True)[0][0].abs().sum(-1)
            for i in range(len(mask))
        ]
    )
    assert torch.equal(reached > 0, receptive_field(mask, layers))


def test_one_open_cell_leaks_to_all_who_look_there():
    mask = causal_mask(5)
    mask[0, 4] = True
    assert leaks(mask, 1).tolist() == [True, False, False, False, False]
    assert leaks(mask, 2).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: prefix_mask(4, 5), ValueError, "prefix is 5: it must be from 0 to n, which is 4"),
        (lambda: prefix_mask(4, -1), ValueError, "prefix is -1: it must be from 0 to n"),
        (lambda: prefix_mask(0, 0), ValueError, "n_query is 0: it must be at least 1"),
        (lambda: window_mask(4, 0), ValueError, "width is 0: it must be at least 1"),
        (lambda: window_mask(0, 1), ValueError, "n_query is 0: it must be at least 1"),
        (
            lambda: receptive_field(torch.ones(2, 2)),
            TypeError,
            r"mask is torch\.float32: it must be torch\.bool",
        ),
        (lambda: receptive_field([[True]]), TypeError, "mask is list: it must be torch.bool"),
        (
            lambda: receptive_field(torch.ones(2, 3, dtype=torch.bool)),
            ValueError,
            r"mask has shape \(2, 3\): it must be \(n, n\)",
        ),
        (
            lambda: receptive_field(causal_mask(2)[None], 2),
            ValueError,
            r"mask has shape \(1, 2, 2\)",
        ),
        (lambda: leaks(causal_mask(2), -1), ValueError, "layers is -1: it must be at least 0"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
