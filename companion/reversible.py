"""Reversible residual blocks: a stack that keeps the outputs of its last block, and works back.

The names are those of Kitaev et al. 2020, "Reformer", https://arxiv.org/abs/2001.04451, section 3;
the idea is of Gomez et al. 2017, "The Reversible Residual Network", https://arxiv.org/abs/1707.04585.
The vectors of a position flow in two *streams*, x1 and x2, of the same shape. Each of the two
sublayers of a block adds to one stream what it makes of the other; so it can be taken off again.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from companion.recomputation import Call, Circumstances


class ReversibleBlock(nn.Module):
    """Two sublayers and the two equations; called by itself, it leaves gradients to autograd.

    Args:
        f: Maps (..., d) to (..., d).
        g: Maps (..., d) to (..., d).

    Source: Kitaev et al. 2020, section 3, equations 8 to 10.
    """

    def __init__(self, f: nn.Module, g: nn.Module) -> None:
        super().__init__()
        self.f = f
        self.g = g

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        """Take both streams, (..., d) each, through the block."""
        y1 = x1 + self.f(x2)
        y2 = x2 + self.g(y1)
        return y1, y2

    def inverse(self, y1: Tensor, y2: Tensor) -> tuple[Tensor, Tensor]:
        """Find what the block was given from what came out of it, where nothing in it is random."""
        x2 = y2 - self.g(y1)
        x1 = y1 - self.f(x2)
        return x1, x2


class ReversibleStack(nn.Module):
    """Blocks one after the other, whose memory does not grow with their number.

    Backward reconstructs the inputs of each block from its outputs. Every call of a sublayer has a
    random state of its own, from a seed that forward draws from torch's global generator; in
    backward it gets that state again, and the mode (training or not) and autocast of forward too.
    Buffers that a call changes, such as the running statistics of batch norm, it changes twice.

    A sublayer is any module that maps (..., d) to (..., d) and depends on nothing that needs a
    gradient but its input and its parameters. One that works piece by piece, or takes a decision on
    its input that must not be taken again on a reconstructed one, may have two methods, which are
    used instead of calling it:

    - `add(stream, x)` adds f(x) to stream in place, and returns a tuple of tensors to remember;
    - `undo(stream, x, memo, grad_stream, grad_x)` subtracts f(x) from stream in place, adds the
      product of grad_stream and the Jacobian of f to grad_x in place, and returns a gradient for
      each of its parameters, None for one that needs none.

    Args:
        blocks: Pairs (f, g) of sublayers.
        in_place: Let backward reconstruct in the memory of the outputs, which then hold the inputs:
            two tensors less of the size of a stream, but backward can run only once.

    Raises:
        TypeError: If a block is not a pair of modules.
        ValueError: If there is no block.

    Source: Gomez et al. 2017, algorithm 1; Kitaev et al. 2020, section 3.
    """

    def __init__(
        self, blocks: Iterable[tuple[nn.Module, nn.Module]], *, in_place: bool = False
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_block(i, pair) for i, pair in enumerate(blocks))
        if not self.blocks:
            raise ValueError("blocks is empty: it must hold at least one pair (f, g)")
        self.in_place = in_place

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        """Take both streams through all blocks.

        Args:
            x1: (..., d), floating point.
            x2: (..., d), of the same dtype and on the same device.

        Returns:
            y1 and y2, (..., d). Changing them in place is an error: backward starts from them. The
            gradient of parameters that an unused output would need is zero, not None.

        Raises:
            TypeError: If x1, x2 or what a sublayer returns is not a tensor.
            ValueError: If the streams differ or are not floating point, or a sublayer returns
                another shape, or a dtype that cannot be added to its stream.
            RuntimeError: In backward, for second derivatives; if it runs again with in_place; if the
                outputs or parameters were changed in between; or if a sublayer depends on something
                else that needs a gradient.
        """
        _check_streams(x1=x1, x2=x2)
        y1, y2 = _Reversible.apply(self, x1, x2, *self.parameters())
        return _OwnGradient.apply(y1), _OwnGradient.apply(y2)

    @torch.no_grad()
    def inverse(self, y1: Tensor, y2: Tensor) -> tuple[Tensor, Tensor]:
        """Find x1 and x2 from y1 and y2, (..., d) each; no gradients.

        Draws seeds as forward does: after the same `torch.manual_seed`, dropout is the same too.

        Raises:
            TypeError: As for `forward`.
            ValueError: As for `forward`.
        """
        _check_streams(y1=y1, y2=y2)
        x1, x2 = _copy(y1), _copy(y2)
        for f, g in reversed(self.calls()):
            g.subtract(x2, x1)  # x2 = y2 - g(y1)
            f.subtract(x1, x2)  # x1 = y1 - f(x2)
        return x1, x2

    def calls(self) -> list[tuple[Call, Call]]:
        """Draw a seed for each call of a sublayer."""
        seeds = torch.randint(2**63 - 1, (len(self.blocks), 2), device="cpu").tolist()
        return [
            (Call(block.f, of_f), Call(block.g, of_g))
            for block, (of_f, of_g) in zip(self.blocks, seeds, strict=True)
        ]


class _Reversible(torch.autograd.Function):
    """The whole stack as one step of autograd."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, stack: ReversibleStack, x1: Tensor, x2: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        y1, y2 = _copy(x1), _copy(x2)
        ctx.stack, ctx.in_place, ctx.calls, ctx.memos = stack, stack.in_place, stack.calls(), []
        ctx.parameters, ctx.needed = parameters, [p.requires_grad for p in parameters]
        ctx.circumstances = Circumstances.now(stack, x1.device)
        with ctx.circumstances.restored(stack):
            for f, g in ctx.calls:
                of_f = f.add(y1, y2)  # y1 = x1 + f(x2)
                of_g = g.add(y2, y1)  # y2 = x2 + g(y1)
                ctx.memos.append((of_f, of_g))
        ctx.save_for_backward(y1, y2, *parameters)
        return y1, y2

    @staticmethod
    def backward(ctx: FunctionCtx, grad1: Tensor, grad2: Tensor) -> tuple[Tensor | None, ...]:
        _check_backward(ctx)
        # Also fails, with torch's own message, where outputs or parameters were changed in place.
        y1, y2 = (y.detach() if ctx.in_place else _copy(y) for y in ctx.saved_tensors[:2])
        memos, ctx.memos = ctx.memos, None if ctx.in_place else ctx.memos
        gradients = dict.fromkeys(ctx.parameters)
        with ctx.circumstances.restored(ctx.stack):
            for (f, g), (of_f, of_g) in zip(ctx.calls[::-1], memos[::-1], strict=True):
                _collect(gradients, g, g.undo(y2, y1, of_g, grad2, grad1))  # x2 = y2 - g(y1)
                _collect(gradients, f, f.undo(y1, y2, of_f, grad1, grad2))  # x1 = y1 - f(x2)
        return None, grad1, grad2, *gradients.values()


