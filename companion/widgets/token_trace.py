"""One token's vector on its way through a language model, stage by stage."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array
from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import PALETTE

_NEEDED = ("pieces", "begin", "states", "weights", "best", "odds")
_MOST_TOKENS = 160  # of a reader's own text: more would not fit a phone's screen


class TokenTrace(LiveWidget):
    """Follow one token through a model: its vector, what it looked at, what it would say next.

    The prepared texts are shown at once; a text that the reader types is read by the model, in the
    kernel or on the page. Explained in chapters/week2-transformers/block-stack-model.ipynb.

    Args:
        model: takes texts, and answers `tokens`, `at`, `past_keys` and `past_values` as
            `companion.models.summarizer.graph` does; see `companion.models.live`.
        vocabulary: the text of every token.
        examples: texts read in advance, as `companion.models.summarizer.prepare_trace` makes them:
            {pieces: the text of each of n tokens, begin: the first that can be followed, of m = n -
            begin, states: (2 layers + 1, m, d_model), weights: (layers, heads, m, n), best:
            (2 layers + 1, m, k), numbers of the k likeliest next tokens, odds: of the same shape, how
            likely each is}.
        separator: a token that stands between what is given and what the model writes, if there is
            one; only what comes from it on can be followed.
        end: the token with which the model ends, if there is one.
        **state: first values of `example`, `own` (a text of the reader's, or None), `token` (-1: the
            last), `stage`, `head` (-1: the mean of all).

    Raises:
        ValueError: If there are no examples, or what they hold does not fit together.
        TraitError: If a choice is out of range.
    """

    vocabulary = t.List(t.Unicode()).tag(sync=True)
    pieces = t.List(t.List(t.Unicode())).tag(sync=True)
    begins = t.List(t.Int()).tag(sync=True)
    separator = t.Unicode("").tag(sync=True)
    end = t.Unicode("").tag(sync=True)
    states = Array()  # (followed tokens, 2 layers + 1, d_model)
    weights = Array()  # (followed tokens, layers, heads, n of the longest)
    best = Array()  # (followed tokens, 2 layers + 1, k)
    odds = Array()  # likewise
    longest = t.Int(_MOST_TOKENS, min=1).tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    token = t.Int(-1, min=-1).tag(sync=True)
    stage = t.Int(0, min=0).tag(sync=True)
    head = t.Int(-1, min=-1).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        vocabulary: Sequence[str],
        examples: Sequence[dict[str, Any]],
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one text read in advance")
        for number, example in enumerate(examples):
            _check(number, example, examples[0], len(vocabulary))
        for name in ("separator", "end"):
            if state.get(name) and state[name] not in vocabulary:
                raise ValueError(
                    f"{name}: {state[name]!r} is not among the tokens of the vocabulary"
                )
        most = max(len(example["pieces"]) for example in examples)
        super().__init__(
            model,
            vocabulary=list(vocabulary),
            pieces=[list(example["pieces"]) for example in examples],
            begins=[int(example["begin"]) for example in examples],
            states=_by_token(examples, "states", np.float16),
            weights=np.concatenate([_padded(e["weights"], most) for e in examples]),
            best=_by_token(examples, "best", np.float32),
            odds=_by_token(examples, "odds", np.float16),
            **state,
        )

    @t.validate("example", "token", "stage", "head")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        if self.weights is None:
            return proposal["value"]
        size = {
            "example": len(self.pieces),
            "token": max(len(pieces) for pieces in self.pieces) if self.own is None else 10**9,
            "stage": self.states.shape[1],
            "head": self.weights.shape[2],
        }[name]
        if proposal["value"] >= size:
            raise t.TraitError(
                f"{name}: {proposal['value']} was given, there are {size} (0 to {size - 1})"
            )
        return proposal["value"]

    @property
    def chosen(self) -> tuple[list[str], int, int]:
        """The example's tokens, which one is chosen, and its row in the arrays."""
        pieces, begin = self.pieces[self.example], self.begins[self.example]
        last = len(pieces) - 1
        at = last if self.token < 0 else min(max(self.token, begin), last)
        before = zip(self.pieces[: self.example], self.begins, strict=False)
        return pieces, at, sum(len(p) - b for p, b in before) + at - begin

    def lengths(self) -> np.ndarray:
        """Return how long the chosen token's vector is at each stage, (2 layers + 1,)."""
        return np.linalg.norm(self.states[self.chosen[2]].astype(np.float32), axis=-1)

    def describe(self) -> str:
        """Return, in a sentence, what becomes of the token."""
        pieces, at, row = self.chosen
        lengths, says = self.lengths(), self._says(row)
        return (
            f"“{pieces[at].strip()}” on its way through {self.weights.shape[1]} layers: its vector is "
            f"{lengths[0]:.2f} long at first and {lengths[-1]:.2f} at last; the model then goes on "
            f"with “{says[-1][0].strip()}” ({says[-1][1]:.0%})."
        )

    def picture(self) -> str:
        """Return the stages as SVG: a bar for the vector's length, and what it would say."""
        colours = PALETTE["light"]
        lengths, says = self.lengths(), self._says(self.chosen[2])
        rows = []
        for stage, length in enumerate(lengths):
            word, share = says[stage]
            y = 20 + 26 * stage
            rows.append(
                f'<text x="10" y="{y + 13}" fill="{colours["ink"]}">{stage_name(stage)}</text>'
                f'<rect x="150" y="{y}" height="16" width="{200 * length / lengths.max():.0f}" '
                f'fill="{colours[_INK[stage and 2 - stage % 2]]}"/>'
                f'<text x="360" y="{y + 13}" fill="{colours["muted"]}">{length:.2f}</text>'
                f'<text x="420" y="{y + 13}" fill="{colours["ink"]}">{xml_text(word)} '
                f"{share:.0%}</text>"
            )
        height = 26 * len(lengths) + 30
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="{height}" font-size="15" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="{colours["paper"]}"/>'
            f"{''.join(rows)}</svg>"
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); a longer text takes more lines."""
        pieces, begin = self.pieces[self.example], self.begins[self.example]
        turns = [len(line) for line in "".join(pieces[:begin]).splitlines()]
        letters = sum(len(piece) + 3 for piece in pieces[begin:])
        chips = sum(min(26, len("".join(each))) + 7 for each in (*self.pieces, "write your own"))

        def room(beside: int, a_chip_line: int, a_line: int, a_token_line: int) -> int:
            lines = sum(math.ceil(turn / a_line) for turn in turns)
            written = math.ceil(letters / a_token_line)
            return beside + 38 * math.ceil(chips / a_chip_line) + 46 * lines + 51 * written

        stages = 32 * self.states.shape[1]
        return (room(stages + 542, 90, 100, 75), room(stages + 772, 36, 40, 36))

    def _says(self, row: int) -> list[tuple[str, float]]:
        words, shares = self.best[row, :, 0], self.odds[row, :, 0]
        return [(self.vocabulary[int(w)], float(p)) for w, p in zip(words, shares, strict=True)]


_INK = ("muted", "query", "value")  # of the embedding, attention, feed-forward


def stage_name(stage: int) -> str:
    """Return the name of a stage, as a reader sees it."""
    if stage == 0:
        return "embedding"
    return f"+ {'attention' if stage % 2 else 'feed-forward'} {(stage + 1) // 2}"


def xml_text(piece: str) -> str:
    """Text for XML, which cannot hold control characters."""
    return html.escape("".join(letter for letter in piece if letter.isprintable()).strip())


def _by_token(examples: Sequence[dict], name: str, dtype: type) -> np.ndarray:
    """Put the followed tokens of all examples below each other, (tokens, 2 layers + 1, …)."""
    parts = [np.asarray(example[name]).swapaxes(0, 1) for example in examples]
    return np.concatenate(parts).astype(dtype)


def _padded(weights: np.ndarray, most: int) -> np.ndarray:
    """Weights (layers, heads, m, n) as (m, layers, heads, most)."""
    moved = np.moveaxis(np.asarray(weights), 2, 0).astype(np.float16)
    return np.pad(moved, [(0, 0)] * 3 + [(0, most - moved.shape[-1])])


def _check(number: int, example: dict, first: dict, n_words: int) -> None:
    missing = [name for name in _NEEDED if name not in example]
    if missing:
        raise ValueError(f"examples: number {number} has no {', '.join(missing)}")
    n = len(example["pieces"])
    layers, heads, *_ = np.shape(first["weights"])
    stages, width = 2 * layers + 1, np.shape(first["states"])[-1]
    m = n - example["begin"]
    if not 1 <= m <= n:
        raise ValueError(
            f"examples: begin of number {number} is {example['begin']}; of its {n} tokens at least "
            "one must be left to follow"
        )
    k = np.shape(first["best"])[-1]
    needed = {
        "states": (stages, m, width),
        "weights": (layers, heads, m, n),
        "best": (stages, m, k),
        "odds": (stages, m, k),
    }
    for name, shape in needed.items():
        if np.shape(example[name]) != shape:
            raise ValueError(
                f"examples: {name} of number {number} has shape {np.shape(example[name])}; with "
                f"{n} tokens, {m} of them to follow, it must be {shape}"
            )
    if np.min(example["best"]) < 0 or np.max(example["best"]) >= n_words:
        raise ValueError(
            f"examples: best of number {number} names a token that is not among the {n_words} of "
            "the vocabulary"
        )
