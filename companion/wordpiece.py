"""WordPiece: from the left, the longest piece that fits.

Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from companion.byte_pair_encoding import Pair, Value, by_count, learn
from companion.tokenization import Piece, Word, bert_words, covering, numbered, spelled


class WordPiece:
    """Cuts words into the longest pieces of a vocabulary, as BERT does.

    Args:
        vocabulary: the tokens; a token's place is its number.
        unknown: the token of a word that cannot be cut into pieces; it is in the vocabulary.
        prefix: what a piece begins with that does not begin a word.
        most: a word of more characters is unknown without a try.

    Raises:
        ValueError: If `unknown` is missing, a token stands there twice, or `most` is negative.

    Source: Wu et al. 2016, section 4.1, https://arxiv.org/abs/1609.08144; longest match
        first, as in BERT's code (Devlin et al. 2018).
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        unknown: str = "[UNK]",
        prefix: str = "##",
        most: int = 100,
    ) -> None:
        self.vocabulary = list(vocabulary)
        self.numbers = numbered(self.vocabulary, unknown)
        if most < 0:
            raise ValueError(f"most is {most}: give a number of characters, 0 or more")
        self.unknown, self.prefix, self.most = unknown, prefix, most
        self._longest = max(map(len, self.vocabulary))

    def encode(self, text: str) -> list[Piece]:
        """Return the pieces of a text, without what BERT puts around it ([CLS], [SEP]).

        A piece's offsets count characters of `text` as given, before any normalisation;
        what is dropped (white space, control characters) lies between pieces, and an accent
        after its letter. Where one character becomes several (a Korean syllable), they may
        belong to several pieces, and those cover the same character.
        """
        return [piece for word in bert_words(text) for piece in self.cut(word)]

    def cut(self, word: Word) -> list[Piece]:
        """Return the pieces of a word: the longest that fits, then the longest of the rest, and so on."""
        pieces: list[Piece] = []
        done = 0
        while done < len(word) and len(word) <= self.most:
            mark = self.prefix if done else ""
            for end in range(min(len(word), done + self._longest), done, -1):
                token = mark + spelled(word[done:end])
                if token in self.numbers:
                    pieces.append(covering(word[done:end], token, self.numbers[token]))
                    done = end
                    break
            else:
                break
        if done < len(word):  # one part that is not known makes all of the word unknown
            return [covering(word, self.unknown, self.numbers[self.unknown])]
        return pieces


def learn_wordpieces(
    words: Mapping[str, int],
    size: int,
    *,
    prefix: str = "##",
    special: Sequence[str] = ("[UNK]",),
    alphabet: Sequence[str] | None = None,
    value: Value = by_count,
) -> list[str]:
    """Learn a vocabulary of word pieces, by joining pairs; the pieces are kept, the order of joining is not.

    With `by_count`, this is byte-pair encoding with a prefix: so the library `tokenizers`
    does it. The papers join the pair that raises the likelihood of the text most: that is
    `by_likelihood`, for the simplest model of a text.

    Args: as in `companion.byte_pair_encoding.learn`.

    Source: Schuster and Nakajima 2012; Wu et al. 2016, section 4.1
    """
    return learn(words, size, prefix=prefix, special=special, alphabet=alphabet, value=value)[0]


def by_likelihood(pair: Pair, pairs: Counter[Pair], singles: Counter[str]) -> float:
    """What a pair is worth: how much it raises the log-likelihood of the text when it becomes one symbol.

    The model of the text is that each symbol is as likely as it is frequent, whatever
    stands beside it. The log-likelihood is then sum(n log n) - N log N, with n the count of
    each symbol and N that of all. What is joined counts as a symbol that was not there; where
    a symbol is paired with itself, it is counted as if no two of the pairs overlapped.
    """
    left, right = pair
    met, total = pairs[pair], singles.total()
    before = {left: singles[left], right: singles[right]}
    after = dict(before)
    after[left] -= met
    after[right] -= met
    gained = _times_log(met) + sum(_times_log(max(0, n)) for n in after.values())
    lost = sum(_times_log(n) for n in before.values())
    return gained - lost - (_times_log(total - met) - _times_log(total))


def _times_log(n: float) -> float:
    return n * log(n) if n else 0.0
