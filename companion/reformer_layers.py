"""The sublayers of a Reformer: attention in buckets or nearby, and the feed-forward network.

Attention in buckets goes head by head and the feed-forward network some rows at a time, so that next
to the streams of a reversible stack only a small part of each layer lies in memory. Called as a
function, a sublayer is plain PyTorch; `add` and `undo` (see `companion.reversible.ReversibleStack`)
give the same numbers and gradients in pieces. All begin with a layer norm (pre-norm).

In shapes, `length` is the number of positions and `...` any number of axes in front.

Source: Kitaev et al. 2020, "Reformer", sections 2 and 3, https://arxiv.org/abs/2001.04451.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.nn import functional

from companion.attention import join_heads, split_heads
from companion.checks import at_least_one
from companion.hashing import angular_hash, bucket_factors, random_rotations
from companion.local import local_attention
from companion.lsh import CUTS, Cut, scale_of
from companion.lsh_blocks import Round, Task, sort_rounds
from companion.lsh_checks import check_cut
from companion.lsh_fast import GROUP, attend, attend_backward, lsh_attention
from companion.positional import rotary

ROWS = 512  # projected at a time


class LSHSelfAttention(nn.Module):
    """Many heads that attend in buckets; the queries are the keys.

    Every call hashes with rotations of its own, from torch's global generator.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        chunk: Positions in a chunk; in a shorter sequence, all of it.
        rounds: Number of hash rounds.
        n_buckets: Even; by default two buckets a chunk.
        causal: Whether a position looks only at itself and what comes before.
        cut: "sorted" as in the paper, or "bucket", causal in fact; see `companion.lsh`.

    Raises:
        ValueError: If a number is not positive, n_heads does not divide d_model, n_buckets is odd
            or cut is unknown.

    Source: Kitaev et al. 2020, section 2.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        chunk: int = 64,
        rounds: int = 1,
        n_buckets: int | None = None,
        causal: bool = True,
        cut: Cut = "sorted",
    ) -> None:
        super().__init__()
        at_least_one(d_model=d_model, n_heads=n_heads, chunk=chunk, rounds=rounds)
        if d_model % n_heads:
            raise ValueError(f"n_heads is {n_heads}; it must divide d_model, {d_model}")
        check_cut(cut, CUTS)
        if n_buckets is not None:
            bucket_factors(n_buckets)  # raises if it will not do
        self.norm = nn.LayerNorm(d_model)
        self.query_key = nn.Linear(d_model, d_model, bias=False)
        self.value = nn.Linear(d_model, d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.n_heads, self.d_k = n_heads, d_model // n_heads
        self.chunk, self.rounds, self.n_buckets = chunk, rounds, n_buckets
        self.causal, self.cut = causal, cut

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: (..., length, d_model).
            mask: Boolean, (..., length), True where a position may be looked at.

        Returns:
            (..., length, d_model).
        """
        y = self.norm(x)
        query, value = self._split(self.query_key(y)), self._split(self.value(y))
        mask = None if mask is None else mask[..., None, :]  # the same for all heads
        task = self._task(x.shape[-2])
        buckets = angular_hash(query, self._rotations(query))  # (..., n_heads, rounds, length)
        heads = lsh_attention(
            query, value, buckets, task.chunk, causal=self.causal, mask=mask, cut=self.cut
        )
        return self.out(heads.transpose(-2, -3).flatten(-2))  # (..., length, d_model)

    @torch.no_grad()
    def add(self, stream: Tensor, x: Tensor) -> tuple[Tensor]:
        """Add f(x) to stream, head by head; returns the buckets, (n, n_heads, rounds, length)."""
        with torch.autocast(x.device.type, enabled=False):
            rotations = self._rotations(x)
            kept = []
            for own, some in _groups(stream, x):
                buckets = []
                for head in range(self.n_heads):
                    query, value = self._project(some.flatten(0, 1), head)
                    buckets.append(angular_hash(query.view(*some.shape[:2], -1), rotations))
                    rounds, task = self._sort(buckets[-1])
                    output, _ = attend(query, None, value, rounds, _all(query), task)
                    self._put(own.flatten(0, 1), output, head, 1.0)
                kept.append(torch.stack(buckets, dim=1))
        return (torch.cat(kept),)

    @torch.no_grad()
    def undo(
        self,
        stream: Tensor,
        x: Tensor,
        memo: tuple[Tensor],
        grad_stream: Tensor,
        grad_x: Tensor,
    ) -> list[Tensor | None]:
        """Subtract f(x) from stream and add what grad_stream gives grad_x, head by head."""
        with torch.autocast(x.device.type, enabled=False):
            found = {p: torch.zeros_like(p) for p in self.parameters()}
            groups = _groups(stream, x, grad_stream, grad_x)
            for each, buckets in zip(groups, memo[0].split(_several(x)), strict=True):
                rows = [some.flatten(0, 1) for some in each]  # (n · length, d_model)
                for head in range(self.n_heads):
                    self._undo_head(head, buckets[:, head], *rows, found)
        return [found[p] if p.requires_grad else None for p in self.parameters()]

    def _undo_head(
        self,
        head: int,
        buckets: Tensor,
        stream: Tensor,
        x: Tensor,
        grad: Tensor,
        grad_x: Tensor,
        found: dict[Tensor, Tensor],
    ) -> None:
        """`undo` for one head of some sequences: stream, x, gradients (n · length, d_model)."""
        own = self._columns(head)
        query, value = self._project(x, head)
        rounds, task = self._sort(buckets)
        output, total = attend(query, None, value, rounds, _all(x), task)
        self._put(stream, output, head, -1.0)
        found[self.out.weight][:, own] += grad.mT @ output.to(grad.dtype)
        made = (output, total, grad @ self.out.weight[:, own])
        d_query, _, d_value = attend_backward(query, None, value, rounds, _all(x), task, made)
        del query, value, output, made  # each as long as the sequence
        self._project_backward(x, head, d_query.to(x.dtype), d_value.to(x.dtype), grad_x, found)

    def _sort(self, buckets: Tensor) -> tuple[list[Round], Task]:
        """What is to be done for one head of n sequences, with buckets (n, rounds, length)."""
        task = self._task(buckets.shape[-1])
        return sort_rounds(buckets, task), task

    def _put(self, stream: Tensor, output: Tensor, head: int, times: float) -> None:
        """Add to stream, (length, d_model), what the output of a head, (length, d_k), becomes."""
        weight = self.out.weight[:, self._columns(head)]  # (d_model, d_k)
        stream.addmm_(output.to(stream.dtype), weight.mT, alpha=times)

    def _project(self, x: Tensor, head: int) -> tuple[Tensor, Tensor]:
        """The queries and the values of one head, (length, d_k) each, of x, (length, d_model)."""
        own = self._columns(head)
        query, value = (x.new_empty(len(x), self.d_k) for _ in range(2))
        for rows in _row_blocks(x):
            y = self.norm(x[rows])  # (ROWS, d_model)
            query[rows] = y @ self.query_key.weight[own].mT
            value[rows] = y @ self.value.weight[own].mT
        return query, value

    def _project_backward(
        self,
        x: Tensor,
        head: int,
        d_query: Tensor,
        d_value: Tensor,
        grad_x: Tensor,
        found: dict[Tensor, Tensor],
    ) -> None:
        """Add the gradients of `_project` to grad_x, (length, d_model), and to those found."""
        own = self._columns(head)
        for rows in _row_blocks(x):
            some, gain, bias = (
                each.detach().requires_grad_()
                for each in (x[rows], self.norm.weight, self.norm.bias)
            )
            with torch.enable_grad():
                y = functional.layer_norm(some, gain.shape, gain, bias, self.norm.eps)
            d_y = (
                d_query[rows] @ self.query_key.weight[own] + d_value[rows] @ self.value.weight[own]
            )
            of_x, of_gain, of_bias = torch.autograd.grad(y, (some, gain, bias), d_y)
            grad_x[rows] += of_x
            found[self.norm.weight] += of_gain
            found[self.norm.bias] += of_bias
            found[self.query_key.weight][own] += d_query[rows].mT @ y
            found[self.value.weight][own] += d_value[rows].mT @ y

    def _columns(self, head: int) -> slice:
        """Where the numbers of a head stand in the vectors of all heads."""
        return slice(head * self.d_k, (head + 1) * self.d_k)

    def _split(self, x: Tensor) -> Tensor:
        """Cut vectors into heads: (..., length, d_model) to (..., n_heads, length, d_k)."""
        return x.unflatten(-1, (self.n_heads, self.d_k)).transpose(-2, -3)

    def _task(self, length: int) -> Task:
        return Task(
            min(self.chunk, length), self.causal, self.cut, scale_of(self.norm.weight, None)
        )

    def _rotations(self, x: Tensor) -> tuple[Tensor, ...]:
        """Draw rotations for the vectors of a sequence, (..., length, any)."""
        n_buckets = self.n_buckets or 2 * -(-x.shape[-2] // self.chunk)
        return random_rotations(
            self.d_k, bucket_factors(n_buckets), self.rounds, dtype=x.dtype, device=x.device
        )


class LocalSelfAttention(nn.Module):
    """Many heads that look at what comes before them in their own chunk and in the one before.

    Queries and keys are turned by where they stand (rotary positions); their biases let a head look
    a certain distance back, whatever stands there.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; d_model / n_heads must be whole and even.
        chunk: Positions in a chunk.

    Raises:
        ValueError: If a number is not positive, or n_heads does not divide d_model into even parts.

    Source: Kitaev et al. 2020, and the authors' models, which take turns between local attention and
    attention in buckets (trax, `ReformerLM` with `attention_type` a list); `companion.local`.
    """

    def __init__(self, d_model: int, n_heads: int, *, chunk: int = 64) -> None:
        super().__init__()
        at_least_one(d_model=d_model, n_heads=n_heads, chunk=chunk)
        if d_model % (2 * n_heads):
            raise ValueError(
                f"n_heads is {n_heads}; it must divide d_model, {d_model}, into even parts"
            )
        self.norm = nn.LayerNorm(d_model)
        self.query, self.key = (nn.Linear(d_model, d_model) for _ in range(2))
        self.value, self.out = (nn.Linear(d_model, d_model, bias=False) for _ in range(2))
        self.n_heads, self.chunk = n_heads, chunk

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (batch, length, d_model) to (batch, length, d_model)."""
        y = self.norm(x)
        query, key, value = (
            split_heads(part(y), self.n_heads) for part in (self.query, self.key, self.value)
        )  # (batch, n_heads, length, d_k)
        return self.out(join_heads(local_attention(rotary(query), rotary(key), value, self.chunk)))


class ChunkedFeedForward(nn.Module):
    """The feed-forward network, some positions at a time: its wide middle never lies there whole.

    Args:
        d_model: Length of the vectors.
        d_ff: Length in between.
        rows: Positions at a time.
        dropout: Share of the numbers in between that is hidden in training.

    Raises:
        ValueError: If a size is not positive, or dropout not from 0 to 1.

    Source: Kitaev et al. 2020, section 3, "Chunking".
    """

    def __init__(self, d_model: int, d_ff: int, *, rows: int = 1024, dropout: float = 0.0) -> None:
        super().__init__()
        at_least_one(d_model=d_model, d_ff=d_ff, rows=rows)
        self.norm = nn.LayerNorm(d_model)
        self.widen = nn.Linear(d_model, d_ff)
        self.narrow = nn.Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)
        self.rows = rows

    def forward(self, x: Tensor) -> Tensor:
        """Send each vector of x, (..., d_model), through the network."""
        return torch.cat([self._some(some) for some in self._pieces(x)]).view(x.shape)

    @torch.no_grad()
    def add(self, stream: Tensor, x: Tensor) -> tuple[()]:
        """Add f(x) to stream, some rows at a time; nothing is to be remembered."""
        for own, some in zip(self._pieces(stream), self._pieces(x), strict=True):
            own.add_(self._some(some))
        return ()

    def undo(
        self,
        stream: Tensor,
        x: Tensor,
        memo: tuple[()],
        grad_stream: Tensor,
        grad_x: Tensor,
    ) -> list[Tensor | None]:
        """Subtract f(x) from stream and add what grad_stream gives grad_x, some rows at a time."""
        del memo
        parameters = [p for p in self.parameters() if p.requires_grad]
        found = {p: torch.zeros_like(p) for p in parameters}
        for own, some, grad, of_x in zip(
            *map(self._pieces, (stream, x, grad_stream, grad_x)), strict=True
        ):
            with torch.enable_grad():
                leaf = some.detach().requires_grad_()
                update = self._some(leaf)
            own.sub_(update.detach())
            source = get_gradient_edge(update)
            del update  # only where it came from is still needed
            of_leaf, *gradients = torch.autograd.grad(source, [leaf, *parameters], grad)
            of_x.add_(of_leaf)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                found[parameter] += gradient
        return [found.get(p) for p in self.parameters()]

    def _some(self, x: Tensor) -> Tensor:
        """The network at some positions, (rows, d_model) to (rows, d_model)."""
        hidden = functional.gelu(self.widen(self.norm(x)))  # (rows, d_ff)
        return self.narrow(self.dropout(hidden))

    def _pieces(self, x: Tensor) -> tuple[Tensor, ...]:
        """Cut (..., d_model) into views of (rows, d_model)."""
        return x.view(-1, x.shape[-1]).split(self.rows)


def _groups(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Cut (..., length, d) into views of some short sequences or a long one, (n, length, d)."""
    flat = (x.view(-1, *x.shape[-2:]).split(_several(x)) for x in tensors)
    return zip(*flat, strict=True)


def _several(x: Tensor) -> int:
    """How many sequences of (..., length, d) are worked on at a time."""
    return max(1, GROUP // x.shape[-2])


def _row_blocks(x: Tensor) -> Iterator[slice]:
    """Cut the rows of x into blocks of ROWS."""
    return (slice(start, start + ROWS) for start in range(0, len(x), ROWS))


def _all(x: Tensor) -> Tensor:
    """The mask that hides no position, (length,)."""
    return torch.ones(len(x), dtype=torch.bool, device=x.device)
