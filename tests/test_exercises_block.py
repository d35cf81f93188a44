"""The exercise "layer norm": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch
from torch.nn import functional

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("layer norm", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_hand(x, gain, bias):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt() * gain + bias


RIGHT = {
    "by hand": by_hand,
    "torch": lambda x, gain, bias: functional.layer_norm(x, x.shape[-1:], gain, bias),
    "std": lambda x, gain, bias: (
        gain * (x - x.mean(-1, keepdim=True)) / (x.std(-1, correction=0, keepdim=True) + 1e-6)
        + bias
    ),
    "double": lambda x, gain, bias: by_hand(x.double(), gain.double(), bias.double()),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ layer norm: all 5 properties hold."


def normal(x, dims=-1, correction=0):
    mean = x.mean(dims, keepdim=True)
    return (x - mean) / (x.var(dims, correction=correction, keepdim=True) + 1e-5).sqrt()


WRONG = {
    "divided by the variance": lambda x, g, b: (
        (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5) * g + b
    ),
    "mean of each vector is 1": lambda x, g, b: (normal(x) + 1) * g + b,
    "divided by d_model - 1": lambda x, g, b: normal(x, correction=1) * g + b,
    "over all vectors at once": lambda x, g, b: normal(x, tuple(range(x.dim()))) * g + b,
    "over the tokens": lambda x, g, b: normal(x, -2) * g + b,
    "nothing is divided": lambda x, g, b: (x - x.mean(-1, keepdim=True)) * g + b,
    "the mean stays in": lambda x, g, b: (
        x / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt() * g + b
    ),
    "gain and bias are not used": lambda x, g, b: normal(x),
    "the gain is not used": lambda x, g, b: normal(x) + b,
    "the bias is not used": lambda x, g, b: normal(x) * g,
    "multiplied by the gain": lambda x, g, b: (normal(x) + b) * g,
    "changed places": lambda x, g, b: normal(x) * b + g,
    "NaN": lambda x, g, b: (
        (x - x.mean(-1, keepdim=True)) / x.std(-1, correction=0, keepdim=True) * g + b
    ),
    "returned shape (2, 5)": lambda x, g, b: x.mean(-1),
    "other numbers": lambda x, g, b: x * g + b,
    "keepdim=True": lambda x, g, b: x - x.mean(-1),
    "returned None": lambda x, g, b: None,
}


@pytest.mark.parametrize(("hint", "function"), WRONG.items(), ids=WRONG)
def test_wrong(capsys, hint, function):
    line = said(capsys, function)
    assert line.startswith("✗ layer norm: ")
    assert hint in line


def test_the_inputs_are_the_same_every_time():
    seen = []

    def watch(x, gain, bias):
        seen.append(torch.cat([x.flatten(), gain, bias]))
        return by_hand(x, gain, bias)

    check("layer norm", watch)
    check("layer norm", watch)
    half = len(seen) // 2
    assert all(torch.equal(a, b) for a, b in zip(seen[:half], seen[half:], strict=True))
