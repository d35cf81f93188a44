"""A dialogue, a question, and the answer lit up where it stands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array
from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import lines_svg


class DialogueReader(LiveWidget):
    """A reader marks where a dialogue answers a question, or says that it does not.

    Under each word stand the chances that the answer begins and that it ends with it. The prepared
    questions are answered at once; one that the reader types, and a dialogue that they edit or paste,
    by the model, in the kernel or on the page. Explained in
    chapters/week3-bert-and-t5/answer-questions.ipynb.

    Args:
        model: answers as `companion.models.reader.graph` says; see `companion.models.live`.
        vocabulary: the word pieces, in the order of their numbers.
        examples: dialogues as `companion.models.reader.prepare` makes them: {title, text, questions,
            lengths, answers}.
        logits: (questions of all examples, 2, most tokens), of start and end; what fills up is 0.
        sizes: {special: {cls, sep}, longest} of the model.
        **state: first values of `example`, `own` (the reader's own dialogue; None: the example),
            `question`, `caution` (how much better than no answer an answer must score), `word` (the
            word whose chances are told; -1: none).

    Raises:
        ValueError: If there are no examples, one has no question, or logits do not fit them.
        TraitError: If a choice is out of range.
    """

    vocabulary = t.List(t.Unicode()).tag(sync=True)
    examples = t.List(t.Dict()).tag(sync=True)
    logits = Array()
    sizes = t.Dict().tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    question = t.Unicode().tag(sync=True)
    caution = t.Float(0.0, min=-40, max=40).tag(sync=True)
    word = t.Int(-1, min=-1).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        examples: Sequence[dict],
        logits: np.ndarray,
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one dialogue")
        for one in examples:
            if not one["questions"]:
                raise ValueError(f"examples: {one['title']!r} has no question; give at least one")
        lengths = [length for one in examples for length in one["lengths"]]
        if logits.shape != (len(lengths), 2, max(lengths)):
            raise ValueError(
                f"logits: shape {logits.shape} does not fit; ({len(lengths)} questions, 2, "
                f"{max(lengths)} tokens) would"
            )
        chosen = state.get("example", 0)
        if 0 <= chosen < len(examples):
            state.setdefault("question", examples[chosen]["questions"][0])
        super().__init__(model, examples=examples, logits=logits.astype(np.float32), **state)

    @t.validate("example")
    def _inside(self, proposal: dict) -> int:
        if proposal["value"] >= len(self.examples):
            raise t.TraitError(
                f"example: {proposal['value']} was given, there are {len(self.examples)} "
                f"(0 to {len(self.examples) - 1})"
            )
        return proposal["value"]

    def answer(self) -> str:
        """Return the prepared answer to the chosen question; "" if the dialogue does not say."""
        one = self.examples[self.example]
        known = dict(zip(one["questions"], one["answers"], strict=True))
        return known.get(self.question, "")

    def describe(self) -> str:
        """Return the chosen question and its answer."""
        told = self.answer()
        said = f"the answer found: “{told}”" if told else "the dialogue does not say"
        return f"A dialogue and a question about it, “{self.question}”: {said}."

    def picture(self) -> str:
        """Return the dialogue, the question and the answer as SVG."""
        turns = self.examples[self.example]["text"].strip().splitlines()
        told = self.answer() or "The dialogue does not say."
        return lines_svg(
            [*((turn, "ink") for turn in turns), (self.question, "muted"), (told, "accent")]
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); a longer dialogue takes more."""
        text = self.examples[self.example]["text"].strip()
        wide = sum(1 + len(turn) // 82 for turn in text.splitlines())
        narrow = sum(1 + len(turn) // 36 for turn in text.splitlines())
        turns = len(text.splitlines())
        return (400 + 29 * wide + 14 * turns, 560 + 29 * narrow + 14 * turns)
