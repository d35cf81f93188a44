"""`companion.lsh_fast`: what it has that `companion.lsh` has not, and that it is causal in fact.

That both are the same attention is shown in `test_lsh.py`.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.graph import saved_tensors_hooks

from companion import lsh, lsh_blocks, lsh_fast
from companion.hashing import angular_hash, bucket_factors, random_rotations
from companion.lsh import CUTS, unit
from companion.lsh_fast import lsh_attention

properties = settings(deadline=None, max_examples=60, derandomize=True)
each_cut = pytest.mark.parametrize("cut", ["sorted", "bucket"])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def randbuckets(*shape, n_buckets=4, seed=0):
    return torch.randint(n_buckets, shape, generator=seeded(seed), dtype=torch.int16)


def output_and_gradients(query, value, buckets, chunk, **options):
    """The output, and the gradients of query, value and key, if there is one."""
    leaves = {"query": query, "value": value}
    leaves |= {"key": options.pop("key")} if "key" in options else {}
    leaves = {name: x.detach().requires_grad_() for name, x in leaves.items()}
    output = lsh_attention(buckets=buckets, chunk=chunk, **leaves, **options)
    direction = randn(*output.shape, seed=99, dtype=output.dtype)
    return output.detach(), *torch.autograd.grad(output, list(leaves.values()), direction)


@st.composite
def cases(draw):
    """Arguments of attention in buckets, in float64."""
    front = draw(st.sampled_from([(), (2,)]))
    length, d_k, d_v = (draw(st.integers(1, top)) for top in (30, 5, 5))
    rounds, n_buckets = draw(st.sampled_from([1, 2, 4])), draw(st.integers(1, 6))
    seed = draw(st.integers(0, 2**31))
    case = {
        "query": randn(*front, length, d_k, seed=seed),
        "value": randn(*front, length, draw(st.sampled_from([d_k, d_v])), seed=seed + 1),
        "buckets": randbuckets(*front, rounds, length, n_buckets=n_buckets, seed=seed + 2),
        "chunk": draw(st.integers(1, length)),
        "causal": draw(st.booleans()),
        "cut": draw(st.sampled_from(["sorted", "bucket"])),
        "mask": torch.rand(length, generator=seeded(seed + 3)) < draw(st.sampled_from([0.5, 1.0])),
    }
    if draw(st.booleans()):
        case["key"] = randn(*front, length, d_k, seed=seed + 4)
        case["key_buckets"] = randbuckets(*front, rounds, length, n_buckets=n_buckets, seed=seed)
    return case


# Gradients ----------------------------------------------------------------------------------------


@each_cut
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("d_v", [2, 1])
def test_gradcheck(cut, separate, d_v):
    inputs = [randn(6, d, seed=i).requires_grad_() for i, d in enumerate((2, d_v, 2))]
    buckets, key_buckets = (randbuckets(2, 6, n_buckets=2, seed=i) for i in range(2))
    mask = torch.arange(6) != 4

    def run(query, value, *key):
        keys = {"key": key[0], "key_buckets": key_buckets} if key else {}
        return lsh_attention(query, value, buckets, 2, causal=True, cut=cut, mask=mask, **keys)

    assert torch.autograd.gradcheck(run, inputs if separate else inputs[:2])


def test_double_backward_is_refused():
    query, value = randn(6, 2).requires_grad_(), randn(6, 2, seed=1).requires_grad_()
    output = lsh_attention(query, value, randbuckets(1, 6), 2)
    (gradient,) = torch.autograd.grad((output**2).sum(), query, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


# How it is done makes no difference ---------------------------------------------------------------


@properties
@given(case=cases())
def test_without_the_fused_kernel_it_is_the_same(case):
    with pytest.MonkeyPatch.context() as patch:
        fused = output_and_gradients(**case)
        patch.setattr(lsh_blocks, "_fused", lambda _: False)
        plain = output_and_gradients(**case)
    torch.testing.assert_close(plain, fused, atol=1e-10, rtol=1e-10)


def test_fused_where_keys_are_as_long_as_values(monkeypatch):
    used = []
    fused = lsh_blocks._fused  # noqa: SLF001
    monkeypatch.setattr(lsh_blocks, "_fused", lambda block: used.append(fused(block)) or used[-1])
    lsh_attention(randn(6, 16), randn(6, 16), randbuckets(1, 6), 2)
    assert used == [True]
    lsh_attention(randn(6, 16), randn(6, 32), randbuckets(1, 6), 2)
    assert used == [True, False]


@each_cut
@pytest.mark.parametrize("block", [1, 2000, 10_000])
@pytest.mark.parametrize("rounds", [1, 4])
def test_the_size_of_blocks_makes_no_difference(cut, block, rounds, monkeypatch):
    """None to the output, bit for bit; gradients are summed in another order."""
    query, value = randn(2, 150, 16, dtype=torch.float32), randn(2, 150, 16, dtype=torch.float32)
    case = {"buckets": randbuckets(2, rounds, 150), "chunk": 7, "causal": True, "cut": cut}
    output, *gradients = output_and_gradients(query, value, **case)
    monkeypatch.setattr(lsh_blocks, "BLOCK", block)
    again, *others = output_and_gradients(query, value, **case)
    assert torch.equal(again, output)
    torch.testing.assert_close(others, gradients, atol=1e-5, rtol=1e-5)


def test_nor_how_many_heads_are_worked_on_together(monkeypatch):
    query, value = (randn(3, 2, 50, 16, seed=i, dtype=torch.float32) for i in range(2))
    case = {"buckets": randbuckets(3, 2, 4, 50), "chunk": 7, "causal": True}
    output, *gradients = output_and_gradients(query, value, **case)
    for positions in (1, 100, 250):
        monkeypatch.setattr(lsh_fast, "GROUP", positions)
        again, *others = output_and_gradients(query, value, **case)
        assert torch.equal(again, output)
        torch.testing.assert_close(others, gradients, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("d_v", [16, 8])
def test_longer_than_a_block(d_v):
    query, value = randn(1700, 16), randn(1700, d_v, seed=1)
    buckets = randbuckets(2, 1700, n_buckets=8)
    assert lsh_blocks.BLOCK < 1700 * 2 * 64  # several blocks a round
    leaves = [x.requires_grad_() for x in (query, value)]
    direction = randn(1700, d_v, seed=2)
    results = []
    for attend in (lsh.lsh_attention, lsh_attention):
        output = attend(query, value, buckets, 64, causal=True)
        results.append((output.detach(), *torch.autograd.grad(output, leaves, direction)))
    torch.testing.assert_close(*results, atol=1e-10, rtol=1e-10)


# Keys that are met more than once -----------------------------------------------------------------


def with_multiplicity(query, value, buckets, chunk, *, causal, cut, mask):
    """Full attention where a key's weight counts once for each round it is met in."""
    own = torch.arange(len(query))
    place = torch.stack([CUTS[cut](one, chunk) for one in buckets])  # (rounds, length)
    apart = place[:, :, None] - place[:, None, :]
    times = ((apart == 0) | (apart == 1)).sum(dim=0)  # (length, length)
    times = times * mask * (own != own[:, None])
    times = times.tril() if causal else times
    weights = (query @ unit(query).T).exp() * times
    total = weights.sum(dim=-1, keepdim=True)
    output = weights @ value / total.masked_fill(total == 0, 1.0)
    alone = (total == 0) & mask[:, None]
    return torch.where(alone, value, output)


