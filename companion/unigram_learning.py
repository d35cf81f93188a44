"""How the pieces of a unigram model are learned: begin with many, count what is expected, drop what is missed least.

Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from math import log
from typing import Any, NamedTuple

from companion.unigram import Unigram

_UNKNOWN = "<UNK>"
_FEWEST = 0.5  # a piece that is expected less often than this is dropped at once
_MORE = 1.1  # learning stops with a tenth more pieces than asked for; the least likely of them go at the end


class Round(NamedTuple):
    """One round of learning: what was done, the pieces that are left, and their log-probabilities.

    `loss` is the average of the negative log-probability of a word before the round, nan
    after dropping.
    """

    what: str
    scores: dict[str, float]
    loss: float


def seeds(words: Mapping[str, int], longest: int = 16) -> dict[str, float]:
    """Return the pieces that learning begins with, and their first log-probabilities.

    All single characters, as often as they are met, and all strings of 2 to `longest`
    characters that are met twice or more, as often as that times their length.

    Source: Kudo 2018, section 3.2, step 1; the length as a factor is SentencePiece's.
    """
    met = Counter[str]()
    for word, times in words.items():
        for string, _ in _strings(word, longest):
            met[string] += times
    characters = {piece: n for piece, n in met.items() if len(piece) == 1}
    return _first(characters, {s: n * len(s) for s, n in met.items() if len(s) > 1 and n > 1})


def library_seeds(words: Mapping[str, int], longest: int = 16) -> dict[str, float]:
    """Return the pieces that the library `tokenizers` begins with: fewer than `seeds` has.

    It looks for strings in the list of different words, each once however frequent, and
    takes those that are followed by at least two different things there (the end of a word
    is one): a suffix tree's inner nodes.
    """
    characters, met = Counter[str](), Counter[str]()
    followers: dict[str, set[str]] = defaultdict(set)
    for word, times in words.items():
        for character in word:
            characters[character] += times
        for string, follower in _strings(word, longest):
            met[string] += 1
            followers[string].add(follower)
    branching = {s: n * len(s) for s, n in met.items() if len(s) > 1 and len(followers[s]) > 1}
    return _first(characters, branching)


def _strings(word: str, longest: int) -> Iterator[tuple[str, str]]:
    """Give the strings of a word, and what follows each: a character, or nothing at the end."""
    for start in range(len(word)):
        for end in range(start + 1, min(len(word), start + longest) + 1):
            yield word[start:end], word[end : end + 1]


def _first(characters: Mapping[str, int], strings: Mapping[str, int]) -> dict[str, float]:
    pieces = [*_descending(characters), *_descending(strings)]
    total = log(sum(n for _, n in pieces))
    return {piece: log(n) - total for piece, n in pieces}


def maximized(expected: Mapping[str, float], pieces: Mapping[str, float]) -> dict[str, float]:
    """Return the log-probabilities that fit expected counts; pieces that are hardly expected go.

    The digamma function stands for the logarithm, which favours fewer pieces (Bayesian EM).

    Source: Liang and Klein 2007, "Structured Bayesian Nonparametric Models with Variational
        Inference".
    """
    kept = {piece: n for piece in pieces if (n := expected.get(piece, 0.0)) >= _FEWEST}
    total = digamma(sum(kept.values()))
    return {piece: digamma(n) - total for piece, n in kept.items()}


def expectation(model: Unigram, words: Mapping[str, int]) -> tuple[dict[str, float], float]:
    """Return how often each piece is expected in all words, and their average negative log-probability."""
    counts: dict[str, float] = defaultdict(float)
    loss = 0.0
    for word, times in words.items():
        of_word, likelihood = model.expected(word)
        for piece, n in of_word.items():
            counts[piece] += times * n
        loss -= times * likelihood
    return counts, loss / sum(words.values())


def pruned(
    model: Unigram, words: Mapping[str, int], keep: int, *, slip: bool = False
) -> dict[str, float]:
    """Drop the pieces that are missed least, until `keep` are left.

    What is lost with a piece: the likelihood of the words that have it in their likeliest
    cut, if there its second-best cut stood in its place. A piece that no likeliest cut has
    goes at once; one that cannot be cut stays. If a piece is replaced by n others,
    there are n - 1 more pieces in all for each time it was met; the library `tokenizers`
    takes the size of the vocabulary for n, and so does `slip`.

    Source: Kudo 2018, section 3.2, step 2; as SentencePiece approximates it.
    """
    met = Counter[str]()
    for word, times in words.items():
        for edge in model.best(word):
            met[edge.token] += times
    stays, losses = [], {}
    for piece in model.scores:
        whole = len(model.best(piece)) == 1
        instead = [edge.token for edge in model.best(piece, without=piece)] if whole else []
        if not whole and not met[piece]:
            continue
        if not instead:
            stays.append(piece)
        elif met[piece]:
            more = len(model.vocabulary) if slip else len(instead)
            after = log(met.total() + met[piece] * (more - 1))
            likelihood = sum(log(met[token] + met[piece]) - after for token in instead)
            losses[piece] = met[piece] * (log(met[piece]) - log(met.total()) - likelihood)
    by_loss = sorted(losses, key=losses.__getitem__, reverse=True)
    return {piece: model.scores[piece] for piece in [*stays, *by_loss[: max(0, keep - len(stays))]]}


def rounds(
    words: Mapping[str, int],
    size: int,
    *,
    longest: int = 16,
    shrink: float = 0.75,
    steps: int = 2,
    begin: Callable[[Mapping[str, int], int], dict[str, float]] = seeds,
    slip: bool = False,
) -> Iterator[Round]:
    """Learn pieces, round by round: `steps` steps of EM, then a part is dropped, until few enough are left.

    Args:
        words: words, and how often each is met.
        size: number of pieces wanted; the last round has up to a tenth more.
        longest: characters of the longest piece.
        shrink: the share of pieces that one round keeps.
        steps: steps of EM in a round.
        begin: gives the first pieces, of the words and `longest`.
        slip: whether `pruned` makes the slip of the library `tokenizers`; with
            `begin=library_seeds`, all is as there.

    Source: Kudo 2018, section 3.2
    """
    enough = size * 11 // 10
    model = Unigram(begin(words, longest), _UNKNOWN)
    yield Round("seeds", model.scores, float("nan"))
    while True:
        for _ in range(steps):
            counts, loss = expectation(model, words)
            model = Unigram(maximized(counts, model.scores), _UNKNOWN)
            yield Round("EM", model.scores, loss)
        if len(model.scores) < enough:
            return
        keep = max(enough, int((len(model.scores) + 1) * shrink)) - 1
        left = pruned(model, words, keep, slip=slip)
        if len(left) == len(
            model.scores
        ):  # all that is left are single characters, or as good as those
            return
        model = Unigram(left, _UNKNOWN)
        yield Round("drop", left, float("nan"))


def learn(words: Mapping[str, int], size: int, **how: Any) -> dict[str, float]:  # noqa: ANN401
    """Learn the pieces of a unigram model from words and their counts.

    Args:
        words: words, and how often each is met.
        size: number of tokens, the one for unknown characters included.
        **how: see `rounds`.

    Returns:
        The log-probability of each piece, the likeliest first. Every character of the words
        is among them.

    Raises:
        ValueError: If there are no words, or more different characters than tokens.
    """
    words = {word: times for word, times in words.items() if word and times > 0}
    characters = sorted({character for word in words for character in word})
    if not words or size <= len(characters):
        raise ValueError(
            f"size is {size}: the words have {len(characters)} different characters; give more than that, and words"
        )
    *_, (_, learned, _) = rounds(words, size, **how)
    least = min(learned.values())
    missing = [character for character in characters if character not in learned]
    scores = {c: least + 0.0001 * i for i, c in enumerate(missing)}
    scores |= {c: learned[c] for c in characters if c in learned}
    for piece, score in learned.items():
        if len(scores) < size - 1:
            scores.setdefault(piece, score)
    return dict(_descending(scores))


def digamma(x: float) -> float:
    """Return the derivative of the logarithm of the gamma function at a positive number.

    Source: Abramowitz and Stegun 1964, 6.3.5 for small x; then the asymptotic series in
        powers of 1 / (x - 1/2).
    """
    result = 0.0
    while x < 7:
        result -= 1 / x
        x += 1
    y = 1 / (x - 0.5) ** 2
    series = y / 24 - 7 * y**2 / 960 + 31 * y**3 / 8064 - 127 * y**4 / 30720
    return result + log(x - 0.5) + series


def _descending(numbers: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(numbers.items(), key=lambda item: (item[1], item[0]), reverse=True)
