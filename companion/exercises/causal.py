"""The exercise "causal": write the causal mask.

From the chapter "Scaled dot-product attention, step by step".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.attention import causal_mask
from companion.exercises.trial import Mistake, WrongAnswerError, call


def check_causal(function: Callable[..., Tensor]) -> int:
    """Check `causal_mask(n)`; return the number of properties."""
    for n in (5, 1, 8):
        mask = call(
            function, (n,), f"n = {n}", "Build a square of n rows and n columns for any n above 0."
        )
        _check_causal_form(mask, n)
        _check_causal_entries(mask, n)
    return 5  # shape, dtype, no future, itself, the whole past


def _check_causal_form(mask: Tensor, n: int) -> None:
    if mask.shape != (n, n):
        raise WrongAnswerError(
            f"returned shape {tuple(mask.shape)}, expected {(n, n)}, on n = {n}.",
            "There is one row for each query and one column for each key, and no other axis.",
        )
    if mask.dtype != torch.bool:
        additive = mask.is_floating_point() and bool((mask < -1).any())
        raise WrongAnswerError(
            f"returned {mask.dtype}, expected torch.bool.",
            "A mask to be added to the scores holds 0 and -inf; here the answer to `may this query "
            "look at this key?` is wanted, True or False."
            if additive
            else "Ask of each entry `may this query look at this key?`: the answer is True or "
            "False, not a number.",
        )


def _check_causal_entries(mask: Tensor, n: int) -> None:
    expected = causal_mask(n)  # (n, n)
    if torch.equal(mask, expected):
        return
    for mistake in _CAUSAL_MISTAKES:
        if torch.equal(mask, mistake.result(n)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    query, key = (mask != expected).nonzero()[0].tolist()
    sees, should = ("sees", "must not") if mask[query, key] else ("does not see", "must")
    raise WrongAnswerError(
        f"on n = {n}, position {query} {sees} position {key}, but {should}.",
        "Each position looks at itself and at all that comes before it, at nothing else.",
    )


_CAUSAL_MISTAKES = (
    Mistake(
        lambda n: causal_mask(n).T,
        "this is the upper triangle: each position sees itself and its future.",
        "A row belongs to a query. The first position has nothing before it: how many keys may it "
        "see, and how many may the last one?",
    ),
    Mistake(
        lambda n: ~causal_mask(n),
        "each position sees its future, and only that.",
        "You have marked what is hidden; here True means that a query may look.",
    ),
    Mistake(
        lambda n: causal_mask(n).tril(diagonal=-1),
        "the diagonal is missing: a position does not see itself.",
        "The token at a position is known when the next one is predicted, so it may be looked at; "
        "without it the first position would see nothing at all.",
    ),
    Mistake(
        lambda n: torch.ones(n, n, dtype=torch.bool),
        "every position sees everything.",
        "A position must not see what comes after it.",
    ),
    Mistake(
        lambda n: torch.zeros(n, n, dtype=torch.bool),
        "no position sees anything.",
        "True means that a query may look: each position sees itself and what comes before it.",
    ),
    Mistake(
        lambda n: torch.ones(n, n, dtype=torch.bool).tril(diagonal=1),
        "each position sees the one after it.",
        "The triangle is one diagonal too large: the next token is what the model has to predict.",
    ),
    Mistake(
        lambda n: torch.eye(n, dtype=torch.bool),
        "each position sees itself alone.",
        "What comes before a position may be looked at as well.",
    ),
)
