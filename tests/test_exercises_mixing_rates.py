"""The exercise "mixing rates": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("mixing rates", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def shares(x):
    return x / x.sum()


def as_written(sizes, limit, temperature):
    rates = shares(sizes.clamp(max=limit))
    return shares(rates ** (1 / temperature))


def one_division(sizes, limit, temperature):
    return shares(sizes.clamp(max=limit) ** (1 / temperature))


def by_logits(sizes, limit, temperature):
    return (sizes.clamp(max=limit).log() / temperature).softmax(dim=-1)


@pytest.mark.parametrize("function", [as_written, one_division, by_logits])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ mixing rates: all 4 properties hold."


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda e, k, t: shares(e.clamp(max=k)) ** (1 / t), "no longer sum to 1"),
        (lambda e, k, t: shares(e.clamp(max=k) ** t), "more than their share"),
        (lambda e, k, t: shares(e ** (1 / t)), "the limit is left out"),
        (lambda e, k, t: shares(e.clamp(max=k)), "the temperature is left out"),
        (lambda e, k, t: shares(e), "limit and temperature are left out"),
        (lambda e, k, t: shares((e ** (1 / t)).clamp(max=k)), "limit comes after"),
        (lambda e, k, t: (shares(e.clamp(max=k)) / t).softmax(-1), "softmax was taken"),
        (lambda e, k, t: torch.ones(len(e)) / len(e), "all tasks get the same"),
        (lambda e, k, t: e.clamp(max=k) ** (1 / t), "the rates sum to"),
        (lambda e, k, t: shares(e.clamp(max=k + 1) ** (1 / t)), "expected"),
        (lambda e, k, t: shares(e)[:1], "expected (3,)"),
        (lambda e, k, t: None, "returned None"),
        (lambda e: e, "raised TypeError"),
    ],
)
def test_wrong(capsys, function, found):
    line = said(capsys, function)
    assert line.startswith("✗ mixing rates: ")
    assert found in line
    assert "Hint: " in line
