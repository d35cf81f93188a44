"""What may be asked of attention in buckets, and what is wrong with what was asked."""

from collections.abc import Iterable

import torch
from torch import Tensor

from companion.hashing import check_finite


def check(
    query: Tensor,
    value: Tensor,
    buckets: Tensor,
    chunk: int,
    key: Tensor | None,
    key_buckets: Tensor | None,
    mask: Tensor | None,
) -> None:
    """Raise what `companion.lsh.lsh_attention`, of whose arguments these are, promises to raise."""
    if query.dim() < 2 or not query.is_floating_point():
        raise ValueError(
            f"query is {query.dtype} of shape {tuple(query.shape)}; it must be floating point, "
            "(..., length, d_k)"
        )
    *leading, length, _ = query.shape
    if value.dim() < 2 or value.shape[:-1] != query.shape[:-1]:
        raise ValueError(
            f"value has the shape {tuple(value.shape)}; with query {tuple(query.shape)} it must be "
            f"{(*leading, length)} and the length of a value"
        )
    if not 1 <= chunk <= length:
        raise ValueError(f"chunk is {chunk}; with {length} positions it must be from 1 to {length}")
    if (key is None) != (key_buckets is None):
        missing = "key" if key is None else "key_buckets"
        raise ValueError(f"{missing} is missing: give key and key_buckets, or neither (shared QK)")
    if key is not None and key.shape != query.shape:
        raise ValueError(
            f"key has the shape {tuple(key.shape)}; it must be that of query, {tuple(query.shape)}"
        )
    _check_types(query, value=value, key=key)
    _check_buckets("buckets", buckets, leading, length)
    if key_buckets is not None:
        _check_buckets("key_buckets", key_buckets, leading, length)
        if key_buckets.shape != buckets.shape:
            raise ValueError(
                f"key_buckets have the shape {tuple(key_buckets.shape)} and buckets "
                f"{tuple(buckets.shape)}; hash queries and keys with the same rotations"
            )
    _check_key_mask(mask, query)
    check_finite(query=query, value=value, **({} if key is None else {"key": key}))


def _check_types(query: Tensor, **others: Tensor | None) -> None:
    for name, other in others.items():
        if other is not None and other.dtype != query.dtype:
            raise ValueError(
                f"{name} is {other.dtype} and query {query.dtype}; they must be of one type"
            )


def _check_buckets(name: str, buckets: Tensor, leading: list[int], length: int) -> None:
    if buckets.is_floating_point() or buckets.dtype == torch.bool:
        raise TypeError(f"{name} are {buckets.dtype}; they must be whole numbers: see angular_hash")
    fits = buckets.dim() == len(leading) + 2 and list(buckets.shape[:-2]) == leading
    if not fits or buckets.shape[-1] != length or not buckets.shape[-2]:
        shape = ", ".join([*map(str, leading), "rounds", str(length)])
        raise ValueError(
            f"{name} have the shape {tuple(buckets.shape)}; it must be ({shape}), with at least "
            "one round"
        )
    if buckets.amin() < 0:
        raise ValueError(f"{name} hold {int(buckets.amin())}; numbers of buckets begin at 0")


def _check_key_mask(mask: Tensor | None, query: Tensor) -> None:
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise TypeError(f"mask is {mask.dtype}; it must be boolean, True where a key may be seen")
    try:
        mask.expand(query.shape[:-1])
    except RuntimeError as error:
        raise ValueError(
            f"mask has the shape {tuple(mask.shape)}; it must broadcast to "
            f"{tuple(query.shape[:-1])}, one value for each key"
        ) from error


def check_cut(cut: str, cuts: Iterable[str]) -> None:
    """Raise ValueError unless the cut is one of those that there are."""
    if cut not in cuts:
        raise ValueError(f"cut is {cut!r}; it must be one of {', '.join(map(repr, cuts))}")
