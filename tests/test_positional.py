"""Positional encodings against their formulas, written out in the plainest way."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.attention import attention_weights, causal_mask
from companion.positional import (
    LAYOUTS,
    frequencies,
    one_back,
    relative_positions,
    rotary,
    shift,
    sinusoidal,
)

properties = settings(deadline=None, max_examples=60, derandomize=True)
sizes = st.integers(1, 12).map(lambda pairs: 2 * pairs)


def test_the_paper_s_formula():
    table = sinusoidal(50, 16)
    for position in (0, 1, 7, 49):
        for i in range(8):
            angle = position / 10_000 ** (2 * i / 16)
            assert table[position, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_tensor2tensor_s_formula():
    table = sinusoidal(50, 16, layout="tensor2tensor")
    for position in (0, 1, 7, 49):
        for i in range(8):
            angle = position * math.exp(-i * math.log(10_000) / 7)
            assert table[position, i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 8 + i] == pytest.approx(math.cos(angle), abs=1e-6)


def test_four_entries_tell_the_layouts_apart():
    assert frequencies(4).tolist() == pytest.approx([1, 0.01])
    assert frequencies(4, layout="tensor2tensor").tolist() == pytest.approx([1, 0.0001])


@pytest.mark.parametrize("layout", LAYOUTS)
@properties
@given(n=st.integers(1, 40), d_model=sizes)
def test_every_encoding_is_as_long(layout, n, d_model):
    norms = sinusoidal(n, d_model, layout=layout).norm(dim=-1)
    torch.testing.assert_close(norms, torch.full((n,), math.sqrt(d_model / 2)))


@properties
@given(k=st.integers(-10, 10), d_model=sizes, base=st.floats(2, 1e5))
def test_a_shift_is_a_rotation(k, d_model, base):
    turn = shift(k, d_model, base=base)
    torch.testing.assert_close(turn @ turn.T, torch.eye(d_model), atol=1e-5, rtol=0)
    table = sinusoidal(40, d_model, base=base)
    start = table[10:30]
    torch.testing.assert_close(start @ turn.T, table[10 + k : 30 + k], atol=1e-5, rtol=0)


def test_far_positions_keep_their_angles():
    table = sinusoidal(100_001, 4)
    assert table[100_000, 0] == pytest.approx(math.sin(100_000), abs=1e-6)


@properties
@given(far=st.integers(0, 50), d_k=sizes)
def test_rotary_products_depend_on_the_distance_alone(far, d_k):
    generator = torch.Generator().manual_seed(far)
    query, key = torch.randn(2, 6, d_k, generator=generator, dtype=torch.double)
    here, there = torch.arange(6), torch.arange(6) + far
    near = rotary(query, here) @ rotary(key, here).T
    moved = rotary(query, there) @ rotary(key, there).T
    torch.testing.assert_close(near, moved)
    torch.testing.assert_close(rotary(query).norm(dim=-1), query.norm(dim=-1))
    torch.testing.assert_close(rotary(query)[0], query[0])


def test_rotary_turns_pairs():
    turned = rotary(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert turned[1].tolist() == pytest.approx([math.cos(1), math.sin(1)])
    assert rotary(torch.randn(2, 3, 5, 8).half()).dtype == torch.half


def test_rotary_has_a_gradient():
    x = torch.randn(3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(rotary, (x,))


@pytest.mark.parametrize("d_k", [16, 32, 40])
def test_biases_that_look_one_back(d_k):
    """Of 100 keys that say nothing, the one before gets most of the attention, wherever one stands."""
    query, key = (rotary(bias.expand(100, -1)) for bias in one_back(d_k))
    weights = attention_weights(query @ key.T / d_k**0.5, causal_mask(100))
    assert weights.argmax(dim=-1).tolist() == [0, *range(99)]
    assert weights.diagonal(-1).min() > 0.5


def test_relative_positions():
    assert relative_positions(3, 4, 2).tolist() == [[2, 3, 4, 4], [1, 2, 3, 4], [0, 1, 2, 3]]
    assert relative_positions(2, 2, 0).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: frequencies(5), "d_model is 5: it must be even and at least 2"),
        (lambda: frequencies(0), "d_model is 0"),
        (lambda: frequencies(4, base=0), "base is 0: it must be above 0"),
        (lambda: frequencies(4, base=math.nan), "base is nan"),
        (lambda: sinusoidal(0, 4), "n is 0: it must be at least 1"),
        (lambda: sinusoidal(3, 4, layout="mine"), "layout is 'mine': it must be one of paper"),
        (lambda: rotary(torch.ones(4)), r"x has shape \(4,\)"),
        (lambda: rotary(torch.ones(3, 4, dtype=torch.long)), "it must be .* floats"),
        (lambda: rotary(torch.ones(3, 5)), "d_model is 5"),
        (lambda: rotary(torch.ones(3, 4), torch.arange(2)), r"positions has shape \(2,\)"),
        (lambda: relative_positions(0, 1, 1), "n_query is 0: it must be at least 1"),
        (lambda: relative_positions(1, 1, -1), "longest is -1: it must be at least 0"),
    ],
)
def test_what_does_not_do(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
