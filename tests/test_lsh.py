"""`companion.lsh`, and with it `companion.lsh_fast`, against full attention over what is seen.

What is seen is counted here once more, one pair at a time, from the definition of the two cuts.
"""

import math
import re
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from companion import lsh, lsh_fast
from companion.attention import attention_weights, scaled_dot_product_attention
from companion.hashing import angular_hash, random_rotations
from companion.lsh import candidates, cut_buckets, cut_sorted, tabulate, unit

ATTENTIONS = [
    pytest.param(lsh.lsh_attention, id="plain"),
    pytest.param(lsh_fast.lsh_attention, id="fast"),
]
ATOL = {torch.float32: 1e-5, torch.float64: 1e-10}
# Of bfloat16 with 8 bits a number has 2 to 3 digits; a result may err by a few of its last bits.
LOOSE = 0.05

properties = settings(deadline=None, max_examples=100, derandomize=True)
seeds = st.integers(0, 2**31)
each_attention = pytest.mark.parametrize("attend", ATTENTIONS)
each_cut = pytest.mark.parametrize("cut", ["sorted", "bucket"])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0, dtype=torch.float64):
    # Drawn in double precision, so that the types of a test see the same numbers.
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def randbuckets(*shape, n_buckets=4, seed=0):
    return torch.randint(n_buckets, shape, generator=seeded(seed), dtype=torch.int16)


# The cuts, one position at a time -----------------------------------------------------------------


