"""Sinusoidal positional encodings: the whole table, one wave of it, two positions, all wavelengths."""

import math
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import matrix_svg

_LAYOUTS = ("paper", "tensor2tensor")
_LONGEST, _WIDEST = 256, 128  # the table is drawn anew at each move of a slider
_BASES = (10, 1_000_000)


class PositionalEncoding(Widget):
    """Where each word stands: the sinusoidal encoding as a heat map, with its waves and its products.

    Rows are positions, columns are dimensions. The reader changes the table's length, width, base and
    layout, chooses a column, and drags two positions. The module computes the closed form.
    Explained in chapters/week2-transformers/where-am-i.ipynb.

    Args:
        length: number of positions, 2 to 256.
        d_model: number of dimensions, even, 2 to 128.
        base: what the wavelengths grow towards, times 2π; 10 to 1,000,000.
        layout: "paper" (sine and cosine take turns, the base is not quite reached) or "tensor2tensor"
            (all sines, then all cosines; the base is reached).
        **state: first values of the synced traits (`dimension`, `first`, `second`).

    Raises:
        ValueError: a length, d_model, base or layout out of range.
        TraitError: a dimension or a position out of range.
    """

    length = t.Int(64, min=2, max=_LONGEST).tag(sync=True)
    d_model = t.Int(64, min=2, max=_WIDEST).tag(sync=True)
    base = t.Float(10_000.0, min=_BASES[0], max=_BASES[1]).tag(sync=True)
    # Every ipywidget has a trait `layout` of its own: its place in the notebook.
    formula = t.Enum(_LAYOUTS, default_value="paper").tag(sync=True)
    dimension = t.Int(0, min=0).tag(sync=True)
    first = t.Int(0, min=0).tag(sync=True)
    second = t.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        length: int = 64,
        d_model: int = 64,
        base: float = 10_000.0,
        layout: str = "paper",
        **state: Any,  # noqa: ANN401
    ) -> None:
        _check_whole("length", length, 2, _LONGEST)
        _check_whole("d_model", d_model, 2, _WIDEST)
        if d_model % 2:
            raise ValueError(f"d_model: {d_model} was given; sine and cosine need an even number")
        if not isinstance(base, int | float) or not _BASES[0] <= base <= _BASES[1]:
            raise ValueError(f"base: {base!r} was given; give a number from 10 to 1,000,000")
        if layout not in _LAYOUTS:
            raise ValueError(f"layout: {layout!r} was given; give one of {', '.join(_LAYOUTS)}")
        state = {
            "dimension": min(8, d_model - 1),
            "first": length // 4,
            "second": length // 2,
            **state,
        }
        super().__init__(length=length, d_model=d_model, base=base, formula=layout, **state)

    @t.validate("dimension", "first", "second")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        size = self.d_model if name == "dimension" else self.length
        if proposal["value"] >= size:
            raise t.TraitError(
                f"{name}: {proposal['value']} was given, there are {size} (0 to {size - 1})"
            )
        return proposal["value"]

    @t.validate("d_model")
    def _even(self, proposal: dict) -> int:
        if proposal["value"] % 2:
            raise t.TraitError(f"d_model: {proposal['value']} was given; it must be even")
        return proposal["value"]

    @t.observe("length", "d_model")
    def _move_inside(self, _change: dict) -> None:
        self.dimension = min(self.dimension, self.d_model - 1)
        self.first, self.second = (min(p, self.length - 1) for p in (self.first, self.second))

    def encoding(self) -> np.ndarray:
        """Return the table, (length, d_model), as the view shows it."""
        angles = np.arange(self.length)[:, None] * self._frequencies()  # (length, pairs)
        both = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (length, pairs, 2)
        if self.formula == "tensor2tensor":
            both = both.swapaxes(1, 2)  # (length, 2, pairs)
        return both.reshape(self.length, self.d_model)

    def describe(self) -> str:
        """Return, in a sentence, how the two chosen positions compare."""
        table = self.encoding()
        turns = self._frequencies()
        slow = int((2 * math.pi / turns > self.length).sum())
        return (
            f"Sinusoidal encoding of {self.length} positions in {self.d_model} dimensions, "
            f"base {self.base:,.0f}: the dot product of positions {self.first} and {self.second} is "
            f"{table[self.first] @ table[self.second]:.2f} of at most {self.d_model // 2}; "
            f"{slow} of {len(turns)} pairs turn less than once."
        )

    def picture(self) -> str:
        """Return the table as SVG."""
        rows, columns = ([str(i) for i in range(n)] for n in (self.length, self.d_model))
        return matrix_svg((self.encoding() + 1) / 2, rows, columns)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the style sheet."""
        return (748, 1328)

    def _frequencies(self) -> np.ndarray:
        """How far each pair turns from one position to the next, (pairs,)."""
        pairs = self.d_model // 2
        steps = pairs if self.formula == "paper" else max(1, pairs - 1)
        return self.base ** -(np.arange(pairs) / steps)


def _check_whole(name: str, given: object, least: int, most: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise ValueError(f"{name}: {given!r} was given; give a whole number from {least} to {most}")
