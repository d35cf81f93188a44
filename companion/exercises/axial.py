"""The exercise "axial positions": a vector for each position from two short tables.

From the chapter "A million tokens in 16 GB".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, same

# Rows, columns, entries of half a vector, positions: a text that fills the last line, and one not.
_SIZES = ((3, 4, 2, 12), (4, 3, 3, 10), (2, 2, 1, 1))


def check_axial(function: Callable[..., Tensor]) -> int:
    """Check `axial(rows, columns, length)`; return the number of properties."""
    drawn = torch.Generator().manual_seed(0)
    for n_rows, n_columns, half, length in _SIZES:
        rows = torch.randn(n_rows, half, generator=drawn)
        columns = torch.randn(n_columns, half, generator=drawn)
        on = f"{n_rows} rows, {n_columns} columns, length = {length}"
        hint = "Position p stands in row p // n_columns and column p % n_columns."
        found = call(function, (rows, columns, length), on, hint)
        if found.shape != (length, 2 * half):
            raise WrongAnswerError(
                f"returned shape {tuple(found.shape)}, expected {(length, 2 * half)}, on {on}.",
                "One vector for each position: half of it from the row, half from the column.",
            )
        _check_vectors(found, rows, columns, length, on)
    return 4  # shape, row's half, column's half, any length


def _axial(rows: Tensor, columns: Tensor, length: int) -> Tensor:
    row, column = _places(columns, length)
    return torch.cat([rows[row], columns[column]], dim=-1)  # (length, d_model)


def _places(columns: Tensor, length: int) -> tuple[Tensor, Tensor]:
    position = torch.arange(length)
    return position // len(columns), position % len(columns)


def _check_vectors(found: Tensor, rows: Tensor, columns: Tensor, length: int, on: str) -> None:
    expected = _axial(rows, columns, length)
    if same(found, expected):
        return
    for mistake in _MISTAKES:
        if same(found, mistake.result(rows, columns, length)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    first = int((found - expected).abs().amax(dim=-1).argmax())
    raise WrongAnswerError(
        f"on {on}, the vector of position {first} differs.",
        "Position p stands in row p // n_columns and column p % n_columns.",
    )


def _exchanged(rows: Tensor, columns: Tensor, length: int) -> Tensor:
    row, column = _places(columns, length)
    return torch.cat([columns[column], rows[row]], dim=-1)


def _down_the_columns(rows: Tensor, columns: Tensor, length: int) -> Tensor:
    position = torch.arange(length)
    row, column = position % len(rows), (position // len(rows)).clamp(max=len(columns) - 1)
    return torch.cat([rows[row], columns[column]], dim=-1)


_MISTAKES = (
    Mistake(
        _exchanged,
        "the halves are exchanged.",
        "First the entries of the row, then those of the column.",
    ),
    Mistake(
        _down_the_columns,
        "positions run down the columns.",
        "A line is filled before the next one begins: row p // n_columns.",
    ),
)
