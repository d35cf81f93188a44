"""Still pictures for places without JavaScript: a matrix, or lines of text, as an SVG."""

import base64
import json
import re
import struct
import textwrap
import zlib
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

PALETTE = json.loads((Path(__file__).parent / "lib" / "palette.json").read_text("utf-8"))
# What XML 1.0 has no way to write (section 2.2, production 2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def matrix_svg(matrix: np.ndarray, rows: list[str], columns: list[str]) -> str:
    """Return a heat map as SVG: `matrix` (n_rows, n_columns) of values 0 … 1, with its labels.

    Labels are left out where there are more than 40 of them: they could not be read.
    """
    n_rows, n_columns = matrix.shape
    cell = max(4, min(26, 520 // max(n_rows, n_columns)))
    named = max(n_rows, n_columns) <= 40
    left, top = (100, 90) if named else (4, 4)
    width, height = left + n_columns * cell + 8, top + n_rows * cell + 8
    labels = []
    if named:
        for i, word in enumerate(rows):
            y = top + (i + 0.7) * cell
            labels.append(
                f'<text x="{left - 6}" y="{y:.0f}" text-anchor="end">{xml_text(word)}</text>'
            )
        for j, word in enumerate(columns):
            x = left + (j + 0.65) * cell
            labels.append(
                f'<text transform="translate({x:.0f} {top - 6}) rotate(-60)">{xml_text(word)}</text>'
            )
    image = base64.b64encode(_png(_shade(matrix))).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(labels)}'
        f'<image x="{left}" y="{top}" width="{n_columns * cell}" height="{n_rows * cell}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{image}"/>'
        "</svg>"
    )


def lines_svg(paragraphs: Iterable[tuple[str, str]]) -> str:
    """Return paragraphs as SVG, wrapped: the text of each, and the name of its colour in the palette."""
    colours = PALETTE["light"]
    lines = [
        (line, colours[colour])
        for paragraph, colour in paragraphs
        for line in textwrap.wrap(paragraph, 76)
    ]
    text = "".join(
        f'<text x="12" y="{26 + 22 * i}" fill="{colour}">{xml_text(line)}</text>'
        for i, (line, colour) in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{20 + 22 * len(lines)}" '
        f'font-size="15" font-family="sans-serif"><rect width="100%" height="100%" '
        f'fill="{colours["paper"]}"/>{text}</svg>'
    )


def xml_text(word: str) -> str:
    """Text for XML; what XML cannot hold, such as control characters, becomes �."""
    return escape(_NOT_XML.sub("\ufffd", word))


def _shade(matrix: np.ndarray) -> np.ndarray:
    """Colours (n_rows, n_columns, 3) of values 0 … 1 on the scale of attention weights."""
    stops = np.array(
        [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in PALETTE["light"]["weights"]]
    )
    at = np.linspace(0, 1, len(stops))
    channels = [np.interp(matrix, at, stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _png(pixels: np.ndarray) -> bytes:
    """Return a PNG (W3C, 2003) of pixels (height, width, 3), eight bits a channel."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )
