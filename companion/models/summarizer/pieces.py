"""The summarizer's tokens: pieces of words, learned from dialogues, down to single bytes.

So no text is unknown to it: what was never met is spelled out. (How byte pairs are learned is the
matter of a later chapter; here the library `tokenizers` does it.)
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END, SEPARATOR = 0, 1  # the numbers of what ends a summary, and of what stands before it
SIZE = 2048
_SPECIAL = ["<end>", "<summary>"]
FILE = Path(__file__).with_name("tokenizer.json")


def learn(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Learn pieces from texts: the pairs of pieces that are met most often become one piece.

    Args:
        texts: what to learn from.
        size: number of pieces, the 256 bytes and two special ones included.

    Raises:
        ValueError: If size is below 258.

    Source: Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; bytes: Radford et al. 2019.
    """
    if size < 256 + len(_SPECIAL):
        raise ValueError(f"size is {size}: it must be at least {256 + len(_SPECIAL)}")
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
        special_tokens=_SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The special pieces stay in the vocabulary, but no text can ask for them: who types <end> gets
    # the five characters.
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(described))


@cache
def tokenizer() -> Tokenizer:
    """Return the pieces that came with the package."""
    return Tokenizer.from_file(str(FILE))


def encode(text: str) -> tuple[list[int], list[str]]:
    """Cut a text into pieces: their numbers, and the text of each.

    A character of several bytes may be cut too; the text of its parts is then the
    replacement character.
    """
    ids = tokenizer().encode(text).ids
    return ids, [tokenizer().decode([number]) for number in ids]


def decode(ids: list[int]) -> str:
    """Return the text that pieces make."""
    return tokenizer().decode(ids)


def names() -> list[str]:
    """Return every piece as the tokenizer writes it, byte by byte, in the order of the numbers."""
    numbers = tokenizer().get_vocab()
    return sorted(numbers, key=numbers.__getitem__)
