"""Calls that can be made again: with the same random numbers, modes and precision as before.

What backward needs that does not store what forward computed. `companion.reversible` computes it
again from the outputs; gradient checkpointing (Chen et al. 2016, https://arxiv.org/abs/1604.06174)
would do so from the inputs.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge


class Call(NamedTuple):
    """A call of a sublayer f, always under the same random state.

    Where the sublayer has methods `add` and `undo` (see `companion.reversible.ReversibleStack`),
    these do the work.
    """

    sublayer: nn.Module
    seed: int

    def add(self, stream: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        """Add f(x) to stream, both (..., d), and return what to remember."""
        with seeded(self.seed, x.device):
            if self.has_methods:
                return self.sublayer.add(stream, x)
            stream.add_(self.update(stream, x))
            return ()

    def subtract(self, stream: Tensor, x: Tensor) -> None:
        """Subtract f(x) from stream, both (..., d)."""
        stream.neg_()
        self.add(stream, x)
        stream.neg_()

    def undo(
        self,
        stream: Tensor,
        x: Tensor,
        memo: tuple[Tensor, ...],
        grad_stream: Tensor,
        grad_x: Tensor,
    ) -> Iterable[Tensor | None]:
        """Subtract f(x) from stream, and add to grad_x what flows back from grad_stream to x.

        Args:
            stream: (..., d), changed in place.
            x: (..., d).
            memo: What `add` returned.
            grad_stream: (..., d), the gradient of what stream held.
            grad_x: (..., d), changed in place.

        Returns:
            The gradient of each parameter of the sublayer; None for one that has none.
        """
        with seeded(self.seed, x.device):
            if self.has_methods:
                return self.sublayer.undo(stream, x, memo, grad_stream, grad_x)
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                update = self.update(stream, x)
            stream.sub_(update)
            # Only where it came from is still needed: its numbers are freed, a tensor of a stream.
            source = get_gradient_edge(update) if update.requires_grad else None
            del update
            of_x, *of_parameters = self.gradients(source, x, grad_stream)
        if of_x is not None:
            grad_x.add_(of_x)
        return of_parameters

    def gradients(
        self, source: GradientEdge | None, x: Tensor, grad: Tensor
    ) -> list[Tensor | None]:
        """Take grad, the gradient of f(x), (..., d), to x and to each parameter.

        Args:
            source: Where in the graph f(x) came from; None if it needs no gradient.
            x: (..., d).
            grad: (..., d).
        """
        parameters = list(self.sublayer.parameters())
        if source is None:
            return [None for _ in (x, *parameters)]
        wanted = [x, *(p for p in parameters if p.requires_grad)]
        _check_closed(self.sublayer, source.node, wanted)
        found = torch.autograd.grad(source, wanted, grad, allow_unused=True)
        # A parameter of the shape of a stream can be handed grad itself, which will change.
        found = [g.clone() if g is not None and _same_memory(g, grad) else g for g in found]
        by_tensor = dict(zip(wanted, found, strict=True))
        return [by_tensor.get(tensor) for tensor in (x, *parameters)]

    @property
    def has_methods(self) -> bool:
        """Whether the sublayer has methods `add` and `undo`."""
        return hasattr(self.sublayer, "add") and hasattr(self.sublayer, "undo")

    def update(self, stream: Tensor, x: Tensor) -> Tensor:
        """Return f(x), (..., d), if it can be added to stream.

        Raises:
            TypeError: If the sublayer returns something else than a tensor.
            ValueError: If it has another shape than x, or a dtype that stream cannot take up.
        """
        update, name = self.sublayer(x), type(self.sublayer).__name__
        if not isinstance(update, Tensor):
            raise TypeError(f"{name} returned {type(update).__name__}: it must return a tensor")
        if update.shape != x.shape:
            raise ValueError(
                f"{name} was given shape {tuple(x.shape)} and returned {tuple(update.shape)}: "
                "it must return the shape that it is given"
            )
        if torch.promote_types(update.dtype, stream.dtype) != stream.dtype:
            raise ValueError(
                f"{name} returned {update.dtype} for a stream of {stream.dtype}: "
                "it must return the dtype of the stream, or one that the stream can take up"
            )
        return update


class Circumstances(NamedTuple):
    """What a recomputation must find as forward found it: each module's mode, and autocast."""

    training: list[bool]
    autocast: list[tuple[str, torch.dtype, bool]]

    @classmethod
    def now(cls, stack: nn.Module, device: torch.device) -> "Circumstances":
        """Note the modes of all modules of the stack, and autocast for the CPU and for device."""
        kinds = [k for k in {"cpu", device.type} if torch.amp.is_autocast_available(k)]
        return cls(
            [module.training for module in stack.modules()],
            [(k, torch.get_autocast_dtype(k), torch.is_autocast_enabled(k)) for k in kinds],
        )

    @contextmanager
    def restored(self, stack: nn.Module) -> Iterator[None]:
        """Bring them about, and afterwards put back what there was."""
        training = [module.training for module in stack.modules()]
        with ExitStack() as contexts:
            for kind, dtype, enabled in self.autocast:
                # Without its cache: that would hold a copy of every weight, and in older versions of
                # torch those cast by forward, without grad, were handed to the recomputation.
                cast = torch.autocast(kind, dtype, enabled=enabled, cache_enabled=False)
                contexts.enter_context(cast)
            contexts.callback(_set_training, stack, training)
            _set_training(stack, self.training)
            yield


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, of the CPU and of device, and put them back afterwards."""
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.default_generators[device.index].manual_seed(seed)
        yield


def _set_training(stack: nn.Module, training: list[bool]) -> None:
    for module, mode in zip(stack.modules(), training, strict=True):
        module.training = mode


def _same_memory(x: Tensor, y: Tensor) -> bool:
    return x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()


def _check_closed(sublayer: nn.Module, source: Node, known: list[Tensor]) -> None:
    """Refuse a sublayer whose output depends on something whose gradient would be lost."""
    nodes, seen = [source], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        is_leaf = type(node).__name__ == "AccumulateGrad"
        if is_leaf and not any(node.variable is tensor for tensor in known):
            raise RuntimeError(
                f"{type(sublayer).__name__} uses a tensor that needs a gradient and is neither its "
                "input nor one of its parameters: make it a parameter, or detach it"
            )
        nodes.extend(before for before, _ in node.next_functions)
