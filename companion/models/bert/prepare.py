"""What the widget `MaskedWords` is made of: the pieces, and texts with holes, guessed in advance."""

from collections.abc import Mapping, Sequence
from typing import Any

from companion.bert import Pretraining
from companion.models.bert.ask import ROOM, Guess, cut, guess
from companion.models.bert.pieces import CLS, MASK, SEP, SIZE, SPECIAL, UNKNOWN, names

SHOWN = 5  # guesses for each hole


def prepare(model: Pretraining, texts: Mapping[str, list[int]]) -> dict[str, Any]:
    """Guess the hidden words of texts in advance.

    Args:
        model: the encoder.
        texts: each with the numbers of the pieces to hide; see `guess`.

    Returns:
        The arguments of `MaskedWords` besides the model.

    Raises:
        ValueError: If there are no texts, or one cannot be asked about.
    """
    if not texts:
        raise ValueError("texts is empty: there must be at least one")
    examples = [_example(model, text, hide) for text, hide in texts.items()]
    sizes = {
        "unknown": UNKNOWN,
        "cls": CLS,
        "sep": SEP,
        "mask": MASK,
        "first": len(SPECIAL),
        "room": ROOM,
        "shown": SHOWN,
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    return {"names": names(), "examples": examples, "sizes": sizes}


def _example(model: Pretraining, text: str, hide: list[int]) -> dict[str, Any]:
    pieces = cut(text)
    holes = [
        {
            "place": hole.place,
            "both": _told(hole.guesses, pieces[hole.place]),
            "left": _told(hole.from_left, pieces[hole.place]),
        }
        for hole in guess(model, text, hide, most=SIZE)
    ]
    return {"text": text, "ids": pieces, "holes": holes}


def _told(guesses: Sequence[Guess], own: int) -> dict[str, Any]:
    """The likeliest pieces, and how likely the hidden one is, and the how manieth; None if it was typed as a hole."""
    numbers = {name: number for number, name in enumerate(names())}
    listed = [[numbers[one.piece], round(one.probability, 5)] for one in guesses]
    ranks = {number: rank for rank, (number, _) in enumerate(listed, 1)}
    told = None if own == MASK else [listed[ranks[own] - 1][1], ranks[own]]
    return {"best": listed[:SHOWN], "own": told}
