"""Pieces of words, learned from texts, down to single bytes: so no text is unknown.

How byte pairs are learned is shown in chapters/week3-bert-and-t5/what-is-a-token.ipynb; here the library `tokenizers` does it.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


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
    # The special pieces stay in the vocabulary, but no text can ask for them: who types <end> gets
    # the five characters.
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(described))


class BytePairs:
    """The pieces in a file, read when they are first needed.

    Args:
        file: as `learn(...).save(file)` writes it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The library's own object."""
        return Tokenizer.from_file(str(self._file))

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

    def names(self) -> list[str]:
        """Return every piece as the tokenizer writes it, byte by byte, in the order of the numbers."""
        numbers = self.tokenizer.get_vocab()
        return sorted(numbers, key=numbers.__getitem__)
