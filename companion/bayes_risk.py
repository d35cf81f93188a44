"""Minimum Bayes risk: of several candidates, take the one that is most like the others.

Kumar and Byrne 2004, "Minimum Bayes-Risk Decoding for Statistical Machine Translation" (NAACL); from samples:
Eikema and Aziz 2020, "Is MAP Decoding All You Need?" (COLING). The risk of a candidate
is what is lost, on average, when it is taken and another was right. A similarity is what is not lost, so
the least risk is the largest average similarity. Explained in chapters/week1-translation/how-good-is-it.ipynb.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

Candidate = TypeVar("Candidate")
Similarity = Callable[[Candidate, Candidate], float]


def average_similarities(
    candidates: Sequence[Candidate],
    similarity: Similarity,
    *,
    weights: Sequence[float] | None = None,
    itself: bool = False,
) -> list[float]:
    """Return how like the others each candidate is, on average.

    Args:
        candidates: what a model may say: samples, the beams of a search, or any other list.
        similarity: similarity(candidate, other), the larger the more alike; of measures that are not
            symmetric, the second is the reference.
        weights: how much each candidate counts as an `other`: its probability, not the logarithm of it.
            Without weights all count the same, as samples do: what is likely was drawn more often.
        itself: whether a candidate is also compared with itself, as the expectation over all candidates
            asks for. Without weights that changes no choice, if each is equally like itself.

    Returns:
        One figure for each candidate; 0 where there is nothing to compare with.

    Raises:
        ValueError: If there are no candidates, or the weights are not one for each, or below 0, or NaN.
    """
    weights = _checked(candidates, weights)
    figures = []
    for i, candidate in enumerate(candidates):
        others = [j for j in range(len(candidates)) if itself or j != i]
        total = sum(weights[j] for j in others)
        alike = sum(weights[j] * similarity(candidate, candidates[j]) for j in others)
        figures.append(alike / total if total else 0.0)
    return figures


def minimum_bayes_risk(
    candidates: Sequence[Candidate],
    similarity: Similarity,
    *,
    weights: Sequence[float] | None = None,
    itself: bool = False,
) -> int:
    """Return which candidate is most like the others; among equals, the first.

    The arguments, and what is refused, are those of `average_similarities`.
    """
    figures = average_similarities(candidates, similarity, weights=weights, itself=itself)
    return max(range(len(figures)), key=figures.__getitem__)


def jaccard(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Return the share of words that both have, of all words that are in either; two empty texts are alike."""
    both, either = set(one) & set(other), set(one) | set(other)
    return len(both) / len(either) if either else 1.0


def _checked(candidates: Sequence, weights: Sequence[float] | None) -> list[float]:
    if not len(candidates):
        raise ValueError("candidates: the list is empty; give at least one")
    if weights is None:
        return [1.0] * len(candidates)
    weights = [float(weight) for weight in weights]
    if len(weights) != len(candidates):
        raise ValueError(
            f"weights: {len(weights)} were given for {len(candidates)} candidates; give one each"
        )
    for number, weight in enumerate(weights):
        if not 0 <= weight < math.inf:
            raise ValueError(
                f"weights: number {number} is {weight}; give probabilities, 0 or above (of a "
                "log-probability, its exponential)"
            )
    return weights
