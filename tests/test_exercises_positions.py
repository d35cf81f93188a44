"""The exercise "sinusoids": right ways pass, and each common mistake gets its own hint."""

# ruff: noqa: ARG005

import math

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("sinusoids", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def angles(n, d, *, start=0, two=2.0):
    i = torch.arange(d // 2)
    return torch.arange(start, start + n)[:, None] / 10_000 ** (two * i / d)


def turns(first, second):
    return torch.stack([first, second], dim=-1).flatten(1)


def by_loops(n, d):
    rows = [
        [(math.cos if k % 2 else math.sin)(p / 10_000 ** (2 * (k // 2) / d)) for k in range(d)]
        for p in range(n)
    ]
    return torch.tensor(rows)


def filled_in(n, d):
    table = torch.zeros(n, d, dtype=torch.double)
    table[:, 0::2], table[:, 1::2] = angles(n, d).sin(), angles(n, d).cos()
    return table


@pytest.mark.parametrize("function", [by_loops, filled_in], ids=lambda f: f.__name__)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ sinusoids: all 4 properties hold."


def tensor2tensor(n, d):
    i = torch.arange(d // 2)
    of_each = torch.arange(n)[:, None] * torch.exp(-i * math.log(10_000) / max(1, d // 2 - 1))
    return torch.cat([of_each.sin(), of_each.cos()], dim=1)


def own_wavelengths(n, d):
    k = torch.arange(d)
    of_each = torch.arange(n)[:, None] / 10_000 ** (k / d)
    return torch.where(k % 2 == 0, of_each.sin(), of_each.cos())


WRONG = {
    "this is tensor2tensor's table": tensor2tensor,
    "all sines come first": lambda n, d: torch.cat([angles(n, d).sin(), angles(n, d).cos()], 1),
    "changed places": lambda n, d: turns(angles(n, d).cos(), angles(n, d).sin()),
    "that of position 1": lambda n, d: turns(
        angles(n, d, start=1).sin(), angles(n, d, start=1).cos()
    ),
    "different speeds": own_wavelengths,
    "grow too slowly": lambda n, d: turns(angles(n, d, two=1).sin(), angles(n, d, two=1).cos()),
    "are multiplied": lambda n, d: turns(angles(n, d, two=-2).sin(), angles(n, d, two=-2).cos()),
    "position 0 is not 0, 1": torch.ones,
    "differs by": lambda n, d: turns((2 * angles(n, d)).sin(), (2 * angles(n, d)).cos()),
    "returned shape (4, 3)": lambda n, d: by_loops(n, d).T,
    "returned None": lambda n, d: None,
}


@pytest.mark.parametrize(("hint", "function"), WRONG.items(), ids=WRONG)
def test_wrong(capsys, hint, function):
    line = said(capsys, function)
    assert line.startswith("✗ sinusoids: ")
    assert hint in line
