"""Extractive question answering: which span of a text is the answer, and how answers are marked.

In shapes, `n` is the number of tokens of question and text together; the first is [CLS], which stands
for *there is no answer here*.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks import at_least_one

NO_ANSWER = 0  # the position of [CLS]


@dataclass(frozen=True)
class Found:
    """The likeliest span.

    Attributes:
        first: position of its first token.
        last: position of its last token; not before the first.
        score: the two tokens' logits, added up.
        none: the score that there is no answer: the logits of [CLS], added up.
    """

    first: int
    last: int
    score: float
    none: float


def span_scores(start: Tensor, end: Tensor, allowed: Tensor, longest: int) -> Tensor:
    """Score each span: the logit of its first token as a start, plus that of its last as an end.

    Args:
        start: (..., n), logits.
        end: (..., n), logits.
        allowed: Boolean, (..., n), True where an answer may stand.
        longest: Most tokens of an answer.

    Returns:
        (..., n, n), row i and column j for the span from i to j; -inf where j < i, where the span is
        too long, and where an end of it is not allowed.

    Raises:
        ValueError: If longest is below 1.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 4.2.
    """
    at_least_one(longest=longest)
    n = start.shape[-1]
    scores = start[..., :, None] + end[..., None, :]  # (..., n, n)
    # 1 on the diagonal and above it, up to the longest span.
    shape = torch.ones(n, n, dtype=torch.bool).triu().tril(longest - 1)
    fits = shape & allowed[..., :, None] & allowed[..., None, :]  # (..., n, n)
    return scores.masked_fill(~fits, -torch.inf)


def best_span(start: Tensor, end: Tensor, allowed: Tensor, longest: int = 30) -> Found:
    """Find the span with the highest score in one text.

    The likeliest start and the likeliest end, each by itself, need not make a span: the end may come
    first. So all spans are compared.

    Args:
        start: (n,), logits.
        end: (n,), logits.
        allowed: Boolean, (n,), True where an answer may stand.
        longest: Most tokens of an answer.

    Raises:
        ValueError: If no token is allowed, or longest is below 1.

    Source: Devlin et al. 2019, sections 4.2 and 4.3.
    """
    if not allowed.any():
        raise ValueError("allowed: an answer may stand nowhere; at least one token must be True")
    scores = span_scores(start, end, allowed, longest)  # (n, n)
    first, last = divmod(int(scores.argmax()), len(start))
    none = start[NO_ANSWER] + end[NO_ANSWER]
    return Found(first, last, float(scores[first, last]), float(none))


def span_loss(start: Tensor, end: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Cross-entropy of where the answer begins and where it ends; a text may say it in several places.

    Args:
        start: (batch, n), logits; -inf where there is padding.
        end: (batch, n), logits.
        starts: Boolean, (batch, n), True where an answer begins; [CLS] alone if there is none.
        ends: Boolean, (batch, n), True where one ends.

    Returns:
        The mean of the two, a scalar.

    Sources: Devlin et al. 2019, section 4.2; the probabilities of all places are added up before the
    logarithm, as in Clark and Gardner 2018, https://arxiv.org/abs/1710.10723, section 3.2.
    """
    return (_summed_loss(start, starts) + _summed_loss(end, ends)) / 2


def _summed_loss(logits: Tensor, right: Tensor) -> Tensor:
    chances = logits.log_softmax(dim=-1).masked_fill(~right, -torch.inf)  # (batch, n)
    return -chances.logsumexp(dim=-1).mean()


# How answers are marked.


def normalize_answer(text: str) -> str:
    """Lower-case a text and leave out punctuation, articles and needless spaces.

    Source: Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, section 6.1.
    """
    bare = "".join(mark for mark in text.lower() if mark not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def exact_match(answer: str, right: Sequence[str]) -> float:
    """1 if the answer is one of the right ones after normalization, else 0.

    Args:
        answer: "" says that there is none.
        right: the right answers; none if there is none.

    Source: Rajpurkar et al. 2016, section 6.1; Rajpurkar et al. 2018, https://arxiv.org/abs/1806.03822.
    """
    given = normalize_answer(answer)
    return float(any(given == normalize_answer(each) for each in right or [""]))


def answer_f1(answer: str, right: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over words, against the right answer that fits best.

    Where either says that there is no answer, 1 if both do, else 0. Arguments as for `exact_match`.

    Source: Rajpurkar et al. 2016, section 6.1; Rajpurkar et al. 2018.
    """
    return max(_overlap(answer, each) for each in right or [""])


def _overlap(answer: str, right: str) -> float:
    given, wanted = (Counter(normalize_answer(text).split()) for text in (answer, right))
    if not given or not wanted:
        return float(given == wanted)
    shared = (given & wanted).total()
    return 2 * shared / (given.total() + wanted.total())
