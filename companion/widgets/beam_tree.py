"""A beam search that grows step by step, as a tree: what is kept, what is pruned, what was found."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, _text

_WIDEST = 5
_COLUMN, _ROW, _LEFT = 118, 46, 22  # pixels of the tree; mirrors beam_tree.js


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


class BeamTree(Widget):
    """Watch a beam search keep, prune and rank: its width, its length penalty, every step.

    The search runs where the reader is, over a table of what the model says behind each beginning.
    A tap on a word follows its text back to the start. Explained in
    chapters/week1-translation/choosing-words.ipynb.

    Args:
        examples: {label: (source, table, words)}: what is translated (or ""), what the model says (see
            `Table`), and the text of each token; the first is shown.
        **state: first values of `example` (its number), `width` (1 to 5), `alpha` (0 to 2), `penalty`
            ("gnmt" or "power"), `step` (how many steps are shown; all that there are, if fewer) and
            `followed` ([step, place], both from 0, of the word whose text is shown; else [], the best).

    Raises:
        ValueError: If there are no examples, or a table has a beginning before the one that it
            continues, or a token without a text.
        TraitError: If a state is out of range.
    """

    labels = t.List(t.Unicode()).tag(sync=True)
    sources = t.List(t.Unicode()).tag(sync=True)
    words = t.List(t.Unicode()).tag(sync=True)
    ends = t.List(t.List(t.Int())).tag(sync=True)
    longest = t.List(t.Int(min=1)).tag(sync=True)
    firsts = t.List(t.Int()).tag(sync=True)
    rows = Array()
    tokens = Array()
    log_probabilities = Array()
    example = t.Int(0, min=0).tag(sync=True)
    width = t.Int(2, min=1, max=_WIDEST).tag(sync=True)
    alpha = t.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    penalty = t.Enum(["gnmt", "power"], default_value="gnmt").tag(sync=True)
    step = t.Int(99, min=0).tag(sync=True)
    followed = t.List(t.Int(min=0), maxlen=2).tag(sync=True)

    def __init__(
        self,
        examples: dict[str, tuple[str, Table, Sequence[str]]],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not examples:
            raise ValueError("examples: there is none; give at least one")
        parts: list[_Part] = []
        for label, example in examples.items():
            n_words = sum(len(part.words) for part in parts)
            parts.append(_packed(label, *example, n_words, sum(len(part.rows) for part in parts)))
        super().__init__(
            labels=list(examples),
            sources=[source for source, _, _ in examples.values()],
            words=[word for part in parts for word in part.words],
            ends=[part.ends for part in parts],
            longest=[int(table.longest) for _, table, _ in examples.values()],
            firsts=[int(part.first) for part in parts],
            rows=np.concatenate([part.rows for part in parts]).astype(np.float32),
            tokens=_stacked([part.tokens for part in parts], -1),
            log_probabilities=_stacked([part.odds for part in parts], -math.inf),
            **state,
        )

    @t.validate("example")
    def _check_example(self, proposal: dict) -> int:
        if self.labels and proposal["value"] >= len(self.labels):
            raise t.TraitError(f"example is {proposal['value']}: there are {len(self.labels)}")
        return proposal["value"]

    def describe(self) -> str:
        """Return, in a sentence, what is searched, and with which beam."""
        source = self.sources[self.example]
        what = f"for “{source}”" if source else f"of the example “{self.labels[self.example]}”"
        return (
            f"A beam of width {self.width} searches for the likeliest text {what}: in each step it keeps "
            f"{self.width} of the beginnings, and prunes the others."
        )

    def picture(self) -> str:
        """Return the first step of the search as SVG: the likeliest first words, and which are kept."""
        first = self.firsts[self.example]
        colours, parts = PALETTE["light"], []
        pairs = zip(self.tokens[first], self.log_probabilities[first], strict=True)
        nodes = [(self.words[int(token)], odds) for token, odds in pairs if odds > -math.inf]
        for place, (word, odds) in enumerate(nodes[: 2 * self.width]):
            y = 10 + place * _ROW
            kept = place < self.width
            line = f'stroke="{colours["accent" if kept else "masked"]}"'
            dash = "" if kept else ' stroke-dasharray="4 3"'
            parts.append(
                f'<path d="M{_LEFT},{10 + _ROW / 2} C60,{10 + _ROW / 2} 60,{y + 19} 90,{y + 19}" '
                f'fill="none" {line}{dash}/>'
                f'<rect x="90" y="{y}" width="220" height="38" rx="8" fill="none" {line}{dash}/>'
                f'<text x="102" y="{y + 24}" fill="{colours["ink" if kept else "muted"]}">'
                f"{_text(word)}  {math.exp(odds):.2f}</text>"
            )
        height = 20 + _ROW * max(1, len(parts))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="330" height="{height}" '
            f'viewBox="0 0 330 {height}" font-family="sans-serif" font-size="14">'
            f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>{"".join(parts)}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        tree = 2 * self.width * _ROW
        chips = sum(9 * len(label) + 52 for label in self.labels)
        if self.sources[self.example]:  # of a sentence all texts wrap: of ten words, these two lines, those four
            texts, wide, narrow = 106, 49, 100
        else:
            texts, wide, narrow = 0, 32, 34
        return (
            452 + texts + 38 * (chips // 640) + tree + wide * self.width,
            735 + texts + 38 * (chips // 320) + tree + narrow * self.width,
        )


class _Part(NamedTuple):
    """A table as it is sent, with numbers of its own for words: those that it has, of all examples."""

    first: int  # its first row
    rows: np.ndarray
    tokens: np.ndarray
    odds: np.ndarray
    words: list[str]
    ends: list[int]


def _packed(
    label: str, source: object, table: Table, texts: Sequence[str], n_words: int, first: int
) -> _Part:
    if not isinstance(source, str):
        raise ValueError(  # noqa: TRY004 (bad input is a ValueError, in all widgets)
            f"examples: the source of {label!r} is {source!r}; give a text, or ''"
        )
    tokens = np.asarray(table.tokens)
    used = {*tokens.flatten().tolist(), *table.ends, *(i for text in table.texts for i in text)}
    wrong = [token for token in used if not 0 <= token < len(texts)]
    if wrong:
        raise ValueError(
            f"examples: {label!r} has the token {wrong[0]}, and words for {len(texts)}; give one for each"
        )
    number = {token: i for i, token in enumerate(sorted(used), start=n_words)}
    places: dict[tuple[int, ...], int] = {}
    for text in map(tuple, table.texts):
        if text and text[:-1] not in places:
            raise ValueError(
                f"examples: {label!r} has the beginning {text}, and not {text[:-1]} before it; "
                "give the empty one first, and shorter ones before longer ones"
            )
        places[text] = first + len(places)
    return _Part(
        first,
        np.array([[places[x[:-1]], number[x[-1]]] if x else [-1, -1] for x in places]),
        np.vectorize(number.get, otypes=[np.float32])(tokens),
        to_numpy(table.log_probabilities),
        [str(texts[token]) for token in number],
        [number[token] for token in table.ends],
    )


def _stacked(tables: list[np.ndarray], filling: float) -> np.ndarray:
    """Put tables of different widths below each other, as float32."""
    width = max(table.shape[1] for table in tables)
    filled = [
        np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=filling)
        for table in tables
    ]
    return np.concatenate(filled).astype(np.float32)
