"""A sentence grows, the state does not: what is left of each word, and what can be written from it."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_KEYS = {"label", "words", "stops", "right", "written"}


class HiddenState(Widget):
    """Drag a sentence longer and watch a state of fixed size: what is left in it of each word.

    Explained in chapters/week1-translation/one-vector.ipynb.

    Args:
        sentences: {label, words, stops, right, written} of each. `words` are n words; `stops` are
            numbers of words, growing, after which the sentence may end; `right` is the translation
            at each stop, as words; `written` are the translations (without attention, with it) at
            each stop.
        left: for each sentence (n, n): [t, i] is the share of word i that is left after word t.
        outputs: for each sentence (n, d), the numbers of the state after each word.
        **state: first values of `sentence` and `read` (the words read; at first those up to the
            first stop).

    Raises:
        ValueError: If there is no sentence, one lacks something, or shapes do not fit together.
        TraitError: If a choice is out of range.
    """

    sentences = t.List(t.Dict()).tag(sync=True)
    left = Array()
    outputs = Array()
    sentence = t.Int(0, min=0).tag(sync=True)
    read = t.Int(1, min=1).tag(sync=True)

    def __init__(
        self,
        sentences: Sequence[dict],
        *,
        left: Sequence[Any],
        outputs: Sequence[Any],
        **state: Any,  # noqa: ANN401
    ) -> None:
        sentences = [dict(sentence) for sentence in sentences]
        _check(sentences)
        lengths = [len(sentence["words"]) for sentence in sentences]
        left, outputs = _arrays("left", left, lengths), _arrays("outputs", outputs, lengths)
        for values, n in zip(left, lengths, strict=True):
            if values.shape[1] != n or values.min() < 0:
                raise ValueError(
                    f"left: shape {values.shape}, least {values.min():g}; for {n} words give shares "
                    f"of at least 0, ({n}, {n})"
                )
        if len({values.shape[1] for values in outputs}) > 1:
            raise ValueError("outputs: states of several sizes; give all sentences the same d")
        for sentence in sentences:
            flags = [
                [_found(words, right) for words, right in zip(side, sentence["right"], strict=True)]
                for side in sentence["written"]
            ]
            sentence["found"] = flags
        chosen = min(max(0, state.get("sentence", 0)), len(sentences) - 1)
        super().__init__(
            sentences=sentences,
            left=_stack(left, max(lengths)),
            outputs=_stack(outputs, outputs[0].shape[1]),
            **{"read": sentences[chosen]["stops"][0], **state},
        )

    @t.validate("sentence", "read")
    def _inside(self, proposal: dict) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        most = len(self.sentences) - 1
        if name == "read":
            most = max(len(sentence["words"]) for sentence in self.sentences)
        if value > most:
            raise t.TraitError(f"{name}: {value} was given; give at most {most}")
        return value

    @property
    def stop(self) -> int | None:
        """The last place where the sentence may end, among what is read; None before the first."""
        stops = self.sentences[self.sentence]["stops"]
        past = [k for k, stop in enumerate(stops) if stop <= self.read]
        return past[-1] if past else None

    def describe(self) -> str:
        """Return how much is read, what is left of the first word, and what is written rightly."""
        chosen = self.sentences[self.sentence]
        words = chosen["words"]
        read = min(self.read, len(words))
        share = round(100 * float(self.left[self.sentence, read - 1, 0]))
        told = (
            f"{read} of {len(words)} words and commas are read. Of the first, “{words[0]}”, {share} % is left in "
            f"the state."
        )
        if self.stop is None:
            return told
        without, with_ = (sum(found[self.stop]) for found in chosen["found"])
        return (
            f"{told} If the sentence ends after word {chosen['stops'][self.stop]}, the network without "
            f"attention finds {without} of {len(chosen['right'][self.stop])} words, with attention {with_}."
        )

    def picture(self) -> str:
        """Return the sentence, with what is left of each word read, as SVG."""
        colours, words = PALETTE["light"], self.sentences[self.sentence]["words"]
        read = min(self.read, len(words))
        x, y, parts = 16, 66, []
        for i, word in enumerate(words):
            wide = max(26, 9 * len(word))
            if x + wide > 624:
                x, y = 16, y + 44
            ink = colours["ink" if i < read else "muted"]
            parts.append(f'<text x="{x}" y="{y}" fill="{ink}">{xml_text(word)}</text>')
            if i < read:
                share = min(1.0, float(self.left[self.sentence, read - 1, i]))
                parts.append(
                    f'<rect x="{x}" y="{y + 7}" width="{wide * share:.1f}" height="7" '
                    f'fill="{colours["accent"]}"/>'
                )
            x += wide + 12
        title = f"What is left of each word, {read} of {len(words)} read"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y + 34}" font-size="16" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="{colours["paper"]}"/>'
            f'<text x="16" y="30" font-weight="bold">{title}</text>{"".join(parts)}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        sentence = max(len(" ".join(one["words"])) for one in self.sentences)
        longest = [
            max(len(" ".join(words)) for one in self.sentences for words in side(one))
            for side in (
                lambda one: one["right"],
                lambda one: one["written"][0],
                lambda one: one["written"][1],
            )
        ]
        wide = 41 * ceil(sentence / 76) + sum(22 * ceil(letters / 84) for letters in longest)
        narrow = 41 * ceil(sentence / 36) + sum(22 * ceil(letters / 40) for letters in longest)
        chips = sum(9 * len(one["label"]) + 52 for one in self.sentences)
        return (465 + wide + 40 * (chips // 640), 650 + narrow + 40 * (chips // 320))


def _check(sentences: list[dict]) -> None:
    if not sentences:
        raise ValueError("sentences: the list is empty; give at least one")
    for number, sentence in enumerate(sentences):
        if missing := _KEYS - set(sentence):
            raise ValueError(f"sentences: number {number} has no {', '.join(sorted(missing))}")
        n, stops = len(sentence["words"]), list(sentence["stops"])
        growing = all(one < other for one, other in pairwise(stops))
        if not stops or not growing or stops[0] < 1 or stops[-1] > n:
            raise ValueError(
                f"sentences: number {number} has stops {stops}; give growing numbers of words, from 1 "
                f"to {n}"
            )
        sides = [sentence["right"], *sentence["written"]]
        if len(sides) != 3 or any(len(side) != len(stops) for side in sides):
            raise ValueError(
                f"sentences: number {number} has {len(stops)} stops; give as many translations in "
                "`right`, and in both lists of `written`"
            )


def _arrays(name: str, given: Sequence[Any], lengths: list[int]) -> list[np.ndarray]:
    arrays = [to_numpy(values) for values in given]
    shapes = [array.shape for array in arrays]
    fits = len(arrays) == len(lengths) and all(
        len(shape) == 2 and shape[0] == n for shape, n in zip(shapes, lengths, strict=True)
    )
    if not fits or not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(
            f"{name}: shapes {shapes}; give one finite array for each of {len(lengths)} sentences, with "
            f"a row for each word ({lengths})"
        )
    return arrays


def _stack(arrays: list[np.ndarray], columns: int) -> np.ndarray:
    """One array (sentences, rows, columns), shorter ones filled up with zeros."""
    rows = max(len(array) for array in arrays)
    stacked = np.zeros((len(arrays), rows, columns), dtype=np.float16)
    for place, array in zip(stacked, arrays, strict=True):
        place[: array.shape[0], : array.shape[1]] = array
    return stacked


def _found(words: Sequence[str], right: Sequence[str]) -> list[int]:
    """Tell which words stand in the longest sequence, gaps allowed, that both have; 1 or 0 each."""
    best = np.zeros((len(words) + 1, len(right) + 1), dtype=int)  # of what follows
    for i in reversed(range(len(words))):
        for j in reversed(range(len(right))):
            same = words[i] == right[j]
            best[i, j] = best[i + 1, j + 1] + 1 if same else max(best[i + 1, j], best[i, j + 1])
    found, i, j = [0] * len(words), 0, 0
    while i < len(words) and j < len(right):
        if words[i] == right[j]:
            found[i] = 1
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return found
