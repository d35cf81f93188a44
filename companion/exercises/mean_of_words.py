"""The exercise "mean of words": one vector for a text, from the vectors of its words.

From the chapter "Turning knowledge into a skill".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, difference, same

_PAD = 0


def check_mean_of_words(function: Callable[..., Tensor]) -> int:
    """Check `f(states, tokens, pad)`; return the number of properties.

    Args:
        function: takes vectors (batch, n, d_model), tokens (batch, n) and the number of the padding;
            gives (batch, d_model), the mean over the tokens that are no padding.
    """
    drawn = torch.Generator().manual_seed(0)
    for batch, n, d_model in ((2, 5, 3), (3, 8, 4), (4, 7, 7)):
        states = torch.randn(batch, n, d_model, generator=drawn)
        tokens = torch.randint(1, 30, (batch, n), generator=drawn)
        for row, filled in enumerate(torch.randint(1, n - 1, (batch - 1,), generator=drawn)):
            tokens[row, n - int(filled) :] = _PAD
        on = f"states of shape {(batch, n, d_model)}"
        hint = "real = tokens != pad tells which vectors count, (batch, n)."
        _check(call(function, (states, tokens, _PAD), on, hint), states, tokens)
    return 4  # shape, no NaN, padding left out, mean of the rest


def _check(result: Tensor, states: Tensor, tokens: Tensor) -> None:
    batch, _, d_model = states.shape
    if result.shape != (batch, d_model):
        raise WrongAnswerError(
            f"returned shape {tuple(result.shape)}, expected {(batch, d_model)}.",
            "Average over the axis of the tokens, dim=1.",
        )
    if not result.isfinite().all():
        raise WrongAnswerError(
            "the result holds numbers that are not finite.",
            "Multiply vectors of padding by 0 before the sum; -inf is for scores before a softmax.",
        )
    expected = _mean(states, tokens)
    if same(result, expected):
        return
    for mistake in _MISTAKES:
        if same(result, mistake.result(states, tokens)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"the result is off by up to {difference(result, expected):.3g}.",
        "Add up the vectors of the real tokens, and divide by how many there are in that text.",
    )


def _real(tokens: Tensor) -> Tensor:
    return (tokens != _PAD)[:, :, None]  # (batch, n, 1)


def _mean(states: Tensor, tokens: Tensor) -> Tensor:
    real = _real(tokens)
    return (states * real).sum(dim=1) / real.sum(dim=1)


_MISTAKES = (
    Mistake(
        lambda states, _tokens: states.mean(dim=1),
        "vectors of padding are averaged too.",
        "A text of 3 tokens in a batch of length 8 has 5 vectors that mean nothing: leave them out.",
    ),
    Mistake(
        lambda states, tokens: (states * _real(tokens)).mean(dim=1),
        "padding is left out of the sum, but counted in the divisor.",
        "Divide by the number of real tokens of each text, not by n.",
    ),
    Mistake(
        lambda states, tokens: (states * _real(tokens)).sum(dim=1),
        "this is the sum, not the mean.",
        "Divide by the number of real tokens: a long text has a long sum.",
    ),
    Mistake(
        lambda states, tokens: (states * _real(tokens)).sum(dim=1) / _real(tokens).sum(),
        "every text is divided by the tokens of the whole batch.",
        "Count the real tokens of each text by itself: sum over dim=1 only.",
    ),
    Mistake(
        lambda states, _tokens: states[:, 0],
        "this is the vector of the first token alone.",
        "That is the way of [CLS]; here all real tokens have a say.",
    ),
)
