"""Attention in buckets, fast and in little memory: what `companion/lsh.py` says, exactly.

How: one hash round of one head at a time (of several heads, if they are short), in blocks of as
many chunks as stay near the processor. Nothing of the size length × chunk outlives its block:
backward makes the scores again, from the output and the log-sum-exp over all rounds (Dao et al. 2022, FlashAttention,
section 3.1). Buckets are kept for backward, so that nothing is hashed twice.

A key that a query met in an earlier round is hidden in later ones. That gives what the division
by N_ij gives, the attention over the keys met in any round.
"""

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from companion.lsh import CUTS, Cut, every_key, interleave, scale_of, unit
from companion.lsh_blocks import (
    Round,
    Task,
    attend_block,
    attend_block_backward,
    cut_blocks,
    exact_type,
    sort_rounds,
    unwindow,
)
from companion.lsh_checks import check, check_cut

GROUP = 4096  # positions worked on at a time, of several heads if they are short


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
    exact: bool = True,
) -> Tensor:
    """`companion.lsh.lsh_attention`, fast; for arguments, shapes and errors see there.

    One more argument is `exact`: False leaves a key that is met in several rounds in each of them,
    as other implementations do; it then counts as often as it is met.
    """
    check(query, value, buckets, chunk, key, key_buckets, mask)
    check_cut(cut, CUTS)
    scale = scale_of(query, key) if scale is None else scale
    mask = every_key(query) if mask is None else mask.expand(query.shape[:-1])
    separate = key is not None
    if separate:
        query, key, value, buckets, mask = interleave(query, key, value, buckets, key_buckets, mask)
    task = Task(chunk, causal, cut, scale, exact)
    output = _LSHAttention.apply(query, key, value, buckets, mask, task)
    return output[..., 1::2, :] if separate else output


