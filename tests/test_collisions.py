"""Collision probabilities: against the known case, against trials, and at the ends."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.collisions import collision_probability

properties = settings(deadline=None, max_examples=20, derandomize=True)


def tried(angle, n_buckets, trials=50_000):
    """The share of trials in which two vectors at an angle share a bucket: argmax of [xR; -xR]."""
    torch.manual_seed(0)
    pair = torch.tensor([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])  # (2, d_k)
    rotated = pair @ torch.randn(trials, 2, n_buckets // 2)  # (trials, 2, n_buckets / 2)
    buckets = torch.cat([rotated, -rotated], dim=-1).argmax(dim=-1)  # (trials, 2)
    return (buckets[:, 0] == buckets[:, 1]).float().mean().item()


@properties
@given(angle=st.floats(0, math.pi))
def test_two_buckets_are_a_plane(angle):
    assert collision_probability(angle, 2) == pytest.approx(1 - angle / math.pi, abs=1e-3)


@pytest.mark.parametrize("n_buckets", [2, 4, 8, 32])
@pytest.mark.parametrize("angle", [0.01, 0.3, 1.0, 1.7, 2.6])
def test_is_what_trials_give(angle, n_buckets):
    # Four standard deviations of a share of 50,000 trials are at most .009.
    assert collision_probability(angle, n_buckets) == pytest.approx(
        tried(angle, n_buckets), abs=1e-2
    )


@pytest.mark.parametrize("n_buckets", [2, 4, 16, 128])
def test_at_the_ends_and_at_a_right_angle(n_buckets):
    assert collision_probability(0, n_buckets) == 1
    assert collision_probability(math.pi, n_buckets) == 0
    assert collision_probability(math.pi / 2, n_buckets) == pytest.approx(1 / n_buckets, abs=1e-3)


@properties
@given(
    n_buckets=st.integers(1, 32).map(lambda n: 2 * n),
    angles=st.lists(st.floats(0, math.pi), min_size=2, max_size=4),
)
def test_falls_with_the_angle(n_buckets, angles):
    falling = [collision_probability(angle, n_buckets) for angle in sorted(angles)]
    assert all(0 <= p <= 1 + 1e-3 for p in falling)
    assert all(p >= q - 1e-3 for p, q in itertools.pairwise(falling))


@pytest.mark.parametrize("angle", [-0.1, 3.2, math.nan])
def test_angle_must_be_one(angle):
    with pytest.raises(ValueError, match=r"angle is .*: it must be from 0 to π"):
        collision_probability(angle, 4)


@pytest.mark.parametrize("n_buckets", [0, 3, -2])
def test_buckets_must_be_even(n_buckets):
    with pytest.raises(ValueError, match=f"n_buckets is {n_buckets}; "):
        collision_probability(1.0, n_buckets)
