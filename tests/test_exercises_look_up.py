"""The exercise "soft look-up": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import math

import pytest
import torch

from companion.alignment import soft_look_up
from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("soft look-up", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def hidden(scores, mask, value=-math.inf):
    return scores if mask is None else scores.masked_fill(~mask, value)


def usual(scores, values, mask=None):
    return hidden(scores, mask).softmax(dim=-1) @ values


def by_hand(scores, values, mask=None):
    rows = []
    for i, row in enumerate(scores.tolist()):
        seen = [j for j in range(len(row)) if mask is None or mask[i, j]]
        top = max(row[j] for j in seen)
        powers = {j: math.exp(row[j] - top) for j in seen}
        rows.append(sum(power * values[j] for j, power in powers.items()) / sum(powers.values()))
    return torch.stack(rows)


def in_double(scores, values, mask=None):
    return usual(scores.double(), values.double(), mask).requires_grad_()


def large_negative(scores, values, mask=None):
    return torch.softmax(hidden(scores, mask, -1e9), 1).matmul(values)


RIGHT = {
    "usual": usual,
    "by hand": by_hand,
    "in double": in_double,
    "large negative": large_negative,
    "ours": lambda *given: soft_look_up(*given)[0],
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ soft look-up: all 5 properties hold."


def powers(scores, values, mask=None):
    exp = scores.exp() if mask is None else scores.exp() * mask
    return exp / exp.sum(dim=-1, keepdim=True) @ values


def in_place(scores, values, mask=None):
    if mask is not None:
        scores.masked_fill_(~mask, -math.inf)
    return scores.softmax(dim=-1) @ values


def takes_two(scores, values):
    return usual(scores, values)


def unless_masked(wrong):
    """Right without a mask, `wrong` with one."""
    return lambda s, v, m=None: usual(s, v) if m is None else wrong(s, v, m)


WRONG = {
    "wrong axis": (lambda s, v, m=None: s.softmax(dim=0) @ v, "over the queries", "last axis"),
    "transposed": (
        lambda s, v, m=None: s.softmax(dim=-1).T @ v,
        "the weights are transposed",
        "weights @ values",
    ),
    "no softmax": (lambda s, v, m=None: s @ v, "there is no softmax", "make weights"),
    "no sum": (lambda s, v, m=None: s.exp() @ v, "do not sum to 1", "by their sum"),
    "weights": (lambda s, v, m=None: s.softmax(-1), "the values are missing", "take it"),
    "best": (lambda s, v, m=None: v[s.argmax(-1)], "only the best match", "Mix all"),
    "mean": (
        lambda s, v, m=None: (s.softmax(-1)[..., None] * v).mean(dim=1),
        "divided by the number of keys",
        "sum to 1 already",
    ),
    "overflow": (powers, "off by nan", "subtract the row's largest score"),
    "no mask": (unless_masked(lambda s, v, m: usual(s, v)), "mask changes nothing", "new tensor"),
    "inverted": (unless_masked(lambda s, v, m: usual(s, v, ~m)), "wrong way round", "~mask"),
    "late mask": (
        unless_masked(lambda s, v, m: (s.softmax(-1) * m) @ v),
        "comes after the softmax",
        "then take the softmax",
    ),
    "zeros": (unless_masked(lambda s, v, m: usual(s * m, v)), "set to 0", "e⁰ = 1"),
    "mask transposed": (
        unless_masked(lambda s, v, m: usual(s, v, m.T)),
        "mask is transposed",
        "a row for each query",
    ),
    "added": (unless_masked(lambda s, v, m: usual(s + m, v)), "off by", "True where a query"),
    "in place": (in_place, "changes its input `scores`", "masked_fill, not masked_fill_"),
    "one vector": (
        lambda s, v, m=None: v.mean(dim=0),
        "returned shape (3,), expected (5, 3)",
        "One",
    ),
    "takes two": (takes_two, "raised TypeError", "arguments"),
    "nothing": (lambda s, v, m=None: None, "returned None", "return"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ soft look-up: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after
