"""The exercise "mixing rates": how often each task is drawn.

From the chapter "One model, text in, text out".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, same
from companion.text_to_text import mixing_rates

_TRIALS = (
    ((2500.0, 100.0, 20.0), 40.0, 2.0),  # here all mistakes below differ
    ((50.0, 5000.0), 1e9, 1.0),
    ((7.0, 70.0, 700.0, 7000.0), 500.0, 3.0),
)


def check_mixing_rates(function: Callable[..., Tensor]) -> int:
    """Check `mixing_rates(sizes, limit, temperature)`; return the number of properties.

    Args:
        function: takes examples of each task (tasks,) and two numbers; gives the rate of each, (tasks,).
    """
    for numbers, limit, temperature in _TRIALS:
        sizes = torch.tensor(numbers)
        on = f"sizes {[round(n) for n in numbers]}, limit {limit:.0f} and temperature {temperature:.0f}"
        hint = "Begin with sizes.clamp(max=limit): that is min(e, K) for every task at once."
        found = call(function, (sizes.clone(), limit, temperature), on, hint)
        _check(found, sizes, limit, temperature, on)
    return 4  # shape, a sum of 1, the limit, the temperature


def _rates(sizes: Tensor, limit: float, temperature: float) -> Tensor:
    named = {str(i): size for i, size in enumerate(sizes.tolist())}
    return torch.tensor(list(mixing_rates(named, limit, temperature).values()))


def _check(found: Tensor, sizes: Tensor, limit: float, temperature: float, on: str) -> None:
    if found.shape != sizes.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected {tuple(sizes.shape)}, on {on}.",
            "One rate for each task.",
        )
    expected = _rates(sizes, limit, temperature)
    if same(found, expected):
        return
    for mistake in _MISTAKES:
        if same(found, mistake.result(sizes, limit, temperature)):
            raise WrongAnswerError(f"on {on}, {mistake.found}", mistake.hint)
    if not abs(found.sum().item() - 1) < 1e-4:
        raise WrongAnswerError(
            f"on {on}, the rates sum to {found.sum():.3f}, not 1.",
            "Divide by the sum, once more after the temperature.",
        )
    raise WrongAnswerError(
        f"on {on}, the rates are {_told(found)}, expected {_told(expected)}.",
        "First min(e, K), divided by its sum; then to the power of 1/T, divided by the sum again.",
    )


def _told(numbers: Tensor) -> str:
    return "[" + ", ".join(f"{number:.3f}" for number in numbers.tolist()) + "]"


def _shares(numbers: Tensor) -> Tensor:
    return numbers / numbers.sum()


_MISTAKES = (
    Mistake(
        lambda e, k, t: _shares(e.clamp(max=k)) ** (1 / t),
        "the rates no longer sum to 1 after the temperature.",
        "Divide by their sum once more.",
    ),
    Mistake(
        lambda e, k, t: _shares(_shares(e.clamp(max=k)) ** t),
        "the larger tasks get more than their share, not less.",
        "The power is 1/T, not T: a high temperature makes rates alike.",
    ),
    Mistake(
        lambda e, k, t: _shares(_shares(e) ** (1 / t)),  # noqa: ARG005
        "the limit is left out.",
        "No task counts more than `limit` examples: sizes.clamp(max=limit).",
    ),
    Mistake(
        lambda e, k, t: _shares(e.clamp(max=k)),  # noqa: ARG005
        "the temperature is left out.",
        "Raise the rates to the power of 1/T, and divide by their sum again.",
    ),
    Mistake(
        lambda e, k, t: _shares(e),  # noqa: ARG005
        "limit and temperature are left out.",
        "Begin with sizes.clamp(max=limit); end with the power of 1/T.",
    ),
    Mistake(
        lambda e, k, t: _shares((e ** (1 / t)).clamp(max=k)),
        "the limit comes after the temperature.",
        "The limit is one of examples: it is applied to the sizes themselves, first.",
    ),
    Mistake(
        lambda e, k, t: (_shares(e.clamp(max=k)) / t).softmax(dim=-1),
        "softmax was taken of the rates.",
        "Softmax is for logits. Here each rate is raised to the power of 1/T.",
    ),
    Mistake(
        lambda e, k, t: torch.full_like(e, 1 / len(e)),  # noqa: ARG005
        "all tasks get the same.",
        "That is equal mixing, where the temperature is as high as can be.",
    ),
)
