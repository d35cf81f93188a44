"""A caption that the reader types, and the beam search for its translation as a tree."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from companion.widgets.beam_state import (
    WIDEST,
    BeamState,
    Packed,
    Table,
    first_step,
    packed,
    said_of,
    together,
    used_tokens,
)
from companion.widgets.byte_pieces import join
from companion.widgets.live import LiveWidget, Model


class TranslationTree(BeamState, LiveWidget):
    """Type a caption in English, and watch a beam search for its German translation, step by step.

    The prepared captions are searched where the reader is, over tables; for what the reader types the
    model is asked, in the kernel or on the page. A tap on a piece of a word follows its text back to
    the start. Explained in chapters/week1-translation/choosing-words.ipynb.

    Args:
        model: answers as `companion.models.translator.graph` says; see `companion.models.live`.
        names: every token as a byte-level tokenizer writes it, in the order of the numbers.
        examples: {caption: table}, what the model says of each; see `companion.widgets.beam_state.Table`.
        sizes: of the model, as `companion.models.translator.prepare_trees` tells them.
        **state: first values of `example` (its number), `own` (what the reader typed; None: nothing),
            `width` (1 to 5), `alpha` (0 to 2), `penalty` ("gnmt" or "power"), `step` (how many steps are
            shown; all that there are, if fewer) and `followed` ([step, place], both from 0, of the piece
            whose text is shown; else [], the best).

    Raises:
        ValueError: If there are no captions, one is empty, a table has a beginning before the one that
            it continues, or a token without a name.
        TraitError: If a state is out of range.
    """

    captions = t.List(t.Unicode()).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    sizes = t.Dict().tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    width = t.Int(3, min=1, max=WIDEST).tag(sync=True)
    alpha = t.Float(1.0, min=0.0, max=2.0).tag(sync=True)
    penalty = t.Enum(["gnmt", "power"], default_value="power").tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        names: Sequence[str],
        examples: Mapping[str, Table],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not examples:
            raise ValueError("examples: there is none; give at least one caption")
        parts: list[Packed] = []
        for caption, table in examples.items():
            if not caption.strip():
                raise ValueError(
                    f"examples: {caption!r} is empty; give a caption, such as 'A dog.'"
                )
            number = {token: token for token in used_tokens(caption, table, len(names))}
            parts.append(packed(caption, table, number, sum(len(part.rows) for part in parts)))
        super().__init__(
            model, captions=list(examples), names=list(names), **together(parts), **state
        )

    def describe(self) -> str:
        """Return, in a sentence, what is searched, and with which beam."""
        return said_of(self.width, f"the likeliest German text for “{self.captions[self.example]}”")

    def picture(self) -> str:
        """Return the first step of the search as SVG: the likeliest first pieces, and which are kept."""
        return first_step(self, self._shown)

    def _shown(self, token: int) -> str:
        return "(end)" if token in self.ends[self.example] else join([self.names[token]])

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        caption = len(self.captions[self.example])
        german = 1.25 * caption  # letters of a translation, about

        def takes(letters: int, chips: int, column: int, more: int) -> int:
            """What grows with the texts: captions, hypotheses, and the text that is followed."""
            lines = math.ceil(german / column) + more
            return (
                sum(40 * math.ceil((8 * len(each) + 60) / chips) for each in self.captions)
                + 26 * math.ceil(caption / letters)
                + self.width * (10 + 20 * lines)
                + 50 * math.ceil((german + 20) * 13 / chips)
            )

        return (
            564 + takes(60, 640, 50, 0) + self.tree_height,
            805 + takes(32, 330, 34, 1) + self.tree_height,
        )
