"""Pieces of words, learned from texts, down to single bytes: so no text is unknown.

How byte pairs are learned is shown in chapters/week3-bert-and-t5/what-is-a-token.ipynb; here the
library `tokenizers` does it.
"""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from companion.models.piece_file import PieceFile, sealed


def learn(texts: Iterable[str], size: int, special: Sequence[str]) -> Tokenizer:
    """Learn pieces from texts: the pairs of pieces that are met most often become one piece.

    Args:
        texts: what to learn from.
        size: number of pieces, the 256 bytes and the special ones included.
        special: names of pieces that stand for no text; they get the first numbers.

    Raises:
        ValueError: If size leaves no room for the bytes.

    Source: Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; bytes: Radford et al. 2019.
    """
    if size < 256 + len(special):
        raise ValueError(f"size is {size}: it must be at least {256 + len(special)}")
    tokenizer = Tokenizer(models.BPE())
    # Digits one by one: a time or a price is copied digit by digit, and none is rare.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return sealed(tokenizer)


class BytePairs(PieceFile):
    """Cuts texts by the pieces in a file that `learn(...).save(file)` has written; see `PieceFile`."""

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        """Cut a text into pieces: their numbers, and the text of each.

        A character of several bytes may be cut too; the text of its parts is then the
        replacement character.
        """
        ids = self.tokenizer.encode(text).ids
        return ids, [self.tokenizer.decode([number]) for number in ids]

    def decode(self, ids: list[int]) -> str:
        """Return the text that pieces make."""
        return self.tokenizer.decode(ids)
