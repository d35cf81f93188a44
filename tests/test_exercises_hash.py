"""The exercise "angular hash": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.exercises import EXERCISES, check
from companion.exercises.angular_hash import check_angular_hash


def said(capsys, function):
    """The one line that the check prints."""
    check("angular hash", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def plain(x, r):
    return torch.cat([x @ r, -x @ r], dim=-1).argmax(dim=-1)


def by_sign(x, r):
    _, direction = (x @ r).abs().max(dim=-1)
    opposite = (x @ r).gather(1, direction[:, None])[:, 0] < 0
    return direction + r.shape[1] * opposite


RIGHT = {
    "plain": plain,
    "by sign": by_sign,
    "short numbers": lambda x, r: plain(x, r).to(torch.int16),
    "both ways": lambda x, r: (x @ torch.cat([r, -r], dim=1)).argmax(-1),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ angular hash: all 3 properties hold."


def one_off(x, r):
    buckets = plain(x, r)
    buckets[0] = (buckets[0] + 1) % (2 * r.shape[1])
    return buckets


WRONG = {
    "half": (lambda x, r: (x @ r).argmax(-1), "only half of the buckets", "has an opposite"),
    "abs": (lambda x, r: (x @ r).abs().argmax(-1), "share a bucket", "has an opposite"),
    "exchanged": (
        lambda x, r: torch.cat([-x @ r, x @ r], -1).argmax(-1),
        "the direction opposite to its own",
        "in this order",
    ),
    "argmin": (lambda x, r: torch.cat([x @ r, -x @ r], -1).argmin(-1), "opposite", "the smallest"),
    "planes": (
        lambda x, r: ((x @ r > 0) * 2 ** torch.arange(r.shape[1])).sum(-1),
        "a hash by planes",
        "argmax",
    ),
    "max": (
        lambda x, r: torch.cat([x @ r, -x @ r], -1).max(-1).values,
        "returned torch.float32",
        "its place",
    ),
    "whole": (lambda x, r: torch.cat([x @ r, -x @ r], -1), "returned shape (12, 8)", "argmax"),
    "one off": (one_off, "vector 0 is in bucket", "first all directions"),
    "None": (lambda x, r: None, "returned None", "End with `return`"),
    "raises": (lambda x, r: r @ x, "raised RuntimeError", "x @ r"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ angular hash: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_is_listed():
    assert EXERCISES["angular hash"] is check_angular_hash
