"""BLEU: how many of a translation's runs of words stand in what people wrote.

Papineni, Roukos, Ward and Zhu 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"
(ACL), section 2. Words, smoothing and figures are those of sacrebleu (Post 2018, "A Call for Clarity in
Reporting BLEU Scores", WMT). Explained in chapters/week1-translation/how-good-is-it.ipynb.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Words = Sequence[str]

SMOOTHING = {"none": 0.0, "floor": 0.1, "add-k": 1.0, "exp": 0.0}  # with the values they take


@dataclass(frozen=True)
class Bleu:
    """A score, and what it is made of. Figures of runs of n words stand at [n - 1].

    Attributes:
        matches: how many runs of the candidates count.
        totals: how many runs the candidates have.
        precisions: the shares that count, 0 to 1, smoothed.
        length: the words of the candidates.
        reference_length: the words of the references that are closest in length.
        brevity_penalty: what the score is multiplied by, 0 to 1.
        score: from 0 to 100.
    """

    matches: tuple[int, ...]
    totals: tuple[int, ...]
    precisions: tuple[float, ...]
    length: int
    reference_length: int
    brevity_penalty: float
    score: float


def ngrams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    """Count the runs of n words."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_counts(candidate: Words, references: Sequence[Words], n: int) -> Counter:
    """Count the candidate's runs of n words, each at most as often as some one reference has it.

    Papineni et al. 2002, section 2.1 (there Count_clip).
    """
    most = Counter()
    for reference in references:
        most |= ngrams(reference, n)  # the larger of two counts
    return ngrams(candidate, n) & most  # the smaller of two counts


def brevity_penalty(length: int, reference_length: int) -> float:
    """Return 1 for a candidate no shorter than the reference, else less (Papineni et al. 2002, section 2.3)."""
    if length >= reference_length:
        return 1.0
    return math.exp(1 - reference_length / length) if length else 0.0


def corpus_bleu(
    candidates: Sequence[Words],
    references: Sequence[Sequence[Words]],
    *,
    max_order: int = 4,
    smoothing: str = "exp",
    smoothing_value: float | None = None,
    effective_order: bool = False,
) -> Bleu:
    """Score the translations of a whole text: counts are added up before anything is divided.

    Args:
        candidates: the translations, each a list of words; `tokenize_13a` makes such lists.
        references: for each translation, the lists of words that people wrote.
        max_order: the longest runs that count.
        smoothing: what becomes of a precision of 0, which would make the score 0: "none", nothing;
            "floor", `smoothing_value` matches instead of none; "add-k", `smoothing_value` more
            matches and runs wherever n is above 1; "exp", half a match, and half as many each time.
        smoothing_value: by default 0.1 for "floor" and 1 for "add-k".
        effective_order: whether runs longer than every candidate are left out.

    Raises:
        ValueError: If a text was given in place of its words, the two lists differ in length, one of the
            candidates has no reference, there is no such smoothing, or max_order is below 1.
    """
    _check(candidates, references, max_order, smoothing)
    orders = range(1, max_order + 1)
    matches, totals = [0] * max_order, [0] * max_order
    length = reference_length = 0
    for candidate, own in zip(candidates, references, strict=True):
        length += len(candidate)
        reference_length += _closest(len(candidate), [len(reference) for reference in own])
        for n in orders:
            matches[n - 1] += clipped_counts(candidate, own, n).total()
            totals[n - 1] += max(0, len(candidate) - n + 1)

    value = SMOOTHING[smoothing] if smoothing_value is None else smoothing_value
    shares = _precisions(matches, totals, smoothing, value)
    penalty = brevity_penalty(length, reference_length)
    score = 100 * penalty * _geometric_mean(shares if effective_order else _filled(shares, orders))
    precisions = tuple(_filled(shares, orders))
    return Bleu(tuple(matches), tuple(totals), precisions, length, reference_length, penalty, score)


def sentence_bleu(
    candidate: Words,
    references: Sequence[Words],
    *,
    max_order: int = 4,
    smoothing: str = "exp",
    smoothing_value: float | None = None,
    effective_order: bool = True,
) -> Bleu:
    """Score one translation, as `corpus_bleu` does a text of one sentence.

    Raises:
        ValueError: As `corpus_bleu`.
    """
    return corpus_bleu(
        [candidate],
        [references],
        max_order=max_order,
        smoothing=smoothing,
        smoothing_value=smoothing_value,
        effective_order=effective_order,
    )


def tokenize_13a(text: str) -> list[str]:
    """Cut a text into words and marks, as sacrebleu's tokenizer 13a (mteval-v13a) does."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for name, mark in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(name, mark)
    text = f" {text} "
    text = re.sub(r"([ -&(-+:-@\[-`{-~/])", r" \1 ", text)  # ASCII's marks, but for ' , - .
    text = re.sub(r"([^0-9])([.,])", r"\1 \2 ", text)  # 3.5 stays, "so." is cut
    text = re.sub(r"([.,])([^0-9])", r" \1 \2", text)
    text = re.sub(r"([0-9])(-)", r"\1 \2 ", text)
    return text.split()


def _closest(length: int, others: list[int]) -> int:
    """Return the length of the closest reference; of two that are as close, the shorter."""
    return min(others, key=lambda other: (abs(other - length), other))


def _precisions(matches: list[int], totals: list[int], smoothing: str, value: float) -> list[float]:
    """Return the share of runs that match, smoothed, for every n that the candidates are long enough for."""
    shares: list[float] = []
    if not any(matches):
        return shares
    least = 1.0
    for n, (match, total) in enumerate(zip(matches, totals, strict=True), start=1):
        more = value if smoothing == "add-k" and n > 1 else 0
        if not total + more:
            break
        if smoothing == "exp" and not match:
            least /= 2
            shares.append(least / total)
        elif smoothing == "floor" and not match:
            shares.append(value / total)
        else:
            shares.append((match + more) / (total + more))
    return shares


def _filled(shares: list[float], orders: range) -> list[float]:
    return shares + [0.0] * (len(orders) - len(shares))


def _geometric_mean(shares: list[float]) -> float:
    if not shares or min(shares) <= 0:
        return 0.0
    return math.exp(sum(math.log(share) for share in shares) / len(shares))


def _check(candidates: Sequence, references: Sequence, max_order: int, smoothing: str) -> None:
    if max_order < 1:
        raise ValueError(f"max_order is {max_order}: it must be at least 1")
    if smoothing not in SMOOTHING:
        raise ValueError(f"smoothing is {smoothing!r}: it must be one of {', '.join(SMOOTHING)}")
    if len(candidates) != len(references):
        raise ValueError(
            f"references: {len(references)} were given for {len(candidates)} candidates; give a list "
            "of references for each"
        )
    for number, (candidate, own) in enumerate(zip(candidates, references, strict=True)):
        if not len(own):
            raise ValueError(f"references: number {number} is empty; give at least one reference")
        for name, words in [("candidates", candidate), *(("references", each) for each in own)]:
            if isinstance(words, str):
                raise ValueError(  # noqa: TRY004
                    f"{name}: number {number} has the text {words[:20]!r}, whose items are letters; cut "
                    "it into words first, as tokenize_13a does"
                )