def places(buckets: list[int], chunk: int, cut: str) -> list[tuple[int, int]]:
    """Of each position what must be alike to see each other, and the chunk, counted by hand."""
    if cut == "sorted":
        by_bucket = sorted(range(len(buckets)), key=lambda i: (buckets[i], i))
        return [(0, by_bucket.index(i) // chunk) for i in range(len(buckets))]
    return [(own, buckets[:i].count(own) // chunk) for i, own in enumerate(buckets)]


def sees(buckets: list[int], chunk: int, cut: str) -> Tensor:
    """(length, length), 1 where the query of a row meets the key of a column in this round."""
    place = places(buckets, chunk, cut)
    return torch.tensor([[int(a == b and i - j in (0, 1)) for b, j in place] for a, i in place])


bucket_lists = st.lists(st.integers(0, 5), min_size=1, max_size=24)
chunks = st.integers(1, 9)


@properties
@given(bucket_lists, chunks)
def test_sorted_cut_is_the_papers(buckets, chunk):
    number = cut_sorted(torch.tensor(buckets), chunk).tolist()
    assert number == [place for _, place in places(buckets, chunk, "sorted")]


@properties
@given(bucket_lists, chunks)
def test_bucket_cut_counts_within_the_bucket(buckets, chunk):
    number = cut_buckets(torch.tensor(buckets), chunk)
    apart = number[:, None] - number
    met = ((apart == 0) | (apart == 1)).int()
    assert torch.equal(met, sees(buckets, chunk, "bucket").int())
    assert number.bincount().max() <= chunk


@properties
@given(bucket_lists, chunks, st.integers(0, 5))
def test_bucket_cut_knows_nothing_of_what_comes_later(buckets, chunk, later):
    before = cut_buckets(torch.tensor(buckets), chunk)
    after = cut_buckets(torch.tensor([*buckets, later]), chunk)[:-1]
    for number in (before, after):
        assert number.shape == (len(buckets),)
    # Numbers may move along, with all that a position sees.
    assert torch.equal(met_of(before), met_of(after))


def met_of(number):
    apart = number[:, None] - number
    return (apart == 0) | (apart == 1)


def test_sorted_cut_moves_with_what_comes_later():
    before = cut_sorted(torch.tensor([0, 0, 1, 1, 1, 1]), 2)
    after = cut_sorted(torch.tensor([0, 0, 1, 1, 1, 0]), 2)
    assert before.tolist() == [0, 0, 1, 1, 2, 2]
    assert after.tolist() == [0, 0, 1, 2, 2, 1]


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64, torch.uint8])
@pytest.mark.parametrize("cut", [cut_sorted, cut_buckets])
def test_cuts_take_whole_numbers_of_any_type(cut, dtype):
    buckets = randbuckets(20)
    assert torch.equal(cut(buckets.to(dtype), 3), cut(buckets.long(), 3))


def test_tabulate():
    table = tabulate(torch.tensor([3, 1, 3, 0, 3]))
    assert table.tolist() == [[3, -1, -1], [1, -1, -1], [-1, -1, -1], [0, 2, 4]]


@properties
@given(bucket_lists, chunks, st.sampled_from(["sorted", "bucket"]))
def test_candidates_are_what_is_seen(buckets, chunk, cut):
    found = candidates(lsh.CUTS[cut](torch.tensor(buckets), chunk))
    for row, seen in zip(found.tolist(), sees(buckets, chunk, cut), strict=True):
        assert sorted(j for j in row if j >= 0) == seen.nonzero().flatten().tolist()


def test_unit():
    vectors = randn(5, 3)
    norms = unit(vectors).norm(dim=-1)
    torch.testing.assert_close(norms, torch.ones_like(norms))
    assert torch.equal(unit(torch.zeros(1, 3)), torch.zeros(1, 3))


# What attention in buckets is ---------------------------------------------------------------------


@dataclass
class Case:
    """All that is handed to attention in buckets."""

    query: Tensor
    value: Tensor
    buckets: Tensor
    chunk: int
    options: dict = field(default_factory=dict)

    def inputs(self):
        """What has a gradient: query, value and, if there is one, key."""
        key = self.options.get("key")
        return [self.query, self.value, *([] if key is None else [key])]

    def run(self, attend):
        return attend(self.query, self.value, self.buckets, self.chunk, **self.options)

    def to(self, dtype):
        """The same, ready for gradients, in another type."""
        query, value, *keys = (x.detach().to(dtype).requires_grad_() for x in self.inputs())
        options = self.options | ({"key": keys[0]} if keys else {})
        return Case(query, value, self.buckets, self.chunk, options)


def specification(query, value, buckets, chunk, **options):
    """Full attention of each head over what it sees in any round."""
    if query.dim() == 2:
        return one_head(query, value, buckets, chunk, **options)
    mask = options.get("mask")
    if mask is not None:
        options["mask"] = mask.expand(query.shape[:-1])
    cut_up = ["mask", "key", "key_buckets"]
    each = [name for name in cut_up if options.get(name) is not None]
    return torch.stack(
        [
            specification(
                query[i],
                value[i],
                buckets[i],
                chunk,
                **options | {name: options[name][i] for name in each},
            )
            for i in range(len(query))
        ]
    )


def one_head(
    query,
    value,
    buckets,
    chunk,
    *,
    key=None,
    key_buckets=None,
    causal=False,
    mask=None,
    cut="sorted",
    scale=None,
):
    length = len(query)
    if key is None:
        key = query / query.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        scale = 1.0 if scale is None else scale
        rounds = [sees(one.tolist(), chunk, cut) for one in buckets]
        others = ~torch.eye(length, dtype=torch.bool)
    else:
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        # One sequence, the key of each position before its query.
        both = torch.stack([key_buckets.long(), buckets.long()], dim=-1).flatten(1)
        rounds = [sees(one.tolist(), chunk, cut)[1::2, 0::2] for one in both]
        others = torch.ones(length, length, dtype=torch.bool)

    allowed = torch.stack(rounds).any(dim=0) & others
    if causal:
        allowed = allowed.tril()
    usable = torch.ones(length, dtype=torch.bool) if mask is None else mask.expand(length)
    allowed = allowed & usable
    if len(others) and not others[0, 0]:  # shared: itself only where nothing else
        alone = ~allowed.any(dim=-1) & usable
        allowed = allowed | alone.diag()
    return attention_weights(scale * query @ key.T, allowed) @ value


def agree(case, attend, dtype=torch.float64, atol=None):
    """Output and gradients are those of the specification, which is worked out in float64."""
    atol = ATOL[dtype] if atol is None else atol
    ours, exact = case.to(dtype), case.to(dtype).to(torch.float64)
    output, expected = ours.run(attend), exact.run(specification)
    assert output.dtype == dtype
    torch.testing.assert_close(output.double(), expected, atol=atol, rtol=atol)
    direction = randn(*output.shape, seed=99)
    gradients = torch.autograd.grad(output, ours.inputs(), direction.to(dtype))
    wanted = torch.autograd.grad(expected, exact.inputs(), direction)
    for one, other in zip(gradients, wanted, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one.double(), other, atol=atol, rtol=atol)


@st.composite
def cases(draw, leading=((), (2,), (2, 3), (1, 1, 2))):
    """Any length and chunk, any cut, with and without masks, heads, and keys of their own."""
    front = draw(st.sampled_from(leading))
    length = draw(st.integers(1, 20))
    chunk = draw(st.one_of(st.just(1), st.just(length), st.integers(1, length)))
    d_k, d_v = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    d_v = draw(st.sampled_from([d_k, d_v]))
    rounds = draw(st.sampled_from([1, 2, 4, 8]))
    n_buckets = draw(st.integers(1, 8))
    seed = draw(seeds)
    options = {
        "causal": draw(st.booleans()),
        "cut": draw(st.sampled_from(["sorted", "bucket"])),
        "scale": draw(st.sampled_from([None, 0.3, 2.0])),
    }
    if draw(st.booleans()):
        shape = draw(st.sampled_from([(*front, length), (length,)]))
        share = draw(st.sampled_from([0.0, 0.2, 0.6]))
        options["mask"] = torch.rand(shape, generator=seeded(seed + 3)) < share
    if draw(st.booleans()):
        options["key"] = randn(*front, length, d_k, seed=seed + 4)
        options["key_buckets"] = randbuckets(
            *front, rounds, length, n_buckets=n_buckets, seed=seed + 5
        )
    return Case(
        randn(*front, length, d_k, seed=seed),
        randn(*front, length, d_v, seed=seed + 1),
        randbuckets(*front, rounds, length, n_buckets=n_buckets, seed=seed + 2),
        chunk,
        options,
    )


@each_attention
@settings(properties, max_examples=100)
@given(case=cases())
def test_equals_full_attention_over_what_is_seen(attend, case):
    agree(case, attend)


def long_case(*, rounds, separate=False, length=37, d_k=16, d_v=16, **options):
    """Some heads of a length that no chunk divides, hashed as they would be."""
    query, value = randn(2, 2, length, d_k), randn(2, 2, length, d_v, seed=1)
    rotations = random_rotations(d_k, 8, rounds, generator=seeded(2), dtype=torch.float64)
    options["mask"] = torch.arange(length) < torch.tensor([length, 25])[:, None, None]
    if separate:
        options["key"] = randn(2, 2, length, d_k, seed=3)
        options["key_buckets"] = angular_hash(options["key"], rotations)
    return Case(query, value, angular_hash(query, rotations), 5, options)


@each_attention
@each_cut
@pytest.mark.parametrize("rounds", [1, 2, 4, 8])
@pytest.mark.parametrize("dtype", ATOL)
def test_types(attend, cut, rounds, dtype):
    for causal in (False, True):
        agree(long_case(rounds=rounds, cut=cut, causal=causal), attend, dtype)


@each_attention
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("d_v", [16, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_types_of_separate_keys_and_other_values(attend, separate, d_v, dtype):
    case = long_case(rounds=2, separate=separate, d_v=d_v)
    agree(case, attend, dtype, atol=ATOL.get(dtype, LOOSE))


# Where chunks cover everything, it is full attention ----------------------------------------------


def full_attention(case):
    """Over all keys but the own: (first position of a causal one: the own)."""
    length = case.query.shape[-2]
    allowed = ~torch.eye(length, dtype=torch.bool)
    if case.options.get("causal"):
        allowed = allowed.tril()
        allowed[0, 0] = True
    d_k = case.query.shape[-1]
    key = functional.normalize(case.query, dim=-1) * math.sqrt(d_k)
    return scaled_dot_product_attention(case.query, key, case.value, allowed)[0]


def equals_full(case, attend, dtype):
    ours, full = case.to(dtype), case.to(dtype)
    output, expected = ours.run(attend), full_attention(full)
    torch.testing.assert_close(output, expected, atol=ATOL[dtype], rtol=0)
    direction = randn(*output.shape, seed=9, dtype=dtype)
    gradients = torch.autograd.grad(output, ours.inputs(), direction)
    wanted = torch.autograd.grad(expected, full.inputs(), direction)
    torch.testing.assert_close(gradients, wanted, atol=ATOL[dtype], rtol=0)


@each_attention
@pytest.mark.parametrize("rounds", [1, 2, 4, 8])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", ATOL)
def test_one_chunk_is_full_attention(attend, rounds, causal, dtype):
    buckets = randbuckets(2, rounds, 33, n_buckets=6)
    query, value = randn(2, 33, 16), randn(2, 33, 16, seed=1)
    equals_full(Case(query, value, buckets, 33, {"causal": causal}), attend, dtype)


@each_attention
@each_cut
@pytest.mark.parametrize("rounds", [1, 2, 4, 8])
@pytest.mark.parametrize("dtype", ATOL)
def test_two_chunks_of_one_bucket_are_full_causal_attention(attend, cut, rounds, dtype):
    buckets = torch.zeros(2, rounds, 33, dtype=torch.int16)
    query, value = randn(2, 33, 16), randn(2, 33, 16, seed=1)
    for chunk in (17, 32, 33):
        equals_full(Case(query, value, buckets, chunk, {"causal": True, "cut": cut}), attend, dtype)


# Special cases ------------------------------------------------------------------------------------


@each_attention
@pytest.mark.parametrize("rounds", [1, 4])
def test_self_only_where_nothing_else_is_allowed(attend, rounds):
    query, value = randn(6, 3), randn(6, 4, seed=1)
    mask = torch.tensor([True, True, False, True, True, False])
    buckets = torch.tensor([0, 0, 1, 2, 0, 3]).repeat(rounds, 1)
    output = attend(query, value, buckets, 2, causal=True, cut="bucket", mask=mask)
    assert torch.equal(output[0], value[0])  # the first of its bucket
    assert torch.equal(output[3], value[3])  # the only one of its bucket
    torch.testing.assert_close(output[1], value[0])  # one other: that, and not itself
    assert torch.equal(output[2], torch.zeros(4, dtype=output.dtype))  # hidden even from itself
    assert torch.equal(output[5], torch.zeros(4, dtype=output.dtype))


@each_attention
def test_a_query_with_separate_keys_may_look_at_itself(attend):
    query, key, value = randn(5, 3), randn(5, 3, seed=1), randn(5, 3, seed=2)
    buckets = torch.arange(5)[None]  # each meets its own key alone
    output = attend(query, value, buckets, 2, key=key, key_buckets=buckets, cut="bucket")
    torch.testing.assert_close(output, value)
    # Keys elsewhere: nothing is seen.
    output = attend(query, value, buckets, 2, key=key, key_buckets=buckets + 5, cut="bucket")
    assert torch.equal(output, torch.zeros_like(value))


@each_attention
@pytest.mark.parametrize("rounds", [1, 3])
def test_nothing_to_look_at_gives_zero_and_no_gradient(attend, rounds):
    case = Case(randn(7, 3), randn(7, 3), randbuckets(rounds, 7), 2, {"mask": torch.zeros(7) > 0})
    case = case.to(torch.float64)
    output = case.run(attend)
    assert torch.equal(output, torch.zeros_like(output))
    gradients = torch.autograd.grad(output.sum(), case.inputs())
    assert not any(gradient.any() for gradient in gradients)


@each_attention
@pytest.mark.parametrize("separate", [False, True])
def test_padding_leaves_no_trace(attend, separate):
    case = long_case(rounds=2, separate=separate, cut="bucket", causal=True)
    output = case.run(attend)[1, :, :25]
    short = Case(
        case.query[1, :, :25],
        case.value[1, :, :25],
        case.buckets[1, ..., :25],
        case.chunk,
        {k: x[1, ..., :25, :] for k, x in case.options.items() if k == "key"}
        | {k: x[1, ..., :25] for k, x in case.options.items() if k == "key_buckets"}
        | {"cut": "bucket", "causal": True},
    )
    torch.testing.assert_close(output, short.run(attend), atol=1e-12, rtol=0)


@each_attention
def test_large_scores(attend):
    query, value = 1e3 * randn(20, 4, dtype=torch.float32), randn(20, 4, dtype=torch.float32)
    case = Case(query, value, randbuckets(4, 20, n_buckets=2), 5)
    output, expected = case.run(attend), case.to(torch.float64).run(specification)
    torch.testing.assert_close(output.double(), expected.detach(), atol=1e-3, rtol=0)


@each_attention
def test_zero_vectors_are_keys_of_length_zero(attend):
    case = Case(torch.zeros(9, 3).double(), randn(9, 2), randbuckets(2, 9), 3).to(torch.float64)
    output = case.run(attend)
    torch.testing.assert_close(output, case.run(specification), atol=1e-10, rtol=0)
    assert all(g.isfinite().all() for g in torch.autograd.grad(output.sum(), case.inputs()))


@each_attention
def test_scale(attend):
    query, value, buckets = randn(20, 4), randn(20, 3, seed=1), randbuckets(2, 20)
    shared = attend(query, value, buckets, 4)
    torch.testing.assert_close(shared, attend(query, value, buckets, 4, scale=1.0))
    keys = {"key": randn(20, 4, seed=2), "key_buckets": buckets}
    separate = attend(query, value, buckets, 4, **keys)
    torch.testing.assert_close(separate, attend(query, value, buckets, 4, scale=0.5, **keys))


# Gradients, and inputs of every kind --------------------------------------------------------------


@each_attention
@pytest.mark.parametrize("needs", ["", "query", "value", "key", "query key", "value key"])
def test_only_some_inputs_need_a_gradient(attend, needs):
    full = long_case(rounds=2, separate=True).to(torch.float64)
    some = {"query": full.query, "value": full.value, "key": full.options["key"]}
    wanted = dict(
        zip(some, torch.autograd.grad(full.run(attend).sum(), full.inputs()), strict=True)
    )
    leaves = {name: x.detach().requires_grad_(name in needs.split()) for name, x in some.items()}
    output = attend(
        leaves["query"],
        leaves["value"],
        full.buckets,
        full.chunk,
        **full.options | {"key": leaves["key"]},
    )
    assert output.requires_grad == bool(needs)
    if needs:
        output.sum().backward()
    for name, leaf in leaves.items():
        if name in needs.split():
            torch.testing.assert_close(leaf.grad, wanted[name])
        else:
            assert leaf.grad is None


@each_attention
def test_no_grad(attend):
    case = long_case(rounds=2).to(torch.float64)
    with torch.no_grad():
        output = case.run(attend)
    assert not output.requires_grad
    assert torch.equal(output, case.run(attend))


@each_attention
@pytest.mark.parametrize("separate", [False, True])
def test_strides_do_not_matter(attend, separate):
    case = long_case(rounds=2, separate=separate, causal=True).to(torch.float64)
    heads_last = Case(
        case.query.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_(),
        case.value.detach().mT.contiguous().mT.requires_grad_(),
        case.buckets.mT.contiguous().mT,
        case.chunk,
        case.options,
    )
    assert not heads_last.query.is_contiguous()
    assert not heads_last.value.is_contiguous()
    one, other = case.run(attend), heads_last.run(attend)
    torch.testing.assert_close(one, other, atol=1e-12, rtol=0)
    # The gradient of a sum is one number, expanded; that of a transpose is no contiguous one.
    for scalar in (torch.sum, lambda out: (out.mT.contiguous() ** 2).sum()):
        gradients = torch.autograd.grad(scalar(one), case.inputs(), retain_graph=True)
        wanted = torch.autograd.grad(scalar(other), heads_last.inputs(), retain_graph=True)
        torch.testing.assert_close(gradients, wanted, atol=1e-12, rtol=0)


@each_attention
def test_inputs_are_left_alone(attend):
    case = long_case(rounds=4, separate=True)
    before = [x.clone() for x in (*case.inputs(), case.buckets, case.options["mask"])]
    case = case.to(torch.float64)
    case.run(attend).sum().backward()
    after = [*case.inputs(), case.buckets, case.options["mask"]]
    assert all(torch.equal(x, y) for x, y in zip(before, after, strict=True))


# What is refused ----------------------------------------------------------------------------------

LENGTH = 6


def arguments(**changes):
    given = {
        "query": randn(2, LENGTH, 3),
        "value": randn(2, LENGTH, 4),
        "buckets": randbuckets(2, 3, LENGTH),
        "chunk": 2,
    }
    return given | changes


def keys(**changes):
    given = {"key": randn(2, LENGTH, 3), "key_buckets": randbuckets(2, 3, LENGTH)}
    return arguments(**given | changes)


REFUSED = [
    (arguments(chunk=0), ValueError, "chunk is 0; with 6 positions it must be from 1 to 6"),
    (arguments(chunk=-1), ValueError, "chunk is -1; with 6 positions it must be from 1 to 6"),
    (arguments(chunk=7), ValueError, "chunk is 7; with 6 positions it must be from 1 to 6"),
    (
        arguments(query=torch.ones(2, LENGTH, 3).int()),
        ValueError,
        "query is torch.int32 of shape (2, 6, 3); it must be floating point, (..., length, d_k)",
    ),
    (arguments(query=torch.ones(3)), ValueError, "query is torch.float32 of shape (3,); it must"),
    (
        arguments(value=randn(2, 5, 4)),
        ValueError,
        "value has the shape (2, 5, 4); with query (2, 6, 3) it must be (2, 6) and the length of",
    ),
    (
        arguments(value=torch.ones(2, LENGTH, 4).long()),
        ValueError,
        "value is torch.int64 and query torch.float64; they must be of one type",
    ),
    (
        keys(key=torch.ones(2, LENGTH, 3)),
        ValueError,
        "key is torch.float32 and query torch.float64; they must be of one type",
    ),
    (arguments(value=randn(LENGTH, 4)), ValueError, "value has the shape (6, 4); with query"),
    (
        arguments(buckets=randbuckets(2, 3, 5)),
        ValueError,
        "buckets have the shape (2, 3, 5); it must be (2, rounds, 6), with at least one round",
    ),
    (arguments(buckets=randbuckets(2, LENGTH)), ValueError, "(2, 6); it must be (2, rounds, 6)"),
    (arguments(buckets=randbuckets(3, 3, LENGTH)), ValueError, "(3, 3, 6); it must be (2, rou"),
    (arguments(buckets=randbuckets(2, 0, LENGTH)), ValueError, "with at least one round"),
    (
        arguments(buckets=randbuckets(2, 3, LENGTH) - 9),
        ValueError,
        "buckets hold -9; numbers of buckets begin at 0",
    ),
    (
        arguments(buckets=randbuckets(2, 3, LENGTH).float()),
        TypeError,
        "buckets are torch.float32; they must be whole numbers: see angular_hash",
    ),
    (
        arguments(buckets=randbuckets(2, 3, LENGTH).bool()),
        TypeError,
        "buckets are torch.bool; they must be whole numbers",
    ),
    (
        arguments(mask=torch.ones(2, LENGTH)),
        TypeError,
        "mask is torch.float32; it must be boolean, True where a key may be seen",
    ),
    (
        arguments(mask=torch.ones(2, 3, LENGTH).bool()),
        ValueError,
        "mask has the shape (2, 3, 6); it must broadcast to (2, 6), one value for each key",
    ),
    (arguments(mask=torch.ones(5).bool()), ValueError, "mask has the shape (5,); it must"),
    (
        arguments(cut="paper"),
        ValueError,
        "cut is 'paper'; it must be one of 'sorted', 'bucket'",
    ),
    (
        keys(key_buckets=None),
        ValueError,
        "key_buckets is missing: give key and key_buckets, or neither (shared QK)",
    ),
    (keys(key=None), ValueError, "key is missing: give key and key_buckets, or neither"),
    (
        keys(key=randn(2, LENGTH, 4)),
        ValueError,
        "key has the shape (2, 6, 4); it must be that of query, (2, 6, 3)",
    ),
    (
        keys(key_buckets=randbuckets(2, 2, LENGTH)),
        ValueError,
        "key_buckets have the shape (2, 2, 6) and buckets (2, 3, 6); hash queries and keys with",
    ),
    (keys(key_buckets=randbuckets(2, 3, 4)), ValueError, "key_buckets have the shape (2, 3, 4)"),
    (keys(key_buckets=randbuckets(2, 3, LENGTH) - 9), ValueError, "key_buckets hold -9; numbers"),
    (keys(key_buckets=randn(2, 3, LENGTH)), TypeError, "key_buckets are torch.float64; they must"),
]


@each_attention
@pytest.mark.parametrize(("given", "error", "message"), REFUSED)
def test_bad_input(attend, given, error, message):
    with pytest.raises(error, match=re.escape(message)):
        attend(**given)


@each_attention
def test_good_input_is_not_refused(attend):
    for fitting in (arguments(), keys(), arguments(mask=torch.ones(2, 1).bool())):
        assert attend(**fitting).shape == (2, LENGTH, 4)


@each_attention
@pytest.mark.parametrize("name", ["query", "value", "key"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(attend, name, bad):
    given = keys()
    given[name][1, 4, 2] = bad
    with pytest.raises(ValueError, match=f"{name} holds a NaN or an infinity: .* look for"):
        attend(**given)
