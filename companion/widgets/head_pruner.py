"""Prune heads by hand: what each subset of the heads of two layers still answers."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE

_KEYS = {"label", "words", "pronoun", "right", "wrong"}


class HeadPruner(Widget):
    """Switch heads off, one by one, and read how many sentences a network still answers rightly.

    Every subset was measured in advance. A subset is a number: bit 0 is set where head 1 of layer 1 is
    kept, and so on through both layers. Explained in chapters/week2-transformers/many-heads.ipynb.

    Args:
        networks: their names.
        sentences: to look at, all with n words: {label, words, pronoun, right, wrong}, the last three
            being positions: of the pronoun, and of the right and the wrong noun.
        accuracy: (networks, subsets), share of sentences answered rightly with each subset.
        measured: on how many sentences.
        odds: (networks, sentences, subsets), logit of the right noun minus that of the wrong one.
        first: (networks, sentences, heads, n, n), attention weights of layer 1.
        second: (networks, sentences, subsets of layer 1, heads, n, n), those of layer 2.
        **state: first values of `kept` (a subset; at first all heads), `network`, `sentence`.

    Raises:
        ValueError: If there is no network or sentence, or shapes do not fit together.
        TraitError: If a choice is out of range.
    """

    networks = t.List(t.Unicode()).tag(sync=True)
    sentences = t.List(t.Dict()).tag(sync=True)
    heads = t.Int(min=1).tag(sync=True)
    measured = t.Int(min=1).tag(sync=True)
    accuracy = Array()
    odds = Array()
    first = Array()
    second = Array()
    kept = t.Int(0, min=0).tag(sync=True)
    network = t.Int(0, min=0).tag(sync=True)
    sentence = t.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        *,
        networks: Sequence[str],
        sentences: Sequence[dict],
        accuracy: Any,  # noqa: ANN401
        measured: int,
        odds: Any,  # noqa: ANN401
        first: Any,  # noqa: ANN401
        second: Any,  # noqa: ANN401
        **state: Any,  # noqa: ANN401
    ) -> None:
        networks, sentences = [str(name) for name in networks], [dict(s) for s in sentences]
        _check_names(networks, sentences)
        first = to_numpy(first)
        if first.ndim != 5:
            raise ValueError(f"first: shape {first.shape}; give (networks, sentences, heads, n, n)")
        heads, n = first.shape[2], len(sentences[0]["words"])
        layer, shown = 2**heads, (len(networks), len(sentences))
        data = {"first": first}
        for name, values, shape in (
            ("first", first, (*shown, heads, n, n)),
            ("second", second, (*shown, layer, heads, n, n)),
            ("accuracy", accuracy, (len(networks), layer**2)),
            ("odds", odds, (*shown, layer**2)),
        ):
            data[name] = to_numpy(values)
            if data[name].shape != shape or not np.isfinite(data[name]).all():
                raise ValueError(
                    f"{name}: shape {data[name].shape}; with {shown[0]} networks, {shown[1]} sentences "
                    f"of {n} words and {heads} heads in each of two layers give finite {shape}"
                )
        if data["accuracy"].min() < 0 or data["accuracy"].max() > 1:
            raise ValueError(
                f"accuracy: from {data['accuracy'].min():g} to {data['accuracy'].max():g}; give "
                "shares from 0 to 1"
            )
        weights = {name: data.pop(name).astype(np.float16) for name in ("first", "second")}
        super().__init__(
            networks=networks,
            sentences=sentences,
            heads=heads,
            measured=measured,
            **data,
            **weights,
            **{"kept": layer**2 - 1, **state},
        )

    @t.validate("kept", "network", "sentence")
    def _inside(self, proposal: dict) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        if self.odds is None:
            return value
        size = self.odds.shape[("network", "sentence", "kept").index(name)]
        if value >= size:
            raise t.TraitError(f"{name}: {value} was given, there are {size} (0 to {size - 1})")
        return value

    def right(self) -> int:
        """Return how many sentences the chosen network answers rightly with the heads that are kept."""
        return round(float(self.accuracy[self.network, self.kept]) * self.measured)

    def share(self) -> float:
        """Return the share of the right noun, of the two, in the chosen sentence."""
        return 1 / (1 + math.exp(-float(self.odds[self.network, self.sentence, self.kept])))

    def looks(self) -> np.ndarray:
        """Return the weights (2, heads, n, n) of the chosen sentence with the heads that are kept."""
        first = self.first[self.network, self.sentence]
        second = self.second[self.network, self.sentence, self.kept % 2**self.heads]
        return np.stack([first, second]).astype(np.float32)

    def describe(self) -> str:
        """Return how many heads are kept, and how many sentences are answered rightly."""
        return (
            f"{self.kept.bit_count()} of {2 * self.heads} heads are kept: {self.right()} of "
            f"{self.measured} sentences are answered rightly."
        )

    def picture(self) -> str:
        """Return the grid of heads as SVG: what is right without each."""
        colours = PALETTE["light"]
        cells = []
        for head in range(2 * self.heads):
            other = self.kept ^ (1 << head)
            x, y = 90 + 110 * (head % self.heads), 60 + 70 * (head // self.heads)
            fill = "weights" if self.kept >> head & 1 else "masked"
            fill = colours[fill][1] if fill == "weights" else colours[fill]
            word = "without" if self.kept >> head & 1 else "with"
            cells.append(
                f'<rect x="{x}" y="{y}" width="100" height="56" rx="6" fill="{fill}"/>'
                f'<text x="{x + 10}" y="{y + 22}">head {head % self.heads + 1}</text>'
                f'<text x="{x + 10}" y="{y + 44}">{word}: {self.accuracy[self.network, other]:.2f}</text>'
            )
        labels = "".join(
            f'<text x="10" y="{92 + 70 * layer}">layer {layer + 1}</text>' for layer in range(2)
        )
        width = 100 + 110 * self.heads
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{max(width, 640)}" height="210" '
            f'font-size="15" font-family="sans-serif"><rect width="100%" height="100%" '
            f'fill="{colours["paper"]}"/><text x="10" y="32">{html.escape(self.describe())}</text>'
            f"{labels}{''.join(cells)}</svg>"
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        letters = len(" ".join(self.sentences[self.sentence]["words"]))
        return (715 + 38 * math.ceil(letters / 80), 972 + 38 * math.ceil(letters / 35))


def _check_names(networks: list[str], sentences: list[dict]) -> None:
    for name, things in (("networks", networks), ("sentences", sentences)):
        if not things:
            raise ValueError(f"{name}: the list is empty; give at least one")
    for number, sentence in enumerate(sentences):
        if missing := _KEYS - set(sentence):
            raise ValueError(f"sentences: number {number} has no {', '.join(sorted(missing))}")
        n = len(sentence["words"])
        if n != len(sentences[0]["words"]):
            raise ValueError(
                f"sentences: number {number} has {n} words, the first {len(sentences[0]['words'])}; "
                "give sentences of one length"
            )
        for place in ("pronoun", "right", "wrong"):
            if not 0 <= sentence[place] < n:
                raise ValueError(
                    f"sentences: number {number} has {place} {sentence[place]}; give a position "
                    f"from 0 to {n - 1}"
                )
