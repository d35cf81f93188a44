"""Hide words of a sentence, and read what a masked language model puts into the holes."""

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import lines_svg


class MaskedWords(LiveWidget):
    """Tap words of a sentence to hide them, and read what a model guesses from both sides of the hole.

    The prepared sentences are shown at once; other holes, and what the reader types, are answered by
    the model, in the kernel or on the page. Explained in
    chapters/week3-bert-and-t5/reading-with-holes.ipynb.

    Args:
        model: answers as `companion.models.bert.graph` says; see `companion.models.live`.
        names: every piece, in the order of the numbers; those inside a word begin with ##.
        examples: sentences as `companion.models.bert.prepare` makes them: {text, ids, holes}, where
            each hole is {place, both, left}: what is guessed in view of both sides, and with the right
            side hidden: {best, own}, the likeliest [number of a piece, probability], and [probability,
            rank] of the hidden one.
        sizes: of the model, as `prepare` tells them.
        **state: first values of `example` (its number), `own` (what the reader typed; None: nothing),
            `holes` (each [place, number of the piece that is seen there]; by default those of the
            example), `rate` (share of the pieces that are drawn) and `seed` (of the draws).

    Raises:
        ValueError: If there are no examples.
        TraitError: If a choice is out of range.
    """

    names = t.List(t.Unicode()).tag(sync=True)
    examples = t.List(t.Dict()).tag(sync=True)
    sizes = t.Dict().tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    holes = t.List(t.List(t.Int(min=0), minlen=2, maxlen=2)).tag(sync=True)
    rate = t.Float(0.15, min=0.05, max=0.5).tag(sync=True)
    seed = t.Int(1, min=0).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        examples: Sequence[dict],
        sizes: dict,
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one sentence")
        super().__init__(model, examples=examples, sizes=sizes, **state)
        if "holes" not in state and self.own is None:
            self.holes = [[hole["place"], sizes["mask"]] for hole in self.shown["holes"]]

    @t.validate("example")
    def _inside(self, proposal: dict) -> int:
        if self.examples and proposal["value"] >= len(self.examples):
            raise t.TraitError(
                f"example: {proposal['value']} was given, there are {len(self.examples)} "
                f"(0 to {len(self.examples) - 1})"
            )
        return proposal["value"]

    @property
    def shown(self) -> dict:
        """The prepared sentence that is chosen."""
        return self.examples[self.example]

    def describe(self) -> str:
        """Return the chosen sentence with its holes, and the best guess for each."""
        return (
            f"A sentence with holes, “{self._with_holes()}”; the model guesses: {self._guessed()}."
        )

    def picture(self) -> str:
        """Return the sentence with its holes, and the guesses for each, as SVG."""
        lines = [("A sentence with holes:", "muted"), (self._with_holes(), "ink")]
        for number, hole in enumerate(self.shown["holes"]):
            listed = ", ".join(self._told(*one) for one in hole["both"]["best"])
            lines.append((f"hole {number + 1}: {listed}", "accent"))
        return lines_svg([*lines, ("(the likeliest pieces, and their probabilities)", "muted")])

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        pieces, holes = self.shown["ids"], len(self.shown["holes"])
        letters = sum(len(self.names[number]) + 3 for number in pieces)
        texts = sum(18 + 22 * math.ceil(len(one["text"]) / 36) for one in self.examples)
        tries = math.ceil(sum(8 * len(one["text"]) + 52 for one in self.examples) / 600)
        wide = 435 + 38 * tries + 58 * math.ceil(letters / 68) + 214 * math.ceil(holes / 2)
        return (wide, 550 + texts + 58 * math.ceil(letters / 30) + 214 * holes)

    def _with_holes(self) -> str:
        hidden = {hole["place"] for hole in self.shown["holes"]}
        names = [self.names[number] for number in self.shown["ids"]]
        written = ["____" if place in hidden else name for place, name in enumerate(names)]
        return " ".join(written).replace(" ##", "")

    def _guessed(self) -> str:
        return ", ".join(self._told(*hole["both"]["best"][0]) for hole in self.shown["holes"])

    def _told(self, number: int, share: float) -> str:
        return f"{self.names[int(number)]} {share:.0%}"
