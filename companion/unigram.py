"""A unigram model of pieces: each cut of a word has a probability, and the likeliest is taken, or one is drawn.

How its pieces are learned: `companion.unigram_learning`. Explained in
chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

from collections.abc import Callable, Iterator, Mapping
from math import exp, inf, isfinite, log
from random import Random
from typing import NamedTuple

from companion.tokenization import Piece, Word, bert_normalized, covering, marked_words, spelled

UNKNOWN_PENALTY = 10.0  # an unknown character is less likely than the least likely piece, by e^10


class Edge(NamedTuple):
    """A piece that may stand in a word from its character `start` on, up to `end`, and its log-probability."""

    start: int
    end: int
    token: str
    score: float


def space_marked_words(text: str) -> list[Word]:
    """Return the words of a text, normalised as for BERT, each with the mark of the space before it."""
    return marked_words(bert_normalized(text))


class Unigram:
    """Cuts words into pieces, each as likely as it is by itself, whatever stands beside it.

    Args:
        scores: the pieces, and the natural logarithm of the probability of each.
        unknown: the token of characters that are no piece; it gets the number 0, the pieces
            follow.
        words: cuts a text into words.

    Raises:
        ValueError: If there is no piece, `unknown` is one, or a score is not finite.

    Source: Kudo 2018, section 3.2, https://arxiv.org/abs/1804.10959
    """

    def __init__(
        self,
        scores: Mapping[str, float],
        unknown: str = "[UNK]",
        words: Callable[[str], list[Word]] = space_marked_words,
    ) -> None:
        if not scores or unknown in scores:
            raise ValueError(f"scores: give at least one piece, and none named {unknown!r}")
        for token, score in scores.items():
            if not isfinite(score):
                raise ValueError(f"scores: {token!r} has {score}; give a finite number")
        self.scores, self.unknown, self.words = dict(scores), unknown, words
        self.vocabulary = [unknown, *scores]
        self.numbers = {token: i for i, token in enumerate(self.vocabulary)}
        self._unknown_score = min(scores.values()) - UNKNOWN_PENALTY
        self._longest = max(map(len, scores))

    def encode(
        self, text: str, *, alpha: float | None = None, random: Random | None = None
    ) -> list[Piece]:
        """Return the pieces of a text; each covers its characters in the text.

        Unknown characters that stand together are one piece.

        Args:
            text: any text.
            alpha: if given, the cut of each word is drawn (see `sample`); otherwise it is
                the likeliest.
            random: what draws.
        """
        return [
            piece
            for word in self.words(text)
            for piece in self._pieces(
                word,
                self.best(spelled(word))
                if alpha is None
                else self.sample(spelled(word), alpha, random or Random()),  # noqa: S311
            )
        ]

    def edges(self, word: str) -> Iterator[Edge]:
        """Give each piece at each place of a word where it fits, from the left, the shorter ones first."""
        for start in range(len(word)):
            if word[start] not in self.scores:
                yield Edge(start, start + 1, self.unknown, self._unknown_score)
            for end in range(start + 1, min(len(word), start + self._longest) + 1):
                token = word[start:end]
                if token in self.scores:
                    yield Edge(start, end, token, self.scores[token])

    def best(self, word: str, without: str = "") -> list[Edge]:
        """Return the likeliest cut of a word, which does without one piece if asked (Viterbi).

        Of cuts that are equally likely, the one with the longer last piece is taken. There
        is none, and the list is empty, if the word is a single character and its piece must
        be done without.
        """
        scores, back = [0.0] + [-inf] * len(word), {}
        for edge in self.edges(word):
            score = scores[edge.start] + edge.score
            if score > scores[edge.end] and edge.token != without:
                scores[edge.end], back[edge.end] = score, edge
        return _path(len(word), back.get)

    def forward(self, word: str, alpha: float = 1.0) -> list[float]:
        """Return, of each beginning of a word, the logarithm of the sum over its cuts of probability^alpha."""
        into: list[list[float]] = [[] for _ in range(len(word) + 1)]
        into[0], sums = [0.0], []
        start = -1
        for edge in [*self.edges(word), Edge(len(word), len(word), "", 0.0)]:
            while start < edge.start:  # all that ends here has been met
                start += 1
                sums.append(_log_sum(into[start]))
            into[edge.end].append(sums[edge.start] + alpha * edge.score)
        return sums

    def sample(self, word: str, alpha: float, random: Random) -> list[Edge]:
        """Draw a cut of a word, in proportion to probability^alpha.

        With alpha 0 all cuts are equally likely; the larger it is, the more often the
        likeliest is drawn. The sums over all cuts are taken from the left, then pieces are
        drawn from the right.

        Source: Kudo 2018, section 3.3 (subword sampling, over all cuts)
        """
        sums = self.forward(word, alpha)
        into: dict[int, list[Edge]] = {}
        for edge in self.edges(word):
            into.setdefault(edge.end, []).append(edge)

        def draw(end: int) -> Edge | None:
            weights = [exp(sums[e.start] + alpha * e.score - sums[end]) for e in into.get(end, [])]
            return random.choices(into[end], weights)[0] if weights else None

        return _path(len(word), draw)

    def cuts(self, word: str) -> Iterator[list[Edge]]:
        """Give all cuts of a word: their number can double with every character."""
        edges = list(self.edges(word))

        def after(start: int) -> Iterator[list[Edge]]:
            if start == len(word):
                yield []
            for edge in edges:
                if edge.start == start:
                    for rest in after(edge.end):
                        yield [edge, *rest]

        return after(0)

    def probability(self, cut: list[Edge], word: str, alpha: float = 1.0) -> float:
        """Return how likely it is that `sample` draws a cut of a word."""
        return exp(alpha * sum(edge.score for edge in cut) - self.forward(word, alpha)[-1])

    def expected(self, word: str) -> tuple[dict[str, float], float]:
        """Return how often each piece is met in a cut of a word, on average, and the word's log-probability.

        The average is over all cuts, weighted by their probabilities (forward-backward).
        """
        edges, before = list(self.edges(word)), self.forward(word)
        leaving: list[list[float]] = [[] for _ in word] + [[0.0]]
        behind = [0.0] * len(leaving)
        end = len(word) + 1
        for edge in reversed([Edge(0, 0, "", 0.0), *edges]):
            while end > edge.start + (edge.end > edge.start):
                end -= 1
                behind[end] = _log_sum(leaving[end])
            leaving[edge.start].append(edge.score + behind[edge.end])
        counts: dict[str, float] = {}
        for start, stop, token, score in edges:
            share = exp(before[start] + score + behind[stop] - before[-1])
            counts[token] = counts.get(token, 0.0) + share
        return counts, before[-1]

    def _pieces(self, word: Word, cut: list[Edge]) -> list[Piece]:
        pieces: list[Piece] = []
        for start, end, token, _ in cut:
            piece = covering(word[start:end], token, self.numbers[token])
            if pieces and piece.id == pieces[-1].id == 0:
                piece = piece._replace(start=pieces.pop().start)
            pieces.append(piece)
        return pieces


def _path(end: int, last: Callable[[int], Edge | None]) -> list[Edge]:
    """Return a cut from its end: `last` gives the piece that ends somewhere."""
    path: list[Edge] = []
    while end and (edge := last(end)):
        path.append(edge)
        end = edge.start
    return [] if end else path[::-1]


def _log_sum(values: list[float]) -> float:
    most = max(values)
    return most + log(sum(exp(value - most) for value in values))
