"""What all tokenizers share: pieces that know their place in the text, and the ways to cut a text before learning.

Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple


class Piece(NamedTuple):
    """A token, its number in the vocabulary, and what it covers: the characters start … end - 1 of the text."""

    token: str
    id: int
    start: int
    end: int


class Character(NamedTuple):
    """A character after normalisation, and the place in the text of the one that it comes from."""

    text: str
    at: int


Word = list[Character]

SPACE_MARK = "\u2581"  # ▁


def raw_characters(text: str) -> Word:
    """Return a text's characters as they are, each with its place."""
    return [Character(character, at) for at, character in enumerate(text)]


def bert_normalized(text: str) -> Word:
    """Return a text as an uncased BERT reads it: small letters, no accents, no control characters.

    White space becomes a space; Chinese characters get spaces around them, so that each is
    a word.

    Source: Devlin et al. 2018 (the released code), https://arxiv.org/abs/1810.04805
    """
    parts = []
    for character, at in raw_characters(text):
        if character not in _SPACES and _dropped(character):
            continue
        if character in _SPACES or character.isspace():
            parts.append(Character(" ", at))
        elif _is_chinese(character):
            parts += [Character(part, at) for part in (" ", character, " ")]
        else:
            parts.append(Character(character, at))
    return [
        Character(small, at)
        for character, at in decomposed(parts)
        if unicodedata.category(character) != "Mn"  # accents, once they stand by themselves
        for small in character.lower()
    ]


def decomposed(characters: Iterable[Character]) -> Word:
    """Return characters in Unicode's form NFD: letters and their accents apart, in canonical order.

    Source: Unicode Standard Annex 15, https://unicode.org/reports/tr15/
    """
    parts = [
        Character(part, at)
        for character, at in characters
        for part in unicodedata.normalize("NFD", character)
    ]

    def order(part: Character) -> int:
        return unicodedata.combining(part.text)

    runs = groupby(parts, lambda part: order(part) > 0)
    return [part for marks, run in runs for part in (sorted(run, key=order) if marks else run)]


def bert_words(text: str) -> list[Word]:
    """Return the words of a text as BERT cuts them: at white space, and each punctuation mark by itself."""
    return split_words(bert_normalized(text))


def split_words(characters: Iterable[Character]) -> list[Word]:
    """Cut characters at white space, which is left out, and around punctuation marks, which are kept."""
    words: list[Word] = []
    inside = False
    for part in characters:
        space, mark = part.text.isspace(), is_punctuation(part.text)
        if not space:
            if mark or not inside:
                words.append([])
            words[-1].append(part)
        inside = not (space or mark)
    return words


def marked_words(characters: Iterable[Character]) -> list[Word]:
    """Return the words of a text as SentencePiece marks them: a space becomes `▁`, and begins a word.

    So the spaces can be read off the pieces. A text that begins without a space is given one.

    Source: Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226
    """
    words: list[Word] = []
    for character, at in characters:
        marked = SPACE_MARK if character == " " else character
        if not words and marked != SPACE_MARK:
            words.append([Character(SPACE_MARK, at)])
        if marked == SPACE_MARK:
            words.append([])
        words[-1].append(Character(marked, at))
    return words


def is_punctuation(character: str) -> bool:
    """Whether BERT takes a character for punctuation: Unicode's P, and all that is no letter in ASCII.

    (So `$` and `+` are marks, although Unicode calls them symbols.)
    """
    symbol = "!" <= character <= "~" and not character.isalnum()
    return symbol or unicodedata.category(character).startswith("P")


class WholeWords:
    """Takes each word for one token; of a word that it does not know, only that it is one.

    Args:
        vocabulary: the words; a word's place is its number.
        unknown: the token of all other words; it is in the vocabulary.
        words: cuts a text into words. With `single_characters`, the tokens are characters.

    Raises:
        ValueError: If `unknown` is missing, or a token stands there twice.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        unknown: str = "[UNK]",
        words: Callable[[str], list[Word]] = bert_words,
    ) -> None:
        self.vocabulary, self.unknown, self.words = list(vocabulary), unknown, words
        self.numbers = numbered(self.vocabulary, unknown)

    def encode(self, text: str) -> list[Piece]:
        """Return the pieces of a text, one a word."""
        pieces = []
        for word in self.words(text):
            token = spelled(word) if spelled(word) in self.numbers else self.unknown
            pieces.append(covering(word, token, self.numbers[token]))
        return pieces


def single_characters(text: str) -> list[Word]:
    """Return the characters of a text's words, each as a word."""
    return [[character] for word in bert_words(text) for character in word]


def most_frequent(
    words: Iterable[str], size: int, special: Sequence[str] = ("[UNK]",)
) -> list[str]:
    """Return a vocabulary of `size` tokens: the special ones, then the words that are met most often.

    Of words met equally often, the first in the alphabet is taken first.
    """
    counts = Counter(words)
    order = sorted(counts.keys() - set(special), key=lambda word: (-counts[word], word))
    return [*special, *order[: max(0, size - len(special))]]


def spelled(word: Word) -> str:
    """Return the text of a word."""
    return "".join(character for character, _ in word)


def covering(word: Word, token: str, number: int) -> Piece:
    """Return the piece that covers all of `word`, which has at least one character."""
    places = [at for _, at in word]  # in order, but for marks that the canonical order has moved
    return Piece(token, number, min(places), max(places) + 1)


def numbered(vocabulary: Sequence[str], unknown: str) -> dict[str, int]:
    """Return the number of each token of a vocabulary.

    Raises:
        ValueError: If a token stands there twice, or `unknown` is missing.
    """
    numbers = {token: i for i, token in enumerate(vocabulary)}
    if len(numbers) < len(vocabulary):
        twice = next(token for i, token in enumerate(vocabulary) if numbers[token] != i)
        raise ValueError(f"vocabulary: {twice!r} stands there twice; give each token once")
    if unknown not in numbers:
        raise ValueError(f"unknown is {unknown!r}: the vocabulary has no such token; add it")
    return numbers


_SPACES = "\t\n\r"
_CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),  # sic: Unicode's block begins at 2B820, but BERT's code has this
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def _is_chinese(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _CHINESE)


def _dropped(character: str) -> bool:
    # Control, format and private characters, and the one that stands for a broken character.
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co")
