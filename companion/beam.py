"""Beam search: keep the likeliest beginnings of a text, go on with all of them, keep the likeliest.

A text of several tokens can be likelier as a whole although its first token is not the likeliest.
Greedy decoding never finds it; a beam of width B still holds it if its beginning is among the B
likeliest. In shapes, `sentences` is the number of texts that are searched for, `beams` that of
beginnings of each that go on; a row of `step` is one of these, those of a sentence side by side.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

import torch
from torch import Tensor

from companion.checks import at_least_one
from companion.decoding import largest, log_probabilities
from companion.steps import Hypothesis, State, Step, check_search, check_step, reorder

STOPPING = ("full", "likely", "certain")
KEPT, ENDED, CUT, PRUNED = "kept", "ended", "cut", "pruned"

Penalty = Callable[[int, float], float]


def gnmt(length: int, alpha: float) -> float:
    """Divisor of the log-probability of a text: ((5 + length) / 6)^alpha, 1 for a single token.

    Source: Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 7, equation 14, without the
    penalty for what is not covered.
    """
    return ((5 + length) / 6) ** alpha


def power(length: int, alpha: float) -> float:
    """Divisor of the log-probability of a text: length^alpha, as `length_penalty` of transformers."""
    return length**alpha


@dataclass(frozen=True)
class Candidate:
    """A node of the tree that a search grows: a token that was put behind a beginning.

    Attributes:
        parent: place of that beginning among the candidates of the step before; in the first step
            0, the start.
        token: the token.
        log_probability: of the text so far, this token included.
        score: the same over the length penalty.
        fate: "kept" (goes on), "ended" (is a hypothesis), "cut" (a hypothesis without an end, as
            there is no room) or "pruned".
    """

    parent: int
    token: int
    log_probability: float
    score: float
    fate: str


@dataclass(frozen=True)
class Found:
    """What a search found for a sentence.

    Attributes:
        hypotheses: at most as many as the beam is wide, by score, best first.
        tree: the candidates of each step that were looked at, likeliest first; empty unless asked for.
    """

    hypotheses: list[Hypothesis] = field(default_factory=list)
    tree: list[list[Candidate]] = field(default_factory=list)


@torch.no_grad()
def beam_search(
    step: Step,
    start: Tensor,
    state: State = None,
    *,
    end: int | Sequence[int],
    width: int,
    longest: int,
    alpha: float = 0.0,
    penalty: Penalty = gnmt,
    stopping: str = "certain",
    keep_tree: bool = False,
) -> list[Found]:
    """Search for the texts that a model finds likeliest.

    In each step, every beginning is continued by every token. Of all these, the likeliest are looked
    at, twice as many as the beam is wide (more with several end tokens), so that enough are left
    that go on. One that has ended is a hypothesis if it is among the first `width`; the first `width`
    others are kept. With equal log-probabilities the earlier beginning comes first, then the lower
    token. In the last step the first `width` are hypotheses, whether they ended or not.

    A sentence is done

    - "full": as soon as there are `width` hypotheses (transformers: `early_stopping=True`);
    - "likely": when, besides, the likeliest beginning could not replace the worst of them if it
      ended at its present length (`early_stopping=False`, the default there);
    - "certain": when, besides, it could not however it went on (`early_stopping="never"`). Only this
      never misses what searching to the end would find. With alpha at most 0, "likely" does not
      miss it either.

    `generate` of transformers counts and scores alike with `penalty=power`, alpha being its
    `length_penalty`: a hypothesis is as long as its tokens, its end counted, its start not. Other
    than there, a sentence that is done takes no more time, log-probabilities are added up in float64,
    and what has probability 0 is never a hypothesis.

    Args:
        step: asks the model, see `companion.steps`.
        start: (sentences,), the first token that is fed.
        state: what `step` is first given, a row for each sentence; the search multiplies them.
        end: the token that ends a text, or several.
        width: how many beginnings are kept. A beam of 1 is greedy decoding, if alpha is 0 or
            stopping not "certain".
        longest: the largest number of tokens, the end among them.
        alpha: exponent of the penalty; 0 leaves log-probabilities as they are, above 0 favours long
            texts.
        penalty: `gnmt` or `power`, or any function of length and alpha that grows or falls with the
            length throughout, and is above 0.
        stopping: "full", "likely" or "certain".
        keep_tree: whether to keep the candidates of each step.

    Returns:
        What was found for each sentence.

    Raises:
        ValueError: If an argument is not as above, or `step` gives logits of another shape, or a
            row without a finite largest logit.
    """
    ends = check_search(start, end, longest)
    _check(width, alpha, stopping)
    rules = _Rules(set(ends.tolist()), width, longest, alpha, penalty, stopping, keep_tree)
    searches = [_Search(rules) for _ in start]
    live = searches
    most = width * (len(ends) + 1)
    tokens, beams = start, 1  # (rows,)
    sums = torch.zeros(len(start), 1, dtype=torch.float64, device=start.device)
    for length in range(1, longest + 1):
        logits, state = step(tokens, state)  # (rows, vocabulary)
        check_step(logits, tokens, ends)
        candidates = _candidates(logits, sums, most)  # (sentences, n) each
        lists = (x.tolist() for x in candidates)
        going = [s.settle(length, *x) for s, *x in zip(live, *lists, strict=True)]
        on = [i for i, search in enumerate(live) if search.goes_on(length)]
        if not on:
            break
        sentence = torch.tensor(on, device=start.device)[:, None]  # (sentences, 1)
        kept = torch.tensor([going[i] for i in on], device=start.device)  # (sentences, beams)
        # (sentences, beams) each
        sums, parents, tokens, _ = (x[sentence, kept] for x in candidates)
        rows = (sentence * beams + parents).flatten()  # (rows,)
        live, tokens, beams = [live[i] for i in on], tokens.flatten(), kept.shape[1]
        if not torch.equal(rows, torch.arange(len(logits), device=rows.device)):
            state = reorder(state, rows)
    return [search.found for search in searches]


def _candidates(logits: Tensor, sums: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Find the likeliest continuations of each sentence's beginnings.

    Args:
        logits: (rows, vocabulary), rows = sentences * beams.
        sums: (sentences, beams), log-probabilities of the beginnings.
        most: how many to find, if there are as many.

    Returns:
        Log-probabilities, the beginnings continued (from 0 to beams - 1), the tokens that continue
        them and their own log-probabilities, (sentences, n) each, likeliest first.
    """
    _, tokens = largest(logits, most)  # (rows, n): no others can be among a sentence's likeliest
    odds = log_probabilities(logits, tokens).double()  # (rows, n)
    n = tokens.shape[1]
    tokens, odds = (x.reshape(len(sums), -1) for x in (tokens, odds))  # (sentences, beams * n)
    totals = sums.repeat_interleave(n, dim=1) + odds  # (sentences, beams * n)
    totals, places = largest(totals, most)  # (sentences, n)
    return totals, places // n, tokens.gather(1, places), odds.gather(1, places)


