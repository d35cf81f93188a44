"""What multi-head attention does to shapes: split, attend, join, one step after the other."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE

STAGES = (
    "x",
    "project",
    "reshape",
    "transpose",
    "scores",
    "mix",
    "transpose back",
    "concatenate",
    "output",
)
_WIDTHS = (4, 6, 8, 12)
_SCORES = STAGES.index("scores")


class HeadSplitter(Widget):
    """Follow one number through multi-head attention, from (batch, n, d_model) and back.

    Numbers are called by their place in the projected tensor, counted row by row. Explained in
    chapters/week2-transformers/many-heads.ipynb.

    Args:
        tokens: two to six words; the reader chooses how many of them are used.
        **state: first values of `n` (at first all tokens), `d_model` (4, 6, 8 or 12), `heads` (it
            divides d_model), `stage` (0 to 8), `picked` (the number that is followed) and `wrong`
            (whether heads are cut by view(batch, heads, n, d_k), without a transpose).

    Raises:
        ValueError: If there are too few or too many tokens.
        TraitError: If a size or a choice is out of range.
    """

    tokens = t.List(t.Unicode()).tag(sync=True)
    n = t.Int(4, min=2, max=6).tag(sync=True)
    d_model = t.Int(8).tag(sync=True)
    heads = t.Int(2, min=1).tag(sync=True)
    stage = t.Int(0, min=0, max=len(STAGES) - 1).tag(sync=True)
    picked = t.Int(0, min=0).tag(sync=True)
    wrong = t.Bool(default_value=False).tag(sync=True)

    def __init__(self, tokens: Sequence[str], **state: Any) -> None:  # noqa: ANN401
        tokens = [str(token) for token in tokens]
        if not 2 <= len(tokens) <= 6:
            raise ValueError(f"tokens: {len(tokens)} were given; give two to six")
        super().__init__(tokens=tokens, **{"n": len(tokens), **state})

    @t.validate("n")
    def _enough_tokens(self, proposal: dict) -> int:
        if proposal["value"] > len(self.tokens):
            raise t.TraitError(
                f"n: {proposal['value']} was given, there are {len(self.tokens)} tokens"
            )
        return proposal["value"]

    @t.validate("d_model", "heads")
    def _divides(self, proposal: dict) -> int:
        value, name = proposal["value"], proposal["trait"].name
        d_model, heads = (value, self.heads) if name == "d_model" else (self.d_model, value)
        if d_model not in _WIDTHS:
            raise t.TraitError(f"d_model: {d_model} was given; give 4, 6, 8 or 12")
        if d_model % heads:
            raise t.TraitError(
                f"heads: {heads} was given; give a divisor of d_model, which is {d_model}"
            )
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor at the chosen stage."""
        if self.stage == _SCORES:
            return (1, self.heads, self.n, self.n)
        return self.arrangement().shape

    def arrangement(self) -> np.ndarray:
        """Return which number stands where at the chosen stage; from the mix on, in its place.

        Raises:
            ValueError: At the scores, which are not these numbers.
        """
        if self.stage == _SCORES:
            raise ValueError("stage: 4, the scores, are made of products of these numbers")
        flat = np.arange(self.n * self.d_model).reshape(1, self.n, self.d_model)
        apart = (1, self.n, self.heads, self.d_model // self.heads)
        by_head = (1, self.heads, self.n, self.d_model // self.heads)
        cut = flat.reshape(by_head) if self.wrong else flat.reshape(apart).transpose(0, 2, 1, 3)
        back = cut.transpose(0, 2, 1, 3)
        reshaped = cut if self.wrong else flat.reshape(apart)
        return (flat, flat, reshaped, cut, cut, cut, back, back.reshape(flat.shape), flat)[
            self.stage
        ]

    def describe(self) -> str:
        """Return the stage and its shape."""
        return (
            f"Multi-head attention, step {self.stage} of {len(STAGES) - 1}, {STAGES[self.stage]}: "
            f"shape {self.shape}, {self.n} words, {self.heads} heads of {self.d_model // self.heads}."
        )

    def picture(self) -> str:
        """Return the numbers of the words, and the same cut for the heads, as SVG."""
        colours = PALETTE["light"]
        size = self.d_model // self.heads
        parts = []
        for i, token in enumerate(self.tokens[: self.n]):
            y = 70 + 30 * i
            name = html.escape(token)
            parts.append(f'<text x="10" y="{y + 18}">{name}</text>')
            for c in range(self.d_model):
                x = 90 + 30 * c + 14 * (c // size)
                head = c // size
                fill = colours["raised"] if head % 2 else colours["weights"][1]
                number = i * self.d_model + c
                parts.append(
                    f'<rect x="{x}" y="{y}" width="28" height="26" fill="{fill}"/>'
                    f'<text x="{x + 14}" y="{y + 18}" text-anchor="middle">{number}</text>'
                )
        for head in range(self.heads):
            x = 90 + 30 * size * head + 14 * head
            parts.append(f'<text x="{x}" y="60">{"head " if size > 1 else ""}{head + 1}</text>')
        width = max(720, 100 + 30 * self.d_model + 14 * self.heads)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{90 + 30 * self.n}" '
            f'font-size="13" font-family="sans-serif"><rect width="100%" height="100%" '
            f'fill="{colours["paper"]}"/><text x="10" y="28">{html.escape(self.describe())}</text>'
            f"{''.join(parts)}</svg>"
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        return (432 + self._figure(830, 64, 30), 528 + self._figure(330, 44, 24))

    def _figure(self, room: int, label: int, cell: int) -> int:
        """Pixels of the tallest stage; mirrors the layout in the JavaScript."""
        n, d, heads = self.n, self.d_model, self.heads
        cell = min(cell, (room - label) // d)
        heights = [n * cell + 16]
        for blocks, rows, columns in (
            (n, heads, d // heads),
            (heads, n, d // heads),
            (heads, n, n),
        ):
            per_line = max(1, (room + 16) // (label + columns * cell + 16))
            heights.append(math.ceil(blocks / per_line) * (20 + rows * cell + 16))
        return max(heights)
