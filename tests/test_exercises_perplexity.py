"""The exercise "perplexity": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch
from torch.nn import functional

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("perplexity", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def chosen(logits, targets):
    """The log-probabilities of the targets that are asked for."""
    asked = targets != -100
    return logits[asked].log_softmax(-1).gather(1, targets[asked][:, None])[:, 0]


RIGHT = {
    "torch's": lambda logits, targets: functional.cross_entropy(logits, targets).exp(),
    "by hand": lambda logits, targets: torch.exp(-chosen(logits, targets).mean()),
    "one over a geometric mean": lambda logits, targets: 1 / chosen(logits, targets).mean().exp(),
    "exactly": lambda logits, targets: torch.exp(-chosen(logits.double(), targets).mean()),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ perplexity: all 4 properties hold."


def summed(logits, targets):
    return functional.cross_entropy(logits, targets, reduction="sum").exp()


def counted(logits, targets):
    total = functional.cross_entropy(logits, targets, reduction="sum")
    return (total / len(targets)).exp()


def overflowing(logits, targets):
    odds = logits.exp() / logits.exp().sum(-1, keepdim=True)
    asked = targets != -100
    return (-odds[asked].gather(1, targets[asked][:, None]).log().mean()).exp()


def with_padding(logits, targets):
    return torch.exp(-logits.log_softmax(-1).gather(1, targets[:, None]).mean())


WRONG = {
    "nats": (functional.cross_entropy, "this is the cross-entropy", "its exponential"),
    "sum": (summed, "grows with the length", "before the exponential, not the sum"),
    "mean of exp": (
        lambda logits, targets: (-chosen(logits, targets)).exp().mean(),
        "before the mean",
        "one surprise",
    ),
    "base 2": (
        lambda logits, targets: 2 ** functional.cross_entropy(logits, targets),
        "base 2",
        "exp for the natural one",
    ),
    "sign": (
        lambda logits, targets: chosen(logits, targets).mean().exp(),
        "a share below 1",
        "the sign",
    ),
    "twice": (
        lambda logits, targets: functional.cross_entropy(logits.softmax(-1), targets).exp(),
        "softmax was taken twice",
        "its own softmax",
    ),
    "counted": (counted, "-100 were counted", "that ask for a token"),
    "a number each": (
        lambda logits, targets: -chosen(logits, targets),
        r"returned shape \(6,\), expected a single number",
        "a mean",
    ),
    "overflow": (overflowing, "logits that are sure, and right, the result is nan", "-log p"),
    "padding looked up": (with_padding, "raised ", "-100 is no token"),
    "something else": (lambda logits, _: logits.mean(), "expected", "-log p"),
    "nothing": (lambda _logits, _targets: None, "returned None", "return"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ perplexity: ")
    before, after = line.split(" Hint: ")
    assert found.replace("\\", "") in before
    assert hint in after
