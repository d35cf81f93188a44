"""The exercise "sinusoids": write the sinusoidal encoding of the paper.

From the chapter "Where am I? Positional encodings".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, difference, same
from companion.positional import sinusoidal

_SIZES = ((3, 4), (7, 8), (1, 2), (40, 12))


def check_sinusoids(function: Callable[..., Tensor]) -> int:
    """Check `encoding(n, d_model)`; return the number of properties."""
    for n, d_model in _SIZES:
        on = f"n = {n}, d_model = {d_model}"
        hint = "Build n rows of d_model numbers, for any n above 0 and any even d_model."
        table = call(function, (n, d_model), on, hint)
        if table.shape != (n, d_model):
            raise WrongAnswerError(
                f"returned shape {tuple(table.shape)}, expected {(n, d_model)}, on {on}.",
                "There is a row for each position, a column for each dimension, and no other axis.",
            )
        _check_entries(table, n, d_model, on)
    return 4  # shape, position 0, sines and cosines in turn, the paper's wavelengths


def _check_entries(table: Tensor, n: int, d_model: int, on: str) -> None:
    expected = sinusoidal(n, d_model)  # (n, d_model)
    if same(table, expected):
        return
    for mistake in _MISTAKES:
        if same(table, mistake.result(n, d_model)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if not same(table[0], expected[0]):
        raise WrongAnswerError(
            f"on {on}, position 0 is not 0, 1, 0, 1, …",
            "The first position is 0: its angles are 0, their sines 0 and their cosines 1.",
        )
    raise WrongAnswerError(
        f"on {on}, an entry differs by {difference(table, expected):.2g} from the paper's.",
        "Entry 2i is the sine, and entry 2i + 1 the cosine, of position / 10000^(2i / d_model).",
    )


def _angles(n: int, d_model: int) -> Tensor:
    """The angle of each pair at each position, (n, pairs)."""
    i = torch.arange(d_model // 2)
    return torch.arange(n)[:, None] / 10_000 ** (2 * i / d_model)


def _in_turn(first: Tensor, second: Tensor) -> Tensor:
    """Columns of two tables (n, pairs) in turn, (n, d_model)."""
    return torch.stack([first, second], dim=-1).flatten(start_dim=1)


def _each_its_own(n: int, d_model: int) -> Tensor:
    """Every dimension with a wavelength of its own: the exponent counts dimensions, not pairs."""
    angles = torch.arange(n)[:, None] / 10_000 ** (torch.arange(d_model) / d_model)
    return _in_turn(angles[:, 0::2].sin(), angles[:, 1::2].cos())


def _half_exponent(n: int, d_model: int) -> Tensor:
    angles = torch.arange(n)[:, None] / 10_000 ** (torch.arange(d_model // 2) / d_model)
    return _in_turn(angles.sin(), angles.cos())


def _multiplied(n: int, d_model: int) -> Tensor:
    i = torch.arange(d_model // 2)
    angles = torch.arange(n)[:, None] * 10_000 ** (2 * i / d_model)
    return _in_turn(angles.sin(), angles.cos())


_MISTAKES = (
    Mistake(
        lambda n, d: sinusoidal(n, d, layout="tensor2tensor"),
        "this is tensor2tensor's table: all sines first, and a largest wavelength of 10000 · 2π.",
        "In the paper sine and cosine take turns, and the exponent is 2i / d_model.",
    ),
    Mistake(
        lambda n, d: torch.cat([_angles(n, d).sin(), _angles(n, d).cos()], dim=1),
        "all sines come first, then all cosines.",
        "In the paper they take turns: try torch.stack on a new last axis, then flatten.",
    ),
    Mistake(
        lambda n, d: _in_turn(_angles(n, d).cos(), _angles(n, d).sin()),
        "sine and cosine have changed places.",
        "Entry 2i, the even one, is the sine: position 0 begins with 0.",
    ),
    Mistake(
        lambda n, d: sinusoidal(n + 1, d)[1:],
        "the first row is that of position 1.",
        "Positions count from 0, as torch.arange(n) does.",
    ),
    Mistake(
        _each_its_own,
        "sine and cosine of a pair turn at different speeds.",
        "The i of 2i / d_model counts pairs: both entries of a pair have the same angle.",
    ),
    Mistake(
        _half_exponent,
        "the wavelengths grow too slowly: the 2 of 2i / d_model is missing.",
        "i runs over d_model / 2 pairs, so that 2i / d_model runs from 0 to nearly 1.",
    ),
    Mistake(
        _multiplied,
        "the angles are multiplied by 10000^(2i / d_model).",
        "They are divided by it: later pairs turn more slowly.",
    ),
)
