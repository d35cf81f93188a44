"""The exercise "mean of words": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("mean of words", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_product(states, tokens, pad):
    real = (tokens != pad).float()
    return torch.einsum("bnd,bn->bd", states, real) / real.sum(dim=1, keepdim=True)


def in_a_loop(states, tokens, pad):
    rows = zip(states, tokens, strict=True)
    return torch.stack([vectors[row != pad].mean(dim=0) for vectors, row in rows])


@pytest.mark.parametrize("function", [by_product, in_a_loop])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ mean of words: all 4 properties hold."


def with_minus_infinity(states, tokens, pad):
    return states.masked_fill((tokens == pad)[:, :, None], -torch.inf).mean(dim=1)


WRONG = [
    (lambda s, _t, _p: s.mean(dim=1), "padding are averaged too"),
    (lambda s, t, p: (s * (t != p)[..., None]).mean(dim=1), "counted in the divisor"),
    (lambda s, t, p: (s * (t != p)[..., None]).sum(dim=1), "this is the sum"),
    (lambda s, t, p: (s * (t != p)[..., None]).sum(dim=1) / (t != p).sum(), "the whole batch"),
    (lambda s, _t, _p: s[:, 0], "the first token alone"),
    (lambda s, _t, _p: s.mean(dim=2), "expected"),
    (with_minus_infinity, "not finite"),
    (lambda s, t, p: 2 * by_product(s, t, p), "off by up to"),
    (lambda _s, _t, _p: None, "returned None"),
]


@pytest.mark.parametrize(("function", "told"), WRONG)
def test_wrong(capsys, function, told):
    line = said(capsys, function)
    assert line.startswith("✗ mean of words: ")
    assert told in line
    assert "Hint: " in line
