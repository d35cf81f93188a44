"""One line of text in, one line of text out: a model that is told its task by a prefix."""

import math
from collections.abc import Sequence
from typing import Any

import traitlets as t

from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import lines_svg


class TextToText(LiveWidget):
    """Type a line with a prefix, or with another, or with none, and watch the model answer.

    The prepared lines are shown at once; any other is answered by the model, in the kernel or on the page,
    token by token. Explained in chapters/week3-bert-and-t5/text-in-text-out.ipynb.

    Args:
        model: answers as `companion.models.text_to_text.graph` says; see `companion.models.live`.
        names: every token as a byte-level tokenizer writes it, in the order of the numbers.
        templates: by task, how its line is written, as in `companion.text_to_text.TEMPLATES`.
        examples: lines as `companion.models.text_to_text.prepare` makes them: {task, line, ids, ended, text}.
        sizes: of the model, as `prepare` tells them.
        **state: first values of `example` (its number) and `own` (what the reader typed; None: nothing).

    Raises:
        ValueError: If there are no examples, or one is of a task without a template.
        TraitError: If the example is out of range.
    """

    names = t.List(t.Unicode()).tag(sync=True)
    templates = t.Dict().tag(sync=True)
    examples = t.List(t.Dict()).tag(sync=True)
    sizes = t.Dict().tag(sync=True)
    example = t.Int(0, min=0).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        templates: dict[str, str],
        examples: Sequence[dict],
        **state: Any,  # noqa: ANN401
    ) -> None:
        examples = list(examples)
        if not examples:
            raise ValueError("examples: the list is empty; give at least one line")
        for each in examples:
            if each["task"] not in templates:
                raise ValueError(
                    f"examples: one is of the task {each['task']!r}; there are templates for "
                    f"{', '.join(templates)}"
                )
        super().__init__(model, templates=templates, examples=examples, **state)

    @t.validate("example")
    def _inside(self, proposal: dict) -> int:
        if self.examples and proposal["value"] >= len(self.examples):
            raise t.TraitError(
                f"example: {proposal['value']} was given, there are {len(self.examples)} "
                f"(0 to {len(self.examples) - 1})"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return the chosen line and its answer."""
        shown = self.examples[self.example]
        return f"A model reads “{shown['line']}” and writes “{shown['text']}”"

    def picture(self) -> str:
        """Return every prepared line and its answer as SVG."""
        return lines_svg(
            pair
            for each in self.examples
            for pair in ((each["line"], "ink"), (f"→ {each['text']}", "accent"))
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone)."""
        written = len(self.examples[self.example]["text"])
        return (
            545 + 32 * max(0, math.ceil(written / 62) - 2),
            870 + 32 * max(0, math.ceil(written / 32) - 4),
        )
