"""Attention in buckets (LSH attention), in its plainest form.

A query looks only at the keys that a hash put near it: the sequence is sorted by bucket, cut into
chunks, and a query sees the keys of its own chunk and of the one before, in every hash round. The
result is exactly the attention over the keys seen in *any* round.

This file says what is computed and is slow; `companion/lsh_fast.py` computes the same fast.

In shapes, `length` is the number of positions, `d_k` and `d_v` are the lengths of a key and of a
value, and `...` is any number of axes in front (batch, heads). A chunk is a number of positions.

Source: Kitaev et al. 2020, "Reformer", section 2, https://arxiv.org/abs/2001.04451.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from companion.attention import attention_weights
from companion.lsh_checks import check, check_cut

Cut = Literal["sorted", "bucket"]


def unit(vectors: Tensor) -> Tensor:
    """Make vectors of length 1 of vectors (..., d_k): the key that a query is for others.

    Source: Kitaev et al. 2020, section 2, "Shared-QK attention": k = q / |q|.
    """
    return functional.normalize(vectors, dim=-1, eps=1e-6)


def _rank(buckets: Tensor) -> Tensor:
    """The place of each position, (length,), when sorted by bucket, then by position."""
    order = buckets.argsort(stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    return rank


def cut_sorted(buckets: Tensor, chunk: int) -> Tensor:
    """Sort by bucket, then by position, and cut into chunks of equal size: the paper's way.

    A token that comes later in the sequence can push others over a border between chunks, even
    ones that come before it: with this cut, causal attention is not causal in what it outputs.

    Args:
        buckets: (length,), of one hash round.
        chunk: Positions in a chunk.

    Returns:
        The number of the chunk of each position, (length,).

    Source: Kitaev et al. 2020, section 2, "LSH attention", figure 2.
    """
    return _rank(buckets) // chunk


def cut_buckets(buckets: Tensor, chunk: int) -> Tensor:
    """Cut every bucket for itself, by rank: causal in fact.

    The rank of a token within its bucket depends on nothing that comes after it. The last chunk of
    a bucket may be short. Numbers of chunks leave a gap between buckets, so that the first chunk
    of one does not look back into another.

    Args:
        buckets: (length,), of one hash round.
        chunk: Positions in a chunk.

    Returns:
        The number of the chunk of each position, (length,).
    """
    rank = _rank(buckets)
    sizes = buckets.long().bincount()  # (n_buckets,)
    first = sizes.cumsum(0) - sizes  # the rank of the first of each bucket
    chunks = (sizes + chunk - 1) // chunk + 1  # one more: the gap
    number = chunks.cumsum(0) - chunks
    own = buckets.long()
    return number[own] + (rank - first[own]) // chunk


CUTS = {"sorted": cut_sorted, "bucket": cut_buckets}


def lsh_attention(
    query: Tensor,
    value: Tensor,
    buckets: Tensor,
    chunk: int,
    *,
    key: Tensor | None = None,
    key_buckets: Tensor | None = None,
    causal: bool = False,
    mask: Tensor | None = None,
    cut: Cut = "sorted",
    scale: float | None = None,
) -> Tensor:
    """Attend to the keys of the own chunk and of the one before, in every hash round.

    Without `key`, queries are keys too (shared QK): the keys are the queries at length 1, and a
    position looks at itself only if it may look at nothing else. A position that may not even look
    at itself gets 0.

    Args:
        query: (..., length, d_k), floating point.
        value: (..., length, d_v).
        buckets: (..., rounds, length), whole numbers from 0: the buckets of the queries.
        chunk: Positions in a chunk, at least 1 and at most length.
        key: (..., length, d_k), if keys are not the queries. Queries and keys then are sorted and
            cut as one sequence of twice the length, at twice the cost; position i may look at
            itself.
        key_buckets: (..., rounds, length): the buckets of the keys, with the same rotations.
        causal: Whether a position looks only at itself and what comes before.
        mask: Boolean, broadcastable to (..., length), True where a key may be looked at (padding
            is False).
        cut: "sorted" as in the paper, or "bucket" (see `cut_sorted`, `cut_buckets`).
        scale: What products of queries and keys are multiplied by. By default 1 for shared QK, as
            in the authors' code (there: keys of length √d_k, divided by √d_k), and 1/√d_k with
            keys of their own.

    Returns:
        The output, (..., length, d_v).

    Raises:
        TypeError: If mask is not boolean or buckets are not whole numbers.
        ValueError: If shapes do not fit together, query, key and value are not of one type, chunk is
            larger than length or not positive, cut is unknown, a bucket is negative, or query, key
            or value hold a NaN or an infinity.

    Source: Kitaev et al. 2020, section 2, and appendix A for N_ij, the rounds in which i meets j.
    """
    check(query, value, buckets, chunk, key, key_buckets, mask)
    check_cut(cut, CUTS)
    scale = scale_of(query, key) if scale is None else scale
    mask = every_key(query) if mask is None else mask.expand(query.shape[:-1])
    attend = partial(head_attention, chunk=chunk, causal=causal, cut=cut, scale=scale)
    if key is None:
        return _each(attend, query, unit(query), value, buckets, mask)
    together = interleave(query, key, value, buckets, key_buckets, mask)
    return _each(attend, *together)[..., 1::2, :]


def _each(attend: Callable[..., Tensor], query: Tensor, *others: Tensor) -> Tensor:
    """`attend` for each sequence and head on its own."""
    if query.dim() == 2:
        return attend(query, *others)
    return torch.stack([_each(attend, *each) for each in zip(query, *others, strict=True)])


def head_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    buckets: Tensor,
    mask: Tensor,
    *,
    chunk: int,
    causal: bool,
    cut: Cut,
    scale: float,
) -> Tensor:
    """One head: (length, d_k) twice, (length, d_v), (rounds, length), (length,) to (length, d_v)."""
    place = torch.stack([CUTS[cut](each, chunk) for each in buckets])  # (rounds, length)
    seen = torch.cat([candidates(each) for each in place], dim=-1)  # (length, rounds · 2 · chunk)
    empty = seen < 0
    seen = seen.clamp(min=0)
    own = torch.arange(len(query), device=query.device)[:, None]  # (length, 1)

    allowed = ~empty & mask[seen] & (seen != own)
    if causal:
        allowed &= seen < own
    alone = ~allowed.any(dim=-1, keepdim=True)  # (length, 1)
    allowed |= ~empty & mask[seen] & (seen == own) & alone

    apart = place[:, :, None] - place[:, seen]  # (rounds, length, rounds · 2 · chunk)
    times_met = ((apart == 0) | (apart == 1)).sum(dim=0).clamp(min=1)  # N_ij
    scores = scale * torch.einsum("id,ijd->ij", query, key[seen])
    weights = attention_weights(scores - times_met.to(scores.dtype).log(), allowed)
    return torch.einsum("ij,ijd->id", weights, value[seen])


def tabulate(place: Tensor) -> Tensor:
    """Write down which positions lie in which chunk.

    Args:
        place: (length,), the number of the chunk of each position.

    Returns:
        (largest number + 1, size of the largest chunk): positions in ascending order, -1 where a
        chunk has no more.
    """
    sizes = place.bincount()  # (n_chunks,)
    order = place.argsort(stable=True)
    first = sizes.cumsum(0) - sizes
    rank = torch.arange(len(place), device=place.device) - first[place[order]]
    table = place.new_full((len(sizes), int(sizes.max())), -1)
    table[place[order], rank] = order
    return table


def candidates(place: Tensor) -> Tensor:
    """The positions that each position meets in one round: of the chunk before and of its own.

    Args:
        place: (length,), the number of the chunk of each position.

    Returns:
        (length, 2 · size of the largest chunk), -1 where there is none.
    """
    table = tabulate(place)
    before = torch.cat([torch.full_like(table[:1], -1), table[:-1]])
    return torch.cat([before, table], dim=-1)[place]


def interleave(
    query: Tensor, key: Tensor, value: Tensor, buckets: Tensor, key_buckets: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One sequence of twice the length: key 0, query 0, key 1, query 1 and so on.

    A key asks nothing of use, and a query is not to be looked at, which the returned mask says.

    Returns:
        query, key, value, (..., 2 · length, d); buckets (..., rounds, 2 · length); mask
        (..., 2 · length).
    """
    query, key, value = (x.repeat_interleave(2, dim=-2) for x in (query, key, value))
    buckets = torch.stack([key_buckets, buckets], dim=-1).flatten(-2)
    mask = torch.stack([mask, torch.zeros_like(mask)], dim=-1).flatten(-2)
    return query, key, value, buckets, mask


def scale_of(query: Tensor, key: Tensor | None) -> float:
    """What products are multiplied by, unless something else is asked for; see `lsh_attention`."""
    return 1.0 if key is None else 1 / math.sqrt(query.shape[-1])


def every_key(query: Tensor) -> Tensor:
    """The mask that hides nothing, (..., length)."""
    return torch.ones(query.shape[:-1], dtype=torch.bool, device=query.device)
