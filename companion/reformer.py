"""The Reformer: a language model whose memory grows with the length of the text alone.

Attention in buckets instead of all pairs, reversible blocks instead of activations that are kept,
feed-forward network and loss some positions at a time, positions from two short tables.

In shapes, `length` is the number of positions and `batch` the number of texts.

Source: Kitaev et al. 2020, "Reformer: The Efficient Transformer", https://arxiv.org/abs/2001.04451.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

from companion.checks import at_least_one
from companion.lsh import Cut
from companion.lsh_masked import MaskedLSHSelfAttention
from companion.reformer_layers import ChunkedFeedForward, LocalSelfAttention, LSHSelfAttention
from companion.reversible import ReversibleStack


class AxialPositions(nn.Module):
    """A vector for each position, from two short tables: half of it by row, half by column.

    Position p of a text laid out in lines of n_columns stands in row p // n_columns, column
    p % n_columns. A million positions need two tables of a thousand rows instead of one of a
    million.

    Args:
        longest: Number of positions.
        d_model: Length of the vectors, even.

    Raises:
        ValueError: If longest is not positive, or d_model not positive and even.

    Source: Kitaev et al. 2020, appendix, "Axial positional embedding"; trax.
    """

    def __init__(self, longest: int, d_model: int) -> None:
        super().__init__()
        at_least_one(longest=longest)
        if d_model < 2 or d_model % 2:
            raise ValueError(f"d_model is {d_model}; it must be even: half a vector for each table")
        self.n_columns = math.ceil(math.sqrt(longest))
        n_rows = math.ceil(longest / self.n_columns)
        self.row = nn.Parameter(0.02 * torch.randn(n_rows, d_model // 2))
        self.column = nn.Parameter(0.02 * torch.randn(self.n_columns, d_model // 2))
        self.longest = longest

    def forward(self, length: int) -> Tensor:
        """The vectors of the first positions, (length, d_model).

        Raises:
            ValueError: If length is not from 1 to longest.
        """
        _check_length(length, self.longest)
        n_rows = math.ceil(length / self.n_columns)
        shape = (n_rows, self.n_columns, -1)
        row = self.row[:n_rows, None].expand(shape)  # (n_rows, n_columns, d_model / 2)
        column = self.column.expand(shape)
        return torch.cat([row, column], dim=-1).flatten(0, 1)[:length]  # (length, d_model)


class TablePositions(nn.Embedding):
    """A learned vector for each position, in one table, as for `AxialPositions`.

    Unlike two short tables it can tell any position apart from any other in every way: with those,
    what a query looks for in a key adds up of what rows and columns have to do with each other.
    """

    def __init__(self, longest: int, d_model: int) -> None:
        at_least_one(longest=longest)
        super().__init__(longest, d_model)
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, length: int) -> Tensor:
        """The vectors of the first positions, (length, d_model); errors as `AxialPositions`."""
        _check_length(length, self.num_embeddings)
        return self.weight[:length]


class Reformer(nn.Module):
    """A language model: a score for each next token, at every position.

    Both streams of the reversible stack begin as the embedded text; their mean is what is scored.

    Args:
        n_tokens: How many different tokens there are.
        longest: Positions of the longest text.
        d_model: Length of the vectors, even with axial positions.
        n_heads: Number of heads; it divides d_model.
        n_layers: Number of reversible blocks.
        d_ff: Width of the feed-forward networks.
        chunk: Positions in a chunk of the attention.
        rounds: Number of hash rounds.
        n_buckets: As for `LSHSelfAttention`.
        cut: As for `LSHSelfAttention`.
        window: Positions in a chunk of local attention, which the first block and every second one
            after it then have instead of attention in buckets; None for no such block.
        dropout: As for `ChunkedFeedForward`.
        rows: Positions at a time in feed-forward networks and loss.
        axial: Whether positions come from two short tables, or from a long one.
        tied: Whether the table of words is also what scores them (Press and Wolf 2017,
            https://arxiv.org/abs/1608.05859).
        masked: Whether attention in buckets is worked out as `MaskedLSHSelfAttention` does, faster
            for short texts; it is cut by bucket then.
        in_place: As for `companion.reversible.ReversibleStack`.

    Raises:
        ValueError: If a size will not do.

    Source: Kitaev et al. 2020, section 4.
    """

    def __init__(  # noqa: PLR0913
        self,
        n_tokens: int,
        longest: int,
        *,
        d_model: int,
        n_heads: int,
        n_layers: int,
        d_ff: int,
        chunk: int = 64,
        rounds: int = 1,
        n_buckets: int | None = None,
        cut: Cut = "sorted",
        window: int | None = None,
        dropout: float = 0.0,
        rows: int = 1024,
        axial: bool = True,
        tied: bool = False,
        masked: bool = False,
        in_place: bool = False,
    ) -> None:
        super().__init__()
        at_least_one(n_tokens=n_tokens)
        self.words = nn.Embedding(n_tokens, d_model)
        self.positions = (AxialPositions if axial else TablePositions)(longest, d_model)
        nn.init.normal_(self.words.weight, std=0.02)
        attention = {"chunk": chunk, "rounds": rounds, "n_buckets": n_buckets}
        if masked:
            in_buckets = partial(MaskedLSHSelfAttention, d_model, n_heads, **attention)
        else:
            in_buckets = partial(LSHSelfAttention, d_model, n_heads, cut=cut, **attention)
        nearby = (
            in_buckets
            if window is None
            else partial(LocalSelfAttention, d_model, n_heads, chunk=window)
        )
        self.stack = ReversibleStack(
            [
                (
                    in_buckets() if block % 2 else nearby(),
                    ChunkedFeedForward(d_model, d_ff, rows=rows, dropout=dropout),
                )
                for block in range(n_layers)
            ],
            in_place=in_place,
        )
        self.head = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, n_tokens))
        if tied:
            self.head[1].weight = self.words.weight
        self.rows = rows

    def forward(self, tokens: Tensor) -> Tensor:
        """Score the next token: (batch, length), whole numbers, to (batch, length, n_tokens)."""
        y1, y2 = self.streams(tokens)
        return self.head((y1 + y2) / 2)

    def streams(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Both streams as they leave the stack, (batch, length, d_model) each."""
        _check_tokens(tokens, self.words.num_embeddings)
        x = self.words(tokens) + self.positions(tokens.shape[-1])
        return self.stack(x, x)

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """The mean cross entropy of the targets, without ever holding the scores of all positions.

        Args:
            tokens: (batch, length), whole numbers.
            targets: (batch, length): what is to follow; -100 where nothing is asked.

        Returns:
            A scalar, in nats.

        Raises:
            ValueError: If shapes differ, a token is unknown, or no target is given.
        """
        if targets.shape != tokens.shape:
            raise ValueError(
                f"targets have the shape {tuple(targets.shape)} and tokens {tuple(tokens.shape)}; "
                "they must have the same"
            )
        y1, y2 = self.streams(tokens)
        return chunked_cross_entropy(self.head, y1, y2, targets, self.rows)


def chunked_cross_entropy(
    head: nn.Module, y1: Tensor, y2: Tensor, targets: Tensor, rows: int
) -> Tensor:
    """`cross_entropy(head((y1 + y2) / 2), targets)`, some rows at a time.

    The gradient is made in the forward pass, while the scores are there.

    Args:
        head: Maps (n, d_model) to scores (n, n_tokens).
        y1: (..., d_model).
        y2: (..., d_model).
        targets: (...), whole numbers; -100 where nothing is asked.
        rows: Rows at a time.

    Returns:
        The mean over all targets, a scalar.

    Raises:
        ValueError: If no target is given.

    Source: Kitaev et al. 2020, section 3, "Chunking, large batches and parameter reuse".
    """
    if not (targets != -100).any():
        raise ValueError("targets are all -100: there is nothing to predict")
    if not torch.is_grad_enabled():
        return _loss_alone(head, y1, y2, targets, rows)
    parameters = [p for p in head.parameters() if p.requires_grad]
    return _ChunkedCrossEntropy.apply(head, y1, y2, targets, rows, *parameters)


def _loss_alone(head: nn.Module, y1: Tensor, y2: Tensor, targets: Tensor, rows: int) -> Tensor:
    flat = (x.reshape(-1, x.shape[-1]).split(rows) for x in (y1, y2))
    pieces = zip(*flat, targets.reshape(-1).split(rows), strict=True)
    count = (targets != -100).sum()
    return sum(
        functional.cross_entropy(head((one + other) / 2), target, reduction="sum") / count
        for one, other, target in pieces
    )


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        head: nn.Module,
        y1: Tensor,
        y2: Tensor,
        targets: Tensor,
        rows: int,
        *parameters: Tensor,
    ) -> Tensor:
        flat = [x.reshape(-1, x.shape[-1]).split(rows) for x in (y1, y2)]
        count = (targets != -100).sum()
        grad = torch.empty_like(y1, memory_format=torch.contiguous_format)
        pieces = zip(
            *flat,
            targets.reshape(-1).split(rows),
            grad.view(-1, y1.shape[-1]).split(rows),
            strict=True,
        )
        found = [torch.zeros_like(p) for p in parameters]
        total = y1.new_zeros((), dtype=torch.promote_types(y1.dtype, torch.float32))
        for one, other, target, of_mean in pieces:
            with torch.enable_grad():
                mean = ((one + other) / 2).detach().requires_grad_()
                loss = functional.cross_entropy(head(mean), target, reduction="sum") / count
            of_some, *gradients = torch.autograd.grad(loss, [mean, *parameters])
            total += loss.detach()
            of_mean.copy_(of_some)
            for own, gradient in zip(found, gradients, strict=True):
                own.add_(gradient)
        ctx.save_for_backward(grad.div_(2), *found)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        of_stream, *found = ctx.saved_tensors
        of_stream = of_stream * grad
        return None, of_stream, of_stream, None, None, *(each * grad for each in found)


def _check_length(length: int, longest: int) -> None:
    if not 1 <= length <= longest:
        raise ValueError(f"length is {length}; there are positions for 1 to {longest}")


def _check_tokens(tokens: Tensor, n_tokens: int) -> None:
    if tokens.is_floating_point() or tokens.dim() < 1 or not tokens.numel():
        raise ValueError(
            f"tokens are {tokens.dtype} of shape {tuple(tokens.shape)}; they must be whole numbers, "
            "(batch, length), at least one"
        )
    low, high = (int(x) for x in tokens.aminmax())
    if low < 0 or high >= n_tokens:
        raise ValueError(
            f"tokens hold numbers from {low} to {high}; they must be 0 to {n_tokens - 1}"
        )
