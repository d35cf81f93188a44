"""A small language model to talk with: what it says, how sure it is, and what it looks at."""

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

import traitlets as t

from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import PALETTE

_SPEAKERS = {"User:": "You", "Agent:": "Model"}
_OF_EACH_TOKEN = ("odds", "likely", "looks")
_MOST_TEMPERATURE = 1.5
_ROOM = ((413, 414), (249, 350))  # pixels for the openings, on a wide page and on a phone


class DialogueChat(LiveWidget):
    """Talk with a language model, and see for each word how sure it was and which turns it looked at.

    A conversation held in advance is shown at once; what a reader says is answered by the model, in
    the kernel or on the page.

    Args:
        model: answers as `companion.models.chatbot.graph` says; see `companion.models.live`.
        names: every token as a byte-level tokenizer writes it, in the order of the numbers.
        turns: the conversation, as `companion.models.chatbot.prepare` makes it: {speaker, text,
            length} with `speaker` `User:` or `Agent:` and `length` in tokens; what the model wrote
            also has {ids, odds, likely, looks, ended}.
        openings: what a reader may begin with by one tap.
        sizes: of the model, as `companion.models.chatbot.prepare` tells them.
        **state: first values of `temperature` (0 to 1.5; 0: always the likeliest), `rounds` (one of
            `sizes["rounds"]`) and `word` (turn and token that are explained; empty: none).

    Raises:
        ValueError: If there are no openings.
        TraitError: If turns do not fit, or a choice is out of range.
    """

    names = t.List(t.Unicode()).tag(sync=True)
    openings = t.List(t.Unicode()).tag(sync=True)
    sizes = t.Dict().tag(sync=True)
    turns = t.List(t.Dict()).tag(sync=True)
    temperature = t.Float(0.0, min=0.0, max=_MOST_TEMPERATURE).tag(sync=True)
    rounds = t.Int(2).tag(sync=True)
    word = t.List(t.Int()).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        names: Sequence[str],
        turns: Sequence[dict],
        openings: Sequence[str],
        sizes: dict,
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not openings:
            raise ValueError("openings: the list is empty; give at least one, such as 'Hello!'")
        super().__init__(
            model,
            names=list(names),
            turns=list(turns),
            openings=list(openings),
            sizes=sizes,
            **state,
        )

    @t.validate("turns")
    def _turns_fit(self, proposal: dict) -> list[dict]:
        for number, turn in enumerate(proposal["value"]):
            if turn.get("speaker") not in _SPEAKERS or not {"text", "length"} <= set(turn):
                raise t.TraitError(
                    f"turns: number {number} is {turn}; it must be like {{'speaker': 'User:', "
                    "'text': 'Hello!', 'length': 5}"
                )
            tokens = len(turn.get("ids", []))
            for name in _OF_EACH_TOKEN:
                if len(turn.get(name, [])) != tokens:
                    raise t.TraitError(
                        f"turns: number {number} has {tokens} ids, so {name} must have as many "
                        f"entries, not {len(turn.get(name, []))}"
                    )
        return proposal["value"]

    @t.validate("rounds")
    def _can_be_asked(self, proposal: dict) -> int:
        choices = self.sizes.get("rounds", [proposal["value"]])
        if proposal["value"] not in choices:
            raise t.TraitError(f"rounds: {proposal['value']} was given; it is one of {choices}")
        return proposal["value"]

    @t.validate("word")
    def _is_a_place(self, proposal: dict) -> list[int]:
        if proposal["value"] and (len(proposal["value"]) != 2 or min(proposal["value"]) < 0):
            raise t.TraitError(
                f"word: {proposal['value']} was given; it must be empty, or the number of a turn and "
                "that of a token in it, both from 0"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return the last thing said."""
        if not self.turns:
            return "A chat with a small language model, not begun yet"
        last = self.turns[-1]
        return f"A chat with a small language model. {_SPEAKERS[last['speaker']]}: “{last['text']}”"

    def picture(self) -> str:
        """Return the conversation as SVG."""
        colours = PALETTE["light"]
        y, parts = 12, []
        for turn in self.turns:
            by_reader = turn["speaker"] == "User:"
            lines = textwrap.wrap(f"{_SPEAKERS[turn['speaker']]}: {turn['text']}", 60)
            x, height = (130 if by_reader else 12), 22 * len(lines) + 14
            edge = colours["first" if by_reader else "second"]
            parts.append(
                f'<rect x="{x}" y="{y}" width="498" height="{height}" rx="10" '
                f'fill="{colours["raised"]}" stroke="{edge}"/>'
            )
            parts += (
                f'<text x="{x + 14}" y="{y + 24 + 22 * i}" fill="{colours["ink"]}">{escape(text)}</text>'
                for i, text in enumerate(lines)
            )
            y += height + 10
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y + 2}" '
            f'font-size="15" font-family="sans-serif"><rect width="100%" height="100%" '
            f'fill="{colours["paper"]}"/>{"".join(parts)}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone), however long the talk."""
        wide, narrow = (_rows_of_chips(self.openings, room) for room in _ROOM)
        return (784 + 36 * wide, 1444 + 36 * narrow)


def _rows_of_chips(texts: Sequence[str], room: tuple[int, int]) -> int:
    """Tell how many rows chips take; room: of the first row, and of each other one."""
    rows, left = 1, room[0]
    for text in texts:
        width = 22 + 6.5 * len(text)
        if width > left and left < room[1]:
            rows, left = rows + 1, room[1]
        left -= width + 6
    return rows
