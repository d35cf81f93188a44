"""The exercise "inverse": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.exercises import EXERCISES, check
from companion.exercises.inverse import check_inverse
from companion.reversible import ReversibleBlock


def said(capsys, function):
    """The one line that the check prints."""
    check("inverse", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_hand(y1, y2, f, g):
    x2 = y2 - g(y1)
    return torch.stack([y1 - f(x2), x2])


class Module(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def by_the_block(y1, y2, f, g):
    return torch.stack(ReversibleBlock(Module(f), Module(g)).inverse(y1, y2))


RIGHT = {"by hand": by_hand, "the block's": by_the_block}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ inverse: all 4 properties hold."


def in_place(y1, y2, f, g):
    y2 -= g(y1)
    y1 -= f(y2)
    return torch.stack([y1, y2])


def forwards(y1, y2, f, g):
    z1 = y1 + f(y2)
    return torch.stack([z1, y2 + g(z1)])


def forward_order(y1, y2, f, g):
    x1 = y1 - f(y2)
    return torch.stack([x1, y2 - g(x1)])


def added(y1, y2, f, g):
    x2 = y2 + g(y1)
    return torch.stack([y1 + f(x2), x2])


def f_and_g(y1, y2, f, g):
    return by_hand(y1, y2, g, f)


WRONG = {
    "y2 into f": (
        lambda y1, y2, f, g: torch.stack([y1 - f(y2), y2 - g(y1)]),
        "f was given y2",
        "x2 already",
    ),
    "forward order": (forward_order, "in the order in which they ran", "added last"),
    "forwards": (forwards, "runs the block once more", "Take off"),
    "added": (added, "added again", "subtract"),
    "f and g": (f_and_g, "f and g are exchanged", "first stream"),
    "x1 and x2": (lambda *given: by_hand(*given).flip(0), "x1 and x2 are exchanged", "first"),
    "in place": (in_place, "changes its inputs", "not `y2 -= …`"),
    "one": (
        lambda *given: by_hand(*given)[0],
        "returned shape (3, 4), expected (2, 3, 4)",
        "stack",
    ),
    "two": (lambda *given: tuple(by_hand(*given)), "returned tuple of 2", "Return one result"),
    "nothing undone": (
        lambda y1, y2, f, g: torch.stack([y1, y2]),
        "x1 and x2 differ",
        "added last",
    ),
    "x2 alone": (
        lambda y1, y2, f, g: torch.stack([y1, y2 - g(y1)]),
        "x1 differs from what went in",
        "and then x1",
    ),
    "None": (lambda *given: None, "returned None", "End with `return`"),
    "raises": (lambda y1, y2, f, g: f(y1, y2), "raised TypeError", "Compare the arguments"),
    "too few arguments": (lambda y1, y2: y1, "raised TypeError", "arguments"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ inverse: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_is_listed():
    assert EXERCISES["inverse"] is check_inverse
