"""The exercise "clipped precision": right ways pass, and each common mistake gets its own hint."""

from collections import Counter
from fractions import Fraction

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("clipped precision", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def runs(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def with_counters(candidate, references, n):
    most = Counter()
    for reference in references:
        most |= Counter(runs(reference, n))
    own = Counter(runs(candidate, n))
    return (own & most).total() / max(1, own.total())


def by_hand(candidate, references, n):
    own = runs(candidate, n)
    if not own:
        return 0
    counts = {run: max(runs(each, n).count(run) for each in references) for run in own}
    return sum(min(own.count(run), most) for run, most in counts.items()) / len(own)


RIGHT = {
    "Counters": with_counters,
    "by hand": by_hand,
    "a tensor": lambda *given: torch.tensor(with_counters(*given)),
    "a fraction": lambda *given: Fraction(with_counters(*given)),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ clipped precision: all 4 properties hold."


def share(count, candidate, n):
    return count / max(1, len(runs(candidate, n)))


def known(references, n):
    return {run for reference in references for run in runs(reference, n)}


def unclipped(candidate, references, n):
    return share(
        sum(run in known(references, n) for run in runs(candidate, n)), candidate, n
    )  # fmt: skip


def summed(candidate, references, n):
    total = Counter(run for reference in references for run in runs(reference, n))
    return share((Counter(runs(candidate, n)) & total).total(), candidate, n)


def as_sets(candidate, references, n):
    own = set(runs(candidate, n))
    return len(own & known(references, n)) / max(1, len(own))


def of_all(candidate, references, n):
    own = Counter(runs(candidate, n))
    for reference in references:
        own &= Counter(runs(reference, n))
    return share(own.total(), candidate, n)


def recall(candidate, references, n):
    return with_counters(candidate, references, n) * (
        max(1, len(runs(candidate, n))) / max(1, len(runs(references[0], n)))
    )


WRONG = {
    "not clipped": (unclipped, "nothing is clipped", "as some one reference has it"),
    "summed": (summed, "all references were added up", "not at the sum"),
    "sets": (as_sets, "each run was counted once", "not sets"),
    "number of runs": (
        lambda c, r, n: share(len(set(runs(c, n)) & known(r, n)), c, n),
        "counts only once",
        "not the number of different runs",
    ),
    "in all": (of_all, "in every reference", "take the most"),
    "first": (
        lambda c, r, n: with_counters(c, r[:1], n),
        "only the first reference",
        "any of the references",
    ),
    "recall": (recall, "that is a recall", "the candidate's own runs"),
    "words": (
        lambda c, r, _n: with_counters(c, r, 1),
        "single words were counted",
        "words[i : i + n]",
    ),
    "no runs": (
        lambda c, r, n: with_counters(c, r, n) * len(runs(c, n)) / len(runs(c, n)),
        "raised ZeroDivisionError",
        "return 0 before you divide",
    ),
    "percent": (lambda *given: 100 * with_counters(*given), "expected 0.6250", "clip each count"),
    "counts": (
        lambda *_: torch.ones(3),
        "returned shape (3,), expected a single number",
        "divided by all runs",
    ),
    "a text": (lambda *_: "0.5", "returned str", "torch"),
    "nothing": (lambda *_: None, "returned None", "return"),
    "no function": (0.8, "got float, not a function", "the name of your function"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ clipped precision: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_the_reader_s_function_may_change_what_it_is_given(capsys):
    def emptying(candidate, references, n):
        found = with_counters(candidate, references, n)
        candidate.clear()
        references.clear()
        return found

    assert said(capsys, emptying).startswith("✓")
