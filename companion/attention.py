"""Attention: the mathematics, and nothing else.

The names are those of the paper: Vaswani et al. 2017, "Attention Is All You Need",
https://arxiv.org/abs/1706.03762. In shapes, `n_q` is the number of queries, `n_k` that of keys
(and values), `d_k` and `d_v` are the lengths of a key and of a value, and `...` is any number of
axes in front (batch, heads), which broadcast.

A mask is boolean and True means *may be looked at*. This is the convention of
`torch.nn.functional.scaled_dot_product_attention`; that of `torch.nn.MultiheadAttention` is the
opposite: there, True means hidden.
"""

import math

import torch
from torch import Tensor, nn

from companion.checks import at_least_one


def attention_scores(query: Tensor, key: Tensor) -> Tensor:
    """Compare every query with every key: Q K^T / sqrt(d_k).

    In float16 a product of a query and a key above 65504 is infinite, as the division
    comes after.

    Args:
        query: (..., n_q, d_k), floating point.
        key: (..., n_k, d_k).

    Returns:
        The scores, (..., n_q, n_k).

    Raises:
        ValueError: If query is not floating point, if query or key has fewer than two
            axes, or if their last axes differ or are empty.

    Source: Vaswani et al. 2017, section 3.2.1, equation 1, within the softmax.
    """
    _check_query_and_key(query, key)
    d_k = query.shape[-1]
    return query @ key.transpose(-2, -1) / math.sqrt(d_k)  # (..., n_q, n_k)


