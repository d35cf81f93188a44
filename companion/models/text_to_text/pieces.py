"""The model's tokens: byte pairs, learned from what goes into all tasks and comes out of them."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from companion.models import byte_pairs

SIZE = 1024
FILE = Path(__file__).with_name("tokenizer.json")

_pieces = byte_pairs.BytePairs(FILE)
encode, decode, names = _pieces.encode, _pieces.decode, _pieces.names


def learn(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Learn pieces; see `companion.models.byte_pairs.learn`. The first end a text, and fill it up."""
    return byte_pairs.learn(texts, size, ("<end>", "<pad>"))
