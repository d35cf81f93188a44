"""The exercise "angular hash": give each vector the number of a bucket.

From the chapter "LSH attention".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.hashing import angular_hash, random_rotations

_SIZES = ((12, 4, 8), (9, 3, 2), (15, 6, 6))  # n, d_k, n_buckets


def check_angular_hash(function: Callable[..., Tensor]) -> int:
    """Check `angular_hash(x, r)`; return the number of properties."""
    drawn = torch.Generator().manual_seed(0)
    for n, d_k, n_buckets in _SIZES:
        x = torch.randn(n, d_k, generator=drawn)
        (rotation,) = random_rotations(d_k, n_buckets, 1, generator=drawn)
        r = rotation[0]  # (d_k, n_buckets / 2)
        on = f"{n} vectors of {d_k} numbers and {n_buckets // 2} directions"
        found = call(function, (x, r), on, "x (n, d_k) times r (d_k, directions): x @ r.")
        if found.shape != (n,):
            raise WrongAnswerError(
                f"returned shape {tuple(found.shape)}, expected {(n,)}, on {on}.",
                "One number for each vector: the argmax over the last axis.",
            )
        if found.is_floating_point() or found.dtype == torch.bool:
            raise WrongAnswerError(
                f"returned {found.dtype}, expected whole numbers.",
                "Not the largest product is wanted, but its place: argmax.",
            )
        _check_buckets(found, x, r, on)
    return 3  # shape, whole numbers, the buckets


def _check_buckets(found: Tensor, x: Tensor, r: Tensor, on: str) -> None:
    expected = angular_hash(x, (r[None],))[0]  # (n,)
    if torch.equal(found.long(), expected.long()):
        return
    for mistake in _MISTAKES:
        if torch.equal(found.long(), mistake.result(x, r)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    first = int((found != expected).nonzero()[0])
    raise WrongAnswerError(
        f"on {on}, vector {first} is in bucket {int(found[first])}, expected {int(expected[first])}.",
        "The argmax of [x @ r, -(x @ r)]: first all directions, then all opposite ones.",
    )


_MISTAKES = (
    Mistake(
        lambda x, r: (x @ r).argmax(dim=-1),
        "only half of the buckets are used.",
        "Each direction has an opposite: put -(x @ r) behind x @ r.",
    ),
    Mistake(
        lambda x, r: (x @ r).abs().argmax(dim=-1),
        "a vector and its opposite share a bucket.",
        "Each direction has an opposite: put -(x @ r) behind x @ r.",
    ),
    Mistake(
        lambda x, r: torch.cat([-(x @ r), x @ r], dim=-1).argmax(dim=-1),
        "each vector is in the bucket of the direction opposite to its own.",
        "[x @ r, -(x @ r)], in this order, and the largest product, not the smallest.",
    ),
    Mistake(
        lambda x, r: ((x @ r > 0) * 2 ** torch.arange(r.shape[1])).sum(dim=-1),
        "this is a hash by planes, a bit for each.",
        "The angular hash asks which direction is nearest: an argmax.",
    ),
)
