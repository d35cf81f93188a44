"""Byte-pair encoding: the pair of neighbours that is met most often becomes one symbol, again and again.

Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from companion.tokenization import Piece, Word, bert_words, covering, numbered, spelled

Symbols = tuple[str, ...]
Pair = tuple[str, str]
# How much a pair is worth: of the pair, the counts of all pairs, and the counts of all symbols.
Value = Callable[[Pair, Counter[Pair], Counter[str]], float]


class Merge(NamedTuple):
    """Two symbols that become one, and how often they stood side by side then."""

    left: str
    right: str
    joined: str
    count: int


def symbols(word: str, prefix: str = "", suffix: str = "") -> Symbols:
    """Spell a word: its characters, all but the first with a prefix, the last with a suffix."""
    last = len(word) - 1
    return tuple(
        prefix * (i > 0) + character + suffix * (i == last) for i, character in enumerate(word)
    )


def merged(word: Symbols, pair: Pair, joined: str) -> Symbols:
    """Return a word in which a pair has become one symbol, from the left, wherever it stands."""
    result: list[str] = []
    rest = list(reversed(word))
    while rest:
        symbol = rest.pop()
        if rest and (symbol, rest[-1]) == pair:
            rest.pop()
            symbol = joined
        result.append(symbol)
    return tuple(result)


def by_count(pair: Pair, pairs: Counter[Pair], _: Counter[str]) -> int:
    """What a pair is worth in byte-pair encoding: how often it is met."""
    return pairs[pair]


def merges(
    words: Mapping[Symbols, int],
    alphabet: Iterable[str],
    prefix: str = "",
    value: Value = by_count,
) -> Iterator[Merge]:
    """Join the pair that is worth most, step by step, until every word is one symbol.

    Args:
        words: words, spelled, and how often each is met.
        alphabet: all their symbols. Of pairs worth the same, the one whose left symbol
            stands first here is taken, then the one whose right symbol does; what is joined
            stands behind all that was there.
        prefix: what the right symbol of a pair loses.
        value: what a pair is worth.

    Source: Sennrich et al. 2016, algorithm 1, https://arxiv.org/abs/1508.07909
    """
    numbers = {symbol: i for i, symbol in enumerate(alphabet)}
    spellings, counts = list(words), list(words.values())
    pairs, singles = Counter[Pair](), Counter[str]()
    where: dict[Pair, set[int]] = defaultdict(set)

    def count(i: int, times: int) -> None:
        for symbol in spellings[i]:
            singles[symbol] += times
        for pair in pairwise(spellings[i]):
            pairs[pair] += times
            where[pair].add(i)
            if not pairs[pair]:
                del pairs[pair]

    for i, times in enumerate(counts):
        count(i, times)
    while pairs:
        pair = max(pairs, key=lambda p: (value(p, pairs, singles), *(-numbers[s] for s in p)))
        joined = pair[0] + pair[1].removeprefix(prefix)
        numbers.setdefault(joined, len(numbers))
        yield Merge(*pair, joined, pairs[pair])
        for i in where.pop(pair):  # only these words change
            count(i, -counts[i])
            spellings[i] = merged(spellings[i], pair, joined)
            count(i, counts[i])


def learn(
    words: Mapping[str, int],
    size: int,
    *,
    prefix: str = "",
    suffix: str = "",
    special: Sequence[str] = ("[UNK]",),
    alphabet: Sequence[str] | None = None,
    value: Value = by_count,
) -> tuple[list[str], list[Merge]]:
    """Learn a vocabulary of byte pairs from words and their counts.

    Args:
        words: words, and how often each is met.
        size: tokens of the vocabulary, with special ones and single characters; more if
            these alone are more, fewer if every word has become one token.
        prefix: stands before every symbol but a word's first.
        suffix: stands behind a word's last symbol.
        special: tokens that stand for no text; they come first.
        alphabet: the single symbols, in the order that settles ties. Unless given: all
            characters in the order of Unicode, then those with a prefix or suffix that are
            met.
        value: what a pair is worth.

    Returns:
        The vocabulary, in the order of the numbers, and the merges, in the order in which
        they were learned.

    Raises:
        ValueError: If a symbol is missing in the alphabet.
    """
    spellings = Counter[Symbols]()
    for word, times in words.items():
        if times > 0:
            spellings[symbols(word, prefix, suffix)] += times
    met = {symbol for spelling in spellings for symbol in spelling}
    if alphabet is None:
        characters = {character for word in words for character in word}
        alphabet = [*sorted(characters), *sorted(met - characters)]
    elif met - set(alphabet):
        raise ValueError(f"alphabet: {min(met - set(alphabet))!r} is missing; add it")
    vocabulary = dict.fromkeys([*special, *alphabet])
    learned: list[Merge] = []
    steps = merges(spellings, alphabet, prefix, value)
    while len(vocabulary) < size and (step := next(steps, None)):
        learned.append(step)
        vocabulary.setdefault(step.joined)
    return list(vocabulary), learned


class BytePairEncoding:
    """Cuts words into symbols, and joins pairs in the order in which they were learned.

    Args:
        vocabulary: the tokens; a token's place is its number.
        merges: pairs (left, right, …), the earliest first.
        unknown: the token of a character that is not in the vocabulary.
        suffix: what a word's last symbol ends with.
        words: cuts a text into words.

    Raises:
        ValueError: If `unknown` or what a merge makes is missing in the vocabulary, or a token
            stands there twice.

    Source: Sennrich et al. 2016, https://arxiv.org/abs/1508.07909
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        merges: Iterable[Sequence],
        unknown: str = "[UNK]",
        suffix: str = "",
        words: Callable[[str], list[Word]] = bert_words,
    ) -> None:
        self.vocabulary, self.unknown, self.suffix, self.words = vocabulary, unknown, suffix, words
        self.numbers = numbered(vocabulary, unknown)
        self.ranks = {(left, right): rank for rank, (left, right, *_) in enumerate(merges)}
        missing = [left + right for left, right in self.ranks if left + right not in self.numbers]
        if missing:
            raise ValueError(f"merges: {missing[0]!r} is not in the vocabulary; add it")

    def encode(self, text: str) -> list[Piece]:
        """Return the pieces of a text; each covers its characters in the text."""
        return [piece for word in self.words(text) for piece in self.cut(word)]

    def cut(self, word: Word) -> list[Piece]:
        """Return the pieces of a word: the pair that was learned earliest is joined first."""
        spelling = symbols(spelled(word), suffix=self.suffix)
        parts = [
            (token, [character]) if token in self.numbers else (self.unknown, [character])
            for token, character in zip(spelling, word, strict=True)
        ]
        while pairs := [
            (rank, i)
            for i, ((left, _), (right, _)) in enumerate(pairwise(parts))
            if (rank := self.ranks.get((left, right))) is not None
        ]:
            _, i = min(pairs)
            (left, some), (right, others) = parts[i : i + 2]
            parts[i : i + 2] = [(left + right, some + others)]
        return [covering(covered, token, self.numbers[token]) for token, covered in parts]
