"""`companion.hashing` against the argmax of the paper, and against the theory of angular hashing."""

import itertools
import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import hashing
from companion.hashing import angular_hash, bucket_factors, random_rotations

properties = settings(deadline=None, max_examples=60, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
even = st.integers(1, 20).map(lambda half: 2 * half)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=seeded(seed), dtype=dtype)


@st.composite
def vectors_and_rotations(draw):
    """Vectors with none, one or two axes in front, and the rotations of one to three factors."""
    leading = draw(st.sampled_from([(), (2,), (2, 3)]))
    length, d_k, rounds = draw(st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 4)))
    factors = draw(st.lists(even, min_size=1, max_size=3))
    seed = draw(seeds)
    rotations = random_rotations(d_k, factors, rounds, generator=seeded(seed), dtype=torch.float64)
    return randn(*leading, length, d_k, seed=seed + 1), rotations


def by_argmax(vectors, rotation):
    """The paper's words: argmax of [x R; -x R], (..., rounds, length)."""
    rotated = vectors[..., None, :, :] @ rotation  # (..., rounds, length, factor / 2)
    return torch.cat([rotated, -rotated], dim=-1).argmax(dim=-1)


# How many buckets ---------------------------------------------------------------------------------


@properties
@given(st.integers(1, 40_000).map(lambda half: 2 * half))
def test_factors_are_even_and_enough(n_buckets):
    factors = bucket_factors(n_buckets)
    assert all(factor >= 2 and factor % 2 == 0 for factor in factors)
    assert len(factors) == (1 if n_buckets <= 64 else 2)
    assert math.prod(factors) >= n_buckets
    # Two directions fewer in the second factor would be too few buckets.
    assert math.prod(factors[:-1]) * (factors[-1] - 2) < n_buckets


@properties
@given(st.integers(33, 40_000).map(lambda half: 2 * half))
def test_factors_are_alike(n_buckets):
    first, second = bucket_factors(n_buckets)
    assert abs(first - second) <= 4
    assert (first + second) / 2 < n_buckets / 2  # the products that two hashes cost, and one


@pytest.mark.parametrize(
    ("n_buckets", "factors"),
    [(2, (2,)), (64, (64,)), (66, (8, 10)), (256, (16, 16)), (512, (22, 24)), (2**15, (182, 182))],
)
def test_factors_of_some_numbers(n_buckets, factors):
    assert bucket_factors(n_buckets) == factors


# What a hash is -----------------------------------------------------------------------------------


@properties
@given(vectors_and_rotations())
def test_digits_are_the_argmaxes_of_the_paper(case):
    vectors, rotations = case
    expected = 0
    for rotation in rotations:
        expected = expected * (2 * rotation.shape[-1]) + by_argmax(vectors, rotation)
    buckets = angular_hash(vectors, rotations)
    assert torch.equal(buckets.long(), expected)
    *leading, length, _ = vectors.shape
    assert buckets.shape == (*leading, rotations[0].shape[0], length)
    assert buckets.min() >= 0
    assert buckets.max() < math.prod(2 * rotation.shape[-1] for rotation in rotations)


def test_every_bucket_can_be_met_and_none_else():
    vectors = randn(4000, 3)
    buckets = angular_hash(vectors, random_rotations(3, (4, 6), 1, dtype=torch.float64))
    assert set(buckets.unique().tolist()) <= set(range(24))
    buckets = angular_hash(vectors, [torch.eye(3, dtype=torch.float64)[None]])
    assert buckets.unique().tolist() == list(range(6))


@properties
@given(vectors_and_rotations(), st.floats(1e-6, 1e6))
def test_only_the_direction_counts(case, factor):
    vectors, rotations = case
    assert torch.equal(angular_hash(vectors, rotations), angular_hash(factor * vectors, rotations))