@dataclass(frozen=True)
class _Rules:
    """What `beam_search` was asked for."""

    ends: set[int]
    width: int
    longest: int
    alpha: float
    penalty: Penalty
    stopping: str
    keep_tree: bool

    def score(self, log_probability: float, length: int) -> float:
        return log_probability / self.penalty(length, self.alpha)


@dataclass(frozen=True)
class _Beginning:
    """A text so far: its tokens, their log-probabilities and the sum, its place in the tree."""

    tokens: list[int]
    log_probabilities: list[float]
    total: float
    place: int


@dataclass
class _Search:
    """The search for one sentence: what goes on, and what was found."""

    rules: _Rules
    beginnings: list[_Beginning] = field(default_factory=lambda: [_Beginning([], [], 0.0, 0)])
    found: Found = field(default_factory=Found)

    def settle(self, length: int, *candidates: list[float] | list[int]) -> list[int]:
        """Decide what becomes of the candidates, likeliest first; return the places of those kept."""
        continued, tree = [], []
        for place, (total, parent, token, odds) in enumerate(zip(*candidates, strict=True)):
            begun, score = self.beginnings[parent], self.rules.score(total, length)
            fate = self._fate(token, length, place, len(continued))
            if fate != PRUNED:
                text = [*begun.tokens, token], [*begun.log_probabilities, odds]
            if fate == KEPT:
                continued.append(_Beginning(*text, total, place))
            if total == -inf:  # it cannot be, and only fills a beam that nothing else is there for
                continue
            if fate in (ENDED, CUT):
                self._add(Hypothesis(*text, score, fate == ENDED))
            tree.append(Candidate(begun.place, token, total, score, fate))
        if self.rules.keep_tree:
            self.found.tree.append(tree)
        self.beginnings = continued
        return [text.place for text in continued]

    def _fate(self, token: int, length: int, place: int, n_kept: int) -> str:
        rules = self.rules
        if token in rules.ends:
            return ENDED if place < rules.width else PRUNED
        if length == rules.longest:
            return CUT if place < rules.width else PRUNED
        return KEPT if n_kept < rules.width else PRUNED

    def _add(self, hypothesis: Hypothesis) -> None:
        insort(self.found.hypotheses, hypothesis, key=lambda known: -known.score)
        del self.found.hypotheses[self.rules.width :]

    def goes_on(self, length: int) -> bool:
        """Whether a text of this length that was kept could still be one of the best."""
        rules, found = self.rules, self.found.hypotheses
        best = self.beginnings[0].total if self.beginnings else -inf
        if len(found) < rules.width:
            return best > -inf
        if rules.stopping == "full":
            return False
        # Log-probabilities only fall, and the penalty only grows or only falls with the length: so
        # nothing that begins like this scores better than this would at the better end of what is
        # still to come.
        lengths = (length,) if rules.stopping == "likely" else (length + 1, rules.longest)
        return max(rules.score(best, at) for at in lengths) > found[-1].score


def _check(width: int, alpha: float, stopping: str) -> None:
    at_least_one(width=width)
    if not isfinite(alpha):
        raise ValueError(f"alpha is {alpha}: it must be finite")
    if stopping not in STOPPING:
        raise ValueError(f"stopping is {stopping!r}: it must be one of {', '.join(STOPPING)}")
