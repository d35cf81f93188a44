"""How likely two vectors at an angle fall into the same bucket, by calculation instead of by trial.

Explained in chapters/week4-reformer/lsh-attention.ipynb.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from companion.hashing import check_bucket_count

_WIDEST, _CELLS = 6.0, 600  # of the grid: what lies further out is likely once in 10^8 times


def collision_probability(angle: float, n_buckets: int) -> float:
    """The probability that `companion.hashing.angular_hash` gives two vectors the same bucket.

    The products of the two vectors with a random direction are a pair of normal numbers X and Y,
    whose correlation is the cosine of the angle. Both vectors fall into the bucket of a direction if
    X and Y are larger in size than those of each other direction, and of the same sign.

    Args:
        angle: Between the vectors, from 0 to π.
        n_buckets: Of the hash, even, in one factor.

    Returns:
        The probability, to about .001. With 2 buckets it is 1 - angle / π (Charikar 2002,
        https://doi.org/10.1145/509907.509965, section 3).

    Raises:
        ValueError: If angle is not from 0 to π, or n_buckets not a positive even number.

    Source: Andoni et al. 2015, https://arxiv.org/abs/1509.02897, who hash with orthogonal directions
    (section 3), and give its rate for many of them (theorem 1).
    """
    check_bucket_count("n_buckets", n_buckets)
    if not 0 <= angle <= math.pi:
        raise ValueError(f"angle is {angle}: it must be from 0 to π")
    # Nearer to an end, the pair's density is narrower than the cells of the grid.
    least = 4 * _WIDEST / _CELLS
    if angle < least or angle > math.pi - least:
        end = collision_probability(least if angle < least else math.pi - least, n_buckets)
        apart = min(angle, math.pi - angle) / least
        return apart * end + (1 - apart) * float(angle < least)
    same, other = (_density(sign * math.cos(angle)) for sign in (1, -1))
    # P(|X| <= x, |Y| <= y): at the corners of the cells, then, as their mean, at their centres.
    corners = functional.pad(2 * (same + other).cumsum(0).cumsum(1), (1, 0, 1, 0))
    within = functional.avg_pool2d(corners[None], 2, stride=1)[0]  # (cells, cells)
    n_directions = n_buckets // 2
    both = 2 * n_directions * same * within.clamp(0, 1) ** (n_directions - 1)
    return float(both.sum())


def _density(correlation: float) -> Tensor:
    """The probability of each cell, (cells, cells), of X and Y above 0."""
    step = _WIDEST / _CELLS
    x = (torch.arange(_CELLS, dtype=torch.float64) + 0.5) * step  # (cells,)
    spread = 1 - correlation**2
    squares = x[:, None] ** 2 - 2 * correlation * x[:, None] * x + x**2  # (cells, cells)
    return (-squares / (2 * spread)).exp() * step**2 / (2 * math.pi * math.sqrt(spread))