class _OwnGradient(torch.autograd.Function):
    """Hands a copy of the gradient to the stack, which writes into it; others may hold the first.

    A step for each stream, so that one gradient can be freed before the other is copied.
    """

    @staticmethod
    def forward(_: FunctionCtx, y: Tensor) -> Tensor:
        return y.view_as(y)

    @staticmethod
    def backward(_: FunctionCtx, grad: Tensor) -> Tensor:
        return _copy(grad)


def _copy(x: Tensor) -> Tensor:
    return x.detach().clone(memory_format=torch.contiguous_format)


def _collect(
    gradients: dict[Tensor, Tensor | None], call: Call, found: Iterable[Tensor | None]
) -> None:
    for parameter, gradient in zip(call.sublayer.parameters(), found, strict=True):
        if gradient is not None:
            before = gradients[parameter]
            gradients[parameter] = gradient if before is None else before + gradient


def _block(i: int, pair: tuple[nn.Module, nn.Module]) -> ReversibleBlock:
    is_pair = isinstance(pair, Sequence) and len(pair) == 2
    if not is_pair or not all(isinstance(sublayer, nn.Module) for sublayer in pair):
        raise TypeError(f"blocks[{i}] is {pair!r}: it must be a pair (f, g) of torch.nn.Module")
    return ReversibleBlock(*pair)


def _check_streams(**streams: Tensor) -> None:
    for name, x in streams.items():
        if not isinstance(x, Tensor):
            raise TypeError(f"{name} is {type(x).__name__}: it must be a tensor")
        if not x.is_floating_point():
            raise ValueError(f"{name} has dtype {x.dtype}: it must be floating point")
    (name, x), (other, y) = streams.items()
    for what, one, two in [
        ("shape", tuple(x.shape), tuple(y.shape)),
        ("dtype", x.dtype, y.dtype),
        ("device", x.device, y.device),
    ]:
        if one != two:
            raise ValueError(f"{name} has {what} {one} and {other} {two}: they must have the same")


def _check_backward(ctx: FunctionCtx) -> None:
    if torch.is_grad_enabled():
        raise RuntimeError(
            "a ReversibleStack has no second derivatives: run backward without create_graph=True, "
            "or chain its blocks (for block in stack.blocks: x1, x2 = block(x1, x2))"
        )
    if ctx.memos is None:
        raise RuntimeError(
            "backward has run through this ReversibleStack, and with in_place=True its outputs now "
            "hold its inputs: run forward again, or use in_place=False with retain_graph=True"
        )
    now = [(id(p), p.requires_grad) for p in ctx.stack.parameters()]
    then = [(id(p), needed) for p, needed in zip(ctx.parameters, ctx.needed, strict=True)]
    if now != then:
        raise RuntimeError(
            "the parameters of the ReversibleStack were exchanged, frozen or thawed since forward, "
            "and backward would recompute something else: run backward before you change them"
        )
