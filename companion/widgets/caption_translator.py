"""A caption, its translations by beam search, and which words looked at which."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array
from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import lines_svg

_WIDEST = 5


class CaptionTranslator(LiveWidget):
    """Type a caption in English, and read its translations into German, best first.

    The prepared captions are shown at once; what the reader types, and other beams, are answered by
    the model, in the kernel or on the page. Explained in
    chapters/week1-translation/build-the-translator.ipynb.

    Args:
        model: answers as `companion.models.translator.graph` says; see `companion.models.live`.
        names: every token as a byte-level tokenizer writes it, in the order of the numbers.
        examples: captions as `companion.models.translator.prepare` makes them: {text, ids, found}, where
            each found is {ids, total, score, ended, text}.
        looks: (examples, translations, most tokens of a translation, most tokens of a caption and its
            end), how much each token looked at each; what fills up is 0.
        sizes: of the model, as `prepare` tells them.
        **state: first values of `example` (its number), `own` (what the reader typed; None: nothing),
            `width` (1 to 5), `alpha` (0 to 2), `chosen` (which translation) and `word` (of it).

    Raises:
        ValueError: If there are no examples, or looks do not fit them.
        TraitError: If a choice is out of range.
    """

    names = t.List(t.Unicode()).tag(sync=True)
    examples = t.List(t.Dict()).tag(sync=True)
    looks = Array()
    sizes = t.Dict().tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    width = t.Int(_WIDEST, min=1, max=_WIDEST).tag(sync=True)
    alpha = t.Float(1.0, min=0.0, max=2.0).tag(sync=True)
    chosen = t.Int(0, min=0).tag(sync=True)
    word = t.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        examples: Sequence[dict],
        looks: np.ndarray,
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one caption")
        found = [one for example in examples for one in example["found"]]
        wanted = (
            len(examples),
            max(len(example["found"]) for example in examples),
            max(len(one["ids"]) for one in found),
            max(len(example["ids"]) for example in examples) + 1,
        )
        if looks.shape != wanted:
            raise ValueError(
                f"looks: shape {looks.shape} does not fit; {wanted} would: (examples, translations, "
                "tokens of a translation, tokens of a caption and its end)"
            )
        super().__init__(model, examples=examples, looks=looks.astype(np.float16), **state)

    @t.validate("example")
    def _inside(self, proposal: dict) -> int:
        if self.examples and proposal["value"] >= len(self.examples):
            raise t.TraitError(
                f"example: {proposal['value']} was given, there are {len(self.examples)} "
                f"(0 to {len(self.examples) - 1})"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return the chosen caption and its best translation."""
        shown = self.examples[self.example]
        return f"A caption, “{shown['text']}”, and its translation, “{shown['found'][0]['text']}”"

    def picture(self) -> str:
        """Return the caption and its translations as SVG."""
        shown = self.examples[self.example]
        paragraphs = [(shown["text"], "ink")]
        for place, one in enumerate(shown["found"]):
            colour = "accent" if place == 0 else "muted"
            paragraphs.append((f"{place + 1}. {one['text']}", colour))
        return lines_svg(paragraphs)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        shown = self.examples[self.example]
        best = shown["found"][0]["text"]
        source, target = (len(text.split()) for text in (shown["text"], best))
        tallest = max(source + 1, target)
        # On a phone captions and translations wrap.
        captions = sum(18 + 22 * math.ceil(len(one["text"]) / 36) for one in self.examples)
        ranked = max(330, _WIDEST * (36 + 22 * math.ceil(len(best) / 30)))
        narrow = 660 + captions + ranked + 29 * math.ceil(len(best) / 25)
        return (1050 + 28 * tallest, narrow + 28 * tallest + 24 * target)
