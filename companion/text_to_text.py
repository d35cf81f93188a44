"""Every task as text in and text out: T5's prefixes, what an answer counts as, and how tasks are mixed.

Explained in chapters/week3-bert-and-t5/text-in-text-out.ipynb.

Source: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer", https://arxiv.org/abs/1910.10683: the format in section 2.4 and appendix D, mixing in
section 3.5.2.
"""

import math
import re
from collections.abc import Mapping
from string import Formatter

TEMPLATES = {  # the task's prefix, and a place for each of its texts
    "translate": "translate English to German: {text}",
    "cola": "cola sentence: {sentence}",
    "stsb": "stsb sentence1: {sentence1} sentence2: {sentence2}",
    "summarize": "summarize: {text}",
    "question": "question: {question} context: {context}",
}
LABELS = ("unacceptable", "acceptable")
LOWEST, HIGHEST, STEPS = 1.0, 5.0, 5  # of a similarity; steps to a whole point
NO_SCORE = -1.0


def write_input(task: str, **texts: str) -> str:
    """Write what the model reads: the task's prefix and its texts.

    Args:
        task: One of `TEMPLATES`.
        **texts: A text for each place of the template.

    Raises:
        ValueError: If there is no such task, or the texts are not those it needs.
    """
    if task not in TEMPLATES:
        raise ValueError(f"task is {task!r}: it must be one of {', '.join(TEMPLATES)}")
    needed = places(TEMPLATES[task])
    if set(texts) != set(needed):
        raise ValueError(f"texts are {sorted(texts)}: {task} needs {', '.join(needed)}")
    return TEMPLATES[task].format(**texts)


def read_input(line: str) -> tuple[str, dict[str, str]]:
    """Tell an input's task and its texts, by the prefix alone.

    Where a mark such as `sentence2:` is met twice, the first one divides the texts.

    Raises:
        ValueError: If the line begins with no known prefix, or a mark inside it is missing.
    """
    for task, template in TEMPLATES.items():
        pattern = "".join(
            re.escape(mark) + (f"(?P<{place}>.*?)" if place else "")
            for mark, place, _, _ in Formatter().parse(template)
        )
        found = re.fullmatch(pattern, line, re.DOTALL)
        if found:
            return task, found.groupdict()
    raise ValueError(f"line begins with {line[:30]!r}: no task is written like that")


def places(template: str) -> list[str]:
    """Return the names of a template's places, in order."""
    return [place for _, place, _, _ in Formatter().parse(template) if place]


def write_score(score: float) -> str:
    """Write a similarity as text, rounded to the nearest 0.2.

    So a number becomes one of 21 texts, "1.0" to "5.0", and regression a choice among them.
    The paper says that scores go from 1 to 5; in the data set itself they begin at 0 (Cer
    et al. 2017, https://aclanthology.org/S17-2001/).

    Raises:
        ValueError: If the score is not from 1 to 5.
    """
    if not LOWEST <= score <= HIGHEST:
        raise ValueError(f"score is {score}: it must be from {LOWEST} to {HIGHEST}")
    return f"{round(score * STEPS) / STEPS:.1f}"  # of two that are as near, the even one


def read_score(text: str) -> float | None:
    """Read a similarity from an answer; None if it is no number from 1 to 5."""
    try:
        score = float(text)
    except ValueError:
        return None
    return score if LOWEST <= score <= HIGHEST else None


def write_label(*, acceptable: bool) -> str:
    """Write whether a sentence is acceptable."""
    return LABELS[acceptable]


def read_label(text: str) -> bool | None:
    """Read whether a sentence is acceptable; None, which counts as wrong, for other texts."""
    return LABELS.index(text) == 1 if text in LABELS else None


def mixing_rates(
    sizes: Mapping[str, int], limit: float = math.inf, temperature: float = 1.0
) -> dict[str, float]:
    """Tell with which probability the next example is drawn from each task.

    Args:
        sizes: Examples of each task.
        limit: K, the artificial limit of a task's size.
        temperature: T; 1 is examples-proportional mixing, `math.inf` is equal mixing.

    Returns:
        A rate for each task; they sum to 1.

    Raises:
        ValueError: If there are no tasks, a size or the limit is not positive, or the
            temperature is below 1.
    """
    if not sizes:
        raise ValueError("sizes is empty: there must be at least one task")
    for name, size in sizes.items():
        if not size > 0:
            raise ValueError(f"sizes[{name!r}] is {size}: it must be above 0")
    if not limit > 0:
        raise ValueError(f"limit is {limit}: it must be above 0")
    if not temperature >= 1:
        raise ValueError(f"temperature is {temperature}: it must be at least 1")
    limited = {name: min(size, limit) for name, size in sizes.items()}
    total = sum(limited.values())
    rates = {name: (size / total) ** (1 / temperature) for name, size in limited.items()}
    return {name: rate / sum(rates.values()) for name, rate in rates.items()}