@properties
@given(case=cases())
def test_not_exact_counts_a_key_as_often_as_it_is_met(case):
    if case["query"].dim() == 3:
        case |= {name: case[name][0] for name in ("query", "value", "buckets")}
    case = {name: x for name, x in case.items() if "key" not in name}
    leaves = [case.pop(name).requires_grad_() for name in ("query", "value")]
    ours = lsh_attention(*leaves, **case, exact=False)
    spec = with_multiplicity(*leaves, **case)
    torch.testing.assert_close(ours, spec, atol=1e-10, rtol=0)
    direction = randn(*ours.shape, seed=9)
    gradients, wanted = (torch.autograd.grad(out, leaves, direction) for out in (ours, spec))
    torch.testing.assert_close(gradients, wanted, atol=1e-10, rtol=1e-10)


def test_not_exact_differs_in_several_rounds_only():
    query, value = randn(30, 4), randn(30, 4, seed=1)
    for rounds, same in ((1, True), (4, False)):
        buckets = randbuckets(rounds, 30)
        exact = lsh_attention(query, value, buckets, 5)
        other = lsh_attention(query, value, buckets, 5, exact=False)
        assert torch.equal(exact, other) == same


# Causal in fact -----------------------------------------------------------------------------------


def test_other_vectors_fall_into_other_buckets():
    """The tests below change buckets too, and sorting sees it."""
    query = randn(40, 16)
    before = hashed(query, 8, 4, 0)
    after = hashed(changed(query, slice(20, None), 1), 8, 4, 0)
    assert torch.equal(after[:, :20], before[:, :20])
    assert (after[:, 20:] != before[:, 20:]).double().mean() > 0.5


