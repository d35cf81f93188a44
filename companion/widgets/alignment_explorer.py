"""A translation's alignment: which words of the source each word of the target looks at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_TOLERANCE = 1e-2
_ROW = 28  # pixels, as in lib/alignment_view.js


@dataclass(frozen=True)
class Alignment:
    """One sentence in two languages, and how much each target word takes of each source word.

    Attributes:
        source: the words that are looked at: the keys.
        target: the words that look: the queries.
        weights: (n_target, n_source), each row sums to 1; or
        scores: (n_target, n_source), before the softmax; -inf where a word may not look.
        note: what it is and where it comes from, in a sentence or two.
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: Any = None
    scores: Any = None
    note: str = ""


class AlignmentExplorer(Widget):
    """Source and target words joined by links as strong as the attention between them, and as a matrix.

    Rows are target words (queries), columns source words (keys). The reader chooses an example and a
    target word, and turns the look-up from soft to that of a dictionary by the temperature that divides
    the scores. Explained in chapters/week1-translation/soft-look-up.ipynb.

    Args:
        examples: {label: Alignment}; the first is shown.
        **state: first values of `example`, `row` (the chosen target word) and `temperature` (0 to 8; at
            0 all weight goes to the best score).

    Raises:
        ValueError: If there are no examples, or one has no words, neither or both of weights and scores,
            shapes that do not fit, rows of weights that do not sum to 1, NaN, or a row in which nothing
            may be looked at.
        TraitError: If a state is out of range.
    """

    labels = t.List(t.Unicode()).tag(sync=True)
    notes = t.List(t.Unicode()).tag(sync=True)
    sources = t.List(t.List(t.Unicode())).tag(sync=True)
    targets = t.List(t.List(t.Unicode())).tag(sync=True)
    scores = Array()
    softens = t.List(t.Bool()).tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    row = t.Int(0, min=0).tag(sync=True)
    temperature = t.Float(1.0, min=0.0, max=8.0).tag(sync=True)

    def __init__(self, examples: Mapping[str, Alignment], **state: Any) -> None:  # noqa: ANN401
        if not examples:
            raise ValueError("examples: there is none; give at least one Alignment")
        scores = [_scores_of(label, example) for label, example in examples.items()]
        super().__init__(
            labels=list(examples),
            notes=[example.note for example in examples.values()],
            sources=[[str(word) for word in example.source] for example in examples.values()],
            targets=[[str(word) for word in example.target] for example in examples.values()],
            scores=np.concatenate([each.ravel() for each in scores]),
            softens=[_softens(each) for each in scores],
            **state,
        )

    @t.validate("example")
    def _known(self, proposal: dict) -> int:
        return self._inside("example", proposal["value"], len(self.labels))

    @t.validate("row")
    def _a_word(self, proposal: dict) -> int:
        most = max((len(words) for words in self.targets), default=0)
        return self._inside("row", proposal["value"], most)

    def _inside(self, name: str, value: int, size: int) -> int:
        if size and value >= size:
            raise t.TraitError(f"{name}: {value} was given, there are {size} (0 to {size - 1})")
        return value

    def current_weights(self) -> np.ndarray:
        """Return the weights (n_target, n_source) of the chosen example, as the view shows them."""
        sizes = [
            len(source) * len(target)
            for source, target in zip(self.sources, self.targets, strict=True)
        ]
        start = sum(sizes[: self.example])
        scores = self.scores[start : start + sizes[self.example]].astype(np.float64)
        scores = scores.reshape(len(self.targets[self.example]), -1)
        scores = scores - scores.max(-1, keepdims=True)
        if self.temperature:
            powers = np.exp(scores / self.temperature)
        else:
            powers = (scores == 0).astype(np.float64)
        return powers / powers.sum(-1, keepdims=True)

    def describe(self) -> str:
        """Return, in a sentence, where the chosen target word looks."""
        row = min(self.row, len(self.targets[self.example]) - 1)
        weights = self.current_weights()[row]
        best = int(weights.argmax())
        word, other = self.targets[self.example][row], self.sources[self.example][best]
        return (
            f"Alignment, {self.labels[self.example]}: “{word}” looks most at “{other}” "
            f"({100 * weights[best]:.0f} %)."
        )

    def picture(self) -> str:
        """Return the two columns of words and their links as SVG."""
        source, target = self.sources[self.example], self.targets[self.example]
        colours = PALETTE["light"]
        words = [
            f'<text x="{x}" y="{_y(i) + 5:.0f}" text-anchor="{anchor}" fill="{colours[name]}">'
            f"{xml_text(word)}</text>"
            for x, anchor, name, side in (
                (150, "end", "key", source),
                (330, "start", "query", target),
            )
            for i, word in enumerate(side)
        ]
        links = [
            f'<path d="M158,{_y(j)} C240,{_y(j)} 240,{_y(i)} 322,{_y(i)}" '
            f'stroke-width="{1 + 4 * weight:.1f}" stroke-opacity="{0.2 + 0.8 * weight:.2f}"/>'
            for i, row in enumerate(self.current_weights())
            for j, weight in enumerate(row)
            if weight >= 0.04
        ]
        height = _ROW * max(len(source), len(target)) + 20
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="480" height="{height}" '
            f'viewBox="0 0 480 {height}" font-family="sans-serif" font-size="15">'
            f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>'
            f'<g fill="none" stroke="{colours["accent"]}">{"".join(links)}</g>{"".join(words)}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        tallest = max(len(words) for words in (*self.sources, *self.targets))
        longest = max(len(words) for words in self.targets)
        chips = sum(len(label) + 7 for label in self.labels) if len(self.labels) > 1 else 0
        wide = 38 * math.ceil(chips / 76) + 92 + _ROW * tallest
        narrow = 38 * math.ceil(chips / 32) + 148 + _ROW * tallest + 24 * longest
        return (wide + 190, narrow + 336)


