"""Recurrent networks: torch's figures, the derivative by distance, and closed forms of cost."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from companion.attention import MultiHeadAttention
from companion.recurrent import (
    KINDS,
    LSTMCell,
    RNNCell,
    jacobian_norms,
    linear_attention,
    linear_attention_recurrent,
    multiplications,
    path_length,
    sequential_steps,
    unroll,
)

SIZES = st.integers(1, 6)


def torch_like(cell, d_in, d):
    """torch's network with the weights of ours."""
    network = (nn.RNN if isinstance(cell, RNNCell) else nn.LSTM)(d_in, d, batch_first=True)
    with torch.no_grad():
        network.weight_ih_l0.copy_(cell.input.weight)
        network.weight_hh_l0.copy_(cell.hidden.weight)
        network.bias_ih_l0.copy_(cell.input.bias)
        network.bias_hh_l0.zero_()
    return network


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES, SIZES, SIZES, st.sampled_from([RNNCell, LSTMCell]))
def test_equal_to_torch(batch, n, d_in, d, kind):
    torch.manual_seed(n)
    cell = kind(d_in, d)
    x = torch.randn(batch, n, d_in)
    torch.testing.assert_close(unroll(cell, x), torch_like(cell, d_in, d)(x)[0])


def test_forget_bias_is_that_of_the_forget_gate_alone():
    cell = LSTMCell(3, 2, forget_bias=2.0)
    assert cell.input.bias.tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    keeps = torch.zeros(1, 2), torch.ones(1, 2)
    with torch.no_grad():
        cell.input.weight.zero_()
        cell.hidden.weight.zero_()
    _, (_, kept) = cell(torch.zeros(1, 3), keeps)
    torch.testing.assert_close(kept, torch.full((1, 2), 2.0).sigmoid())


@pytest.mark.parametrize("shape", [(3, 4), (2, 0, 4)])
def test_what_is_no_sentence_is_refused(shape):
    with pytest.raises(ValueError, match=r"x has shape .*: it must be \(batch, n, d_in\), n at"):
        unroll(RNNCell(4, 4), torch.zeros(shape))


def test_jacobian_of_a_linear_recurrence_is_known():
    decay = torch.tensor([1.0, 0.5, 0.25, 0.125])

    def read(x):  # each output is the sum of the words so far, each halved a step
        weights = torch.stack(
            [torch.cat([decay[: t + 1].flip(0), torch.zeros(3 - t)]) for t in range(4)]
        )
        return weights @ x

    norms = jacobian_norms(read, torch.randn(4, 9))
    torch.testing.assert_close(norms, 3 * decay)  # the root of 9 equal squares


def test_jacobian_agrees_with_finite_differences():
    torch.manual_seed(0)
    cell = RNNCell(2, 3).double()
    x = torch.randn(5, 2, dtype=torch.float64)
    for k, norm in enumerate(jacobian_norms(lambda words: unroll(cell, words), x)):
        total = 0.0
        for i in range(2):
            nudge = torch.zeros_like(x)
            nudge[4 - k, i] = 1e-6
            up, down = (unroll(cell, (x + s * nudge)[None])[0, -1] for s in (1, -1))
            total += ((up - down) / 2e-6).square().sum().item()
        assert norm.item() == pytest.approx(total**0.5, rel=1e-5)


def test_jacobian_takes_one_sentence():
    with pytest.raises(ValueError, match=r"x has shape .*one sentence"):
        jacobian_norms(lambda x: x, torch.zeros(1, 2, 3))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), SIZES, SIZES)
def test_linear_attention_is_a_recurrence(n, d_k, d_v):
    drawn = torch.Generator().manual_seed(n)
    query, key = torch.randn(2, n, d_k, generator=drawn)
    value = torch.randn(n, d_v, generator=drawn)
    parallel = linear_attention(query, key, value)
    torch.testing.assert_close(
        linear_attention_recurrent(query, key, value), parallel, atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(parallel[0], value[0])  # the first word sees itself alone
    assert (parallel <= value.cummax(0).values + 1e-5).all()  # an average never exceeds them


def longest_wait(kind, n, layers, *, generating):
    """The longest chain of what waits for what, found by walking it."""
    done = {}
    for word in range(n):
        for layer in range(layers):
            waits = [(word, layer - 1)]
            if kind == "recurrent":
                waits.append((word - 1, layer))
            if generating:
                waits.append((word - 1, layers - 1))
            done[word, layer] = 1 + max(done.get(earlier, 0) for earlier in waits)
    return max(done.values())


@given(st.sampled_from(KINDS), st.integers(1, 9), st.integers(1, 5), st.booleans())
def test_steps_are_the_longest_chain(kind, n, layers, generating):
    assert sequential_steps(kind, n, layers, generating=generating) == longest_wait(
        kind, n, layers, generating=generating
    )


@given(st.integers(0, 40), st.sampled_from([3, 5, 7]))
def test_ways(distance, kernel):
    assert path_length("recurrent", distance) == distance
    assert path_length("attention", distance) == (distance > 0)
    layers = path_length("convolution", distance, kernel)
    reach = kernel // 2
    assert layers * reach >= distance > (layers - 1) * reach or distance == layers == 0


def test_unknown_kinds_and_kernels_are_refused():
    for closed_form in (sequential_steps, path_length):
        with pytest.raises(ValueError, match="kind is 'lstm': it must be one of recurrent, conv"):
            closed_form("lstm", 3)
    for kernel in (1, 4):
        with pytest.raises(ValueError, match=f"kernel is {kernel}: it must be odd"):
            path_length("convolution", 3, kernel)


def counted(module, x):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    return counter.get_total_flops() / 2  # a multiplication and an addition each


def test_multiplications_are_those_that_torch_counts():
    n, d = 7, 12
    x = torch.randn(1, n, d)
    for kind, cell in {"recurrent": RNNCell(d, d), "lstm": LSTMCell(d, d)}.items():
        assert counted(lambda words, cell=cell: unroll(cell, words), x) == multiplications(
            kind, n, d
        )
    looks = multiplications("looking", n, d) + multiplications("projections", n, d)
    assert counted(MultiHeadAttention(d, 3), x) == looks
    feed_forward = nn.Sequential(nn.Linear(d, 4 * d), nn.Linear(4 * d, d))
    assert counted(feed_forward, x) == multiplications("feed-forward", n, d)