class _LSHAttention(torch.autograd.Function):
    """All sequences and heads, one after the other."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        query: Tensor,
        key: Tensor | None,
        value: Tensor,
        buckets: Tensor,
        mask: Tensor,
        task: Task,
    ) -> Tensor:
        output = value.new_empty(value.shape)
        total = value.new_empty(value.shape[:-1], dtype=exact_type(value))
        for group in _groups(query):
            q, v, own_mask = (_gather(x, group).flatten(0, 1) for x in (query, value, mask))
            k = None if key is None else _gather(key, group).flatten(0, 1)
            out, log_sum = attend(
                q, k, v, sort_rounds(_gather(buckets, group), task), own_mask, task
            )
            _scatter(output, group, out)
            _scatter(total, group, log_sum)
        ctx.save_for_backward(query, key, value, buckets, mask, output, total)
        ctx.task = task
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, buckets, mask, output, total = ctx.saved_tensors
        d_query, d_value = torch.empty_like(query), torch.empty_like(value)
        d_key = None if key is None else torch.empty_like(key)
        for group in _groups(query):
            q, v, own_mask, *made = (
                _gather(x, group).flatten(0, 1) for x in (query, value, mask, output, total, grad)
            )
            k = None if key is None else _gather(key, group).flatten(0, 1)
            rounds = sort_rounds(_gather(buckets, group), ctx.task)
            dq, dk, dv = attend_backward(q, k, v, rounds, own_mask, ctx.task, made)
            _scatter(d_query, group, dq)
            _scatter(d_value, group, dv)
            if key is not None:
                _scatter(d_key, group, dk)
        return d_query, d_key, d_value, None, None, None


def _groups(query: Tensor) -> Iterator[list[tuple[int, ...]]]:
    """The indices of sequences and heads of (..., length, d_k), some short or one long at a time."""
    every = list(itertools.product(*map(range, query.shape[:-2])))
    size = max(1, GROUP // query.shape[-2])
    return (every[first : first + size] for first in range(0, len(every), size))


def _gather(x: Tensor, group: list[tuple[int, ...]]) -> Tensor:
    """What x, (..., and more), holds of a group: (heads, and more); of a single head no copy."""
    return x[group[0]][None] if len(group) == 1 else torch.stack([x[i] for i in group])


def _scatter(x: Tensor, group: list[tuple[int, ...]], found: Tensor) -> None:
    """Write what was found of a group, (heads · length, ...), to x, (..., length, ...)."""
    for i, each in zip(group, found.chunk(len(group)), strict=True):
        x[i] = each


@torch.no_grad()
def attend(
    query: Tensor,
    key: Tensor | None,
    value: Tensor,
    rounds: list[Round],
    mask: Tensor,
    task: Task,
) -> tuple[Tensor, Tensor]:
    """One head, or some of them one after the other as one sequence.

    Args:
        query: (length, d_k).
        key: (length, d_k), or None if queries are keys too.
        value: (length, d_v).
        rounds: From `sort_rounds`.
        mask: (length,), True where a key may be looked at.
        task: What is the same for all heads.

    Returns:
        output: (length, d_v), float32 or finer.
        total: (length,): log of the sum of the exponentials of the scores; -inf where a position
            sees no other.
    """
    length, d_v = value.shape
    # One row more than positions: where the outputs of empty slots go.
    output = value.new_empty(length + 1, d_v, dtype=exact_type(value))
    total = output.new_empty(length + 1)
    for block in cut_blocks(query, key, value, rounds, mask, task):
        some, log_sum = attend_block(block, task.scale)  # (n · chunk, d_v or more), (n · chunk,)
        some = some[:, :d_v]
        if block.number:
            before, others = total[block.slots], log_sum
            # Not logaddexp: it rounds the last few numbers of a tensor otherwise than the others.
            log_sum = torch.stack([before, others]).logsumexp(dim=0)
            finite = log_sum.masked_fill(log_sum == -math.inf, 0.0)
            some *= (others - finite).exp_()[:, None]
            some += output.index_select(0, block.slots).mul_((before - finite).exp_()[:, None])
        output.index_copy_(0, block.slots, some)
        total.index_copy_(0, block.slots, log_sum)
    output, total = output[:length], total[:length]
    alone = _alone(total, mask)
    output[alone] = value[alone].to(output.dtype)
    return output, total


@torch.no_grad()
def attend_backward(
    query: Tensor,
    key: Tensor | None,
    value: Tensor,
    rounds: list[Round],
    mask: Tensor,
    task: Task,
    made: tuple[Tensor, Tensor, Tensor],
) -> tuple[Tensor, Tensor | None, Tensor]:
    """The gradients of `attend`.

    Args:
        query: (length, d_k); this and the next five as `attend` took them.
        key: (length, d_k) or None.
        value: (length, d_v).
        rounds: From `sort_rounds`.
        mask: (length,).
        task: What is the same for all heads.
        made: Output (length, d_v) and log-sum-exp (length,) that it returned, and the gradient with
            respect to that output, (length, d_v).

    Returns:
        The gradients, float32 or finer, with respect to query, (length, d_k), key, or None if
        queries are keys too, and value, (length, d_v).
    """
    output, total, grad = made
    d_k, d_v, exact = query.shape[-1], value.shape[-1], exact_type(query)
    d_query, d_value = (torch.zeros_like(x, dtype=exact) for x in (query, value))
    d_key = None if key is None else torch.zeros_like(key, dtype=exact)
    finite = total.masked_fill(total == -math.inf, 0.0)
    for block in cut_blocks(query, key, value, rounds, mask, task):
        log_sum = finite[block.at[block.chunk :]].view(block.query.shape[:-1])  # (n, 1, chunk)
        some, out = block.of_queries(grad), block.of_queries(output)
        dq, dk, dv = attend_block_backward(some, block, out, log_sum, task.scale)
        # What empty slots add, wherever they stand for, is 0.
        dq, dk, dv = dq.flatten(0, 2), unwindow(dk), unwindow(dv)
        if key is None:
            dk = unit_backward(block.rows, dk)
            dk[block.chunk :] += dq
            d_query.index_add_(0, block.at, dk[:, :d_k].to(exact))
        else:
            d_query.index_add_(0, block.at[block.chunk :], dq[:, :d_k].to(exact))
            d_key.index_add_(0, block.at, dk[:, :d_k].to(exact))
        d_value.index_add_(0, block.at, dv[:, :d_v].to(exact))
    alone = _alone(total, mask)
    d_value[alone] += grad[alone]
    return d_query, d_key, d_value


def _alone(total: Tensor, mask: Tensor) -> Tensor:
    """Which positions may look at nothing but themselves, (length,)."""
    return (total == -math.inf) & mask


def unit_backward(query: Tensor, d_key: Tensor) -> Tensor:
    """The gradient with respect to query, of whose keys `unit(query)` it is d_key."""
    with torch.enable_grad():
        query = query.detach().requires_grad_()
        (d_query,) = torch.autograd.grad(unit(query), query, d_key)
    return d_query