def _y(i: int) -> float:
    return 10 + (i + 0.5) * _ROW


def _scores_of(label: str, example: Alignment) -> np.ndarray:
    """Return the scores (n_target, n_source) of an example, float32; of weights their logarithms."""
    name = f"examples: {label!r}"
    for side in ("source", "target"):
        words = getattr(example, side, None)
        if isinstance(words, str) or not words:
            raise ValueError(
                f"{name} has {words!r} as its {side}; give an Alignment with a list of words"
            )
    if (example.weights is None) == (example.scores is None):
        raise ValueError(f"{name}: give either weights or scores")
    given = "scores" if example.weights is None else "weights"
    array = to_numpy(getattr(example, given))
    expected = (len(example.target), len(example.source))
    if array.shape != expected:
        raise ValueError(
            f"{name}: {given} have shape {array.shape}; for {expected[0]} target and {expected[1]} "
            f"source words it must be {expected}"
        )
    if np.isnan(array).any() or np.isposinf(array).any():
        raise ValueError(f"{name}: {given} hold NaN or infinity")
    if given == "scores":
        _check_some(name, np.isfinite(array), example)
        return array
    sums = array.sum(-1)
    wrong = (array.min(-1) < 0) | (np.abs(sums - 1) > _TOLERANCE)
    if wrong.any():
        row = int(wrong.argmax())
        found = (
            "has a negative weight" if array[row].min() < 0 else f"sums to {sums[row]:.3f}, not 1"
        )
        raise ValueError(
            f"{name}: row {row} ({str(example.target[row])!r}) {found}; give the weights after the "
            "softmax over the source words, a row for each target word"
        )
    with np.errstate(divide="ignore"):  # a weight of 0 has the score -inf
        return np.log(array)


def _check_some(name: str, seen: np.ndarray, example: Alignment) -> None:
    if not seen.any(-1).all():
        row = int((~seen.any(-1)).argmax())
        raise ValueError(
            f"{name}: scores of row {row} ({str(example.target[row])!r}) are all -inf; a word must "
            "have somewhere to look"
        )


def _softens(scores: np.ndarray) -> bool:
    """Whether a temperature changes anything: not where all that is looked at has the same score."""
    best = scores.max(-1, keepdims=True)
    return bool(((scores != best) & np.isfinite(scores)).any())
