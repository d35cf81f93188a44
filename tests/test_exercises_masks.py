"""The exercise "decoder mask": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.attention import causal_mask, padding_mask
from companion.exercises import EXERCISES, check
from companion.exercises.decoder_mask import check_decoder_mask


def said(capsys, function):
    """The one line that the check prints."""
    check("decoder mask", function)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    return printed.strip()


def by_hand(tokens, pad):
    batch, n = tokens.shape
    mask = torch.zeros(batch, 1, n, n, dtype=torch.bool)
    for b in range(batch):
        for i in range(n):
            for j in range(i + 1):
                mask[b, 0, i, j] = tokens[b, j] != pad
    return mask


RIGHT = {
    "and": lambda tokens, pad: causal_mask(tokens.shape[1]) & padding_mask(tokens, pad),
    "by hand": by_hand,
    "product": lambda tokens, pad: (
        torch.ones(tokens.shape[1], tokens.shape[1]).tril() * (tokens != pad)[:, None, None]
    ).bool(),
    "minimum": lambda tokens, pad: torch.minimum(
        causal_mask(tokens.shape[1]).int(), padding_mask(tokens, pad).int()
    ).bool(),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ decoder mask: all 5 properties hold."


def causal(tokens):
    return causal_mask(tokens.shape[1])


def swapped(tokens, pad):
    return padding_mask(tokens, pad).transpose(-2, -1)


def in_place(tokens, pad):
    mask = RIGHT["and"](tokens, pad)
    tokens[tokens == pad] = -1
    return mask


def hides_one_more(tokens, pad):
    mask = RIGHT["and"](tokens, pad)
    mask[0, 0, -1, -1] = False
    return mask


def opens_one_more(tokens, pad):
    mask = RIGHT["and"](tokens, pad)
    mask[0, 0, 0, -1] = True
    return mask


WRONG = {
    "or": (lambda t, p: causal(t) | padding_mask(t, p), "*either* mask", "One reason is enough"),
    "maximum": (
        lambda t, p: torch.maximum(causal(t).int(), padding_mask(t, p).int()).bool(),
        "`maximum`",
        "both must say",
    ),
    "inverted": (lambda t, p: ~RIGHT["and"](t, p), "wrong way round", "True means"),
    "no padding": (
        lambda t, p: causal(t).expand(len(t), 1, -1, -1),
        "padding is not hidden",
        "Compare the tokens",
    ),
    "no causal": (
        lambda t, p: padding_mask(t, p).expand(-1, 1, t.shape[1], -1),
        "future is not hidden",
        "what comes after it",
    ),
    "rows": (lambda t, p: causal(t) & swapped(t, p), "rows of padding", "[:, None, None, :]"),
    "rows and columns": (
        lambda t, p: RIGHT["and"](t, p) & swapped(t, p),
        "padding may look at nothing",
        "Only keys are hidden",
    ),
    "future": (
        lambda t, p: causal(t).T & padding_mask(t, p),
        "itself and its future",
        "the first row has one",
    ),
    "diagonal": (
        lambda t, p: causal(t).tril(-1) & padding_mask(t, p),
        "does not see itself",
        "is known when",
    ),
    "pad is 0": (lambda t, p: causal(t) & padding_mask(t, 0), "taken to be 0", "with `pad`"),
    "shape": (
        lambda t, p: RIGHT["and"](t, p)[:, 0],
        "returned shape (2, 4, 4), expected",
        "(n, n)",
    ),
    "not broadcast": (lambda t, p: causal(t), "returned shape (4, 4)", "differs from sentence"),
    "numbers": (lambda t, p: RIGHT["and"](t, p).float(), "returned torch.float32", "with `&`"),
    "changes tokens": (in_place, "changes its input `tokens`", "not in place"),
    "raises": (lambda t, p: causal(t) & (t != p), "raised RuntimeError", "broadcast when joined"),
    "nothing": (lambda t, p: None, "returned None", "End with `return`"),
    "one too few": (hides_one_more, "position 3 does not see position 3, but must", "is not later"),
    "one too many": (opens_one_more, "position 0 sees position 3, but must not", "not padding"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ decoder mask: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_is_listed():
    assert EXERCISES["decoder mask"] is check_decoder_mask
