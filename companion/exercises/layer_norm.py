"""The exercise "layer norm": give each vector mean 0 and standard deviation 1.

From the chapter "A block, a stack, a model".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, same
from companion.transformer import layer_norm

_SHAPES = ((2, 5, 8), (3, 4), (1, 1, 6))


def check_layer_norm(function: Callable[..., Tensor]) -> int:
    """Check `layer_norm(x, gain, bias)`; return the number of properties.

    Args:
        function: takes x (..., d_model), gain (d_model,) and bias (d_model,); gives (..., d_model).
    """
    drawn = torch.Generator().manual_seed(0)
    for shape in _SHAPES:
        x = 4 * torch.randn(shape, generator=drawn) + 3
        gain, bias = torch.randn(2, shape[-1], generator=drawn)
        on = f"x of shape {shape}"
        hint = "Keep the last axis while you average over it: keepdim=True."
        _check(call(function, (x, gain, bias), on, hint), (x, gain, bias), on)
    _check_equal_numbers(function)
    return 5  # shape, mean and spread, gain and bias, each vector by itself, equal numbers


def _check(result: Tensor, arguments: tuple[Tensor, ...], on: str) -> None:
    x = arguments[0]
    if result.shape != x.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(result.shape)}, expected {tuple(x.shape)}, on {on}.",
            "Each number stays in its place; nothing is added up but for mean and variance.",
        )
    if same(result, layer_norm(*arguments)):
        return
    for mistake in _MISTAKES:
        if same(result, mistake.result(*arguments)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"gives other numbers, on {on}.",
        "Subtract the mean of each vector, divide by the square root of its variance, multiply by "
        "gain, add bias.",
    )


def _check_equal_numbers(function: Callable[..., Tensor]) -> None:
    x, gain, bias = torch.full((2, 4), 3.0), torch.ones(4), torch.arange(4.0)
    on = "a vector of equal numbers"
    result = call(function, (x, gain, bias), on, "A variance of 0 is no mistake of the input.")
    if result.shape != x.shape or not same(result, bias.expand(2, 4)):
        raise WrongAnswerError(
            f"on {on}, the result is not the bias.",
            "Their variance is 0, and 0 divided by 0 is NaN: add a small number, such as 1e-5, to "
            "the variance before the root.",
        )


def _variant(
    *,
    dims: int | tuple[int, ...] | None = -1,
    power: float = 0.5,
    correction: int = 0,
    centred: bool = True,
    mean: float = 0.0,
) -> Callable[..., Tensor]:
    """Layer norm with one thing or another gone wrong."""

    def result(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        over = tuple(range(x.dim())) if dims is None else dims
        average = x.mean(dim=over, keepdim=True)
        variance = x.var(dim=over, keepdim=True, correction=correction)
        y = (x - average if centred else x) / (variance + 1e-5) ** power
        return (y + mean) * gain + bias

    return result


def _without(name: str) -> Callable[..., Tensor]:
    def result(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        given = {"gain": gain, "bias": bias}
        empty = {"gain": torch.ones_like(gain), "bias": torch.zeros_like(bias)}
        kept = {key: empty[key] if key in name else given[key] for key in given}
        return layer_norm(x, kept["gain"], kept["bias"])

    return result


_MISTAKES = (
    Mistake(
        _variant(power=1.0),
        "the numbers are divided by the variance.",
        "The variance is in the numbers' unit squared: divide by its square root.",
    ),
    Mistake(
        _variant(mean=1.0),
        "the mean of each vector is 1 before gain and bias.",
        "Its mean is to be 0, its standard deviation 1.",
    ),
    Mistake(
        _variant(correction=1),
        "the variance is divided by d_model - 1.",
        "torch's `var` and `std` do that unless told otherwise: correction=0. Here the vector is "
        "all there is, not a sample.",
    ),
    Mistake(
        _variant(dims=None),
        "mean and variance are taken over all vectors at once.",
        "Each vector is normalized by itself: over its last axis.",
    ),
    Mistake(
        _variant(dims=-2),
        "mean and variance are taken over the tokens, a feature at a time.",
        "Over the features of each token instead: the last axis. Then a token's vector does not "
        "depend on its neighbours.",
    ),
    Mistake(
        _variant(power=0.0),
        "the mean is subtracted, but nothing is divided.",
        "Divide by the standard deviation, too.",
    ),
    Mistake(
        _variant(centred=False),
        "the mean stays in.",
        "Subtract the mean of each vector before you divide.",
    ),
    Mistake(
        _without("gain, bias"),
        "gain and bias are not used.",
        "Multiply by gain, then add bias.",
    ),
    Mistake(_without("gain"), "the gain is not used.", "Multiply by gain before adding bias."),
    Mistake(_without("bias"), "the bias is not used.", "Add bias at the end."),
    Mistake(
        lambda x, gain, bias: layer_norm(x, torch.ones_like(gain), bias) * gain,
        "the bias is multiplied by the gain.",
        "Multiply by gain first, then add bias.",
    ),
    Mistake(
        lambda x, gain, bias: layer_norm(x, bias, gain),
        "gain and bias have changed places.",
        "gain multiplies, bias is added.",
    ),
)