def hashed(query, n_buckets, rounds, seed):
    d_k, dtype = query.shape[-1], query.dtype
    factors = bucket_factors(n_buckets)
    rotations = random_rotations(d_k, factors, rounds, generator=seeded(seed), dtype=dtype)
    return angular_hash(query, rotations)


def run(query, value, *, n_buckets, rounds, chunk, seed, cut="bucket"):
    """Causal attention, with the buckets that the hash gives these very vectors."""
    buckets = hashed(query, n_buckets, rounds, seed)
    return lsh_attention(query, value, buckets, chunk, causal=True, cut=cut)


def changed(x, positions, seed):
    """The same with other numbers at some positions."""
    x = x.clone()
    x[..., positions, :] = randn(*x[..., positions, :].shape, seed=seed, dtype=x.dtype)
    return x


def changes_before(query, value, at, seed, **task):
    """Of the outputs before `at`, which differ when later tokens change, or are not yet there."""
    length = query.shape[-2]
    output = run(query, value, seed=seed, **task)[..., :at, :]
    different = torch.zeros(output.shape[:-1], dtype=torch.bool)
    for later in (slice(at, at + 1), slice(length - 1, None), slice(at, None)):
        other = changed(query, later, seed + 1), changed(value, later, seed + 2)
        different |= (run(*other, seed=seed, **task)[..., :at, :] != output).any(dim=-1)
    if at >= task["chunk"]:
        prefix = run(query[..., :at, :], value[..., :at, :], seed=seed, **task)
        different |= (prefix != output).any(dim=-1)
    return different


