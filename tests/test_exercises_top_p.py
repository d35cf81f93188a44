"""The exercise "top-p": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("top-p", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_sorting(probabilities, p):
    ordered, places = probabilities.sort(descending=True)
    ordered[ordered.cumsum(0) - ordered >= p] = 0
    kept = torch.zeros_like(probabilities).scatter(0, places, ordered)
    return kept / kept.sum()


def by_counting(probabilities, p):
    ordered, places = probabilities.sort(descending=True)
    n = int((ordered.cumsum(0) < p).sum()) + 1
    kept = torch.zeros_like(probabilities)
    kept[places[:n]] = ordered[:n] / ordered[:n].sum()
    return kept


def in_a_loop(probabilities, p):
    kept, mass = torch.zeros_like(probabilities), 0.0
    for place in probabilities.argsort(descending=True):
        if mass < p:
            kept[place] = probabilities[place]
            mass += float(probabilities[place])
    return kept / mass


def of_transformers(probabilities, p):
    ordered, places = probabilities.sort()
    left_out = torch.zeros(len(places), dtype=torch.bool)
    left_out[places] = ordered.cumsum(0) <= 1 - p
    return probabilities.log().masked_fill(left_out, -torch.inf).softmax(-1)


RIGHT = [by_sorting, by_counting, in_a_loop, of_transformers]


@pytest.mark.parametrize("function", RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ top-p: all 5 properties hold."


def stays(probabilities, p):
    return by_sorting(probabilities, p) > 0


def short(probabilities, p):
    """Without the token that crosses p."""
    ordered, places = probabilities.sort(descending=True)
    ordered[ordered.cumsum(0) > p] = 0
    return torch.zeros_like(probabilities).scatter(0, places, ordered)


def left_sorted(probabilities, p):
    ordered = probabilities.sort(descending=True).values
    ordered[ordered.cumsum(0) - ordered >= p] = 0
    return ordered / ordered.sum()


def unsorted(probabilities, p):
    kept = probabilities * (probabilities.cumsum(0) - probabilities < p)
    return kept / kept.sum()


def ascending(probabilities, p):
    ordered, places = probabilities.sort()
    ordered[ordered.cumsum(0) - ordered >= p] = 0
    kept = torch.zeros_like(probabilities).scatter(0, places, ordered)
    return kept / kept.sum()


def one_more(probabilities, p):
    n = int(stays(probabilities, p).sum()) + 1
    kept = probabilities * (probabilities >= probabilities.sort(descending=True).values[:n].min())
    return kept / kept.sum()


WRONG = {
    "no division": (
        lambda x, p: x * stays(x, p),
        "no longer sum to 1",
        "Divide what is left by its sum",
    ),
    "short": (lambda x, p: short(x, p) / short(x, p).sum(), "is left out.", "comes before it,"),
    "short, no division": (short, "is left out, and the sum", "then divide"),
    "sorted": (left_sorted, "no longer stand where", "scatter"),
    "not sorted": (unsorted, "in the order of the vocabulary", "sort first"),
    "ascending": (ascending, "the least likely tokens are taken first", "descending=True"),
    "each": (
        lambda x, p: x * (x >= p) / (x * (x >= p)).sum(),
        "compared by itself.",
        "mass of the whole set",
    ),
    "each, the other way": (
        lambda x, p: x * (x >= 1 - p) / (x * (x >= 1 - p)).sum(),
        "compared by itself.",
        "mass of the whole set",
    ),
    "softmax": (
        lambda x, p: (x * stays(x, p)).softmax(-1),
        "what was left out is back",
        "Softmax is for logits",
    ),
    "softmax of what is left": (
        lambda x, p: x.masked_fill(~stays(x, p), -torch.inf).softmax(-1),
        "softmax was taken of probabilities.",
        "Softmax is for logits",
    ),
    "even": (
        lambda x, p: stays(x, p) / stays(x, p).sum(),
        "equally likely",
        "keep their proportions",
    ),
    "all": (lambda x, _: x, "nothing is left out", "Set to 0"),
    "one more": (
        one_more,
        "the result is [0.000, 0.444, 0.222, 0.333], expected [0.000, 0.571",
        "A token stays if",
    ),
    "only those kept": (
        lambda x, p: by_sorting(x, p)[stays(x, p)],
        "returned shape (2,), expected (4,)",
        "0 for those that are left out",
    ),
    "negative": (lambda x, _: -x, "sum to -1.000, not 1", "by its sum"),
    "nan": (lambda x, _: x / 0, "sum to inf, not 1", "by its sum"),
    "raises": (lambda x, p: x[p], "raised ", "Sort the probabilities first"),
    "nothing": (lambda _x, _p: None, "returned None", "return"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ top-p: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after
