"""The exercise "teacher forcing": the words that a decoder is told, from those it is to say.

From the chapter "One vector for a whole sentence".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call

PAD, START, END = 0, 1, 2
_LENGTHS = ((4,), (1, 1), (5, 2, 3), (3, 6, 6, 1))  # words of the sentences of each batch


def check_shifted(function: Callable[..., Tensor]) -> int:
    """Check `told(asked, start)`; return the number of properties.

    Args:
        function: takes asked (batch, n), the numbers of the right words of each sentence, its end and
            then padding; and start, the number of `<s>`. It gives what the decoder is told before it
            says each of them, (batch, n).
    """
    drawn = torch.Generator().manual_seed(0)
    for lengths in _LENGTHS:
        asked = _batch(lengths, drawn)
        on = f"{len(lengths)} sentence{'s' if len(lengths) > 1 else ''} of at most {max(lengths)} words"
        kept = asked.clone()
        hint = "asked[:, :-1] is all but the last column; torch.cat or a new tensor joins columns."
        result = call(function, (asked, START), on, hint)
        _check_told(result, kept, on)
        if not torch.equal(asked, kept):
            raise WrongAnswerError(
                "changes the tensor it is given.",
                "Make a new tensor: no assignment into `asked`, which is still to be asked for.",
            )
    return 4  # shape, the start first, then each word one later, input unharmed


def _batch(lengths: tuple[int, ...], drawn: torch.Generator) -> Tensor:
    asked = torch.full((len(lengths), max(lengths) + 1), PAD)
    for row, n in zip(asked, lengths, strict=True):
        row[:n] = torch.randperm(90, generator=drawn)[:n] + END + 1
        row[n] = END
    return asked


def _check_told(result: Tensor, asked: Tensor, on: str) -> None:
    if result.shape != asked.shape:
        longer = "What begins with a start is one longer: leave out what nothing comes after, the last column."
        raise WrongAnswerError(
            f"returned shape {tuple(result.shape)}, expected {tuple(asked.shape)}, on {on}.",
            longer
            if result.shape == (len(asked), asked.shape[1] + 1)
            else "One word for each asked.",
        )
    if torch.equal(result, _told(asked)):
        return
    for mistake in _MISTAKES:
        if torch.equal(result, mistake.result(asked)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"tells other words, on {on}.",
        "First the start; then, at each place, the word that was asked for one place before.",
    )


def _told(asked: Tensor, start: int = START) -> Tensor:
    return torch.cat([torch.full_like(asked[:, :1], start), asked[:, :-1]], dim=1)  # (batch, n)


def _left(asked: Tensor) -> Tensor:
    return torch.cat([asked[:, 1:], torch.full_like(asked[:, :1], PAD)], dim=1)


def _overwritten(asked: Tensor) -> Tensor:
    told = asked.clone()
    told[:, 0] = START
    return told


_MISTAKES = (
    Mistake(
        lambda asked: asked,
        "tells each word at the place where it is asked for.",
        "The decoder would only have to repeat it. It may know the words before, no others.",
    ),
    Mistake(
        _left,
        "tells the words that come after.",
        "That shifts to the left. The word asked for now is told at the next place.",
    ),
    Mistake(
        _overwritten,
        "writes the start over the first word, and leaves the others where they are.",
        "Each word moves on by one place, and the start takes the place that is free.",
    ),
    Mistake(
        lambda asked: asked.roll(1, dims=1),
        "puts the last column first.",
        "`roll` goes round in a circle. The first word told is the start, whatever stands last.",
    ),
    Mistake(
        lambda asked: _told(asked, PAD),
        "begins with padding.",
        "The first word told is `start`: it says that the sentence begins here.",
    ),
)
