"""Layers as words of a stack machine: each takes from the top of the stack, and puts back on it.

In the manner of trax's combinators (https://github.com/google/trax, trax/layers/combinators.py and
reversible.py), which the course's labs build their models from. A stack is a tuple, its top first; on
it lie numbers or tensors. `layer(*stack)` gives the stack that the layer leaves.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Item = Any  # a number, a tensor, or whatever the layers can handle
Stack = tuple[Item, ...]


class Layer:
    """A word of the machine.

    Args:
        name: What error messages and `trace` call it.
        function: Takes n_in items, the top of the stack first, and returns a tuple of n_out.
        n_in: How many items it takes from the stack.
        n_out: How many it puts there.
    """

    def __init__(self, name: str, function: Callable[..., Stack], n_in: int, n_out: int) -> None:
        self.name, self.function, self.n_in, self.n_out = name, function, n_in, n_out

    def __repr__(self) -> str:
        return f"{self.name} ({self.n_in} -> {self.n_out})"

    def __call__(self, *stack: Item) -> Stack:
        """Return the stack after this layer; what lies below its inputs stays there.

        Raises:
            ValueError: If there are fewer items than n_in.
        """
        _check_enough(self.name, stack, self.n_in)
        return (*self.function(*stack[: self.n_in]), *stack[self.n_in :])

    def inverse(self, *stack: Item) -> Stack:
        """Return the stack before this layer, given the one after it.

        Raises:
            TypeError: If the layer cannot be undone.
            ValueError: If there are fewer items than n_out.
        """
        raise TypeError(
            f"{self.name} has no inverse, so {stack} cannot be taken back through it: only Swap, "
            "ReversibleHalfResidual, and a Serial of such layers have one"
        )

    def steps(self) -> list["Layer"]:
        """Return the layers that `trace` shows one by one."""
        return [self]


class Fn(Layer):
    """An ordinary function as a layer; its number of arguments is what it takes.

    Args:
        name: Its name.
        function: Returns a single value, or a tuple of n_out values where n_out is not 1.
        n_out: How many values it returns.

    Raises:
        ValueError: If the number of arguments is not fixed or there is none; in a call, if the
            function returns something else than n_out values.
    """

    def __init__(self, name: str, function: Callable[..., Any], n_out: int = 1) -> None:
        super().__init__(
            name, lambda *xs: self._values(function(*xs)), _n_arguments(name, function), n_out
        )

    def _values(self, result: Item) -> Stack:
        values = (result,) if self.n_out == 1 else result
        if not isinstance(values, tuple) or len(values) != self.n_out:
            raise ValueError(
                f"{self.name} returned {result!r}: it must be {self.n_out} values in a tuple"
            )
        return values


class Add(Fn):
    """Takes two items, and puts their sum there."""

    def __init__(self) -> None:
        super().__init__("Add", lambda x, y: x + y)


class Select(Layer):
    """Takes n_in items, and puts copies of some of them there, in the order of the indices.

    Args:
        indices: Places of items, counted from the top, which is 0.
        n_in: How many items it takes; by default as many as the largest index needs.

    Raises:
        ValueError: If an index is not from 0 to n_in - 1, or there is neither an index nor n_in.
    """

    def __init__(self, indices: Sequence[int], n_in: int | None = None) -> None:
        if n_in is None and not indices:
            raise ValueError("indices is empty: then n_in must say how many items to take")
        n_in = max(indices) + 1 if n_in is None else n_in
        for i in indices:
            if not 0 <= i < n_in:
                raise ValueError(
                    f"indices holds {i} and n_in is {n_in}: it must be from 0 to n_in - 1"
                )
        name = f"{type(self).__name__}{list(indices) if type(self) is Select else ''}"
        super().__init__(name, lambda *xs: tuple(xs[i] for i in indices), n_in, len(indices))


class Dup(Select):
    """Puts a second copy of the top there."""

    def __init__(self) -> None:
        super().__init__([0, 0])


class Drop(Select):
    """Takes the top away."""

    def __init__(self) -> None:
        super().__init__([], n_in=1)


class Swap(Select):
    """Exchanges the two items on the top; its own inverse."""

    def __init__(self) -> None:
        super().__init__([1, 0])

    def inverse(self, *stack: Item) -> Stack:
        """Exchange them again."""
        return self(*stack)


class Serial(Layer):
    """One layer after the other; with none, a layer that takes one item and puts it back.

    Args:
        *layers: The layers, the first to run first.
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers
        n_in, height = (0, 0) if layers else (1, 1)  # height: what is there, less what was at first
        for layer in layers:
            n_in = max(n_in, layer.n_in - height)
            height += layer.n_out - layer.n_in
        n_out = n_in + height if layers else 1
        super().__init__(type(self).__name__, self._run, n_in, n_out)

    def _run(self, *stack: Item) -> Stack:
        for layer in self.layers:
            stack = layer(*stack)
        return stack

    def inverse(self, *stack: Item) -> Stack:
        """Undo the layers, the last first.

        Raises:
            TypeError: If one of them cannot be undone.
            ValueError: If there are too few items for one of them.
        """
        for layer in reversed(self.layers):
            stack = layer.inverse(*stack)
        return stack

    def steps(self) -> list[Layer]:
        """Return the steps of all its layers."""
        return [step for layer in self.layers for step in layer.steps()]


