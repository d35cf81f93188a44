"""The stacks that are compared: pairs of attention and feed-forward sublayers, depth 1 to 12.

The same sublayers in all, with the same random weights: d = 256, layer normalisation, fused causal attention
with 4 heads, a feed-forward layer of 4 d. No dropout: what it would cost is the same everywhere. The input needs a
gradient, for without one lucidrains' stack trains nothing.

- plain: x + f(x), then x + g(x); autograd keeps what it needs.
- checkpoint: the same, each layer under `torch.utils.checkpoint`, which keeps its input.
- lucidrains: `ReversibleSequence`, two streams side by side in one tensor of 2 d.
- ours: `companion.reversible.ReversibleStack`, two streams; in place, backward writes over the outputs.

A reversible stack has two streams of d each, the plain one has one.
"""

from collections.abc import Sequence
from importlib import import_module

import torch
from fresh import Pass
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from companion.reversible import ReversibleStack

D_MODEL, HEADS, LENGTH = 256, 4, 4096


class Attention(nn.Module):
    """A normalised, fused, causal attention sublayer, (1, length, D_MODEL) to the same."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(D_MODEL)
        self.project = nn.Linear(D_MODEL, 3 * D_MODEL)
        self.output = nn.Linear(D_MODEL, D_MODEL)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        heads = self.project(self.norm(x)).unflatten(-1, (3, HEADS, -1))  # (1, length, 3, heads, d)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).flatten(2))


def feed_forward() -> nn.Module:
    """A normalised feed-forward sublayer."""
    return nn.Sequential(
        nn.LayerNorm(D_MODEL),
        nn.Linear(D_MODEL, 4 * D_MODEL),
        nn.GELU(),
        nn.Linear(4 * D_MODEL, D_MODEL),
    )


def sublayers(depth: int) -> list[tuple[nn.Module, nn.Module]]:
    """Pairs of sublayers, with weights of one seed."""
    torch.manual_seed(0)
    return [(Attention(), feed_forward()) for _ in range(depth)]


def streams(length: int, count: int, width: int = D_MODEL) -> list[Tensor]:
    """Some inputs (1, length, width) that need gradients."""
    return [torch.randn(1, length, width).requires_grad_() for _ in range(count)]


def as_pass(
    model: nn.Module, pairs: Sequence[tuple[nn.Module, nn.Module]], given: list[Tensor]
) -> Pass:
    """A forward and backward pass of a model of one or two streams."""
    gradients = [torch.randn_like(x).detach() for x in given]
    parameters = [weight for pair in pairs for layer in pair for weight in layer.parameters()]

    def forward() -> Sequence[Tensor]:
        outputs = model(*given)
        return (outputs,) if isinstance(outputs, Tensor) else outputs

    return Pass(forward, gradients, given, parameters)


class Plain(nn.Module):
    """A residual stack, kept by autograd or under checkpoints."""

    def __init__(self, pairs: list[tuple[nn.Module, nn.Module]], *, checkpoints: bool) -> None:
        super().__init__()
        self.pairs = nn.ModuleList(nn.ModuleList(pair) for pair in pairs)
        self.checkpoints = checkpoints

    def forward(self, x: Tensor) -> Tensor:
        """Go through all layers."""
        for pair in self.pairs:
            if self.checkpoints:
                x = checkpoint(_layer, pair, x, use_reentrant=False)
            else:
                x = _layer(pair, x)
        return x


def _layer(pair: nn.ModuleList, x: Tensor) -> Tensor:
    for sublayer in pair:
        x = x + sublayer(x)
    return x


def plain(length: int, depth: int) -> Pass:
    """Autograd keeps all it needs."""
    pairs = sublayers(depth)
    return as_pass(Plain(pairs, checkpoints=False), pairs, streams(length, 1))


def checkpointed(length: int, depth: int) -> Pass:
    """Autograd keeps the input of each layer."""
    pairs = sublayers(depth)
    return as_pass(Plain(pairs, checkpoints=True), pairs, streams(length, 1))


def lucidrains(length: int, depth: int) -> Pass:
    """reformer-pytorch's reversible stack."""
    pairs = sublayers(depth)
    peer = import_module("reformer_pytorch.reversible")
    model = peer.ReversibleSequence(nn.ModuleList(nn.ModuleList(pair) for pair in pairs))
    return as_pass(model, pairs, streams(length, 1, 2 * D_MODEL))


def ours(length: int, depth: int, *, in_place: bool = False) -> Pass:
    """Our reversible stack."""
    pairs = sublayers(depth)
    return as_pass(ReversibleStack(pairs, in_place=in_place), pairs, streams(length, 2))


def ours_in_place(length: int, depth: int) -> Pass:
    """Ours, which reconstructs in the memory of its outputs."""
    return ours(length, depth, in_place=True)


STACKS = {
    "plain": plain,
    "checkpoint": checkpointed,
    "lucidrains": lucidrains,
    "ours": ours,
    "ours, in place": ours_in_place,
}
DEPTHS = (1, 2, 4, 8, 12)
