"""Pieces of a byte-level tokenizer as text; lib/byte_pieces.js does the same."""

from collections.abc import Iterable

_PLAIN = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = (byte for byte in range(256) if byte not in _PLAIN)
_BYTE_OF = {chr(byte): byte for byte in _PLAIN} | {chr(256 + n): b for n, b in enumerate(_OTHERS)}


def join(names: Iterable[str]) -> str:
    """Return the text that pieces make, each written with one character a byte (as GPT-2 began it).

    Bytes that make no character become �.
    """
    data = bytes(_BYTE_OF.get(character, 63) for name in names for character in name)
    return data.decode(errors="replace")
