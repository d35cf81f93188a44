"""The exercise "beam step": of all continuations of all beginnings, keep the likeliest.

From the chapter "Choosing words".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call

# Probabilities of the beginnings, of each token behind each, and the width. No two candidates are
# equally likely, and in the first trial all mistakes below differ.
_TRIALS = (
    (
        (0.4, 0.25, 0.15),
        ((0.3, 0.25, 0.4, 0.05), (0.2, 0.15, 0.1, 0.55), (0.1, 0.45, 0.15, 0.3)),
        3,
    ),
    ((0.5, 0.4), ((0.1, 0.5, 0.3, 0.1), (0.7, 0.05, 0.2, 0.05)), 2),
    ((1.0,), ((0.2, 0.5, 0.3),), 2),
    ((0.3, 0.2), ((0.6, 0.4), (0.5, 0.5)), 1),
)


def check_beam_step(function: Callable[..., Tensor]) -> int:
    """Check `beam_step(totals, log_probabilities, width)`; return the number of properties.

    Args:
        function: takes the log-probabilities of the beginnings, (beams,), those of every token behind
            each, (beams, vocabulary), and the width; gives for each continuation that is kept the
            beginning and the token, (width, 2), likeliest first.
    """
    for begun, following, width in _TRIALS:
        totals, odds = torch.tensor(begun).log(), torch.tensor(following).log()
        on = f"beginnings of probability {list(begun)} and width {width}"
        hint = "Add each beginning's total to its row, flatten, and take the largest with topk."
        found = call(function, (totals.clone(), odds.clone(), width), on, hint)
        _check(found, totals, odds, width, on)
    return 5  # shape, sums, a contest of all, beginning and token, order


def _pairs(scores: Tensor, width: int) -> Tensor:
    """Where the largest scores stand, (width, 2), largest first."""
    places = scores.flatten().topk(width).indices
    return torch.stack([places // scores.shape[1], places % scores.shape[1]], dim=1)


def _check(found: Tensor, totals: Tensor, odds: Tensor, width: int, on: str) -> None:
    expected = _pairs(totals[:, None] + odds, width)
    if found.shape == expected.shape and torch.equal(found.double(), expected.double()):
        return
    for mistake in _MISTAKES:
        wrong = mistake.result(totals, odds, width)
        if wrong.shape == found.shape and torch.equal(found.double(), wrong.double()):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if found.shape != expected.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {tuple(expected.shape)}, on {on}.",
            "One row for each continuation that is kept: the beginning, then the token.",
        )
    raise WrongAnswerError(
        f"on {on}, the result is {found.tolist()}, expected {expected.tolist()}.",
        "Work one out by hand: total of the beginning plus log-probability of the token, for all.",
    )


def _one_each(totals: Tensor, odds: Tensor, width: int) -> Tensor:
    """The likeliest token of each beginning, likeliest beginning first."""
    best = odds.argmax(dim=1)
    first = totals.argsort(descending=True)[:width]
    return torch.stack([first, best[first]], dim=1)


def _one_each_by_sum(totals: Tensor, odds: Tensor, width: int) -> Tensor:
    best = (totals[:, None] + odds).max(dim=1)
    first = best.values.argsort(descending=True)[:width]
    return torch.stack([first, best.indices[first]], dim=1)


_MISTAKES = (
    Mistake(
        lambda _, x, width: _pairs(x, width),
        "the beginnings' own log-probabilities are left out.",
        "A candidate is a whole text: add the total of its beginning.",
    ),
    Mistake(
        lambda t, x, width: _pairs(t[:, None] * x, width),
        "log-probabilities are multiplied.",
        "Probabilities are multiplied; their logarithms are added.",
    ),
    Mistake(
        lambda t, x, width: _pairs(t[:, None] + x.exp(), width),
        "a probability is added to a log-probability.",
        "The tokens' log-probabilities come as logarithms already: no exp.",
    ),
    Mistake(
        lambda t, x, width: _pairs(t.exp()[:, None] + x.exp(), width),
        "probabilities are added.",
        "Add logarithms, or multiply probabilities.",
    ),
    Mistake(
        _one_each,
        "each beginning goes on with one token only.",
        "All continuations of all beginnings compete: flatten before you take the largest.",
    ),
    Mistake(
        _one_each_by_sum,
        "each beginning goes on with one token only.",
        "All continuations of all beginnings compete: flatten before you take the largest.",
    ),
    Mistake(
        lambda t, x, width: _pairs(t[:, None] + x, width).flip(1),
        "token and beginning are the other way round.",
        "First the beginning (place // vocabulary), then the token (place % vocabulary).",
    ),
    Mistake(
        lambda t, x, width: _pairs(t[:, None] + x, width).flip(0),
        "the least likely of those kept comes first.",
        "Likeliest first: topk already gives them in that order.",
    ),
    Mistake(
        lambda t, x, width: _pairs(-(t[:, None] + x), width),
        "the least likely continuations are kept.",
        "Log-probabilities are negative: the largest are the closest to 0.",
    ),
    Mistake(
        lambda t, x, width: (t[:, None] + x).flatten().topk(width).indices,
        "places in the flattened table are returned.",
        "Take them apart: the beginning is place // vocabulary, the token place % vocabulary.",
    ),
    Mistake(
        lambda t, x, width: _transposed(t[:, None] + x, width),
        "places are divided by the number of beginnings.",
        "A row of the table is as long as the vocabulary: divide by that.",
    ),
)


def _transposed(scores: Tensor, width: int) -> Tensor:
    places = scores.flatten().topk(width).indices
    return torch.stack([places // scores.shape[0], places % scores.shape[0]], dim=1)
