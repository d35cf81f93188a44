"""From text to the resolver's words and their numbers; lib/word_list.js does the same in a browser."""

import difflib
import re
from collections.abc import Sequence

import torch
from torch import Tensor

_AROUND = r".,;:!?\"'“”‘()\[\]…–—-"
_SPACE = r" \t\n\r\f\v\u00a0"
_WORD = re.compile(f"[^{_SPACE}{_AROUND}](?:[^{_SPACE}]*[^{_SPACE}{_AROUND}])?")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ’", "abcdefghijklmnopqrstuvwxyz'")


def tokenize(text: str) -> tuple[str, ...]:
    """Cut a text into words: in lower case, without the punctuation around them.

    Only the letters A to Z are lowered, and only the usual spaces cut: rules that Python and a
    browser follow alike in any release. Nothing else is touched, so nothing that was typed is lost.
    """
    plain = text.translate(_LOWER)
    return tuple(plain[start:stop] for start, stop in word_spans(text))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word of `tokenize` is in the text: first character, one past the last."""
    return [match.span() for match in _WORD.finditer(text.translate(_LOWER))]


def encode(words: Sequence[str], vocabulary: Sequence[str]) -> Tensor:
    """Number the words, (n,).

    Raises:
        ValueError: If a word is not in the vocabulary; the message lists words that look like it.
    """
    number = {word: i for i, word in enumerate(vocabulary)}
    for word in words:
        if word not in number:
            close = ", ".join(difflib.get_close_matches(word, vocabulary)) or "one of vocabulary()"
            raise ValueError(f"word {word!r} is not in the vocabulary: try {close}")
    return torch.tensor([number[word] for word in words], dtype=torch.long)
