"""The translator's tokens: byte pairs, learned from the captions of both languages together."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from companion.models import byte_pairs

SIZE = 6000
FILE = Path(__file__).with_name("tokenizer.json")

_pieces = byte_pairs.BytePairs(FILE)
encode, decode, names = _pieces.encode, _pieces.decode, _pieces.names


def learn(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Learn pieces; see `companion.models.byte_pairs.learn`. The first are recipe.END and recipe.PAD."""
    return byte_pairs.learn(texts, size, ("<end>", "<pad>"))
