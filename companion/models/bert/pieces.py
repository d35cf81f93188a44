"""BERT's tokens: word pieces, learned from the dialogues that it is pretrained on."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from companion.models import word_pieces

SIZE = 3000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNKNOWN, CLS, SEP, MASK = range(len(SPECIAL))
FILE = Path(__file__).with_name("tokenizer.json")

_pieces = word_pieces.WordPieces(FILE)
encode, offsets, names = _pieces.encode, _pieces.offsets, _pieces.names


def learn(texts: Iterable[str], size: int = SIZE) -> Tokenizer:
    """Learn pieces; see `companion.models.word_pieces.learn`."""
    return word_pieces.learn(texts, size, SPECIAL)


def join(first: list[int], second: list[int] | None = None) -> tuple[list[int], list[int]]:
    """Put one or two texts between the special tokens: [CLS] first [SEP] second [SEP].

    Returns:
        The tokens, and for each the segment it stands in: 0 up to the first [SEP], 1 after it.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3, figure 2.
    """
    head = [CLS, *first, SEP]
    tail = [] if second is None else [*second, SEP]
    return head + tail, [0] * len(head) + [1] * len(tail)
