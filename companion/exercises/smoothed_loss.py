"""The exercise "smoothed loss": cross-entropy that asks for less than certainty, and skips filling.

From the chapter "Lab: build the translator".
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from companion.exercises.trial import Mistake, WrongAnswerError, call, same

_PAD = 1
_SMOOTHING = 0.1
_SIZES = ((6, 5), (9, 7))  # n, vocabulary


def check_smoothed_loss(function: Callable[..., Tensor]) -> int:
    """Check `smoothed_loss(logits, targets, smoothing)`; return the number of properties."""
    drawn = torch.Generator().manual_seed(0)
    for n, size in _SIZES:
        logits = 2 * torch.randn(n, size, generator=drawn)
        targets = torch.randint(2, size, (n,), generator=drawn)
        for smoothing in (0.0, _SMOOTHING):
            _check_value(function, logits, targets, smoothing, f"{n} tokens, smoothing {smoothing}")
        filled = targets.clone()
        filled[::3] = _PAD
        _check_value(function, logits, filled, _SMOOTHING, f"{n} tokens, some of them filling")
    return 4  # one number, its value without and with smoothing, filling left out


def _loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    return functional.cross_entropy(logits, targets, ignore_index=_PAD, label_smoothing=smoothing)


def _check_value(
    function: Callable[..., Tensor], logits: Tensor, targets: Tensor, smoothing: float, on: str
) -> None:
    hint = "Give a number: the mean over the targets that are not filling."
    found = call(function, (logits.clone(), targets.clone(), smoothing), on, hint)
    if found.dim():
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected a single number, on {on}.",
            "One figure for the batch: a mean over its targets.",
        )
    expected = _loss(logits, targets, smoothing)
    if same(found, expected):
        return
    for mistake in _MISTAKES:
        if same(found, mistake.result(logits, targets, smoothing)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"on {on}, the result is {found:.4f}, expected {expected:.4f}.",
        "(1 - smoothing) · (-log p of the target) + smoothing · (mean of -log p over the vocabulary).",
    )


def _parts(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """-log p of each target, and the mean of -log p over all tokens, (n,) each."""
    surprise = -logits.log_softmax(dim=-1)  # (n, vocabulary)
    return surprise.gather(1, targets[:, None])[:, 0], surprise.mean(dim=-1)


def _mixed(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    own, every = _parts(logits, targets)
    return (1 - smoothing) * own + smoothing * every


_MISTAKES = (
    Mistake(
        lambda logits, targets, _smoothing: _loss(logits, targets, 0.0),
        "smoothing changes nothing.",
        "Take a share of the probability away from the target, and give it to all tokens alike.",
    ),
    Mistake(
        lambda logits, targets, smoothing: _mixed(logits, targets, smoothing).mean(),
        "filling was counted.",
        "Leave out the positions whose target is filling, before you take the mean.",
    ),
    Mistake(
        lambda logits, targets, smoothing: _mixed(logits, targets, smoothing)[
            targets != _PAD
        ].sum(),
        "this is a sum.",
        "Take the mean: else a longer batch would have a larger loss, and a larger step.",
    ),
    Mistake(
        lambda logits, targets, smoothing: (
            _mixed(logits, targets, smoothing)[targets != _PAD].sum() / len(targets)
        ),
        "filling is left out of the sum, but not of what the sum is divided by.",
        "Divide by the number of targets that are not filling.",
    ),
    Mistake(
        lambda logits, targets, smoothing: (
            _parts(logits, targets)[0] + smoothing * _parts(logits, targets)[1]
        )[targets != _PAD].mean(),
        "the target keeps all of its probability, and the others get some on top: more than 1 in sum.",
        "Multiply the target's part by 1 - smoothing.",
    ),
)
