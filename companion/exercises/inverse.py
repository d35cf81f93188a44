"""The exercise "inverse": undo a reversible block.

From the chapter "Reversible layers".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import TOLERANCE, Mistake, WrongAnswerError, call

Sublayer = Callable[[Tensor], Tensor]


def check_inverse(function: Callable[..., Tensor]) -> int:
    """Check `inverse(y1, y2, f, g)`; return the number of properties."""
    generator = torch.Generator().manual_seed(0)
    x1, x2 = torch.randn(2, 3, 4, generator=generator)  # (n, d_model) each
    w_f, w_g = torch.randn(2, 4, 4, generator=generator)  # (d_model, d_model) each
    f, g = lambda x: torch.tanh(x @ w_f), lambda x: torch.tanh(x @ w_g)
    y1 = x1 + f(x2)
    y2 = x2 + g(y1)
    given = y1.clone(), y2.clone()
    hint = "The function takes y1, y2, f and g, and both f and g take one tensor."
    found = call(function, (y1, y2, f, g), "two streams of 3 positions", hint)
    if not all(torch.equal(x, y) for x, y in zip(given, (y1, y2), strict=True)):
        raise WrongAnswerError(
            "changes its inputs.", "Write `x2 = y2 - …`, not `y2 -= …`: the caller still needs y2."
        )
    expected = torch.stack([x1, x2])  # (2, n, d_model)
    if found.shape != expected.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {tuple(expected.shape)}.",
            "End with `return torch.stack([x1, x2])`.",
        )
    _check_values(found, expected, (*given, f, g))
    return 4  # shape, inputs left alone, x2, x1


def _check_values(found: Tensor, expected: Tensor, given: tuple) -> None:
    if torch.allclose(found, expected, atol=TOLERANCE):
        return
    for mistake in _MISTAKES:
        if torch.allclose(found, mistake.result(*given), atol=TOLERANCE):
            raise WrongAnswerError(mistake.found, mistake.hint)
    wrong = [
        name
        for name, x, y in zip(("x1", "x2"), found, expected, strict=True)
        if not torch.allclose(x, y, atol=TOLERANCE)
    ]
    raise WrongAnswerError(
        f"{' and '.join(wrong)} {'differs' if len(wrong) == 1 else 'differ'} from what went in.",
        "What was added last must be taken off first: x2 = y2 - g(y1), and then x1.",
    )


def _from_outputs_alone(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    return torch.stack([y1 - f(y2), y2 - g(y1)])


def _forwards(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    z1 = y1 + f(y2)
    return torch.stack([z1, y2 + g(z1)])


def _forward_order(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    x1 = y1 - f(y2)
    return torch.stack([x1, y2 - g(x1)])


def _exchanged(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    x2 = y2 - f(y1)
    return torch.stack([y1 - g(x2), x2])


def _other_order(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    x2 = y2 - g(y1)
    return torch.stack([x2, y1 - f(x2)])


def _added(y1: Tensor, y2: Tensor, f: Sublayer, g: Sublayer) -> Tensor:
    x2 = y2 + g(y1)
    return torch.stack([y1 + f(x2), x2])


_MISTAKES = (
    Mistake(
        _from_outputs_alone,
        "x1 is wrong: f was given y2.",
        "Forward, f was given x2. You have found x2 already: use it.",
    ),
    Mistake(
        _forward_order,
        "the sublayers are undone in the order in which they ran.",
        "What was added last must be taken off first.",
    ),
    Mistake(
        _forwards,
        "this runs the block once more.",
        "Take off what the block added.",
    ),
    Mistake(_added, "what was added is added again.", "Take it off: subtract."),
    Mistake(
        _exchanged,
        "f and g are exchanged.",
        "f makes what is added to the first stream, g what is added to the second.",
    ),
    Mistake(_other_order, "x1 and x2 are exchanged.", "Return the first stream first."),
)
