"""Two hundred turns of an assistant, written for this book by hand, each with what it does."""

from pathlib import Path

from companion.corpora.acts import ACTS

FILE = Path(__file__).with_name("turns.txt")
EACH = 40  # turns of each act
HELD_OUT = 16  # of these

Labelled = tuple[str, int]  # a text and the number of its act in ACTS


def train(each: int = EACH - HELD_OUT) -> list[Labelled]:
    """Return so many turns of each act to learn from.

    Args:
        each: 1 to 24; fewer are the first of more.

    Raises:
        ValueError: If there are not so many.
    """
    most = EACH - HELD_OUT
    if not 1 <= each <= most:
        raise ValueError(f"each is {each}: there are 1 to {most} turns of each act to learn from")
    return [(text, number) for number, texts in enumerate(_by_act()) for text in texts[:each]]


def held_out() -> list[Labelled]:
    """Return the turns to measure on, the last 16 of each act."""
    return [(text, number) for number, texts in enumerate(_by_act()) for text in texts[-HELD_OUT:]]


def _by_act() -> list[list[str]]:
    texts: dict[str, list[str]] = {act: [] for act in ACTS}
    for line in FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            act, text = line.split("\t")
            texts[act].append(text)
    return [texts[act] for act in ACTS]
