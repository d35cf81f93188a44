"""Label a few texts, and see how a classifier that learns from them sorts others, on two kinds of vectors."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import lines_svg

_SHOWN = 2  # held-out texts of each class that are listed; as in few_labels.js

Labelled = tuple[str, int]


class FewLabels(Widget):
    """Say what a few texts do; a classifier learns it from you, at every label, and sorts texts it has not seen.

    It learns twice from the same labels, on two kinds of vectors, as `companion.few_labels` has it; the
    module computes it. Explained in chapters/week3-bert-and-t5/from-knowledge-to-skill.ipynb.

    Args:
        classes: their names.
        offered: texts to label, in this order, each with the number of its class: what "label one of each
            for me" answers, and what a reader's label is compared with.
        held_out: texts that are sorted, each with the number of its class.
        vectors: two kinds of them, by name: each (offered and held-out texts, d).
        **state: first values of `labels` (each [number of an offered text, number of a class], in the order
            in which they were given), `at` (number of the offered text that is asked about; if it has a
            label, the next without) and `kind` (number of the vectors whose verdicts are listed).

    Raises:
        ValueError: If there are no classes or texts, a class is none, there are not two kinds of vectors, or
            they do not fit the texts.
        TraitError: If a state is out of range, or a text is labelled twice.
    """

    classes = t.List(t.Unicode()).tag(sync=True)
    offered = t.List(t.Tuple(t.Unicode(), t.Int())).tag(sync=True)
    held_out = t.List(t.Tuple(t.Unicode(), t.Int())).tag(sync=True)
    kinds = t.List(t.Unicode()).tag(sync=True)
    vectors = Array()
    labels = t.List(t.Tuple(t.Int(min=0), t.Int(min=0))).tag(sync=True)
    at = t.Int(0, min=0).tag(sync=True)
    kind = t.Int(0, min=0, max=1).tag(sync=True)

    def __init__(
        self,
        classes: Sequence[str],
        offered: Sequence[Labelled],
        held_out: Sequence[Labelled],
        vectors: Mapping[str, Any],
        **state: Any,  # noqa: ANN401
    ) -> None:
        _check(classes, offered=offered, held_out=held_out)
        super().__init__(
            classes=list(classes),
            offered=list(map(tuple, offered)),
            held_out=list(map(tuple, held_out)),
            kinds=list(vectors),
            vectors=_stack(vectors, len(offered) + len(held_out)),
            **state,
        )

    @t.validate("labels")
    def _check_labels(self, proposal: dict) -> list:
        labels = proposal["value"]
        texts = [text for text, _ in labels]
        if self.offered and max(texts, default=0) >= len(self.offered):
            raise t.TraitError(
                f"labels: text {max(texts)} has one, there are {len(self.offered)} to label (from 0)"
            )
        if len(set(texts)) < len(texts):
            raise t.TraitError("labels: a text has more than one")
        number = max((number for _, number in labels), default=0)
        if self.classes and number >= len(self.classes):
            raise t.TraitError(
                f"labels: {number} was given, there are {len(self.classes)} classes (from 0)"
            )
        return labels

    @t.validate("at")
    def _check_at(self, proposal: dict) -> int:
        if self.offered and proposal["value"] >= len(self.offered):
            raise t.TraitError(
                f"at is {proposal['value']}: there are {len(self.offered)} texts to label (from 0)"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return, in a sentence, what there is to label and to be tested on."""
        return (
            f"{len(self.offered)} texts to label as {', '.join(self.classes[:-1])} or {self.classes[-1]}, "
            f"{len(self.labels)} labelled so far; {len(self.held_out)} others are sorted by a classifier that "
            f"learns from the labels, on vectors that are {' or '.join(self.kinds)}."
        )

    def picture(self) -> str:
        """Return the first turns to label, with their classes, and one to be sorted, as SVG."""
        first = [f"{text} – {self.classes[number]}" for text, number in self.offered[:5]]
        return lines_svg(
            [
                ("What has the assistant done? From a few labels, such as", "muted"),
                *((line, "ink") for line in first),
                ("a classifier learns to sort turns that it has not seen:", "muted"),
                (f"{self.held_out[0][0]} – ?", "accent"),
            ]
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        listed = [
            len(text)
            for number in range(len(self.classes))
            for text in [text for text, own in self.held_out if own == number][:_SHOWN]
        ]
        wide = sum(10 + 20 * math.ceil(letters / 50) for letters in listed)
        narrow = sum(max(47, 9 + 19 * math.ceil(letters / 21)) for letters in listed)
        return (505 + wide, 795 + narrow)


def _check(classes: Sequence[str], **texts: Sequence[Labelled]) -> None:
    if not classes:
        raise ValueError("classes: there is none; give at least one name")
    for name, given in texts.items():
        if not given:
            raise ValueError(f"{name}: there is no text; give at least one, with its class")
        for text, number in given:
            if not 0 <= number < len(classes):
                raise ValueError(
                    f"{name}: {text!r} has class {number}; there are {len(classes)} (from 0)"
                )


def _stack(vectors: Mapping[str, Any], n_texts: int) -> np.ndarray:
    """Return the kinds of vectors as one array, (2, texts, d), of float16: half the page's weight."""
    if len(vectors) != 2:
        raise ValueError(f"vectors: there are {len(vectors)} kinds of them; give two to compare")
    arrays = {name: to_numpy(values) for name, values in vectors.items()}
    sizes = {array.shape[-1] if array.ndim == 2 else None for array in arrays.values()}
    for name, array in arrays.items():
        if array.ndim != 2 or len(array) != n_texts or len(sizes) > 1:
            raise ValueError(
                f"vectors: {name!r} has shape {array.shape}; give one vector for each of the {n_texts} texts, "
                "of the same size in both kinds"
            )
    return np.stack(list(arrays.values())).astype(np.float16)
