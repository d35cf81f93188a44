"""What widgets that show the tree of a beam search hold, say, draw and send."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.picture import PALETTE, xml_text

WIDEST = 5
_ROW, _LEFT = 46, 22  # pixels of the tree; mirrors lib/tree.js


class Table(Protocol):
    """What the search asks; `companion.beginnings.beginnings` makes one, of beams up to 5 wide.

    Attributes:
        texts: the beginnings, the empty one first, each after all that are shorter.
        tokens: (beginnings, n), the likeliest next tokens of each, likeliest first.
        log_probabilities: of these, (beginnings, n).
        ends: the tokens that end a text.
        longest: the largest number of tokens of a text.
    """

    texts: Sequence[tuple[int, ...]]
    tokens: Any
    log_probabilities: Any
    ends: Sequence[int]
    longest: int


class BeamState(t.HasTraits):
    """The state of a search over tables, one for each example; lib/beam_view.js shows it."""

    ends = t.List(t.List(t.Int())).tag(sync=True)
    longest = t.List(t.Int(min=1)).tag(sync=True)
    firsts = t.List(t.Int()).tag(sync=True)
    rows = Array()
    tokens = Array()
    log_probabilities = Array()
    example = t.Int(0, min=0).tag(sync=True)
    width = t.Int(2, min=1, max=WIDEST).tag(sync=True)
    alpha = t.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    penalty = t.Enum(["gnmt", "power"], default_value="gnmt").tag(sync=True)
    step = t.Int(99, min=0).tag(sync=True)
    followed = t.List(t.Int(min=0), maxlen=2).tag(sync=True)

    @t.validate("example")
    def _check_example(self, proposal: dict) -> int:
        if self.firsts and proposal["value"] >= len(self.firsts):
            raise t.TraitError(f"example is {proposal['value']}: there are {len(self.firsts)}")
        return proposal["value"]

    @property
    def tree_height(self) -> int:
        """Pixels of the tree's rows, at most."""
        return 2 * self.width * _ROW


class Packed(NamedTuple):
    """A table as it is sent."""

    first: int  # its first row
    rows: np.ndarray
    tokens: np.ndarray
    odds: np.ndarray
    ends: list[int]
    longest: int


def packed(label: str, table: Table, number: dict[int, int], first: int) -> Packed:
    """Pack a table, with tokens numbered anew.

    Args:
        label: of the example, for messages.
        table: what the model says.
        number: the new number of each token.
        first: the row of the empty text, after those of other tables.

    Raises:
        ValueError: If the table has a beginning before the one that it continues.
    """
    places: dict[tuple[int, ...], int] = {}
    for text in map(tuple, table.texts):
        if text and text[:-1] not in places:
            raise ValueError(
                f"examples: {label!r} has the beginning {text}, and not {text[:-1]} before it; "
                "give the empty one first, and shorter ones before longer ones"
            )
        places[text] = first + len(places)
    return Packed(
        first,
        np.array([[places[x[:-1]], number[x[-1]]] if x else [-1, -1] for x in places]),
        np.vectorize(number.get, otypes=[np.float32])(np.asarray(table.tokens)),
        to_numpy(table.log_probabilities),
        [number[token] for token in table.ends],
        int(table.longest),
    )


def used_tokens(label: str, table: Table, n_words: int) -> list[int]:
    """Return the tokens that a table has, in order.

    Raises:
        ValueError: If there is no word for one of them.
    """
    tokens = np.asarray(table.tokens).flatten().tolist()
    used = {*tokens, *table.ends, *(i for text in table.texts for i in text)}
    wrong = [token for token in used if not 0 <= token < n_words]
    if wrong:
        raise ValueError(
            f"examples: {label!r} has the token {wrong[0]}, and words for {n_words}; give one for each"
        )
    return sorted(used)


def together(parts: Sequence[Packed]) -> dict[str, Any]:
    """Return the state of `BeamState` that these tables make."""
    return {
        "ends": [part.ends for part in parts],
        "longest": [part.longest for part in parts],
        "firsts": [part.first for part in parts],
        "rows": np.concatenate([part.rows for part in parts]).astype(np.float32),
        "tokens": _stacked([part.tokens for part in parts], -1),
        "log_probabilities": _stacked([part.odds for part in parts], -math.inf),
    }


def said_of(width: int, what: str) -> str:
    """Return, in a sentence, what a beam does: `what` is behind "searches for"."""
    return (
        f"A beam of width {width} searches for {what}: in each step it keeps {width} of the "
        "beginnings, and prunes the others."
    )


def first_step(state: BeamState, word: Callable[[int], str]) -> str:
    """Return the first step of a search as SVG: the likeliest first words, and which are kept."""
    first = state.firsts[state.example]
    colours, parts = PALETTE["light"], []
    pairs = zip(state.tokens[first], state.log_probabilities[first], strict=True)
    nodes = [(word(int(token)), odds) for token, odds in pairs if odds > -math.inf]
    for place, (text, odds) in enumerate(nodes[: 2 * state.width]):
        y = 10 + place * _ROW
        kept = place < state.width
        line = f'stroke="{colours["accent" if kept else "masked"]}"'
        dash = "" if kept else ' stroke-dasharray="4 3"'
        parts.append(
            f'<path d="M{_LEFT},{10 + _ROW / 2} C60,{10 + _ROW / 2} 60,{y + 19} 90,{y + 19}" '
            f'fill="none" {line}{dash}/>'
            f'<rect x="90" y="{y}" width="220" height="38" rx="8" fill="none" {line}{dash}/>'
            f'<text x="102" y="{y + 24}" fill="{colours["ink" if kept else "muted"]}">'
            f"{xml_text(text)}  {math.exp(odds):.2f}</text>"
        )
    height = 20 + _ROW * max(1, len(parts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="330" height="{height}" '
        f'viewBox="0 0 330 {height}" font-family="sans-serif" font-size="14">'
        f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>{"".join(parts)}</svg>'
    )


def _stacked(tables: list[np.ndarray], filling: float) -> np.ndarray:
    """Put tables of different widths below each other, as float32."""
    width = max(table.shape[1] for table in tables)
    filled = [
        np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=filling)
        for table in tables
    ]
    return np.concatenate(filled).astype(np.float32)
