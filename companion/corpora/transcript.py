"""A dialogue as a text: a line for each turn, with its speaker."""

from companion.corpora.sgd import Dialogue

SPEAKERS = {"USER": "User", "SYSTEM": "Agent"}


def lines(dialogue: Dialogue) -> list[str]:
    """Write each turn of a dialogue with its speaker."""
    return [f"{SPEAKERS[turn.speaker]}: {turn.utterance}" for turn in dialogue.turns]


def as_text(dialogue: Dialogue) -> str:
    """Write a dialogue as models read it: a line for each turn."""
    return "".join(f"{line}\n" for line in lines(dialogue))


def places(dialogue: Dialogue) -> list[int]:
    """Return where in `as_text(dialogue)` the utterance of each turn begins, in characters."""
    begins, at = [], 0
    for turn in dialogue.turns:
        begins.append(at + len(f"{SPEAKERS[turn.speaker]}: "))
        at = begins[-1] + len(turn.utterance) + 1
    return begins
