"""How often a reader of pronouns is right, and how sure that figure is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.corpora.wsc import Problem, pairs

Choose = Callable[[Problem], tuple[float, float] | None]


@dataclass(frozen=True)
class Report:
    """What `evaluate` found.

    A tie, and a problem that could not be answered, count one half: what a guess would get.

    Attributes:
        accuracy: share of the problems answered rightly; chance is a half.
        interval: the 95 % Wilson interval of accuracy.
        answered: share of the problems that got two scores, ties included.
        pair_accuracy: share of the pairs of twins with both answered rightly, and one half times
            one half, or one, where an answer counts one half; chance is a quarter, and the same
            answer to both twins gets nothing. None without pairs.
        problems: how many there are.
        pairs: how many pairs of twins are among them.
    """

    accuracy: float
    interval: tuple[float, float]
    answered: float
    pair_accuracy: float | None
    problems: int
    pairs: int


def evaluate(choose: Choose, problems: Sequence[Problem]) -> Report:
    """Measure how often the candidate with the higher score is the right one.

    Args:
        choose: gives each candidate's score, or None where it cannot answer.
        problems: as `companion.corpora.wsc` reads them; twins stand one after the other.

    Returns:
        The figures.

    Raises:
        ValueError: If there are no problems, or a score is not a number.
    """
    if not problems:
        raise ValueError("problems is empty: there must be at least one")
    scores = {problem: choose(problem) for problem in problems}
    credit = {problem: _credit(problem, given) for problem, given in scores.items()}
    accuracy = _mean([credit[problem] for problem in problems])
    twins = pairs(problems)
    return Report(
        accuracy=accuracy,
        interval=wilson(accuracy, len(problems)),
        answered=_mean([scores[problem] is not None for problem in problems]),
        pair_accuracy=_mean([credit[one] * credit[other] for one, other in twins])
        if twins
        else None,
        problems=len(problems),
        pairs=len(twins),
    )


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Give the interval of shares that are not at odds with the one observed.

    Args:
        share: how often something happened among n trials, from 0 to 1.
        n: number of trials, at least 1.
        z: how many standard deviations are too many; 1.96 gives 95 %.

    Returns:
        The lower and the upper end.

    Raises:
        ValueError: If share is not from 0 to 1, n is below 1, or z is negative.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, pages 209 to 212.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: it must be from 0 to 1")
    if n < 1 or not z >= 0:
        raise ValueError(f"n is {n} and z {z}: n must be at least 1, and z at least 0")
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and 1 an end is the share itself, but for rounding.
    return max(0.0, min(share, center - half)), min(1.0, max(share, center + half))


def _credit(problem: Problem, scores: tuple[float, float] | None) -> float:
    if scores is None:
        return 0.5
    if any(map(math.isnan, scores)):
        raise ValueError(f"choose gave {scores} for {problem.text!r}: scores must be numbers")
    right, wrong = scores[problem.correct], scores[1 - problem.correct]
    return 0.5 if right == wrong else float(right > wrong)


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
