"""The exercise "chunk mask": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch

from companion.attention import causal_mask
from companion.exercises import EXERCISES, check
from companion.exercises.chunk_mask import check_chunk_mask
from companion.local import chunk_mask
from companion.masks import window_mask


def said(capsys, function):
    """The one line that the check prints."""
    check("chunk mask", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_loop(n, chunk):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for query in range(n):
        mask[query, max(0, query // chunk - 1) * chunk : query + 1] = True
    return mask


def apart(n, chunk):
    number = torch.arange(n) // chunk
    return number[:, None] - number[None, :]


RIGHT = {
    "ours": chunk_mask,
    "loop": by_loop,
    "triangle": lambda n, chunk: (apart(n, chunk) < 2).tril(),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ chunk mask: all 6 properties hold."


def one_more(n, chunk):
    mask = chunk_mask(n, chunk)
    mask[0, -1] = True
    return mask


WRONG = {
    "future": (lambda n, c: apart(n, c) <= 1, "sees what comes after it.", "Two conditions"),
    "future within": (
        lambda n, c: (apart(n, c) == 0) | (apart(n, c) == 1),
        "after it in its own chunk",
        "causal_mask",
    ),
    "own only": (lambda n, c: (apart(n, c) == 0).tril(), "not see the chunk before", "by 0 or 1"),
    "before only": (lambda n, c: apart(n, c) == 1, "not see its own chunk", "by 0 or 1"),
    "two back": (lambda n, c: (apart(n, c) <= 2).tril(), "sees two chunks before", "by 0 or 1"),
    "window": (window_mask, "this is a window", "fixed borders"),
    "wide window": (lambda n, c: window_mask(n, 2 * c), "this is a window", "fixed borders"),
    "causal": (lambda n, c: causal_mask(n), "all that comes before", "one chunk back"),
    "opposite": (lambda n, c: ~chunk_mask(n, c), "this is the opposite", "may look"),
    "transposed": (lambda n, c: chunk_mask(n, c).T, "exchanged", "A row belongs to a query"),
    "numbers": (lambda n, c: chunk_mask(n, c).int(), "returned torch.int32", "with `&`"),
    "shape": (lambda n, c: chunk_mask(n, c)[0], "returned shape (9,), expected (9, 9)", "a row"),
    "None": (lambda n, c: None, "returned None", "End with `return`"),
    "one more": (one_more, "position 0 sees position 8, but must not", "rounded down"),
    "one less": (
        lambda n, c: chunk_mask(n, c) & ~torch.eye(n, dtype=torch.bool),
        "position 0 does not see position 0, but must",
        "rounded down",
    ),
    "raises": (lambda n, c: torch.zeros(n).view(-1, c), "raised RuntimeError", "multiple of chunk"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ chunk mask: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_is_listed():
    assert EXERCISES["chunk mask"] is check_chunk_mask
