"""The exercise "soft look-up": from scores to weights to a mixture of values.

From the chapter "Attention as a soft look-up".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.alignment import soft_look_up
from companion.exercises.trial import Mistake, WrongAnswerError, call, difference, same

_Arguments = tuple[Tensor, ...]


def check_soft_look_up(function: Callable[..., Tensor]) -> int:
    """Check `soft_look_up(scores, values, mask=None)`; return the number of properties."""
    generator = torch.Generator().manual_seed(2015)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    # As many queries as keys, so that a transposed matrix still runs and can be told from others.
    square, values = drawn(5, 5), drawn(5, 3)
    hint = (
        "Write the shapes down: scores (n_q, n_k), values (n_k, d), and what you return (n_q, d)."
    )
    _check(function, (square, values), hint, _MISTAKES)
    _check(function, (drawn(2, 6), drawn(6, 3)), hint)
    _check(
        function,
        (60 * drawn(3, 4) + 500, drawn(4, 3)),
        "The power of a large score is infinite: subtract the row's largest score first, or let "
        "torch.softmax do so.",
    )
    # Every query sees some keys, but not all.
    mask = torch.rand(5, 5, generator=generator).argsort(dim=-1) < 3  # (n_q, n_k)
    hint = "A mask has the shape of the scores, and True where a query may look."
    _check(function, (square, values, mask), hint, _MASK_MISTAKES)
    _check_unchanged(function, (square, values, mask))
    return 5  # weighted sums, other sizes, large scores, a mask, inputs unchanged


def _check(
    function: Callable[..., Tensor],
    given: _Arguments,
    hint: str,
    mistakes: tuple[Mistake, ...] = (),
) -> None:
    on = _on(given)
    found = call(function, tuple(x.clone() for x in given), on, hint)
    expected = soft_look_up(*given)[0]  # (n_q, d)
    if found.shape == expected.shape and same(found, expected):
        return
    for mistake in mistakes:
        result = mistake.result(*given)
        if found.shape == result.shape and same(found, result):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if found.shape != expected.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {tuple(expected.shape)}, on {on}.",
            "One mixture for each query, as long as a value.",
        )
    raise WrongAnswerError(
        f"on {on}, the result is off by {difference(found, expected):.2g}.", hint
    )


def _check_unchanged(function: Callable[..., Tensor], given: _Arguments) -> None:
    copies = tuple(x.clone() for x in given)
    call(function, copies, _on(given), "")
    for name, copy, x in zip(_NAMES, copies, given, strict=True):
        if not torch.equal(copy, x):
            raise WrongAnswerError(
                f"the result is right, but your function changes its input `{name}`.",
                "Make a new tensor (masked_fill, not masked_fill_): the caller still holds the old one.",
            )


_NAMES = ("scores", "values", "mask")


def _on(given: _Arguments) -> str:
    return ", ".join(f"{name} {tuple(x.shape)}" for name, x in zip(_NAMES, given, strict=False))


_MISTAKES = (
    Mistake(
        lambda scores, values: scores.softmax(dim=0) @ values,
        "the softmax runs over the queries.",
        "Each query shares out its attention among the keys: a row sums to 1, so the softmax runs "
        "along the last axis.",
    ),
    Mistake(
        lambda scores, values: scores.softmax(dim=-1).T @ values,
        "the weights are transposed.",
        "A row of weights belongs to a query and meets the column of values: weights @ values.",
    ),
    Mistake(
        lambda scores, values: scores @ values,
        "there is no softmax.",
        "Scores can be negative and sum to anything; make weights of them before you mix.",
    ),
    Mistake(
        lambda scores, values: scores.exp() @ values,
        "the weights do not sum to 1.",
        "Divide the powers of a row by their sum.",
    ),
    Mistake(
        lambda scores, _values: scores.softmax(dim=-1),
        "these are the weights: the values are missing.",
        "The weights say how much to take of each value; take it.",
    ),
    Mistake(
        lambda scores, values: values[scores.argmax(dim=-1)],
        "only the best match is taken: that is the dictionary, not the soft look-up.",
        "Mix all the values, each by its weight.",
    ),
    Mistake(
        lambda scores, values: scores.softmax(dim=-1) @ values / scores.shape[-1],
        "the mixture is divided by the number of keys.",
        "The weights sum to 1 already: what you have is an average, without dividing again.",
    ),
)

_MASK_MISTAKES = (
    Mistake(
        lambda scores, values, _mask: scores.softmax(dim=-1) @ values,
        "the mask changes nothing.",
        "Where mask is False, a query must take nothing. (masked_fill returns a new tensor.)",
    ),
    Mistake(
        lambda scores, values, mask: soft_look_up(scores, values, ~mask)[0],
        "the mask is applied the wrong way round.",
        "True means that a query may look: hide the others, ~mask.",
    ),
    Mistake(
        lambda scores, values, mask: (scores.softmax(dim=-1) * mask) @ values,
        "the mask comes after the softmax: what is left no longer sums to 1.",
        "Hide the scores, then take the softmax.",
    ),
    Mistake(
        lambda scores, values, mask: (scores * mask).softmax(dim=-1) @ values,
        "the hidden scores are set to 0.",
        "A score of 0 still gets a weight, since e⁰ = 1: which score gets the weight 0?",
    ),
    Mistake(
        lambda scores, values, mask: soft_look_up(scores, values, mask.T)[0],
        "the mask is transposed.",
        "It has a row for each query and a column for each key, as the scores have.",
    ),
)
