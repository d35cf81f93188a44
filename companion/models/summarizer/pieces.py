"""The tokens of summarizer and chatbot: byte pairs, learned from dialogues."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from companion.models import byte_pairs

END, SEPARATOR = 0, 1  # the numbers of what ends a summary, and of what stands before it
SIZE = 2048
FILE = Path(__file__).with_name("tokenizer.json")

_pieces = byte_pairs.BytePairs(FILE)
encode, decode, names = _pieces.encode, _pieces.decode, _pieces.names


def learn(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Learn pieces; see `companion.models.byte_pairs.learn`."""
    return byte_pairs.learn(texts, size, ("<end>", "<summary>"))


def tokenizer() -> Tokenizer:
    """Return the pieces that came with the package, as the library's own object."""
    return _pieces.tokenizer
