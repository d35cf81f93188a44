"""The exercise "axial positions": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.exercises import EXERCISES, check
from companion.exercises.axial import check_axial
from companion.reformer import AxialPositions


def said(capsys, function):
    """The one line that the check prints."""
    check("axial positions", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_places(rows, columns, length):
    p = torch.arange(length)
    return torch.cat([rows[p // len(columns)], columns[p % len(columns)]], dim=-1)


def by_a_grid(rows, columns, length):
    shape = (len(rows), len(columns), -1)
    grid = torch.cat([rows[:, None].expand(shape), columns.expand(shape)], dim=-1)
    return grid.flatten(0, 1)[:length]


def by_the_module(rows, columns, length):
    positions = AxialPositions(len(rows) * len(columns), 2 * rows.shape[1])
    positions.n_columns = len(columns)
    positions.row, positions.column = torch.nn.Parameter(rows), torch.nn.Parameter(columns)
    return positions(length)


RIGHT = {"places": by_places, "grid": by_a_grid, "the Reformer's": by_the_module}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ axial positions: all 4 properties hold."


def down(rows, columns, length):
    p = torch.arange(length)
    return torch.cat([rows[p % len(rows)], columns[p // len(rows)]], dim=-1)


def one_off(rows, columns, length):
    vectors = by_places(rows, columns, length)
    vectors[0] += 1
    return vectors


WRONG = {
    "exchanged": (lambda r, c, n: by_places(r, c, n).roll(r.shape[1], 1), "halves", "First"),
    "down": (down, "run down the columns", "A line is filled"),
    "all": (lambda r, c, n: by_a_grid(r, c, 99)[:-1], "returned shape (11, 4)", "One vector"),
    "whole": (
        lambda r, c, n: by_a_grid(r, c, 99),
        "returned shape (12, 6), expected (10, 6)",
        "half",
    ),
    "sum": (lambda r, c, n: by_places(r, c, n)[:, :2], "expected (12, 4)", "half from the column"),
    "one off": (one_off, "the vector of position 0 differs", "p // n_columns"),
    "None": (lambda r, c, n: None, "returned None", "End with `return`"),
    "raises": (lambda r, c, n: r @ c, "raised RuntimeError", "p % n_columns"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ axial positions: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_is_listed():
    assert EXERCISES["axial positions"] is check_axial
