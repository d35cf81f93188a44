"""The exercise "perplexity": how many tokens a model hesitates between, on average.

From the chapter "Lab: a chatbot".
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from companion.exercises.trial import Mistake, WrongAnswerError, call, same

_NOTHING = -100
_SIZES = ((6, 5), (9, 7), (4, 3))  # n, vocabulary


def check_perplexity(function: Callable[..., Tensor]) -> int:
    """Check `perplexity(logits, targets)`; return the number of properties."""
    drawn = torch.Generator().manual_seed(0)
    for n, size in _SIZES:
        logits = 2 * torch.randn(n, size, generator=drawn)
        targets = torch.randint(size, (n,), generator=drawn)
        on = f"{n} positions and {size} tokens"
        _check_value(function, logits, targets, on)
        some = targets.clone()
        some[::3] = _NOTHING
        _check_value(function, logits, some, f"{on}, with -100 among the targets")
    certain = 1000 * functional.one_hot(targets, size).float()
    _check_value(function, certain, targets, "logits that are sure, and right")
    return 4  # one number, its value, -100 left out, no overflow


def _perplexity(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits, targets, ignore_index=_NOTHING).exp()


def _check_value(function: Callable[..., Tensor], logits: Tensor, targets: Tensor, on: str) -> None:
    hint = "-100 is no token: leave such positions out before you look anything up."
    found = call(function, (logits.clone(), targets.clone()), on, hint)
    if found.dim():
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected a single number, on {on}.",
            "One figure for the whole text: a mean over its positions.",
        )
    expected = _perplexity(logits, targets)
    if same(found, expected):
        return
    for mistake in _MISTAKES:
        if same(found, mistake.result(logits, targets)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"on {on}, the result is {found:.4f}, expected {expected:.4f}.",
        "The exponential of the mean of -log p(target), over the positions that ask for one.",
    )


def _chosen(logits: Tensor, targets: Tensor) -> Tensor:
    """-log p of each target that is asked for."""
    asked = targets != _NOTHING
    return functional.cross_entropy(logits[asked], targets[asked], reduction="none")


_MISTAKES = (
    Mistake(
        lambda logits, targets: _chosen(logits, targets).mean(),
        "this is the cross-entropy.",
        "Perplexity is its exponential: a number of tokens, not of nats.",
    ),
    Mistake(
        lambda logits, targets: _chosen(logits, targets).sum().exp(),
        "it grows with the length of the text.",
        "Take the mean of -log p before the exponential, not the sum.",
    ),
    Mistake(
        lambda logits, targets: _chosen(logits, targets).exp().mean(),
        "the exponential was taken before the mean.",
        "First the mean of -log p, then the exponential: one surprise must not rule the figure.",
    ),
    Mistake(
        lambda logits, targets: 2 ** _chosen(logits, targets).mean(),
        "the logarithm has base e, the power has base 2.",
        "Undo the logarithm that was taken: exp for the natural one.",
    ),
    Mistake(
        lambda logits, targets: (-_chosen(logits, targets).mean()).exp(),
        "this is the mean probability of a target, a share below 1.",
        "Perplexity is one over it: mind the sign of -log p.",
    ),
    Mistake(
        lambda logits, targets: _chosen(logits.softmax(dim=-1), targets).mean().exp(),
        "softmax was taken twice.",
        "cross_entropy takes logits: it has its own softmax.",
    ),
    Mistake(
        lambda logits, targets: (_chosen(logits, targets).sum() / len(targets)).exp(),
        "positions with -100 were counted in the mean.",
        "Divide by the number of positions that ask for a token.",
    ),
)
