"""The exercise "best span": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch

from companion.exercises import check
from companion.question_answering import best_span


def said(capsys, function):
    """The one line that the check prints."""
    check("best span", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_matrix(start, end, allowed):
    scores = start[:, None] + end[None, :]
    fits = allowed[:, None] & allowed[None, :]
    scores = scores.masked_fill(~fits.triu(), -torch.inf)
    return torch.tensor(divmod(int(scores.argmax()), len(start)))


def in_two_loops(start, end, allowed):
    best, span = -torch.inf, None
    for first in range(len(start)):
        for last in range(first, len(start)):
            score = float(start[first] + end[last])
            if allowed[first] and allowed[last] and score > best:
                best, span = score, (first, last)
    return torch.tensor(span)


def the_book_s(start, end, allowed):
    found = best_span(start, end, allowed)
    return torch.tensor([found.first, found.last])


@pytest.mark.parametrize("function", [by_matrix, in_two_loops, the_book_s])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ best span: all 5 properties hold."


def hidden(logits, allowed):
    return logits.masked_fill(~allowed, -torch.inf)


def apart(start, end, allowed):
    return torch.stack([hidden(start, allowed).argmax(), hidden(end, allowed).argmax()])


def from_the_start(start, end, allowed):
    first = int(hidden(start, allowed).argmax())
    return torch.tensor([first, first + int(hidden(end, allowed)[first:].argmax())])


def strictly(start, end, allowed):
    scores = start[:, None] + end[None, :]
    fits = (allowed[:, None] & allowed[None, :]).triu(1)
    return torch.tensor(divmod(int(scores.masked_fill(~fits, -torch.inf).argmax()), len(start)))


WRONG = [
    (apart, "chosen apart, and some ends come before their start"),
    (lambda s, e, _a: torch.stack([s.argmax(), e.argmax()]), "chosen apart, and anywhere"),
    (lambda s, e, a: apart(s, e, a).sort().values, "the two were swapped"),
    (from_the_start, "the best start was kept"),
    (lambda s, e, a: by_matrix(s, e, torch.ones_like(a)), "places that are not allowed"),
    (strictly, "no span of one token"),
    (lambda _s, _e, _a: torch.tensor([1.0, 2.0]), "returned torch.float32, expected whole numbers"),
    (lambda _s, _e, _a: torch.tensor(3), "returned shape (), expected (2,)"),
    (lambda s, _e, _a: torch.tensor([len(s), len(s)]), "which is not in the text"),
    (lambda _s, _e, _a: torch.tensor([2, 1]), "which ends before it begins"),
    (lambda _s, _e, _a: torch.tensor([0, 0]), "which is not allowed"),
    (lambda _s, _e, _a: (1, 2), "returned tuple of 2"),
    (lambda _s, _e: None, "Compare the arguments"),
    (lambda _s, _e, _a: None, "returned None"),
]


@pytest.mark.parametrize(("function", "told"), WRONG)
def test_wrong(capsys, function, told):
    line = said(capsys, function)
    assert line.startswith("✗ best span: ")
    assert told in line
    assert "Hint: " in line


def test_a_worse_span_is_told_with_both_sums(capsys):
    def first_allowed(_start, _end, allowed):
        place = int(allowed.nonzero()[0])
        return torch.tensor([place, place])

    assert "whose logits add up to" in said(capsys, first_allowed)