@properties
@given(seeds, even)
def test_opposites_fall_into_opposite_buckets(seed, n_buckets):
    vectors = randn(20, 5, seed=seed)
    rotations = random_rotations(5, n_buckets, 3, generator=seeded(seed + 1), dtype=torch.float64)
    there, back = angular_hash(vectors, rotations), angular_hash(-vectors, rotations)
    assert torch.equal((there - back).abs(), torch.full_like(there, n_buckets // 2))


@pytest.mark.parametrize(
    ("factors", "dtype"), [((256, 128), torch.int16), ((256, 130), torch.int32)]
)
def test_the_last_bucket_fits_its_type(factors, dtype):
    axes = [torch.eye(128)[None, :, : factor // 2] for factor in factors]
    last = torch.zeros(1, 128)
    last[0, 127] = -2.0  # the first digit
    last[0, factors[1] // 2 - 1] = -1.0  # the second
    buckets = angular_hash(last, axes)
    assert buckets.dtype == dtype
    assert buckets.item() == math.prod(factors) - 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_types_of_vectors(dtype):
    vectors = randn(7, 4, dtype=dtype)
    rotations = random_rotations(4, 6, 2, generator=seeded(1), dtype=dtype)
    assert all(rotation.dtype == dtype for rotation in rotations)
    assert torch.equal(angular_hash(vectors, rotations).long(), by_argmax(vectors, rotations[0]))


@pytest.mark.parametrize("rows", [1, 4, 10, 11])
def test_rows_hashed_piece_by_piece(rows, monkeypatch):
    vectors = randn(2, 10, 4)
    rotations = random_rotations(4, (4, 6), 3, generator=seeded(1), dtype=torch.float64)
    whole = angular_hash(vectors, rotations)
    monkeypatch.setattr(hashing, "_ROWS", rows)
    assert torch.equal(angular_hash(vectors, rotations), whole)


def test_longer_than_one_piece():
    vectors = randn(2**14 + 5, 3)
    rotations = random_rotations(3, 8, 2, generator=seeded(1), dtype=torch.float64)
    assert torch.equal(angular_hash(vectors, rotations).long(), by_argmax(vectors, rotations[0]))


def test_no_gradient_is_recorded():
    vectors = randn(5, 4).requires_grad_()
    buckets = angular_hash(vectors, random_rotations(4, 4, 1, dtype=torch.float64))
    assert not buckets.requires_grad


# How likely two vectors meet ----------------------------------------------------------------------

ROUNDS = 4000  # of a share p, one standard error is √(p (1 − p) / 4000), at most .008


def shares_met(angles, n_buckets, d_k=6):
    """In how many of 4000 hashes a vector meets those at the angles to it."""
    turned = torch.zeros(len(angles) + 1, d_k, dtype=torch.float64)
    turned[0, 0] = 1.0
    angles = torch.tensor(angles, dtype=torch.float64)
    turned[1:, 0], turned[1:, 1] = angles.cos(), angles.sin()
    rotations = random_rotations(d_k, n_buckets, ROUNDS, generator=seeded(0), dtype=torch.float64)
    buckets = angular_hash(turned, rotations)  # (4000, 1 + angles)
    return (buckets[:, 1:] == buckets[:, :1]).double().mean(dim=0).tolist()


def test_two_buckets_are_met_as_the_angle_says():
    """Of the sign of one random projection this is known: 1 - angle / π (Goemans, Williamson)."""
    angles = [step * math.pi / 8 for step in range(9)]
    for angle, share in zip(angles, shares_met(angles, 2), strict=True):
        assert share == pytest.approx(1 - angle / math.pi, abs=0.03)


@pytest.mark.parametrize("n_buckets", [4, 16, (4, 6)])
def test_the_wider_the_angle_the_rarer_they_meet(n_buckets):
    shares = shares_met([0.0, 0.15, 0.4, 0.8, 1.5, math.pi], n_buckets)
    assert shares[0] == 1.0
    assert shares[-1] == 0.0
    assert all(near > far + 0.02 for near, far in itertools.pairwise(shares))


def test_more_buckets_are_met_more_rarely():
    shares = [shares_met([0.5], n_buckets)[0] for n_buckets in (2, 4, 16, (8, 8))]
    assert all(few > many + 0.03 for few, many in itertools.pairwise(shares))


def test_all_buckets_are_as_likely():
    rotations = random_rotations(5, 8, ROUNDS, generator=seeded(0), dtype=torch.float64)
    counts = angular_hash(randn(1, 5), rotations).flatten().long().bincount(minlength=8)
    assert counts.double().div(ROUNDS) == pytest.approx(torch.full((8,), 1 / 8).numpy(), abs=0.03)


# Rotations ----------------------------------------------------------------------------------------


def test_shapes_of_rotations():
    (one,) = random_rotations(5, 8, 3)
    assert one.shape == (3, 5, 4)
    assert [r.shape for r in random_rotations(5, (4, 6), 2)] == [(2, 5, 2), (2, 5, 3)]


def test_rotations_are_standard_normal():
    (rotations,) = random_rotations(50, 100, 8, generator=seeded(0))
    assert rotations.mean().item() == pytest.approx(0.0, abs=0.03)
    assert rotations.std().item() == pytest.approx(1.0, abs=0.03)
    assert not torch.equal(rotations[0], rotations[1])


def test_equal_seeds_give_equal_rotations():
    one, other, third = (random_rotations(5, (4, 6), 2, generator=seeded(s)) for s in (7, 7, 8))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, third, strict=True))


def test_a_generator_goes_on():
    generator = seeded(7)
    (one,), (other,) = (random_rotations(5, 4, 2, generator=generator) for _ in range(2))
    assert not torch.equal(one, other)


def test_a_generator_leaves_torchs_own_alone():
    before = torch.get_rng_state()
    rotations = random_rotations(5, 4, 2, generator=seeded(0))
    angular_hash(randn(3, 5, dtype=torch.float32), rotations)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_generator_manual_seed_governs():
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn += random_rotations(5, 4, 2)
    assert torch.equal(*drawn)


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_buckets", "instead"), [(7, 8), (1, 2), (0, 2), (-4, 2), (65, 66)])
def test_numbers_of_buckets_are_even(n_buckets, instead):
    message = rf"n_buckets is {n_buckets}; .*even.*: for instance {instead}$"
    with pytest.raises(ValueError, match=message):
        bucket_factors(n_buckets)
    with pytest.raises(ValueError, match=message):
        random_rotations(4, n_buckets, 1)
    with pytest.raises(ValueError, match=message):
        random_rotations(4, (2, n_buckets), 1)


def test_some_factor_is_needed():
    with pytest.raises(ValueError, match="n_buckets is empty: give one even number"):
        random_rotations(4, (), 1)


@pytest.mark.parametrize("number", [0, -1])
def test_sizes_are_positive(number):
    with pytest.raises(ValueError, match=f"rounds is {number}: it must be at least 1"):
        random_rotations(4, 2, number)
    with pytest.raises(ValueError, match=f"d_k is {number}: it must be at least 1"):
        random_rotations(number, 2, 1)


@pytest.mark.parametrize(
    ("vectors", "rotations", "message"),
    [
        (torch.ones(3, 4), [], "rotations are missing: make them with random_rotations"),
        (torch.ones(3, 4), [torch.ones(1, 5, 2)], "(1, 5, 2); for vectors of length 4 it must be "),
        (torch.ones(3, 4), [torch.ones(4, 2)], "a rotation has the shape (4, 2); for vectors of"),
        (
            torch.ones(3, 4),
            [torch.ones(1, 4, 2), torch.ones(3, 4, 2)],
            "rotations have [1, 3] rounds; each factor must have as many",
        ),
        (torch.ones(4), [torch.ones(1, 4, 2)], "vectors are torch.float32 of shape (4,); "),
        (torch.ones(3, 4).int(), [torch.ones(1, 4, 2)], "torch.int32 of shape (3, 4); they must"),
    ],
)
def test_shapes_fit(vectors, rotations, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        angular_hash(vectors, rotations)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(bad):
    vectors = randn(2, 5, 4)
    vectors[1, 2, 3] = bad
    with pytest.raises(ValueError, match=r"vectors holds? a NaN or an infinity: .* look for"):
        angular_hash(vectors, random_rotations(4, 2, 1, dtype=torch.float64))
