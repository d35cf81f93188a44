"""The exercise "masked words": hide the words that were chosen, and say what is asked for.

From the chapter "Reading with holes".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.pretraining import UNASKED

_MASK = 4


def check_masked_words(function: Callable[..., Tensor]) -> int:
    """Check `f(tokens, chosen, fate, other, mask)`; return the number of properties.

    Args:
        function: takes tokens (n,), chosen (n,) of booleans, fate (n,) from 0 to 1, other (n,) tokens
            to put in place of some, and the number of [MASK]; gives what is seen and what is asked
            for, stacked, (2, n).
    """
    drawn = torch.Generator().manual_seed(0)
    for n in (40, 60):
        tokens, other = torch.randint(5, 90, (2, n), generator=drawn)
        other[other == tokens] += 1
        chosen = torch.rand(n, generator=drawn) < 0.5
        fate = torch.linspace(0, 0.999, n)[torch.randperm(n, generator=drawn)]
        given = (tokens, chosen, fate, other)
        copies = tuple(each.clone() for each in given)
        on = f"{n} tokens"
        hint = "torch.where(condition, this, that) takes one or the other, place by place."
        _check(call(function, (*copies, _MASK), on, hint), *given)
        if any(not torch.equal(a, b) for a, b in zip(given, copies, strict=True)):
            raise WrongAnswerError(
                "what was handed in has changed.", "Make new tensors: torch.where does."
            )
    return 6  # shape, those not chosen, hidden, replaced, kept, and what is asked


def _check(found: Tensor, tokens: Tensor, chosen: Tensor, fate: Tensor, other: Tensor) -> None:
    n = len(tokens)
    if found.shape != (2, n):
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {(2, n)}.",
            "torch.stack([seen, asked]) puts two of (n,) on top of each other.",
        )
    expected = _solution(tokens, chosen, fate, other)
    if torch.equal(found.long(), expected):
        return
    for mistake in _MISTAKES:
        if torch.equal(found.long(), mistake.result(tokens, chosen, fate, other)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    row, at = (found != expected).nonzero()[0].tolist()
    raise WrongAnswerError(
        f"at place {at}, where the token is {tokens[at]}, chosen {bool(chosen[at])} and fate "
        f"{fate[at]:.2f}, {('seen', 'asked')[row]} is {found[row, at]}, expected {expected[row, at]}.",
        "Below .8 a chosen token is hidden, from .8 to .9 replaced, from .9 on left as it is.",
    )


def _solution(tokens: Tensor, chosen: Tensor, fate: Tensor, other: Tensor) -> Tensor:
    return torch.stack([_seen(tokens, chosen, fate, other), _asked(tokens, chosen)])


def _seen(
    tokens: Tensor, chosen: Tensor, fate: Tensor, other: Tensor, at: tuple = (0.8, 0.9)
) -> Tensor:
    replaced = torch.where(chosen & (fate < at[1]), other, tokens)
    return torch.where(chosen & (fate < at[0]), _MASK, replaced)


def _asked(tokens: Tensor, chosen: Tensor, unasked: int = UNASKED) -> Tensor:
    return torch.where(chosen, tokens, unasked)


def _other(change: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    return lambda *given: torch.stack(change(*given))


_MISTAKES = (
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o, (1, 1)), _asked(x, c))),
        "every chosen token is hidden.",
        "That is the mask of eight in ten. Of the others, half are replaced and half stay.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o, (0.8, 1)), _asked(x, c))),
        "no chosen token is left as it is.",
        "From a fate of .9 on, the model sees the token itself, and is asked all the same.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o, (0.8, 0.8)), _asked(x, c))),
        "no chosen token is replaced.",
        "Where the fate is from .8 to .9, `other` says what is seen.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o, (0.1, 0.2)), _asked(x, c))),
        "one in ten is hidden and eight in ten are left as they are.",
        "Turn the shares round: hidden .8, replaced .1, kept .1.",
    ),
    Mistake(
        _other(
            lambda x, c, f, o: (_seen(x, c, f, o), _asked(x, _seen(x, c, f, o) != x)),
        ),
        "tokens that were chosen and left as they are are not asked for.",
        "What is asked depends on `chosen` alone. The model must not learn that what it sees is right.",
    ),
    Mistake(
        _other(
            lambda x, c, f, o: (_seen(x, c, f, o), _asked(x, c & (f < 0.8))),
        ),
        "only what is hidden is asked for.",
        "All that were chosen are asked for, replaced and kept ones too: use `chosen` alone.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, torch.ones_like(c), f, o), _asked(x, c))),
        "tokens that were not chosen are hidden or replaced.",
        "Put `chosen &` before each comparison with fate.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o), x)),
        "every token is asked for.",
        "Where none was chosen, the label is -100: torch's losses leave it out.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o), _asked(x, c, 0))),
        "0 stands where nothing is asked for: but 0 is a token, and would be asked for.",
        "Use -100, which torch's losses leave out.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_seen(x, c, f, o), _asked(_seen(x, c, f, o), c))),
        "what is asked for is what is seen.",
        "Ask for what stood there before: `tokens`.",
    ),
    Mistake(
        _other(lambda x, c, f, o: (_asked(x, c), _seen(x, c, f, o))),
        "what is asked comes before what is seen.",
        "Turn the two round: torch.stack([seen, asked]).",
    ),
)
