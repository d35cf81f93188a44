"""Angular hashing: vectors that point the same way are likely to fall into the same bucket.

In shapes, `length` is the number of vectors, `d_k` the length of each, `rounds` the number of
hash rounds (independent hashes of the same vectors), and `...` any number of axes in front.

Sources: Andoni et al. 2015, "Practical and Optimal LSH for Angular Distance",
https://arxiv.org/abs/1509.02897; Kitaev et al. 2020, "Reformer", section 2,
https://arxiv.org/abs/2001.04451.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.checks import at_least_one

_ROWS = 16384  # hashed at a time, so that the products of a long sequence never lie in memory whole


def bucket_factors(n_buckets: int) -> tuple[int, ...]:
    """Split a number of buckets into two even factors, as alike as can be, where that saves work.

    A hash into n buckets needs n / 2 products a vector; two hashes into a and b buckets, read as
    the two digits of one number, give a · b buckets for (a + b) / 2 products.

    Args:
        n_buckets: How many buckets are wanted, even. Up to 64 they stay one factor.

    Returns:
        (n_buckets,) or (a, b) with a · b >= n_buckets, as near to it as two such factors come.

    Raises:
        ValueError: If n_buckets is not a positive even number.

    Source: the Reformer authors' code, trax/layers/research/efficient_attention.py, where a number
    of buckets may be a list of factors.
    """
    check_bucket_count("n_buckets", n_buckets)
    if n_buckets <= 64:
        return (n_buckets,)
    first = 2 * max(1, round(math.sqrt(n_buckets) / 2))
    second = 2 * math.ceil(n_buckets / (2 * first))
    return (first, second)


def random_rotations(
    d_k: int,
    n_buckets: int | Sequence[int],
    rounds: int,
    *,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, ...]:
    """Draw the directions that hash: random projections, standard normal.

    Args:
        d_k: Length of the vectors that will be hashed.
        n_buckets: How many buckets, even; or even factors of that number, as `bucket_factors`
            gives them.
        rounds: How many independent hashes.
        generator: Where the random numbers come from; by default torch's own.
        dtype: Of the rotations: that of the vectors.
        device: Where they are made.

    Returns:
        For each factor a tensor (rounds, d_k, factor / 2).

    Raises:
        ValueError: If a number is not positive, or a number of buckets is odd.
    """
    factors = (n_buckets,) if isinstance(n_buckets, int) else tuple(n_buckets)
    if not factors:
        raise ValueError("n_buckets is empty: give one even number, or factors such as (16, 32)")
    for factor in factors:
        check_bucket_count("n_buckets", factor)
    at_least_one(d_k=d_k, rounds=rounds)
    return tuple(
        torch.randn(rounds, d_k, factor // 2, generator=generator, dtype=dtype, device=device)
        for factor in factors
    )


@torch.no_grad()
def angular_hash(vectors: Tensor, rotations: Sequence[Tensor]) -> Tensor:
    """Give each vector the number of a bucket, once a round: argmax of [x R; -x R].

    Only the direction of a vector matters. The nearest of the axes of the rotated space, of both
    signs, is the bucket.

    Args:
        vectors: (..., length, d_k), floating point.
        rotations: From `random_rotations`: for each factor (rounds, d_k, factor / 2).

    Returns:
        Whole numbers from 0 to the product of the factors - 1, (..., rounds, length); int16 where
        that is enough (a short number is sorted and kept at less cost), else int32.

    Raises:
        ValueError: If vectors hold a NaN or an infinity, or if the rotations are not of their
            length, not of the same number of rounds, or missing.

    Source: Kitaev et al. 2020, section 2, "Locality sensitive hashing".
    """
    _check_rotations(vectors, rotations)
    check_finite(vectors=vectors)
    n_buckets = math.prod(2 * rotation.shape[-1] for rotation in rotations)
    dtype = torch.int16 if n_buckets <= 2**15 else torch.int32
    rounds = rotations[0].shape[0]
    *leading, length, _ = vectors.shape
    buckets = vectors.new_empty(*leading, rounds, length, dtype=dtype)
    for start in range(0, length, _ROWS):
        rows = slice(start, start + _ROWS)
        some = vectors[..., rows, :]
        for each in range(rounds):
            number = 0
            for rotation in rotations:
                number = number * (2 * rotation.shape[-1]) + nearest_axis(some @ rotation[each])
            buckets[..., each, rows] = number
    return buckets


def nearest_axis(rotated: Tensor) -> Tensor:
    """The argmax of [x, -x] over the last axis, without making the longer vector."""
    half = rotated.shape[-1]
    axis = rotated.abs().argmax(dim=-1, keepdim=True)  # (..., length, 1)
    below = rotated.gather(-1, axis) < 0
    return (axis + half * below).squeeze(-1)  # (..., length)


def check_finite(**tensors: Tensor) -> None:
    """Raise ValueError, naming the tensor, if one holds a NaN or an infinity."""
    for name, tensor in tensors.items():
        if tensor.numel() and not all(x.isfinite() for x in tensor.detach().aminmax()):
            raise ValueError(
                f"{name} holds a NaN or an infinity: it cannot be hashed or attended to; look for "
                "a division by zero or a loss that diverged before it"
            )


def check_bucket_count(name: str, number: int) -> None:
    """Raise ValueError, naming it, unless a number of buckets is positive and even."""
    if number < 2 or number % 2:
        raise ValueError(
            f"{name} is {number}; a hash has two buckets for each direction, so it must be even "
            f"and at least 2: for instance {max(2, number + number % 2)}"
        )


def _check_rotations(vectors: Tensor, rotations: Sequence[Tensor]) -> None:
    if not vectors.is_floating_point() or vectors.dim() < 2:
        raise ValueError(
            f"vectors are {vectors.dtype} of shape {tuple(vectors.shape)}; they must be floating "
            "point, (..., length, d_k)"
        )
    if not rotations:
        raise ValueError("rotations are missing: make them with random_rotations")
    d_k = vectors.shape[-1]
    for rotation in rotations:
        if rotation.dim() != 3 or rotation.shape[1] != d_k:
            raise ValueError(
                f"a rotation has the shape {tuple(rotation.shape)}; for vectors of length {d_k} it "
                f"must be (rounds, {d_k}, buckets / 2)"
            )
    if len({rotation.shape[0] for rotation in rotations}) > 1:
        counts = [rotation.shape[0] for rotation in rotations]
        raise ValueError(f"rotations have {counts} rounds; each factor must have as many")
