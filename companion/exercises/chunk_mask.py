"""The exercise "chunk mask": write the mask of local attention in chunks.

From the chapter "What a long sequence costs".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.attention import causal_mask
from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.local import chunk_mask
from companion.masks import window_mask

# The last chunk is short, full, and the only one.
_TRIALS = ((9, 2), (6, 3), (4, 5))


def check_chunk_mask(function: Callable[..., Tensor]) -> int:
    """Check `chunk_mask(n, chunk)`; return the number of properties."""
    for n, chunk in _TRIALS:
        on = f"n = {n}, chunk = {chunk}"
        mask = call(function, (n, chunk), on, "n need not be a multiple of chunk.")
        _check_form(mask, n, on)
        _check_entries(mask, n, chunk, on)
    return 6  # shape, dtype, no future, own chunk, chunk before, nothing further back


def _check_form(mask: Tensor, n: int, on: str) -> None:
    if mask.shape != (n, n):
        raise WrongAnswerError(
            f"returned shape {tuple(mask.shape)}, expected {(n, n)}, on {on}.",
            "There is a row for each query and a column for each key.",
        )
    if mask.dtype != torch.bool:
        raise WrongAnswerError(
            f"returned {mask.dtype}, expected torch.bool.",
            "Comparisons give True and False; join them with `&`.",
        )


def _check_entries(mask: Tensor, n: int, chunk: int, on: str) -> None:
    expected = chunk_mask(n, chunk)  # (n, n)
    if torch.equal(mask, expected):
        return
    for mistake in _MISTAKES:
        if torch.equal(mask, mistake.result(n, chunk)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    query, key = (mask != expected).nonzero()[0].tolist()
    sees, should = ("sees", "must not") if mask[query, key] else ("does not see", "must")
    raise WrongAnswerError(
        f"on {on}, position {query} {sees} position {key}, but {should}.",
        "The number of a position's chunk is the position divided by chunk, rounded down.",
    )


def _apart(n: int, chunk: int) -> Tensor:
    """How many chunks the key's is before the query's, (n, n)."""
    number = torch.arange(n) // chunk
    return number[:, None] - number


_MISTAKES = (
    Mistake(
        lambda n, chunk: _apart(n, chunk) <= 1,
        "a position sees what comes after it.",
        "Two conditions must hold: not later, and not more than one chunk back.",
    ),
    Mistake(
        lambda n, chunk: (_apart(n, chunk) >= 0) & (_apart(n, chunk) <= 1),
        "a position sees what comes after it in its own chunk.",
        "Within a chunk the order counts too: `causal_mask` is still needed.",
    ),
    Mistake(
        lambda n, chunk: causal_mask(n) & (_apart(n, chunk) == 0),
        "a position does not see the chunk before its own.",
        "A chunk's first position would see itself alone: let numbers of chunks differ by 0 or 1.",
    ),
    Mistake(
        lambda n, chunk: causal_mask(n) & (_apart(n, chunk) == 1),
        "a position does not see its own chunk.",
        "Let numbers of chunks differ by 0 or 1.",
    ),
    Mistake(
        lambda n, chunk: causal_mask(n) & (_apart(n, chunk) <= 2),
        "a position sees two chunks before its own.",
        "Let numbers of chunks differ by 0 or 1.",
    ),
    Mistake(
        window_mask,
        "this is a window: each position sees as many as the next.",
        "Chunks have fixed borders. How much a position sees depends on where in its chunk it is.",
    ),
    Mistake(
        lambda n, chunk: window_mask(n, 2 * chunk),
        "this is a window: each position sees as many as the next.",
        "Chunks have fixed borders. How much a position sees depends on where in its chunk it is.",
    ),
    Mistake(
        lambda n, _: causal_mask(n),
        "a position sees all that comes before it.",
        "Nothing more than one chunk back may be looked at.",
    ),
    Mistake(
        lambda n, chunk: ~chunk_mask(n, chunk),
        "this is the opposite: True where a position must not look.",
        "Here True means that a query may look.",
    ),
    Mistake(
        lambda n, chunk: chunk_mask(n, chunk).T,
        "rows and columns are exchanged.",
        "A row belongs to a query, a column to a key.",
    ),
)
