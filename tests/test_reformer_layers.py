"""The sublayers of a Reformer: in pieces they give what they give as functions, gradients included."""

import math

import pytest
import torch
from torch.nn import functional

from companion.attention import attention_weights
from companion.local import chunk_mask
from companion.lsh import unit
from companion.lsh_masked import MaskedLSHSelfAttention
from companion.positional import rotary
from companion.reformer_layers import ChunkedFeedForward, LocalSelfAttention, LSHSelfAttention

LENGTH, D_MODEL = 50, 16
LAYERS = {
    "one round": lambda: LSHSelfAttention(D_MODEL, 4, chunk=8),
    "four rounds": lambda: LSHSelfAttention(D_MODEL, 2, chunk=8, rounds=4),
    "buckets": lambda: LSHSelfAttention(D_MODEL, 2, chunk=8, cut="bucket", n_buckets=6),
    "bidirectional": lambda: LSHSelfAttention(D_MODEL, 2, chunk=8, causal=False),
    "masked": lambda: MaskedLSHSelfAttention(D_MODEL, 2, chunk=4, rounds=3, n_buckets=6),
    "short": lambda: LSHSelfAttention(D_MODEL, 2, chunk=64),
    "feed-forward": lambda: ChunkedFeedForward(D_MODEL, 32, rows=13),
    "feed-forward, dropout": lambda: ChunkedFeedForward(D_MODEL, 32, rows=13, dropout=0.3),
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}


def seeded(function, *arguments):
    torch.manual_seed(5)
    return function(*arguments)


@pytest.fixture(params=LAYERS)
def layer(request):
    torch.manual_seed(0)
    return LAYERS[request.param]()


@pytest.fixture(params=TOLERANCE, ids=str)
def dtype(request):
    return request.param


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
def test_add_and_undo_equal_the_function_and_its_gradients(layer, dtype, leading):
    layer = layer.to(dtype)
    x, stream, grad = torch.randn(3, *leading, LENGTH, D_MODEL, dtype=dtype)
    x.requires_grad_()
    parameters = list(layer.parameters())
    update = seeded(layer, x)
    of_x, *of_parameters = torch.autograd.grad(update, [x, *parameters], grad)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}

    x = x.detach()
    after, of_stream = stream.clone(), torch.ones_like(x)
    memo = seeded(layer.add, after, x)
    torch.testing.assert_close(after, stream + update.detach(), **close)
    found = seeded(layer.undo, after, x, memo, grad, of_stream)
    torch.testing.assert_close(after, stream, **close)
    torch.testing.assert_close(of_stream, 1 + of_x, **close)
    for one, other in zip(found, of_parameters, strict=True):
        torch.testing.assert_close(one, other, **close)


def test_undo_does_not_hash_again(monkeypatch):
    layer = LAYERS["four rounds"]()
    x, stream, grad = torch.randn(3, LENGTH, D_MODEL)
    memo = layer.add(stream, x)
    monkeypatch.setattr("companion.reformer_layers.angular_hash", None)
    layer.undo(stream, x, memo, grad, torch.zeros_like(x))
    assert [tuple(each.shape) for each in memo] == [(1, 2, 4, LENGTH)]


def test_frozen_parameters_get_no_gradient(layer):
    layer.norm.requires_grad_(requires_grad=False)
    x, stream, grad = (torch.randn(LENGTH, D_MODEL) for _ in range(3))
    memo = layer.add(stream, x)
    found = layer.undo(stream, x, memo, grad, torch.zeros_like(x))
    needs = [p.requires_grad for p in layer.parameters()]
    assert [each is not None for each in found] == needs
    assert not all(needs)


def test_where_chunks_cover_all_it_is_full_attention():
    """Of queries that are keys, and look at themselves only if there is nothing else."""
    layer = LSHSelfAttention(D_MODEL, 2, chunk=LENGTH, rounds=3).double()
    x = torch.randn(LENGTH, D_MODEL, dtype=torch.float64)
    y = layer.norm(x)
    query, value = (
        (y @ each.weight.T).unflatten(-1, (2, -1)).transpose(0, 1)
        for each in (layer.query_key, layer.value)
    )
    seen = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril(-1)
    seen[0, 0] = True
    weights = attention_weights(query @ unit(query).mT, seen)
    expected = (weights @ value).transpose(0, 1).flatten(-2) @ layer.out.weight.T
    torch.testing.assert_close(layer(x), expected, rtol=1e-10, atol=1e-10)