class Branch(Layer):
    """Gives each layer a copy of the inputs that it needs, and puts all outputs there, in order.

    Args:
        *layers: Layers; None stands for one that puts its one input back.

    Raises:
        ValueError: If there is no layer.
    """

    def __init__(self, *layers: Layer | None) -> None:
        if not layers:
            raise ValueError("layers is empty: Branch needs at least one layer, or None")
        branches = [Serial() if layer is None else layer for layer in layers]

        def run(*xs: Item) -> Stack:
            outputs = [branch(*xs[: branch.n_in]) for branch in branches]
            return tuple(x for output in outputs for x in output)

        n_in, n_out = max(b.n_in for b in branches), sum(b.n_out for b in branches)
        super().__init__("Branch", run, n_in, n_out)


class Residual(Serial):
    """Adds to the top of the stack what the layers make of it, and of what they take below it.

    Args:
        *layers: Layers, one after the other.
        shortcut: What is done with the top before it is added; by default nothing.
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        super().__init__(Branch(shortcut, Serial(*layers)), Add())


class ReversibleHalfResidual(Layer):
    """Adds to the top of the stack what the layers make of the items below it, which stay there.

    So the addition can be undone: what was added can be computed again.

    Args:
        *layers: Layers, one after the other, which together put one item there.

    Raises:
        ValueError: If they put another number of items there.

    Source: Kitaev et al. 2020, https://arxiv.org/abs/2001.04451, section 3, half of equation 9.
    """

    def __init__(self, *layers: Layer) -> None:
        self.f = Serial(*layers)
        if self.f.n_out != 1:
            raise ValueError(
                f"layers put {self.f.n_out} items on the stack: it must be 1, to be added"
            )
        n = 1 + self.f.n_in
        super().__init__("ReversibleHalfResidual", self._add, n, n)

    def _add(self, x: Item, *context: Item) -> Stack:
        return (x + self.f(*context)[0], *context)

    def inverse(self, *stack: Item) -> Stack:
        """Subtract again what was added.

        Raises:
            ValueError: If there are fewer items than n_out.
        """
        _check_enough(f"the inverse of {self.name}", stack, self.n_out)
        y, *below = stack
        return (y - self.f(*below)[0], *below)


class Step(NamedTuple):
    """What a layer left on the stack."""

    name: str
    stack: Stack


def trace(program: Layer, *stack: Item) -> list[Step]:
    """Run a program, and note what lies on the stack after each step; first, what lay there before.

    Args:
        program: A layer; of a `Serial`, and of one in it, each layer is a step.
        *stack: The items to begin with, the top first.

    Raises:
        ValueError: If there are fewer items than the program takes.
    """
    _check_enough(program.name, stack, program.n_in)
    steps = [Step("start", stack)]
    for layer in program.steps():
        steps.append(Step(layer.name, layer(*steps[-1].stack)))
    return steps


def _check_enough(name: str, stack: Stack, needed: int) -> None:
    if len(stack) < needed:
        items = "1 item" if needed == 1 else f"{needed} items"
        raise ValueError(f"{name} takes {items} from the stack, and it holds {len(stack)}: {stack}")


def _n_arguments(name: str, function: Callable[..., Any]) -> int:
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    ordinary = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    if not kinds or not ordinary.issuperset(kinds):
        raise ValueError(
            f"{name} takes {inspect.signature(function)}: it must take a fixed number of arguments"
        )
    return len(kinds)
