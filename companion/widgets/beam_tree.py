"""A beam search that grows step by step, as a tree: what is kept, what is pruned, what was found."""

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from companion.widgets.beam_state import (
    BeamState,
    Packed,
    Table,
    first_step,
    packed,
    said_of,
    together,
    used_tokens,
)
from companion.widgets.host import Widget


class BeamTree(BeamState, Widget):
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

    def __init__(
        self,
        examples: dict[str, tuple[str, Table, Sequence[str]]],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not examples:
            raise ValueError("examples: there is none; give at least one")
        parts: list[Packed] = []
        words: list[str] = []  # those that are needed, of all examples
        for label, (source, table, texts) in examples.items():
            if not isinstance(source, str):
                raise ValueError(  # noqa: TRY004 (bad input is a ValueError, in all widgets)
                    f"examples: the source of {label!r} is {source!r}; give a text, or ''"
                )
            used = used_tokens(label, table, len(texts))
            number = {token: i for i, token in enumerate(used, start=len(words))}
            parts.append(packed(label, table, number, sum(len(part.rows) for part in parts)))
            words += [str(texts[token]) for token in used]
        super().__init__(
            labels=list(examples),
            sources=[source for source, _, _ in examples.values()],
            words=words,
            **together(parts),
            **state,
        )

    def describe(self) -> str:
        """Return, in a sentence, what is searched, and with which beam."""
        source = self.sources[self.example]
        what = f"for “{source}”" if source else f"of the example “{self.labels[self.example]}”"
        return said_of(self.width, f"the likeliest text {what}")

    def picture(self) -> str:
        """Return the first step of the search as SVG: the likeliest first words, and which are kept."""
        return first_step(self, self.words.__getitem__)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        letters = 22 + 1.6 * len(self.sources[self.example])  # of a text that is found, about
        chips = sum(9 * len(label) + 52 for label in self.labels)

        def takes(told: int, column: int, text: int) -> int:
            """What grows with the texts: labels, what is said of the step, hypotheses, and the sum."""
            lines = 22 * math.ceil((108 + letters) / told)
            found = self.width * (10 + 20 * math.ceil(letters / text))
            return 38 * (chips // column) + lines + found + 47 * math.ceil(11 * letters / column)

        return (
            425 + self.tree_height + takes(82, 640, 62),
            620 + self.tree_height + takes(37, 320, 22),
        )