def attention_weights(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn the scores of each query into weights that sum to 1 over the keys.

    A query that may look at no key gets the weight 0 everywhere, as in
    `torch.nn.functional.scaled_dot_product_attention`.

    Args:
        scores: (..., n_q, n_k).
        mask: Boolean, broadcastable to scores, True where a query may look at a key
            (`torch.nn.MultiheadAttention` takes the opposite). None hides nothing.

    Returns:
        The weights, (..., n_q, n_k).

    Raises:
        TypeError: If mask is not a boolean tensor.
        ValueError: If mask does not broadcast to the shape of scores.

    Source: Vaswani et al. 2017, section 3.2.1, equation 1; the mask: section 3.2.3.
    """
    if mask is None:
        return scores.softmax(dim=-1)  # (..., n_q, n_k)
    _check_mask(mask, scores)
    # Not -1e9: float16 has no such number, and in a row where all is hidden it would give
    # every hidden key the same weight.
    scores = scores.masked_fill(~mask, -math.inf)
    # The softmax of a row of -inf alone is 0/0. Such a row passes the softmax as zeros
    # instead, and gets its weights after it: a NaN in between, even if replaced, can
    # come back in the gradient.
    sees_nothing = ~mask.any(dim=-1, keepdim=True)  # (..., n_q, 1)
    weights = scores.masked_fill(sees_nothing, 0.0).softmax(dim=-1)  # (..., n_q, n_k)
    return weights.masked_fill(sees_nothing, 0.0)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Give each query the average of the values, weighted by how well keys match it.

    Args:
        query: (..., n_q, d_k), floating point.
        key: (..., n_k, d_k).
        value: (..., n_k, d_v).
        mask: Boolean, broadcastable to (..., n_q, n_k), True where a query may look at
            a key.

    Returns:
        The output, (..., n_q, d_v), and the weights, (..., n_q, n_k).

    Raises:
        TypeError: If mask is not a boolean tensor.
        ValueError: If the shapes do not fit together, or query is not floating point.

    Source: Vaswani et al. 2017, section 3.2.1, equation 1.
    """
    _check_value(key, value)
    weights = attention_weights(attention_scores(query, key), mask)  # (..., n_q, n_k)
    output = weights @ value  # (..., n_q, d_v)
    return output, weights


def causal_mask(n_query: int, n_key: int | None = None) -> Tensor:
    """Let each position look at itself and at what comes before it.

    With more keys than queries, the queries are the *last* positions of the sequence, as when a
    model writes a text and keeps the keys of what it has written: the last query sees every key.
    (`is_causal=True` of `torch.nn.functional.scaled_dot_product_attention` makes the queries the
    first positions instead. With as many keys as queries the two agree.)

    Args:
        n_query: Number of queries.
        n_key: Number of keys; by default that of the queries.

    Returns:
        Boolean, (n_query, n_key): True where the query may look at the key.

    Raises:
        ValueError: If a number is not positive, or there are more queries than keys.

    Source: Vaswani et al. 2017, section 3.2.3, third item.
    """
    n_key = n_query if n_key is None else n_key
    at_least_one(n_query=n_query, n_key=n_key)
    if n_query > n_key:
        raise ValueError(
            f"n_query is {n_query} and n_key is {n_key}: the queries are the last of the keys' "
            "positions, so there must be at least as many keys as queries"
        )
    everything = torch.ones(n_query, n_key, dtype=torch.bool)
    return everything.tril(diagonal=n_key - n_query)  # (n_query, n_key)


def padding_mask(tokens: Tensor, pad: int) -> Tensor:
    """Hide what fills up the shorter sequences of a batch.

    Args:
        tokens: (batch, n_key), the numbers of the tokens.
        pad: The number that stands for filling.

    Returns:
        Boolean, (batch, 1, 1, n_key): True where there is a token; the axes of length 1 broadcast
        over heads and queries. Join it to a causal mask with `&`.

    Raises:
        ValueError: If tokens does not have two axes.
    """
    if tokens.dim() != 2:
        raise ValueError(f"tokens has shape {tuple(tokens.shape)}: it must be (batch, n_key)")
    return (tokens != pad)[:, None, None, :]  # (batch, 1, 1, n_key)


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut each vector into n_heads pieces of d_k = d_model / n_heads, one for each head.

    Args:
        x: (batch, n, d_model).
        n_heads: Number of heads.

    Returns:
        (batch, heads, n, d_k).

    Raises:
        ValueError: If x does not have three axes, or n_heads is not positive or does not divide
            d_model.
    """
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be (batch, n, d_model)")
    batch, n, d_model = x.shape
    _check_heads(d_model, n_heads)
    pieces = x.reshape(batch, n, n_heads, d_model // n_heads)  # (batch, n, heads, d_k)
    return pieces.transpose(1, 2)  # (batch, heads, n, d_k)


def join_heads(x: Tensor) -> Tensor:
    """Put the pieces of all heads side by side again: the inverse of `split_heads`.

    Args:
        x: (batch, heads, n, d_k).

    Returns:
        (batch, n, d_model), where d_model = heads * d_k.

    Raises:
        ValueError: If x does not have four axes.

    Source: Vaswani et al. 2017, section 3.2.2, "Concat".
    """
    if x.dim() != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be (batch, heads, n, d_k)")
    return x.transpose(1, 2).flatten(start_dim=2)  # (batch, n, d_model)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each on its own projection of the vectors.

    The projections of all heads are one matrix each for queries, keys, values and output. The
    paper's have no bias; most implementations, torch's too, have one.

    Args:
        d_model: Length of the vectors that come in and go out.
        n_heads: Number of heads; it divides d_model.
        bias: Whether the four projections add a bias.

    Raises:
        ValueError: If a size is not positive, or n_heads does not divide d_model.

    Source: Vaswani et al. 2017, section 3.2.2.
    """

    def __init__(self, d_model: int, n_heads: int, *, bias: bool = True) -> None:
        super().__init__()
        _check_heads(d_model, n_heads)
        self.d_model = d_model
        self.n_heads = n_heads
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, d_model, bias=bias)
        self.value = nn.Linear(d_model, d_model, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def project(
        self, x: Tensor, memory: Tensor | None = None, values_from: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make the queries, keys and values of every head.

        Args:
            x: (batch, n_q, d_model), what the queries are made from.
            memory: (batch, n_k, d_model), what the keys are made from; by default x.
            values_from: (batch, n_k, d_model), what the values are made from; by default memory.

        Returns:
            Queries (batch, heads, n_q, d_k), keys and values (batch, heads, n_k, d_k).

        Raises:
            ValueError: If a shape is not as above.
        """
        memory = x if memory is None else memory
        values_from = memory if values_from is None else values_from
        _check_sequences(x, memory, values_from, self.d_model)
        query = split_heads(self.query(x), self.n_heads)  # (batch, heads, n_q, d_k)
        key = split_heads(self.key(memory), self.n_heads)  # (batch, heads, n_k, d_k)
        value = split_heads(self.value(values_from), self.n_heads)  # (batch, heads, n_k, d_k)
        return query, key, value

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        values_from: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Let each vector of x look at the vectors of memory.

        Args:
            x: (batch, n_q, d_model).
            memory: (batch, n_k, d_model); by default x, which is self-attention.
            mask: Boolean, broadcastable to (batch, heads, n_q, n_k), True where a query may look
                at a key. Three axes are refused: the first could be batch or heads.
            values_from: (batch, n_k, d_model), what the values are made from; by default memory.

        Returns:
            The output, (batch, n_q, d_model), and the weights, (batch, heads, n_q, n_k).

        Raises:
            TypeError: If mask is not a boolean tensor.
            ValueError: If a shape is not as above.
        """
        _check_mask_of_heads(mask)
        query, key, value = self.project(x, memory, values_from)
        mixed, weights = scaled_dot_product_attention(query, key, value, mask)
        return self.output(join_heads(mixed)), weights  # (batch, n_q, d_model)


def _check_heads(d_model: int, n_heads: int) -> None:
    at_least_one(d_model=d_model, n_heads=n_heads)
    if d_model % n_heads:
        raise ValueError(
            f"d_model is {d_model} and n_heads is {n_heads}: d_model must be a multiple of n_heads"
        )


def _check_query_and_key(query: Tensor, key: Tensor) -> None:
    if not query.is_floating_point():
        raise ValueError(f"query has dtype {query.dtype}: it must be floating point")
    for name, x in (("query", query), ("key", key)):
        if x.dim() < 2:
            raise ValueError(f"{name} has shape {tuple(x.shape)}: it must be (..., n, d_k)")
    if query.shape[-1] != key.shape[-1] or query.shape[-1] == 0:
        raise ValueError(
            f"query has shape {tuple(query.shape)} and key {tuple(key.shape)}: "
            "their last axes must have the same length d_k, at least 1"
        )


def _check_value(key: Tensor, value: Tensor) -> None:
    if key.dim() < 2 or value.dim() < 2 or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"value has shape {tuple(value.shape)} and key {tuple(key.shape)}: they must be "
            "(..., n_k, d_v) and (..., n_k, d_k), a value for each key"
        )


def _check_mask(mask: Tensor, scores: Tensor) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        given = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"mask is {given}: it must be torch.bool, True where a query may look")
    try:
        mask.expand(scores.shape)
    except RuntimeError:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} and scores {tuple(scores.shape)}: "
            "mask must broadcast to the shape of scores"
        ) from None


def _check_mask_of_heads(mask: Tensor | None) -> None:
    # With as many sequences as heads a mask for each sequence would be taken, without a word, for
    # a mask for each head.
    if isinstance(mask, Tensor) and mask.dim() == 3:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)}: with several heads it must be (n_q, n_k), "
            "(batch, 1, n_q, n_k) for each sequence, or (1, heads, n_q, n_k) for each head"
        )


def _check_sequences(x: Tensor, memory: Tensor, values_from: Tensor, d_model: int) -> None:
    for name, given in (("x", x), ("memory", memory)):
        if given.dim() != 3 or given.shape[-1] != d_model:
            raise ValueError(
                f"{name} has shape {tuple(given.shape)}: it must be (batch, n, d_model = {d_model})"
            )
    if memory.shape[0] != x.shape[0]:
        raise ValueError(
            f"memory has shape {tuple(memory.shape)} and x {tuple(x.shape)}: "
            "they must have as many sequences (batch)"
        )
    if values_from.shape != memory.shape:
        raise ValueError(
            f"values_from has shape {tuple(values_from.shape)} and memory {tuple(memory.shape)}: "
            "they must have the same shape"
        )
