"""A dialogue, its summary written word by word, and where each word came from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array
from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import lines_svg


class DialogueSummarizer(LiveWidget):
    """A language model summarizes a dialogue, and shows what it looked at for each word.

    The prepared dialogues are shown at once; one that the reader edits or pastes is answered by the
    model, in the kernel or on the page. Explained in
    chapters/week2-transformers/summarize-a-dialogue.ipynb.

    Args:
        model: answers as `companion.models.summarizer.graph` says; see `companion.models.live`.
        names: every token as a byte-level tokenizer writes it, in the order of the numbers.
        examples: dialogues as `companion.models.summarizer.prepare` makes them: {title, text,
            lengths, ids, ended}.
        sources: (examples, most tokens of a summary, most tokens of a dialogue), how much each token
            of the summary looked at each of the dialogue; what fills up is 0.
        sizes: {layers, heads, d_k, separator, end, most, longest} of the model.
        **state: first values of `example`, `own`, `word` (the word of the summary whose sources are
            shown; -1: none).

    Raises:
        ValueError: If there are no examples, or sources do not fit them.
        TraitError: If a choice is out of range.
    """

    names = t.List(t.Unicode()).tag(sync=True)
    examples = t.List(t.Dict()).tag(sync=True)
    sources = Array()
    sizes = t.Dict().tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    word = t.Int(-1, min=-1).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        examples: Sequence[dict],
        sources: np.ndarray,
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one dialogue")
        most = max(len(one["ids"]) for one in examples)
        longest = max(len(one["lengths"]) for one in examples)
        if sources.shape != (len(examples), most, longest):
            raise ValueError(
                f"sources: shape {sources.shape} does not fit; ({len(examples)} examples, {most} "
                f"tokens of a summary, {longest} of a dialogue) would"
            )
        super().__init__(model, examples=examples, sources=sources.astype(np.float16), **state)

    @t.validate("example")
    def _inside(self, proposal: dict) -> int:
        if proposal["value"] >= len(self.examples):
            raise t.TraitError(
                f"example: {proposal['value']} was given, there are {len(self.examples)} "
                f"(0 to {len(self.examples) - 1})"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return the chosen dialogue's summary."""
        return f"A dialogue and its summary, written by a model: “{self.summary()}”"

    def summary(self) -> str:
        """Return the summary of the chosen dialogue."""
        return self.examples[self.example]["summary"]

    def picture(self) -> str:
        """Return the dialogue and its summary as SVG."""
        turns = self.examples[self.example]["text"].strip().splitlines()
        return lines_svg([*((turn, "ink") for turn in turns), (self.summary(), "accent")])

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); a longer dialogue takes more."""
        text = self.examples[self.example]["text"].strip()
        wide = sum(1 + len(turn) // 52 for turn in text.splitlines())
        narrow = sum(1 + len(turn) // 34 for turn in text.splitlines())
        turns = len(text.splitlines())
        return (110 + 22 * wide + 22 * turns, 400 + 22 * narrow + 22 * turns)
