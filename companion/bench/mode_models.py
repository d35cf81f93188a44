"""A language model for each way to spend memory that `companion.memory` plans for, all of one size."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from companion.memory_sizes import Shape
from companion.reformer import Reformer
from companion.reversible import ReversibleStack


class Attention(nn.Module):
    """All pairs, queries are keys too; fused, or with weights that are written down."""

    def __init__(self, shape: Shape, *, materialised: bool = False) -> None:
        super().__init__()
        d = shape.d_model
        self.norm = nn.LayerNorm(d)
        self.query_key, self.value, self.out = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.n_heads, self.materialised = shape.n_heads, materialised
        self.hidden = torch.ones(1, 1, dtype=torch.bool)  # (length, length) where it is needed

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (batch, length, d_model) to (batch, length, d_model)."""
        y = self.norm(x)
        query, value = (self._heads(project(y)) for project in (self.query_key, self.value))
        key = functional.normalize(query, dim=-1)
        if self.materialised:
            scores = query @ key.mT
            scores = scores.masked_fill(self.hidden, -math.inf)
            out = scores.softmax(dim=-1) @ value
        else:
            out = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out(out.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        pieces = x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        return pieces.contiguous() if self.materialised else pieces


class FeedForward(nn.Module):
    """The feed-forward network, all positions at once."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.d_model)
        self.widen = nn.Linear(shape.d_model, shape.d_ff)
        self.narrow = nn.Linear(shape.d_ff, shape.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Send each vector of x, (..., d_model), through the network."""
        return self.narrow(functional.gelu(self.widen(self.norm(x))))


class Layer(nn.Module):
    """Both, each with a way around it."""

    def __init__(self, shape: Shape, *, materialised: bool) -> None:
        super().__init__()
        self.attention = Attention(shape, materialised=materialised)
        self.feed_forward = FeedForward(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Take x, (batch, length, d_model), one layer up."""
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class Plain(Reformer):
    """The same language model with one stream: plain autograd, or a checkpoint for each layer."""

    def __init__(
        self, shape: Shape, *, checkpoints: bool = False, materialised: bool = False
    ) -> None:
        super().__init__(**sizes(shape))
        self.stack = nn.ModuleList(
            Layer(shape, materialised=materialised) for _ in range(shape.n_layers)
        )
        self.checkpoints = checkpoints

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """The mean cross entropy; the scores of all positions lie in memory."""
        return functional.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())

    def forward(self, tokens: Tensor) -> Tensor:
        """Score the next token: (batch, length) to (batch, length, n_tokens)."""
        x = self.words(tokens) + self.positions(tokens.shape[-1])
        for layer in self.stack:
            x = checkpoint(layer, x, use_reentrant=False) if self.checkpoints else layer(x)
        return self.head(x)


class Reversible(Reformer):
    """The same with two streams, all pairs, and nothing chunked."""

    def __init__(self, shape: Shape, *, materialised: bool = False) -> None:
        super().__init__(**sizes(shape), rows=shape.positions)
        pairs = [
            (Attention(shape, materialised=materialised), FeedForward(shape))
            for _ in range(shape.n_layers)
        ]
        self.stack = ReversibleStack(pairs, in_place=True)


def sizes(shape: Shape) -> dict[str, int]:
    """What `Reformer` is told of a shape."""
    names = ("n_tokens", "d_model", "n_heads", "n_layers", "d_ff")
    return {"longest": shape.length} | {name: getattr(shape, name) for name in names}


def build(shape: Shape, mode: str, *, materialised: bool = False) -> nn.Module:
    """Make the model of a mode of `companion.memory.MODES`, of the dtype of the shape.

    Args:
        shape: its sizes.
        mode: how it spends memory.
        materialised: whether attention to all pairs writes its weights down.

    Raises:
        ValueError: If there is no such mode.
    """
    in_buckets = {"chunk": shape.chunk, "rounds": shape.rounds, "in_place": True}
    kinds = {
        "inference": partial(Plain, shape, materialised=materialised),
        "standard": partial(Plain, shape, materialised=materialised),
        "checkpointed": partial(Plain, shape, checkpoints=True, materialised=materialised),
        "reversible": partial(Reversible, shape, materialised=materialised),
        "lsh": partial(Reformer, **sizes(shape), **in_buckets, rows=shape.positions),
        "chunked": partial(Reformer, **sizes(shape), **in_buckets, rows=shape.rows),
    }
    if mode not in kinds:
        raise ValueError(f"mode is {mode!r}: it must be one of {', '.join(kinds)}")
    model = kinds[mode]().to(getattr(torch, shape.dtype))
    if materialised:
        hidden = torch.ones(shape.length, shape.length, dtype=torch.bool).triu(1)
        for module in model.modules():
            if isinstance(module, Attention):
                module.hidden = hidden
    return model


def adam_after_a_step(model: nn.Module) -> torch.optim.Adam:
    """Return Adam as it is after a first step, with its moments, without gradients."""
    optimizer = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    return optimizer
