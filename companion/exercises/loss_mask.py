"""The exercise "loss mask": say which predictions of a language model count.

From the chapter "Lab: summarize a dialogue".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.language_model import loss_mask

_SEPARATOR, _END = 1, 0


def check_loss_mask(function: Callable[..., Tensor]) -> int:
    """Check `f(tokens, separator, end)`; return the number of properties.

    Args:
        function: takes tokens (batch, n) and two numbers; gives booleans, (batch, n - 1).
    """
    drawn = torch.Generator().manual_seed(0)
    for given, written, filled in ((4, 3, 0), (2, 1, 3), (6, 4, 2)):
        words = torch.randint(2, 20, (2, given + written), generator=drawn)
        special = torch.ones(2, 1, dtype=torch.int64)
        parts = [words[:, :given], special * _SEPARATOR, words[:, given:]]
        tokens = torch.cat([*parts, special * _END, special.expand(2, filled) * _END], dim=1)
        on = f"tokens of shape {tuple(tokens.shape)}"
        hint = "Compare tokens with separator and with end: (tokens == separator), and so on."
        _check(call(function, (tokens, _SEPARATOR, _END), on, hint), tokens)
    return 5  # shape, dtype, dialogue, summary with its end, padding


def _check(mask: Tensor, tokens: Tensor) -> None:
    batch, n = tokens.shape
    if mask.shape != (batch, n - 1):
        raise WrongAnswerError(
            f"returned shape {tuple(mask.shape)}, expected {(batch, n - 1)}.",
            "At each position but the last there is a next token to predict.",
        )
    if mask.dtype != torch.bool:
        raise WrongAnswerError(
            f"returned {mask.dtype}, expected torch.bool.",
            "The question is `does this prediction count?`: True or False.",
        )
    expected = loss_mask(tokens, _SEPARATOR, _END)
    if torch.equal(mask, expected):
        return
    for mistake in _MISTAKES:
        if torch.equal(mask, mistake.result(tokens)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    row, at = (mask != expected).nonzero()[0].tolist()
    counts, should = ("counts", "must not") if mask[row, at] else ("does not count", "must")
    raise WrongAnswerError(
        f"the prediction at position {at} of {tokens[row].tolist()} {counts}, but {should}.",
        "The first that counts is made at the separator, the last at the last word of the summary.",
    )


def _from_the_next(tokens: Tensor) -> Tensor:
    counts = loss_mask(tokens, _SEPARATOR, _END)
    return torch.nn.functional.pad(counts, (1, 0))[:, :-1]


def _to_the_very_end(tokens: Tensor) -> Tensor:
    return ((tokens == _SEPARATOR).cumsum(dim=1) > 0)[:, :-1]


def _without_end(tokens: Tensor) -> Tensor:
    return loss_mask(tokens, _SEPARATOR, _END) & (tokens[:, 1:] != _END)


def _dialogue(tokens: Tensor) -> Tensor:
    return ((tokens == _SEPARATOR).cumsum(dim=1) == 0)[:, :-1]


def _all(tokens: Tensor) -> Tensor:
    return torch.ones_like(tokens[:, :-1], dtype=torch.bool)


_MISTAKES = (
    Mistake(
        _all,
        "every prediction counts.",
        "The dialogue is given: to predict it is not the task. Nor is padding.",
    ),
    Mistake(
        _dialogue,
        "the dialogue counts, and the summary does not.",
        "Turn it round: what is given need not be predicted.",
    ),
    Mistake(
        _from_the_next,
        "all is one position late.",
        "The entry at a position is about the *next* token: the first word of the summary is "
        "predicted at the separator.",
    ),
    Mistake(
        _without_end,
        "the end of the summary does not count.",
        "The model has to learn where to stop: the end is predicted too.",
    ),
    Mistake(
        _to_the_very_end,
        "padding after the end counts.",
        "After the first end that follows the separator nothing is to be learned.",
    ),
)
