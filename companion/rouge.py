"""ROUGE: how much of a reference summary a summary repeats.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries" (ACL workshop *Text Summarization
Branches Out*): ROUGE-N in section 2, ROUGE-L in section 3.1, each for one sentence of summary and one
reference. Words are runs of letters a to z and digits, in small letters, and are not stemmed.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """How far a summary and its reference agree, each figure between 0 and 1.

    Attributes:
        precision: the share of the summary that the reference has.
        recall: the share of the reference that the summary has.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where nothing agrees."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def words(text: str) -> list[str]:
    """Cut a text into the words that are compared."""
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_n(summary: str, reference: str, n: int = 1) -> Score:
    """Compare how often each run of n words occurs (Lin 2004, eq. 1, with one reference).

    Raises:
        ValueError: If n is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}: the words in a run must be at least 1")
    told, expected = _runs(words(summary), n), _runs(words(reference), n)
    return _score((told & expected).total(), told.total(), expected.total())


def rouge_l(summary: str, reference: str) -> Score:
    """Compare by the longest sequence of words that both have in this order (Lin 2004, eq. 2 to 4).

    The words of the sequence need not be neighbours.
    """
    told, expected = words(summary), words(reference)
    return _score(longest_common(told, expected), len(told), len(expected))


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    best = [0] * (len(other) + 1)  # best[j]: of what has been read of one, and the first j of other
    for word in one:
        before = best
        best = [0]
        for j, each in enumerate(other):
            best.append(before[j] + 1 if word == each else max(before[j + 1], best[j]))
    return best[-1]


def _runs(text: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))


def _score(common: int, told: int, expected: int) -> Score:
    return Score(common / told if told else 0.0, common / expected if expected else 0.0)
