"""Text as bytes: 256 tokens are enough for any text, and none is unknown.

Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.
"""

import re
from collections.abc import Iterable

from companion.tokenization import Character, Word

# Bytes that are printable in Latin-1 are written as themselves, the others from U+0100 on.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_HIDDEN = [byte for byte in range(256) if byte not in _PRINTABLE]
_BYTE_OF = {chr(b): b for b in _PRINTABLE} | {chr(256 + i): b for i, b in enumerate(_HIDDEN)}
BYTE_LETTERS = {byte: letter for letter, byte in _BYTE_OF.items()}
# Letters and digits, or other characters, with the space before them; more spaces stand by themselves.
_SPACED = re.compile(r" +(?= [^ ])| ?\w+| ?[^\w ]+| +")


def byte_words(text: str) -> list[Word]:
    """Return the bytes of a text (in UTF-8), cut into words; each byte is written as GPT-2 writes it.

    One letter stands for each of the 256 bytes, so that any text is made of known pieces. A
    word is a run of letters and digits, or of other characters, with the space before it.
    (GPT-2 cuts digits, and what follows an apostrophe, off as well.)

    Raises:
        UnicodeEncodeError: If the text has half of a surrogate pair, which no UTF-8 can hold.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
    """
    return [
        [
            Character(BYTE_LETTERS[byte], word.start() + i)
            for i, character in enumerate(word[0])
            for byte in character.encode()
        ]
        for word in _SPACED.finditer(text)
    ]


def text_of_bytes(tokens: Iterable[str]) -> str:
    """Return the text that pieces of bytes make; bytes that make no character become �.

    Raises:
        ValueError: If a letter stands for no byte.
    """
    letters = "".join(tokens)
    strange = sorted(set(letters) - _BYTE_OF.keys())
    if strange:
        raise ValueError(f"tokens: {strange[0]!r} stands for no byte; give pieces of bytes")
    return bytes(_BYTE_OF[letter] for letter in letters).decode(errors="replace")
