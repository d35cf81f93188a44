"""The exercise "clipped precision": the part of BLEU that repeating a word does not raise.

From the chapter "How good is it?".
"""

from collections import Counter
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

from companion.bleu import clipped_counts, ngrams
from companion.exercises.trial import Mistake, WrongAnswerError, call, same

_CASES = (  # candidate, references; the first, in pairs, tells every mistake from the others
    ("b a b a a a b c a", ["c b a b c", "b a a a a a"]),
    ("a man rides a bike", ["a man is riding a bike"]),
    ("the cat the cat the cat", ["the cat sat", "a cat saw the other cat"]),
    ("a b a b a c", ["a b b b", "b a c a d"]),
    ("we book two tables", ["a table for two", "two tables please"]),
    ("x y z", ["a b"]),
)


def check_clipped_precision(function: Callable[..., Tensor]) -> int:
    """Check `clipped_precision(candidate, references, n)`; return the number of properties."""
    asked = _in_tensors(function) if callable(function) else function
    for text, others in _CASES:
        for n in (2, 1, 3):
            _check(asked, text.split(), [other.split() for other in others], n)
    _check(asked, ["a", "b"], [["a", "b", "c"]], 3)
    _check(asked, [], [["a", "b", "c"]], 1)
    return 4  # counts clipped, several references, n of 1 to 3, a candidate without such runs


def _in_tensors(function: Callable) -> Callable[..., Tensor]:
    """Return the reader's function with its number as a tensor: words need no torch."""

    def asked(*given: object) -> object:
        found = function(*given)
        return torch.tensor(float(found)) if isinstance(found, Real) else found

    return asked


def _check(function: Callable, candidate: list[str], references: list[list[str]], n: int) -> None:
    told = ", ".join(repr(" ".join(reference)) for reference in references)
    on = f"candidate {' '.join(candidate)!r}, references {told}, n = {n}"
    hint = "A candidate shorter than n words has no runs: return 0 before you divide."
    found = call(function, (list(candidate), [list(each) for each in references], n), on, hint)
    if found.dim():
        raise WrongAnswerError(
            f"returned shape {tuple(found.shape)}, expected a single number, on {on}.",
            "Runs that count, divided by all runs of the candidate.",
        )
    expected = _precision(candidate, references, n)
    if same(found, expected):
        return
    for mistake in _MISTAKES:
        if same(found, mistake.result(candidate, references, n)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"on {on}, the result is {found:.4f}, expected {expected:.4f}.",
        "Count the candidate's runs; clip each count at the most that any one reference has; add up, "
        "and divide by the number of the candidate's runs.",
    )


def _precision(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    return _share(clipped_counts(candidate, references, n).total(), candidate, n)


def _share(count: float, candidate: list[str], n: int) -> Tensor:
    return torch.tensor(count / max(1, len(candidate) - n + 1))


def _without_clipping(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    known = {run for reference in references for run in ngrams(reference, n)}
    return _share(sum(c for run, c in ngrams(candidate, n).items() if run in known), candidate, n)


def _clipped_at_sum(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    total = sum((ngrams(reference, n) for reference in references), Counter())
    return _share((ngrams(candidate, n) & total).total(), candidate, n)


def _at_least(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    least = ngrams(candidate, n)
    for reference in references:
        least &= ngrams(reference, n)
    return _share(least.total(), candidate, n)


def _each_once(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    known = {run for reference in references for run in ngrams(reference, n)}
    own = set(ngrams(candidate, n))
    return torch.tensor(len(own & known) / max(1, len(own)))


def _once_of_all(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    return _share(len(clipped_counts(candidate, references, n)), candidate, n)


def _first_reference(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    return _precision(candidate, references[:1], n)


def _recall(candidate: list[str], references: list[list[str]], n: int) -> Tensor:
    return _share(clipped_counts(candidate, references, n).total(), references[0], n)


def _single_words(candidate: list[str], references: list[list[str]], _n: int) -> Tensor:
    return _precision(candidate, references, 1)


_MISTAKES = (
    Mistake(
        _without_clipping,
        "repeated runs count every time: nothing is clipped.",
        "A run counts at most as often as some one reference has it.",
    ),
    Mistake(
        _clipped_at_sum,
        "the counts of all references were added up.",
        "Clip at the most that any one reference has, not at the sum over them.",
    ),
    Mistake(
        _each_once,
        "each run was counted once, however often it occurs.",
        "Use counts (a Counter), not sets.",
    ),
    Mistake(
        _once_of_all,
        "a run that occurs twice in a reference counts only once.",
        "Add up the clipped counts, not the number of different runs.",
    ),
    Mistake(
        _at_least,
        "a run had to be in every reference.",
        "One reference that has it is enough: take the most over the references.",
    ),
    Mistake(
        _first_reference,
        "only the first reference was looked at.",
        "Take, for each run, the most that any of the references has.",
    ),
    Mistake(
        _recall,
        "it is divided by the runs of the reference: that is a recall.",
        "Precision divides by the number of the candidate's own runs.",
    ),
    Mistake(
        _single_words,
        "single words were counted whatever n is.",
        "A run is n neighbouring words: words[i : i + n], for every i that has n words after it.",
    ),
)
