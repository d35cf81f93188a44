"""A mask to paint: what may look where, and what can have arrived after several layers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import matrix_svg

_BESIDE = 6  # tokens for which mask and drawing stand side by side on a wide page; mirrors mask_painter.js
_MOST = 10  # tokens: smaller cells could not be hit with a finger on a phone


class MaskPainter(Widget):
    """Who may look at whom: a mask to paint, and whether it lets a later word leak.

    Rows are queries, columns are keys. A mask is 1 (or True) where a query may look. The reader paints
    cells, picks a query, and sees what can have reached it through some layers.
    Explained in chapters/week2-transformers/three-kinds-of-attention.ipynb.

    Args:
        tokens: the words, up to 10.
        masks: name → mask (n, n), to begin from; the first is shown. By default everything and causal.
        source_tokens: the words of another sentence, up to 10, for cross-attention.
        cross_masks: name → mask (n, n_source), likewise; needs `source_tokens`.
        scores: (n, n), what the weights of masks (n, n) are made from; by default all scores are equal.
        **state: first values of the synced traits (`layers`, `row`, `column`).

    Raises:
        ValueError: no tokens or too many, no masks, a mask that is not 0 and 1 or of another shape,
            `source_tokens` without `cross_masks` or the reverse, scores that are not finite.
        TraitError: a number of layers, a row or a column out of range.
    """

    tokens = t.List(t.Unicode()).tag(sync=True)
    source_tokens = t.List(t.Unicode()).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    presets = t.List(t.List(t.Unicode())).tag(sync=True)
    crossed = t.List(t.Bool()).tag(sync=True)
    scores = Array()
    # The browser writes the mask back: one text of 0 and 1 for each query, short and comparable.
    rows = t.List(t.Unicode()).tag(sync=True)
    across = t.Bool(default_value=False).tag(sync=True)
    layers = t.Int(1, min=1, max=6).tag(sync=True)
    row = t.Int(0, min=0).tag(sync=True)
    column = t.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        masks: Mapping[str, Any] | None = None,
        *,
        source_tokens: Sequence[str] | None = None,
        cross_masks: Mapping[str, Any] | None = None,
        scores: Any = None,  # noqa: ANN401
        **state: Any,  # noqa: ANN401
    ) -> None:
        tokens = _checked_tokens("tokens", tokens)
        n = len(tokens)
        if (source_tokens is None) != (cross_masks is None):
            missing = "source_tokens" if source_tokens is None else "cross_masks"
            raise ValueError(f"{missing}: missing; cross-attention needs both")
        source = [] if source_tokens is None else _checked_tokens("source_tokens", source_tokens)
        if masks is None:
            masks = {"everything": np.ones((n, n)), "causal": np.tri(n)}
        if not masks:
            raise ValueError("masks: there is none; give at least one, as {'causal': mask}")
        of_self = _checked_masks("masks", masks, (n, n))
        of_cross = _checked_masks("cross_masks", cross_masks or {}, (n, len(source)))
        presets = [*of_self.values(), *of_cross.values()]
        super().__init__(
            tokens=tokens,
            source_tokens=source,
            names=[*of_self, *of_cross],
            presets=presets,
            crossed=[False] * len(of_self) + [True] * len(of_cross),
            scores=None if scores is None else _checked_scores(scores, n),
            rows=presets[0],
            **state,
        )

    @t.validate("row", "column")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        size = len(self.tokens)
        if name == "column":
            size = max(size, len(self.source_tokens))
        if size and proposal["value"] >= size:
            raise t.TraitError(
                f"{name}: {proposal['value']} was given, there are {size} (0 to {size - 1})"
            )
        return proposal["value"]

    @t.validate("rows")
    def _of_ones_and_zeros(self, proposal: dict) -> list[str]:
        rows = proposal["value"]
        n = len(self.tokens) or len(rows)
        if len(rows) != n or any(set(row) - {"0", "1"} or not row for row in rows):
            raise t.TraitError(f"rows: {rows} was given; give {n} texts of 0 and 1, one a query")
        return rows

    def current_mask(self) -> np.ndarray:
        """Return the mask as painted, boolean (n_q, n_k)."""
        return np.array([[cell == "1" for cell in row] for row in self.rows])

    def current_weights(self) -> np.ndarray:
        """Return the weights (n_q, n_k) under the mask; a row that may look at nothing is all zero."""
        mask = self.current_mask()
        scores = np.zeros(mask.shape) if self.scores is None or self.across else self.scores
        powers = np.where(mask, np.exp(scores - scores.max(-1, keepdims=True)), 0.0)
        return powers / np.maximum(powers.sum(-1, keepdims=True), 1e-30)

    def describe(self) -> str:
        """Return, in a sentence, what the chosen row may look at."""
        keys = self.source_tokens if self.across else self.tokens
        seen = [
            word for word, open_ in zip(keys, self.current_mask()[self.row], strict=True) if open_
        ]
        return f"A mask: “{self.tokens[self.row]}” may look at {', '.join(seen) or 'nothing'}."

    def picture(self) -> str:
        """Return the weights under the mask as SVG."""
        keys = self.source_tokens if self.across else self.tokens
        return matrix_svg(self.current_weights(), self.tokens, keys)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the CSS."""
        n, columns = len(self.tokens), max(len(self.tokens), len(self.source_tokens))
        drawing = 34 * n + 62
        picture = min(1.0, 330 / (74 + 40 * columns)) * drawing
        below = drawing + 40 if columns > _BESIDE else 0
        chips = sum(8 * len(name) + 36 for name in self.names) + 80
        letters = max(
            len("".join(words)) + 7 * len(words) for words in (self.tokens, self.source_tokens)
        )

        def lines(width: int, chips_width: int) -> int:
            return 44 * math.ceil((letters + 36) / width) + 38 * math.ceil(chips / chips_width)

        return (
            34 * n + 326 + below + lines(100, 700),
            round(31 * n + picture) + (514 if any(self.crossed) else 474) + lines(40, 300),
        )


def _checked_tokens(name: str, tokens: Sequence[str]) -> list[str]:
    tokens = [str(token) for token in tokens]
    if not 1 <= len(tokens) <= _MOST:
        raise ValueError(f"{name}: {len(tokens)} were given; give 1 to {_MOST}")
    return tokens


def _checked_masks(name: str, masks: Mapping[str, Any], shape: tuple[int, int]) -> dict:
    rows = {}
    for title, mask in masks.items():
        try:
            array = to_numpy(mask)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{name}: {title!r} cannot be made one array of numbers ({error}); give a boolean "
                f"tensor of shape {shape}"
            ) from error
        if array.shape != shape:
            raise ValueError(
                f"{name}: {title!r} has shape {array.shape}; {shape[0]} queries and {shape[1]} keys "
                f"need {shape}"
            )
        if not np.isin(array, (0, 1)).all():
            raise ValueError(
                f"{name}: {title!r} holds {array[~np.isin(array, (0, 1))][0]}; give a boolean mask, "
                "True (or 1) where a query may look; of a mask to be added, give `mask == 0`"
            )
        rows[str(title)] = ["".join("1" if cell else "0" for cell in row) for row in array]
    return rows


def _checked_scores(scores: Any, n: int) -> np.ndarray:  # noqa: ANN401
    array = to_numpy(scores)
    if array.shape != (n, n):
        raise ValueError(f"scores: shape {array.shape} does not fit {n} tokens; give ({n}, {n})")
    if not np.isfinite(array).all():
        raise ValueError("scores: holds NaN or infinity; give the scores before any mask")
    return array
