"""The blocks that the fast attention in buckets works on: some chunks of one hash round.

`companion/lsh_fast.py` goes through them; here is how they are cut, what is hidden in them, and how
one of them attends. On the CPU torch's fused attention does it, elsewhere a few lines of our own.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from companion.lsh import CUTS, Cut, tabulate, unit

# torch.nn.functional.scaled_dot_product_attention does not tell the log-sum-exp, these do.
_FUSED = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001
_FUSED_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward  # noqa: SLF001
# Numbers in the largest tensor of a block. An allocator asks the system for fresh memory, page by
# page, for tensors of some size (1 MB is usual), and uses that of smaller ones again.
BLOCK = 196_608


@dataclass(frozen=True)
class Task:
    """What is the same for all heads; see `lsh_attention`."""

    chunk: int
    causal: bool
    cut: Cut
    scale: float
    exact: bool = True


@dataclass(frozen=True)
class Round:
    """One hash round of some heads, one after the other, sorted and cut.

    Attributes:
        slots: ((1 + n_chunks) · chunk,): positions, chunk after chunk; `length` where a slot is
            empty, as are all of the first chunk, which stands before the others.
        follows: (n_chunks,): 1.0 where a chunk looks back into the one before it, else 0.0.
        place: (length + 1,): the number of the chunk of each position, as floats.
    """

    slots: Tensor
    follows: Tensor
    place: Tensor
    chunk: int


def sort_rounds(buckets: Tensor, task: Task) -> list[Round]:
    """Sort and cut the positions of some heads by their buckets, (heads, rounds, length).

    The heads become one sequence of heads · length positions, in which no chunk looks from one head
    back into another.
    """
    return [_sort_round(_places(each, task), task.chunk) for each in buckets.unbind(1)]


def _places(buckets: Tensor, task: Task) -> Tensor:
    """The number of the chunk of each position, (heads, length) to (heads · length,)."""
    places = torch.stack([CUTS[task.cut](each, task.chunk) for each in buckets])
    first = torch.arange(len(places), device=places.device) * (int(places.max()) + 2)
    return (places + first[:, None]).flatten()


def _sort_round(place: Tensor, chunk: int) -> Round:
    length = len(place)
    table = tabulate(place)
    # As wide as a chunk even if none is full: sums over rows of another width are rounded otherwise,
    # and what comes later in the sequence would change what comes before, in the last digit.
    table = functional.pad(table, (0, chunk - table.shape[1]), value=-1)  # (numbers, chunk)
    number = (table[:, 0] >= 0).nonzero().squeeze(-1)  # (n_chunks,), of chunks that hold something
    table = table[number]  # (n_chunks, chunk)
    table = torch.cat([torch.full_like(table[:1], -1), table])
    follows = functional.pad(number.diff() == 1, (1, 0)).float()
    # Floats, as they are compared with fewer passes over memory; exact up to 2^24 chunks.
    numbers = functional.pad(place.float(), (0, 1))
    slots = table.masked_fill(table < 0, length).flatten()
    return Round(slots, follows, numbers, chunk)


def exact_type(tensor: Tensor) -> torch.dtype:
    """What sums are kept in: float32, or the type of the tensor if it is finer."""
    return torch.promote_types(tensor.dtype, torch.float32)


@dataclass(frozen=True)
class Block:
    """Some chunks of one round, n of them, each with the keys of its chunk and the one before.

    Empty slots stand for some position or other. They are hidden as keys; as queries they see
    nothing. The length of vectors is rounded up as `rows_at` says.

    Attributes:
        number: Of the round.
        chunk: Positions in a chunk.
        at: ((n + 1) · chunk,): positions of the keys; those of the queries are all but the first
            chunk.
        slots: n · chunk: the same of the queries, `length` for empty ones.
        rows: ((n + 1) · chunk, d_k): what keys are made of: queries, if they are keys too.
        query: (n, 1, chunk, d_k).
        key, value: (n, 1, 2 · chunk, d): windows that overlap, without a copy.
        bias: (n, 1, chunk, 2 · chunk): 0 where a query may look at a key, -inf elsewhere.
    """

    number: int
    chunk: int
    at: Tensor
    slots: Tensor
    rows: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    bias: Tensor

    def of_queries(self, tensor: Tensor) -> Tensor:
        """The rows of (length, d) that belong to the queries, (n, 1, chunk, d)."""
        rows = rows_at(tensor, self.at[self.chunk :])
        return rows.view(*self.query.shape[:-1], -1)


def cut_blocks(
    query: Tensor,
    key: Tensor | None,
    value: Tensor,
    rounds: list[Round],
    mask: Tensor,
    task: Task,
) -> Iterator[Block]:
    """All chunks of all rounds, some at a time; without key, queries are keys too."""
    usable = functional.pad(mask.float(), (0, 1))  # (length + 1,), 0 for empty slots
    for number, here in enumerate(rounds):
        chunk = here.chunk
        n = max(1, BLOCK // (2 * chunk * max(chunk, query.shape[-1])))
        for first in range(0, len(here.follows), n):
            follows = here.follows[first : first + n]
            slots = here.slots[first * chunk : (first + len(follows) + 1) * chunk]
            at = slots.clamp(max=len(query) - 1)
            own = rows_at(query, at)  # ((n + 1) · chunk, d_k)
            rows, keys = (own, unit(own)) if key is None else 2 * (rows_at(key, at),)
            yield Block(
                number,
                chunk,
                at,
                slots[chunk:],
                rows,
                own[chunk:].view(len(follows), 1, chunk, -1),
                windows(keys, chunk),
                windows(rows_at(value, at), chunk),
                _bias(slots, rounds, number, follows, usable, task).to(query.dtype),
            )


def _bias(
    slots: Tensor,
    rounds: list[Round],
    number: int,
    follows: Tensor,
    usable: Tensor,
    task: Task,
) -> Tensor:
    """What `Block.bias` is. A margin above 3/4 allows, one below forbids: all are multiples of 1/2."""
    n = len(follows)
    chunk = len(slots) // (n + 1)

    def pairs(numbers: Tensor) -> tuple[Tensor, Tensor]:
        """A number a slot, ((n + 1) · chunk,), of the queries and of the keys of all pairs."""
        own, seen = numbers[chunk:].view(n, chunk, 1), windows(numbers[:, None], chunk)
        return own, seen.view(n, 1, 2 * chunk)

    own, seen = pairs(slots.float())  # exact up to 2^24 positions
    margin = own - seen  # (n, chunk, 2 · chunk)
    if not task.causal:
        margin.abs_()
    _, usable_key = pairs(usable[slots])
    usable_key = usable_key.clone()
    usable_key[..., :chunk] *= follows[:, None, None]
    in_use = (slots[chunk:] < len(usable) - 1).view(n, chunk, 1).float()
    torch.minimum(margin, usable_key, out=margin)
    torch.minimum(margin, in_use, out=margin)
    for earlier in rounds[:number] if task.exact else []:
        own, seen = pairs(earlier.place[slots])
        apart = (own - seen).sub_(0.5).abs_()  # 1/2: the query met this key in that round
        torch.minimum(margin, apart, out=margin)
    return functional.threshold_(margin, 0.75, -math.inf).clamp_(max=0.0)[:, None]


def rows_at(tensor: Tensor, at: Tensor) -> Tensor:
    """The rows `at` of (length, d), with zeros behind up to a multiple of 64 bytes.

    A matrix that begins at another address is multiplied in another order, and rounded otherwise:
    without the zeros, what comes later in the sequence could change the last digit of what comes
    before, as it moves chunks within their block.
    """
    rows = tensor.index_select(0, at)
    missing = -rows.shape[-1] % (64 // rows.element_size())
    return functional.pad(rows, (0, missing)) if missing else rows


def windows(rows: Tensor, chunk: int) -> Tensor:
    """Overlapping windows of two chunks, ((n + 1) · chunk, d) to (n, 1, 2 · chunk, d), no copy."""
    n, width = len(rows) // chunk - 1, rows.shape[-1]
    return rows.as_strided((n, 1, 2 * chunk, width), (chunk * width, chunk * width, width, 1))


def unwindow(windows: Tensor) -> Tensor:
    """Add up what overlaps: the inverse way of `windows`, (n, 1, 2 · chunk, d) to rows."""
    n, _, double, width = windows.shape
    rows = windows.new_zeros(n + 1, double // 2, width)
    rows[:-1] += windows[:, 0, : double // 2]
    rows[1:] += windows[:, 0, double // 2 :]
    return rows.flatten(0, 1)


def attend_block(block: Block, scale: float) -> tuple[Tensor, Tensor]:
    """The outputs (n · chunk, d_v) of a block, and their log-sum-exp (n · chunk,)."""
    query, key, value, bias = block.query, block.key, block.value, block.bias
    if _fused(block):
        output, log_sum = _FUSED(
            query, key, value, dropout_p=0.0, is_causal=False, attn_mask=bias, scale=scale
        )
    else:
        scores = scale * query @ key.transpose(-2, -1) + bias  # (n, 1, chunk, 2 · chunk)
        log_sum = scores.to(exact_type(scores)).logsumexp(dim=-1)
        finite = log_sum.masked_fill(log_sum == -math.inf, 0.0)
        output = (scores - finite[..., None]).exp().to(value.dtype) @ value
    blind = bias.amax(dim=-1) < 0  # (n, 1, chunk)
    log_sum = log_sum.masked_fill(blind, -math.inf).flatten()
    return output.flatten(0, 2).to(log_sum.dtype), log_sum


def attend_block_backward(
    grad: Tensor, block: Block, output: Tensor, log_sum: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of a block's query, key and value, in their shapes.

    Source: Dao et al. 2022, FlashAttention, https://arxiv.org/abs/2205.14135, algorithm 4.
    """
    query, key, value, bias = block.query, block.key, block.value, block.bias
    if _fused(block):
        return _FUSED_BACKWARD(
            grad,
            query,
            key,
            value,
            output,
            log_sum,
            0.0,
            is_causal=False,
            attn_mask=bias,
            scale=scale,
        )
    scores = scale * query @ key.transpose(-2, -1) + bias  # (n, 1, chunk, 2 · chunk)
    weights = (scores - log_sum[..., None]).exp().to(grad.dtype)
    inner = (grad * output).sum(dim=-1, keepdim=True)  # (n, 1, chunk, 1)
    d_scores = scale * weights * (grad @ value.transpose(-2, -1) - inner)
    return d_scores @ key, d_scores.transpose(-2, -1) @ query, weights.transpose(-2, -1) @ grad


def _fused(block: Block) -> bool:
    """Whether torch has a fused kernel for it: on the CPU, where keys are as long as values."""
    return block.query.device.type == "cpu" and block.query.shape[-1] == block.value.shape[-1]
