"""The exercise "beam step": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("beam step", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def kept(scores, width):
    places = scores.flatten().topk(width).indices
    return torch.stack([places // scores.shape[1], places % scores.shape[1]], dim=1)


def flattened(totals, odds, width):
    return kept(totals[:, None] + odds, width)


def in_a_loop(totals, odds, width):
    candidates = [
        (totals[i] + odds[i, j], i, j) for i in range(len(totals)) for j in range(odds.shape[1])
    ]
    candidates.sort(key=lambda candidate: -candidate[0])
    return torch.tensor([[i, j] for _, i, j in candidates[:width]])


def by_probabilities(totals, odds, width):
    return kept(totals.exp()[:, None] * odds.exp(), width).float()


def best_of_each_first(totals, odds, width):
    k = min(width, odds.shape[1])
    odds, tokens = odds.topk(k, dim=1)
    places = (totals[:, None] + odds).flatten().topk(width).indices
    return torch.stack([places // k, tokens.flatten()[places]], dim=1)


@pytest.mark.parametrize("function", [flattened, in_a_loop, by_probabilities, best_of_each_first])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ beam step: all 5 properties hold."


def one_each(scores, totals, width):
    first = totals.argsort(descending=True)[:width]
    return torch.stack([first, scores.argmax(1)[first]], dim=1)


WRONG = {
    "no totals": (lambda _t, x, w: kept(x, w), "are left out.", "add the total"),
    "product": (lambda t, x, w: kept(t[:, None] * x, w), "multiplied.", "logarithms are added"),
    "exp": (lambda t, x, w: kept(t[:, None] + x.exp(), w), "is added to a log", "no exp"),
    "sum": (
        lambda t, x, w: kept(t.exp()[:, None] + x.exp(), w),
        "probabilities are added.",
        "Add logarithms, or",
    ),
    "one each": (lambda t, x, w: one_each(x, t, w), "one token only.", "flatten"),
    "one each, by sums": (
        lambda t, x, w: one_each(x, (t[:, None] + x).amax(1), w),
        "one token only.",
        "flatten",
    ),
    "turned": (lambda t, x, w: flattened(t, x, w).flip(1), "other way round.", "First the"),
    "ascending": (lambda t, x, w: flattened(t, x, w).flip(0), "comes first.", "Likeliest first"),
    "least": (lambda t, x, w: kept(-(t[:, None] + x), w), "least likely cont", "closest to 0"),
    "places": (
        lambda t, x, w: (t[:, None] + x).flatten().topk(w).indices,
        "places in the flattened",
        "Take them apart",
    ),
    "divided by beams": (
        lambda t, x, w: torch.stack(
            [
                (t[:, None] + x).flatten().topk(w).indices // len(t),
                (t[:, None] + x).flatten().topk(w).indices % len(t),
            ],
            dim=1,
        ),
        "by the number of beginnings",
        "divide by that",
    ),
    "too few": (
        lambda t, x, w: flattened(t, x, w)[:1],
        "returned shape (1, 2), expected (3, 2)",
        "One row",
    ),
    "zeros": (
        lambda _t, _x, w: torch.zeros(w, 2),
        "the result is [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], expected [[0, 2], [1, 3], [0, 0]]",
        "by hand",
    ),
    "raises": (lambda t, x, _w: t + x, "raised RuntimeError", "topk"),
    "nothing": (lambda _t, _x, _w: None, "returned None", "return"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ beam step: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after