def test_padding_is_not_looked_at():
    layer = LSHSelfAttention(D_MODEL, 2, chunk=LENGTH, causal=False)
    x = torch.randn(2, LENGTH, D_MODEL)
    mask = torch.arange(LENGTH) < torch.tensor([[40], [LENGTH]])  # (2, LENGTH)
    other = x.clone()
    other[0, 40:] = torch.randn(10, D_MODEL)
    before, after = (seeded(layer, each, mask) for each in (x, other))
    torch.testing.assert_close(before[0, :40], after[0, :40])
    assert not torch.allclose(before[0, 40:], after[0, 40:])


def test_the_seed_rules_the_buckets():
    layer = LAYERS["one round"]()
    x = torch.randn(LENGTH, D_MODEL)
    assert torch.equal(seeded(layer, x), seeded(layer, x))
    assert not torch.equal(layer(x), layer(x))


def test_two_buckets_a_chunk_unless_told_otherwise(monkeypatch):
    asked = []

    def record(d_k, n_buckets, rounds, **_):
        asked.append((d_k, math.prod(n_buckets), rounds))
        raise InterruptedError

    monkeypatch.setattr("companion.reformer_layers.random_rotations", record)
    for given in (None, 6):
        layer = LSHSelfAttention(D_MODEL, 2, chunk=8, rounds=3, n_buckets=given)
        with pytest.raises(InterruptedError):
            layer(torch.randn(LENGTH, D_MODEL))
    assert asked == [(8, 14, 3), (8, 6, 3)]


def test_under_autocast_projections_are_short():
    layer = LAYERS["short"]()  # so short that the buckets, which differ, play no part
    x = torch.randn(LENGTH, D_MODEL)
    with torch.autocast("cpu", torch.bfloat16):
        short = seeded(layer, x)
    assert short.dtype == torch.bfloat16
    torch.testing.assert_close(short.float(), seeded(layer, x), rtol=0.1, atol=0.1)


def test_the_middle_never_lies_there_whole():
    """In pieces, no tensor is longer than the rows asked for; as one piece, one is."""
    longest = []

    def watch(_, __, output):
        longest.append(len(output))

    layer = ChunkedFeedForward(D_MODEL, 32, rows=13)
    layer.widen.register_forward_hook(watch)
    x = torch.randn(2, LENGTH, D_MODEL)
    plain = layer.narrow(functional.gelu(layer.widen(layer.norm(x.flatten(0, 1)))))
    assert longest == [100]
    torch.testing.assert_close(layer(x), plain.view(x.shape))
    assert longest[1:] == [13] * 7 + [9]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSHSelfAttention(16, 3), "n_heads is 3; it must divide d_model, 16"),
        (lambda: LSHSelfAttention(16, 0), "n_heads is 0: it must be at least 1"),
        (lambda: LSHSelfAttention(16, 2, rounds=-1), "rounds is -1: it must be at least 1"),
        (lambda: LSHSelfAttention(16, 2, chunk=0), "chunk is 0: it must be at least 1"),
        (lambda: LSHSelfAttention(16, 2, n_buckets=7), "n_buckets is 7; .* even"),
        (lambda: LSHSelfAttention(16, 2, cut="rank"), "cut is 'rank'; it must be one of 'sorted'"),
        (lambda: ChunkedFeedForward(16, 32, rows=0), "rows is 0: it must be at least 1"),
        (lambda: ChunkedFeedForward(16, -2), "d_ff is -2: it must be at least 1"),
    ],
)
def test_what_will_not_do_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class TestLocal:
    def test_it_is_attention_under_the_mask_of_chunks(self):
        """By torch's own attention, of queries and keys turned by their places."""
        layer = LocalSelfAttention(D_MODEL, 2, chunk=8).double()
        x = torch.randn(3, LENGTH, D_MODEL, dtype=torch.float64)
        y = layer.norm(x)
        query, key, value = (
            functional.linear(y, part.weight, part.bias).unflatten(-1, (2, -1)).transpose(1, 2)
            for part in (layer.query, layer.key, layer.value)
        )
        expected = functional.scaled_dot_product_attention(
            rotary(query), rotary(key), value, attn_mask=chunk_mask(LENGTH, 8)
        )
        expected = expected.transpose(1, 2).flatten(-2) @ layer.out.weight.T
        torch.testing.assert_close(layer(x), expected, rtol=1e-10, atol=1e-10)

    def test_what_comes_later_changes_nothing_earlier(self):
        layer = LocalSelfAttention(D_MODEL, 2, chunk=8)
        x = torch.randn(1, LENGTH, D_MODEL)
        other = x.clone()
        other[:, 30:] = 0
        assert torch.equal(layer(x)[:, :30], layer(other)[:, :30])

    def test_halves_of_a_head_must_be_whole(self):
        with pytest.raises(ValueError, match=r"n_heads is 16; .* d_model, 16, into even parts"):
            LocalSelfAttention(16, 16)
