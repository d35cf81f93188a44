"""The exercise "teacher forcing": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch
from torch.nn import functional

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("teacher forcing", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def joined(asked, start):
    return torch.cat([torch.full_like(asked[:, :1], start), asked[:, :-1]], dim=1)


def by_hand(asked, start):
    told = torch.empty_like(asked)
    for row, words in zip(told, asked.tolist(), strict=True):
        row[:] = torch.tensor([start, *words[:-1]])
    return told


def into_the_input(asked, start):
    asked[:, 1:] = asked[:, :-1].clone()
    asked[:, 0] = start
    return asked.clone()


def overwritten(asked, start):
    told = asked.clone()
    told[:, 0] = start
    return told


RIGHT = {
    "joined": joined,
    "by hand": by_hand,
    "padded": lambda asked, start: functional.pad(asked, (1, -1), value=start),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ teacher forcing: all 4 properties hold."


WRONG = {
    "where it is asked for": lambda asked, start: asked.clone(),
    "words that come after": lambda asked, start: functional.pad(asked, (-1, 1)),
    "over the first word": overwritten,
    "the last column first": lambda asked, start: asked.roll(1, 1),
    "one word for each asked": lambda asked, start: joined(asked, start)[0],
    "one longer": lambda asked, start: functional.pad(asked, (1, 0), value=start),
    "begins with padding": lambda asked, start: joined(asked, 0),
    "tells other words": lambda asked, start: joined(asked, 3),
    "changes the tensor": into_the_input,
    "returned None": lambda asked, start: None,
}


@pytest.mark.parametrize(("hint", "function"), WRONG.items(), ids=WRONG)
def test_wrong(capsys, hint, function):
    line = said(capsys, function)
    assert line.startswith("✗ teacher forcing: ")
    assert hint.lower() in line.lower()
