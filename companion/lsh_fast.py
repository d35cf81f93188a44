"""Attention in buckets, fast and in little memory: what `companion/lsh.py` says, exactly.

How: one head and one hash round at a time, a few hundred chunks together, with torch's fused
attention on the CPU. Nothing of the size length × chunk outlives its block: backward makes the
scores again, from the output and the log-sum-exp over all rounds (Dao et al. 2022, FlashAttention,
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
        *leading, length, d_v = value.shape
        exact = exact_type(value)
        # One row more than positions: where the outputs of empty slots go.
        output = value.new_empty(*leading, length + 1, d_v, dtype=exact)
        total = value.new_empty(*leading, length + 1, dtype=exact)
        for i in heads(query):
            rounds = sort_rounds(buckets[i], task)
            own_key = None if key is None else key[i]
            attend(query[i], own_key, value[i], rounds, mask[i], task, output[i], total[i])
        output, total = output[..., :length, :].to(value.dtype), total[..., :length]
        ctx.save_for_backward(query, key, value, buckets, mask, output, total)
        ctx.task = task
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, buckets, mask, output, total = ctx.saved_tensors
        exact = exact_type(query)
        d_query, d_value = (torch.zeros_like(x, dtype=exact) for x in (query, value))
        d_key = None if key is None else torch.zeros_like(key, dtype=exact)
        for i in heads(query):
            rounds = sort_rounds(buckets[i], ctx.task)
            own_key, own_d_key = (None, None) if key is None else (key[i], d_key[i])
            made = (output[i], total[i], grad[i])
            gradients = (d_query[i], own_d_key, d_value[i])
            attend_backward(query[i], own_key, value[i], rounds, mask[i], ctx.task, made, gradients)
        d_key = None if key is None else d_key.to(key.dtype)
        return d_query.to(query.dtype), d_key, d_value.to(value.dtype), None, None, None


def heads(query: Tensor) -> Iterator[tuple[int, ...]]:
    """The index of each sequence and head of (..., length, d_k)."""
    return itertools.product(*map(range, query.shape[:-2]))


@torch.no_grad()
def attend(
    query: Tensor,
    key: Tensor | None,
    value: Tensor,
    rounds: list[Round],
    mask: Tensor,
    task: Task,
    output: Tensor,
    total: Tensor,
) -> None:
    """One head: writes its output and the log-sum-exp of its scores.

    Args:
        query: (length, d_k).
        key: (length, d_k), or None if queries are keys too.
        value: (length, d_v).
        rounds: From `sort_rounds`.
        mask: (length,), True where a key may be looked at.
        task: What is the same for all heads.
        output: (length + 1, d_v), float32 or finer, to write to; the last row is without meaning.
        total: (length + 1,), to write to: log of the sum of the exponentials of the scores; -inf
            where a position sees no other.
    """
    for block in cut_blocks(query, key, value, rounds, mask, task):
        some, log_sum = attend_block(block, task.scale)  # (n · chunk, d_v), (n · chunk,)
        if block.number:
            before, others = total[block.slots], log_sum
            log_sum = torch.logaddexp(before, others)
            finite = log_sum.masked_fill(log_sum == -math.inf, 0.0)
            some *= (others - finite).exp_()[:, None]
            some += output.index_select(0, block.slots).mul_((before - finite).exp_()[:, None])
        output.index_copy_(0, block.slots, some)
        total.index_copy_(0, block.slots, log_sum)
    alone = _alone(total[:-1], mask)
    output[:-1][alone] = value[alone].to(output.dtype)


@torch.no_grad()
def attend_backward(
    query: Tensor,
    key: Tensor | None,
    value: Tensor,
    rounds: list[Round],
    mask: Tensor,
    task: Task,
    made: tuple[Tensor, Tensor, Tensor],
    gradients: tuple[Tensor, Tensor | None, Tensor],
) -> None:
    """One head: adds its gradients.

    Args:
        query: (length, d_k); this and the next five as `attend` took them.
        key: (length, d_k) or None.
        value: (length, d_v).
        rounds: From `sort_rounds`.
        mask: (length,).
        task: What is the same for all heads.
        made: Output (length, d_v) and log-sum-exp (length,) that it wrote, and the gradient with
            respect to that output, (length, d_v).
        gradients: What to add to, float32 or finer: of query (length, d_k); of key, or None if
            queries are keys too; of value (length, d_v).
    """
    output, total, grad = made
    d_query, d_key, d_value = gradients
    finite = total.masked_fill(total == -math.inf, 0.0)[:, None]
    for block in cut_blocks(query, key, value, rounds, mask, task):
        log_sum = block.of_queries(finite).squeeze(-1)  # (n, 1, chunk)
        some, out = block.of_queries(grad), block.of_queries(output)
        dq, dk, dv = attend_block_backward(some, block, out, log_sum, task.scale)
        # What empty slots add, wherever they stand for, is 0.
        dq, dk, dv = dq.flatten(0, 2), unwindow(dk), unwindow(dv)
        if d_key is None:
            dk = unit_backward(block.rows, dk)
            dk[block.chunk :] += dq
            d_query.index_add_(0, block.at, dk.to(d_query.dtype))
        else:
            d_query.index_add_(0, block.at[block.chunk :], dq.to(d_query.dtype))
            d_key.index_add_(0, block.at, dk.to(d_key.dtype))
        d_value.index_add_(0, block.at, dv.to(d_value.dtype))
    alone = _alone(total, mask)
    d_value[alone] += grad[alone]


def _alone(total: Tensor, mask: Tensor) -> Tensor:
    """Which positions may look at nothing but themselves, (length,)."""
    return (total == -math.inf) & mask


def unit_backward(query: Tensor, d_key: Tensor) -> Tensor:
    """The gradient with respect to query, of whose keys `unit(query)` it is d_key."""
    with torch.enable_grad():
        query = query.detach().requires_grad_()
        (d_query,) = torch.autograd.grad(unit(query), query, d_key)
    return d_query