@pytest.mark.parametrize("rounds", [1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    ("length", "chunk", "n_buckets"),
    [(7, 2, 2), (40, 3, 4), (100, 1, 8), (257, 17, 4), (257, 64, 32), (1000, 32, 64)],
)
@pytest.mark.parametrize(("d_k", "d_v"), [(16, 16), (17, 17), (4, 4), (3, 20)])
def test_what_comes_later_changes_nothing(length, chunk, n_buckets, d_k, d_v, rounds, dtype):
    """Not one bit: whatever the offsets of chunks in memory, and the ends of vectorized loops."""
    task = {"n_buckets": n_buckets, "rounds": rounds, "chunk": chunk}
    for seed in range(2):
        query = randn(length, d_k, seed=10 * seed, dtype=dtype)
        value = randn(length, d_v, seed=10 * seed + 1, dtype=dtype)
        at = int(torch.randint(1, length, (), generator=seeded(seed)))
        assert not changes_before(query, value, at, seed, **task).any()


@pytest.mark.parametrize("rounds", [1, 4])
@pytest.mark.parametrize("at", [1, 1000, 1999])
def test_nor_in_a_long_sequence(rounds, at):
    query, value = (randn(2000, 64, seed=i, dtype=torch.float32) for i in range(2))
    task = {"n_buckets": 64, "rounds": rounds, "chunk": 32}
    assert not changes_before(query, value, at, 3, **task).any()


@settings(properties, max_examples=100)
@given(data=st.data())
def test_nor_anywhere(data):
    front = data.draw(st.sampled_from([(), (3,)]))
    length, chunk = data.draw(st.integers(2, 300)), data.draw(st.integers(1, 20))
    d_k, d_v = data.draw(st.integers(1, 33)), data.draw(st.integers(1, 33))
    seed, at = data.draw(st.integers(0, 2**31)), data.draw(st.integers(1, length - 1))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    task = {
        "n_buckets": data.draw(st.sampled_from([2, 6, 16, 100])),
        "rounds": data.draw(st.sampled_from([1, 2, 4, 8])),
        "chunk": min(chunk, length),
    }
    d_v = data.draw(st.sampled_from([d_k, d_v]))
    query = randn(*front, length, d_k, seed=seed, dtype=dtype)
    value = randn(*front, length, d_v, seed=seed + 1, dtype=dtype)
    assert not changes_before(query, value, at, seed, **task).any()


def test_nor_with_the_plain_reference():
    """There up to rounding: its tables are as wide as the fullest chunk."""
    query, value = randn(100, 8), randn(100, 8, seed=1)
    for last in range(40, 100, 7):
        outputs = []
        for seed in range(2):
            other = changed(query, slice(last, None), seed), changed(value, slice(last, None), seed)
            buckets = hashed(other[0], 8, 4, 0)
            outputs.append(lsh.lsh_attention(*other, buckets, 5, causal=True, cut="bucket")[:last])
        torch.testing.assert_close(*outputs, atol=1e-14, rtol=0)


def gradients_of_earlier(query, value, at, **task):
    """What the gradient of the outputs before `at` is with respect to what comes from there on."""
    query, value = (x.detach().requires_grad_() for x in (query, value))
    earlier = run(query, value, **task)[:at]
    direction = randn(*earlier.shape, seed=5, dtype=earlier.dtype)
    gradients = torch.autograd.grad(earlier, (query, value), direction)
    assert all(gradient[:at].any() for gradient in gradients)
    return [gradient[at:] for gradient in gradients]


@each_cut
@pytest.mark.parametrize("rounds", [1, 4])
@pytest.mark.parametrize("d_v", [16, 5])
def test_gradients_of_earlier_outputs_are_zero_later(cut, rounds, d_v):
    query, value = randn(200, 16), randn(200, d_v, seed=1)
    for at in (30, 111, 199):
        task = {"n_buckets": 8, "rounds": rounds, "chunk": 16, "seed": at, "cut": cut}
        assert not any(later.any() for later in gradients_of_earlier(query, value, at, **task))


@pytest.mark.parametrize("rounds", [1, 4])
def test_the_papers_cut_leaks_what_no_gradient_shows(rounds):
    """Another last token pushes others over the borders of chunks: earlier outputs change."""
    query, value = randn(512, 16), randn(512, 16, seed=1)
    last = slice(-1, None)
    other = changed(query, last, 7), changed(value, last, 8)
    task = {"n_buckets": 16, "rounds": rounds, "chunk": 32, "seed": 0}
    moved = {}
    for cut in CUTS:
        apart = (run(*other, cut=cut, **task) - run(query, value, cut=cut, **task))[:-1].abs()
        moved[cut] = (apart.amax(dim=-1) > 1e-3).double().mean().item()
        assert not any(x.any() for x in gradients_of_earlier(query, value, 511, cut=cut, **task))
    assert moved["sorted"] > 0.1
    assert moved["bucket"] == 0.0


# Memory -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 8])
@pytest.mark.parametrize("separate", [False, True])
def test_backward_keeps_nothing_of_size_length_times_chunk(rounds, separate):
    heads, length, d = 2, 96, 16
    query, value, key = (
        randn(heads, length, d, seed=i, dtype=torch.float32).requires_grad_() for i in range(3)
    )
    buckets = randbuckets(heads, rounds, length)
    keys = {"key": key, "key_buckets": buckets} if separate else {}
    kept = []
    with saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        lsh_attention(query, value, buckets, 32, **keys)
    # With keys of their own, twice as many positions: keys and queries.
    positions = heads * length * (2 if separate else 1)
    vectors = 4 if separate else 3  # query, value, output, and key
    expected = positions * (4 * vectors * d + 2 * rounds + 1 + 4)  # buckets, mask, log-sum-exp
    assert sum(x.numel() * x.element_size() for x in kept) == expected
    # What holds them is larger by the row of the empty slots, of outputs and log-sum-exp.
    storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in kept}
    assert sum(storages.values()) <= expected + heads * 4 * (d + 1)


def test_chunks_of_one_bucket_are_not_cut_wider():
    """A bucket that holds everything costs chunks like any other."""
    assert math.ceil(100 / 8) == len(CUTS["bucket"](torch.zeros(100).long(), 8).unique())
