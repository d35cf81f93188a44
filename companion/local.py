"""Local attention: each position looks at its own chunk of the text and at the one before.

In shapes, `n` is the number of positions, `d_k` and `d_v` are the lengths of a key and of a value,
and `...` is any number of axes in front (batch, heads). A chunk is a number of positions.
Explained in chapters/week4-reformer/long-sequences.ipynb.

Source: Parmar et al. 2018, "Image Transformer" (blocks of queries and the memory that they see),
https://arxiv.org/abs/1802.05751.
"""

import torch
from torch import Tensor
from torch.nn import functional

from companion.attention import causal_mask
from companion.checks import at_least_one


def chunk_mask(n: int, chunk: int) -> Tensor:
    """Let each position look at what comes before it in its own chunk and in the one before.

    Returns:
        Boolean, (n, n), True where a query (row) may look at a key (column).

    Raises:
        ValueError: If n or chunk is not positive.
    """
    at_least_one(n=n, chunk=chunk)
    number = torch.arange(n) // chunk  # (n,)
    return causal_mask(n) & (number[:, None] - number <= 1)  # (n, n)


def local_attention(query: Tensor, key: Tensor, value: Tensor, chunk: int) -> Tensor:
    """Attention under `chunk_mask`, at the cost of n · 2 · chunk scores instead of n · n.

    Args:
        query: (..., n, d_k).
        key: (..., n, d_k).
        value: (..., n, d_v).
        chunk: Positions in a chunk. The last chunk may be short.

    Returns:
        The output, (..., n, d_v).

    Raises:
        ValueError: If chunk is not positive.
    """
    at_least_one(chunk=chunk)
    n = query.shape[-2]
    query, key, value = (_chunks(x, chunk) for x in (query, key, value))
    key, value = (torch.cat([_before(x), x], dim=-2) for x in (key, value))
    # (..., n_chunks, 2 · chunk, d)
    mask = chunk_mask(2 * chunk, chunk)[chunk:].repeat(query.shape[-3], 1, 1)
    mask[0, :, :chunk] = False  # before the first chunk there is none
    # Torch's own, which never writes the weights down; the same numbers as companion.attention's.
    output = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return output.flatten(-3, -2)[..., :n, :]  # (..., n, d_v)


def mass_within(weights: Tensor, width: int) -> Tensor:
    """How much attention goes to the last `width` positions, the looking one included.

    Args:
        weights: Causal attention weights, (..., n, n).
        width: Number of positions.

    Returns:
        The share, averaged over the queries that have more than `width` keys to look at, (...).

    Raises:
        ValueError: If width is not positive, or if no query has more keys.
    """
    at_least_one(width=width)
    n = weights.shape[-1]
    if width >= n:
        raise ValueError(f"width is {width}: with {n} positions it must be from 1 to {n - 1}")
    near = weights.triu(diagonal=1 - width)  # (..., n, n)
    return near[..., width:, :].sum(dim=-1).mean(dim=-1)


def _chunks(x: Tensor, chunk: int) -> Tensor:
    """(..., n, d) to (..., n_chunks, chunk, d), filled up with zeros."""
    missing = -x.shape[-2] % chunk
    return functional.pad(x, (0, 0, 0, missing)).unflatten(-2, (-1, chunk))


def _before(x: Tensor) -> Tensor:
    """For each chunk the one before it, zeros before the first; (..., n_chunks, chunk, d)."""
    return functional.pad(x[..., :-1, :, :], (0, 0, 0, 0, 1, 0))
