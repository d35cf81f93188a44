"""The exercise "smoothed loss": right ways pass, and each common mistake gets its own hint."""

import re

import pytest
from torch.nn import functional

from companion.exercises import check

PAD = 1


def said(capsys, function):
    """The one line that the check prints."""
    check("smoothed loss", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def each(logits, targets, smoothing):
    """The loss of each target, with the probabilities asked for written out."""
    size = logits.shape[1]
    asked = (1 - smoothing) * functional.one_hot(targets, size) + smoothing / size
    return -(asked * logits.log_softmax(dim=-1)).sum(dim=-1)


def by_hand(logits, targets, smoothing):
    kept = targets != PAD
    return each(logits[kept], targets[kept], smoothing).mean()


def torchs(logits, targets, smoothing):
    return functional.cross_entropy(logits, targets, ignore_index=PAD, label_smoothing=smoothing)


@pytest.mark.parametrize("function", [by_hand, torchs])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ smoothed loss: all 4 properties hold."


WRONG = [
    (lambda x, t, s: torchs(x, t, 0 * s), "smoothing changes nothing"),
    (lambda x, t, s: each(x, t, s).mean(), "filling was counted"),
    (lambda x, t, s: each(x, t, s)[t != PAD].sum(), "this is a sum"),
    (lambda x, t, s: each(x, t, s)[t != PAD].sum() / len(t), "what the sum is divided by"),
    (
        lambda x, t, s: torchs(x, t, 0.0) - s * x.log_softmax(-1).mean(-1)[t != PAD].mean(),
        "more than 1 in sum",
    ),
    (lambda x, t, s: each(x, t, s)[t != PAD], "expected a single number"),
    (lambda x, t, s: torchs(x, t, s) + 1, r"the result is .*, expected"),
]


@pytest.mark.parametrize(("function", "message"), WRONG)
def test_wrong(capsys, function, message):
    told = said(capsys, function)
    assert told.startswith("✗ smoothed loss: ")
    assert re.search(message, told)
