"""The exercise "top-p": keep the nucleus of a distribution.

From the chapter "Choosing words".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.decoding import top_p
from companion.exercises.trial import Mistake, WrongAnswerError, call, same

# Each p is well away from every sum of probabilities, so that rounding decides nothing.
_TRIALS = (
    ((0.1, 0.4, 0.2, 0.3), 0.45),  # here all mistakes below differ
    ((0.05, 0.25, 0.4, 0.1, 0.2), 0.6),
    ((0.02, 0.9, 0.05, 0.03), 0.7),
    ((0.3, 0.2, 0.1, 0.4), 0.99),
)


def check_top_p(function: Callable[..., Tensor]) -> int:
    """Check `top_p(probabilities, p)`; return the number of properties.

    Args:
        function: takes probabilities (vocabulary,) and a number p; gives the probabilities that
            tokens are drawn with, (vocabulary,).
    """
    for numbers, p in _TRIALS:
        probabilities = torch.tensor(numbers)
        on = f"probabilities {list(numbers)} and p = {p}"
        hint = "Sort the probabilities first: torch.sort gives them, and where each stood."
        found = call(function, (probabilities.clone(), p), on, hint)
        _check(found, probabilities, p, on)
    return 5  # shape, a sum of 1, places, the smallest set, and the token that crosses p


def _nucleus(probabilities: Tensor, p: float) -> Tensor:
    return top_p(probabilities.log(), p).softmax(dim=-1)


def _check(found: Tensor, probabilities: Tensor, p: float, on: str) -> None:
    if found.shape != probabilities.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {tuple(probabilities.shape)}, on {on}.",
            "One number for each token: 0 for those that are left out.",
        )
    expected = _nucleus(probabilities, p)
    if same(found, expected):
        return
    numbers = found.nan_to_num()  # where a mistake leaves no token, 0 / 0 stands for 0
    for mistake in _MISTAKES:
        if same(numbers, mistake.result(probabilities, p)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if not abs(found.sum().item() - 1) < 1e-4:
        raise WrongAnswerError(
            f"on {on}, the probabilities sum to {found.sum():.3f}, not 1.",
            "Divide what is left by its sum.",
        )
    raise WrongAnswerError(
        f"on {on}, the result is {_told(found)}, expected {_told(expected)}.",
        "A token stays if the tokens that are likelier than it do not reach p yet.",
    )


def _told(numbers: Tensor) -> str:
    return "[" + ", ".join(f"{number:.3f}" for number in numbers.tolist()) + "]"


def _kept(probabilities: Tensor, stays: Tensor) -> Tensor:
    """Keep some tokens, divided by their sum; none, if none stay."""
    kept = probabilities * stays
    return kept / kept.sum().clamp(min=1e-9)


def _before(probabilities: Tensor) -> Tensor:
    """The mass of the tokens that are likelier than each."""
    return (probabilities * (probabilities > probabilities[:, None])).sum(dim=-1)


_MISTAKES = (
    Mistake(
        lambda x, p: x * (_nucleus(x, p) > 0),
        "the probabilities of the nucleus no longer sum to 1.",
        "Divide what is left by its sum.",
    ),
    Mistake(
        lambda x, p: _kept(x, _before(x) + x <= p),
        "the token with which the mass reaches p is left out.",
        "Ask of each token how much mass comes before it, not how much there is with it.",
    ),
    Mistake(
        lambda x, p: x * (_before(x) + x <= p),
        "the token with which the mass reaches p is left out, and the sum is not 1.",
        "Ask of each token how much mass comes before it; then divide what is left by its sum.",
    ),
    Mistake(
        lambda x, p: _nucleus(x, p).sort(descending=True).values,
        "the probabilities are sorted: they no longer stand where their tokens do.",
        "Put them back: scatter them to where torch.sort says that they stood.",
    ),
    Mistake(
        lambda x, p: _kept(x, x.cumsum(-1) - x < p),
        "tokens are taken in the order of the vocabulary.",
        "The smallest set is made of the likeliest tokens: sort first, largest first.",
    ),
    Mistake(
        lambda x, p: _kept(x, _before(-x).neg() < p),
        "the least likely tokens are taken first.",
        "Sort with descending=True: the smallest set is made of the likeliest tokens.",
    ),
    Mistake(
        lambda x, p: _kept(x, x >= p),
        "each probability is compared by itself.",
        "p is the mass of the whole set: add up, from the likeliest token on.",
    ),
    Mistake(
        lambda x, p: _kept(x, x >= 1 - p),
        "each probability is compared by itself.",
        "p is the mass of the whole set: add up, from the likeliest token on.",
    ),
    Mistake(
        lambda x, p: (x * (_nucleus(x, p) > 0)).softmax(dim=-1),
        "softmax was taken of probabilities, and what was left out is back.",
        "Softmax is for logits. Divide what is left by its sum.",
    ),
    Mistake(
        lambda x, p: x.masked_fill(_nucleus(x, p) == 0, float("-inf")).softmax(dim=-1),
        "softmax was taken of probabilities.",
        "Softmax is for logits. Divide what is left by its sum.",
    ),
    Mistake(
        lambda x, p: (_nucleus(x, p) > 0) / (_nucleus(x, p) > 0).sum(),
        "all tokens of the nucleus are equally likely.",
        "They keep their proportions: divide them by their sum.",
    ),
    Mistake(
        lambda x, _: x,
        "nothing is left out.",
        "Set to 0 what comes after the mass has reached p.",
    ),
)
