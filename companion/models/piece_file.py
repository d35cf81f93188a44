"""What every way to cut texts into learned pieces shares: a file of the library `tokenizers`, read when it is needed."""

import json
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer


def sealed(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer whose special pieces no text can ask for: who types <end> gets five characters.

    They stay in the vocabulary.
    """
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(described))


class PieceFile:
    """The pieces in a file, read when they are first needed.

    Args:
        file: as a learned tokenizer's `save(file)` writes it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The library's own object."""
        return Tokenizer.from_file(str(self._file))

    def names(self) -> list[str]:
        """Return every piece as the tokenizer writes it, in the order of the numbers."""
        numbers = self.tokenizer.get_vocab()
        return sorted(numbers, key=numbers.__getitem__)
