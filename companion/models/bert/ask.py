"""Ask BERT what stands at the holes of a text, and what it would say without what stands to their right."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from companion.bert import Pretraining
from companion.checks import at_least_one
from companion.models.bert.graph import LONGEST
from companion.models.bert.pieces import MASK, encode, join, names

TYPED = "[MASK]"  # how a hole is written
ROOM = LONGEST - 2  # pieces of a text, besides [CLS] and [SEP]
_SPEAKER = re.compile("(user|agent):", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Guess:
    """A piece, and its share among all pieces of the vocabulary."""

    piece: str
    probability: float


@dataclass(frozen=True)
class Hole:
    """What a model would put into one hole.

    Attributes:
        place: number of the piece in the text, from 0.
        guesses: in view of the whole text, likeliest first.
        from_left: with all that stands to the right of the hole hidden too.
    """

    place: int
    guesses: tuple[Guess, ...]
    from_left: tuple[Guess, ...]


def cut(text: str) -> list[int]:
    """Cut a text into the numbers of its pieces; each `[MASK]` in it becomes a hole.

    Every text that BERT has read begins with who speaks; one that does not is taken for the user's.
    """
    if not _SPEAKER.match(text):
        text = f"User: {text}"
    first, *others = (encode(part)[0] for part in text.split(TYPED))
    return first + [token for part in others for token in (MASK, *part)]


def guess(model: Pretraining, text: str, hide: Iterable[int] = (), *, most: int = 5) -> list[Hole]:
    """Ask a model what stands at the holes of a text.

    Args:
        model: from `companion.models.load("bert")`, or pretrained by `recipe.pretrain`.
        text: what is said, with `[MASK]` where a piece is hidden; see `cut`.
        hide: numbers of further pieces to hide, as `cut` gives them, from 0.
        most: how many guesses to give for each hole.

    Raises:
        ValueError: If there is no hole, a number in hide is out of range, most is not positive, or
            the text has too many pieces.
    """
    at_least_one(most=most)
    pieces, hide = cut(text), set(hide)
    if len(pieces) > ROOM:
        raise ValueError(f"text has {len(pieces)} pieces: it must have at most {ROOM}")
    if not hide <= set(range(len(pieces))):
        raise ValueError(f"hide is {sorted(hide)}: the text has the pieces 0 to {len(pieces) - 1}")
    seen = [MASK if place in hide else piece for place, piece in enumerate(pieces)]
    holes = [place for place, piece in enumerate(seen) if piece == MASK]
    if not holes:
        raise ValueError(
            f"text {text!r} has no hole: write {TYPED} for a word, or name one in hide"
        )
    return [
        Hole(
            place,
            likeliest(model, seen, place, most),
            likeliest(model, hidden_after(seen, place), place, most),
        )
        for place in holes
    ]


def hidden_after(pieces: list[int], place: int) -> list[int]:
    """Hide all pieces to the right of one place."""
    return pieces[: place + 1] + [MASK] * (len(pieces) - place - 1)


@torch.no_grad()
def likeliest(
    model: Pretraining, pieces: list[int], place: int, most: int = 5
) -> tuple[Guess, ...]:
    """Return the likeliest pieces at one place of a text, whose pieces are seen as they are."""
    tokens, segments = (torch.tensor([numbers]) for numbers in join(pieces))
    states = model.bert(tokens, segments)  # (1, n, d_model)
    shares = model.word_head(states[0, place + 1]).softmax(dim=-1)  # (vocabulary,)
    found, written = shares.topk(most), names()
    return tuple(
        Guess(written[number], share)
        for share, number in zip(found.values.tolist(), found.indices.tolist(), strict=True)
    )
