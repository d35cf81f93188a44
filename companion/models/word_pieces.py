"""Word pieces, learned from texts: words that are met often are whole, others are cut, and case is lost.

How they are learned is shown in chapters/week3-bert-and-t5/what-is-a-token.ipynb; here the library
`tokenizers` does it, so that the page cuts a text by the same file.
"""

import string
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from companion.models.piece_file import PieceFile, sealed

UNKNOWN = "[UNK]"
_BASIC = string.ascii_lowercase + string.digits


def learn(texts: Iterable[str], size: int, special: Sequence[str]) -> Tokenizer:
    """Learn pieces from texts: the pairs of pieces that are met most often become one piece.

    Args:
        texts: what to learn from.
        size: number of pieces, the special ones included.
        special: names of pieces that stand for no text, [UNK] among them; they get the first numbers.

    Raises:
        ValueError: If size leaves no room for letters and digits, or [UNK] is not among special.

    Sources: Schuster and Nakajima 2012, "Japanese and Korean Voice Search"; Devlin et al. 2019,
    https://arxiv.org/abs/1810.04805, section 3.
    """
    least = 2 * len(_BASIC) + len(special)
    if size < least:
        raise ValueError(f"size is {size}: it must be at least {least}")
    if UNKNOWN not in special:
        raise ValueError(f"special is {list(special)}: {UNKNOWN} must be among them")
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=list(string.punctuation),
        show_progress=False,
    )
    # Every letter and digit is met once at the beginning of a word and once within one, so that no
    # word of them is unknown.
    tokenizer.train_from_iterator([*texts, " ".join(2 * each for each in _BASIC)], trainer)
    return sealed(tokenizer)


class WordPieces(PieceFile):
    """Cuts texts by the pieces in a file that `learn(...).save(file)` has written; see `PieceFile`."""

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        """Cut a text into pieces: their numbers and their names."""
        cut = self.tokenizer.encode(text)
        return cut.ids, cut.tokens

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """First character of the text, and one past the last, of each piece."""
        return self.tokenizer.encode(text).offsets
