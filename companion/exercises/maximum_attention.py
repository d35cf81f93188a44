"""The exercise "maximum attention": let the heads vote on what a pronoun stands for.

From the chapter "What does it refer to?".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, same
from companion.scoring import maximum_attention


def check_maximum_attention(function: Callable[..., Tensor]) -> int:
    """Check `f(looks, candidates)`; return the number of properties.

    Args:
        function: takes looks (layers, heads, n), how much the pronoun looks at each word, and the
            positions of two candidates, (2,); gives the share of each, (2,).
    """
    drawn = torch.Generator().manual_seed(0)
    tries = [
        (
            torch.rand(layers, heads, n, generator=drawn).softmax(dim=-1),
            torch.randperm(n, generator=drawn)[:2],
        )
        for layers, heads, n in ((2, 4, 11), (1, 1, 3), (3, 2, 7))
    ]
    for looks, candidates in tries:
        on = f"looks of shape {tuple(looks.shape)}"
        hint = "Take the two candidates out of the last axis first: looks[..., candidates]."
        _check(call(function, (looks, candidates), on, hint), looks, candidates)
    return 3  # shape, a sum of 1, and the votes


def _check(shares: Tensor, looks: Tensor, candidates: Tensor) -> None:
    if shares.shape != (2,):
        raise WrongAnswerError(
            f"returned shape {tuple(shares.shape)}, expected (2,).",
            "Add up over layers and heads; what stays is one number for each candidate.",
        )
    expected = maximum_attention(looks[..., candidates])
    if same(shares, expected):
        return
    for mistake in _MISTAKES:
        if same(shares, mistake.result(looks, candidates)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if abs(shares.sum().item() - 1) > 1e-4:
        raise WrongAnswerError(
            f"the shares sum to {shares.sum():.3f}, not 1.", "Divide both votes by their sum."
        )
    raise WrongAnswerError(
        f"gives {shares.tolist()}, expected {expected.tolist()}.",
        "In each head only the candidate with the larger weight keeps it; the other counts 0.",
    )


def _plain(looks: Tensor, candidates: Tensor) -> Tensor:
    sums = looks[..., candidates].flatten(end_dim=-2).sum(dim=0)
    return sums / sums.sum()


def _counts(looks: Tensor, candidates: Tensor) -> Tensor:
    winners = looks[..., candidates].argmax(dim=-1).flatten()
    return winners.bincount(minlength=2) / len(winners)


def _losers(looks: Tensor, candidates: Tensor) -> Tensor:
    weights = looks[..., candidates]
    smallest = weights.amin(dim=-1, keepdim=True)
    votes = weights.where(weights == smallest, 0.0).flatten(end_dim=-2).sum(dim=0)
    return votes / votes.sum()


def _votes(looks: Tensor, candidates: Tensor) -> Tensor:
    weights = looks[..., candidates]
    largest = weights.amax(dim=-1, keepdim=True)
    return weights.where(weights == largest, 0.0).flatten(end_dim=-2).sum(dim=0)


_MISTAKES = (
    Mistake(
        _votes,
        "these are the votes, not yet their shares.",
        "Divide both by their sum.",
    ),
    Mistake(
        _counts,
        "every head has one vote, however little it looks.",
        "A head votes with its weight: a head that looks elsewhere should hardly count.",
    ),
    Mistake(
        _losers,
        "the smaller weight of each head is kept.",
        "In each head the candidate with the larger weight keeps it.",
    ),
    Mistake(
        _plain,
        "both candidates keep their weight in every head.",
        "In each head the loser's weight counts 0 before anything is added up.",
    ),
)
