"""Tokenizers side by side: learned from a text that the reader may change, one step at a time."""

from math import ceil
from typing import Any

import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import lines_svg

_MOST = {"text": 5000, "cut": 200, "word": 24}


class TokenizerBench(Widget):
    """Learn tokens from a text, and see how they cut another one.

    The reader changes the text, walks through the merges of byte-pair encoding, and
    compares what words, characters, BPE, WordPiece, a unigram model and bytes make of a
    second text, each with as many tokens as BPE has (characters and bytes have their own
    number). Cuts of a word are drawn from the unigram model. It computes what
    `companion.tokenization`, `byte_pair_encoding`, `wordpiece` and `unigram_learning` do.
    Explained in chapters/week3-bert-and-t5/what-is-a-token.ipynb.

    Args:
        text: what to learn from, up to 5,000 characters.
        cut: what to cut, up to 200 characters.
        word: the word that is cut by chance, up to 24 characters.
        **state: first values of `merges` (how many are done, 0 or more), `alpha` (0 to 2;
            how strongly the likelier cuts are preferred).

    Raises:
        ValueError: If a text is too long.
        TraitError: If a state is out of range.
    """

    text = t.Unicode().tag(sync=True)
    cut = t.Unicode().tag(sync=True)
    word = t.Unicode().tag(sync=True)
    merges = t.Int(0, min=0).tag(sync=True)
    alpha = t.Float(1.0, min=0, max=2).tag(sync=True)

    def __init__(self, text: str, cut: str, word: str, **state: Any) -> None:  # noqa: ANN401
        for name, given in (("text", text), ("cut", cut), ("word", word)):
            if len(given) > _MOST[name]:
                raise ValueError(
                    f"{name}: it has {len(given)} characters; give at most {_MOST[name]}"
                )
        super().__init__(text=text, cut=cut, word=word, **state)

    def describe(self) -> str:
        """Return, in a sentence, what is learned from and what is cut."""
        return (
            f"Tokenizers learned from a text of {len(self.text)} characters cut “{self.cut}”: words, "
            "characters, byte pairs, word pieces, a unigram model and bytes."
        )

    def picture(self) -> str:
        """Return the texts as SVG."""
        beginning = self.text[:400] + "…" * (len(self.text) > 400)
        return lines_svg(
            [
                ("Learn from:", "muted"),
                (beginning, "ink"),
                ("Cut by words, characters, BPE, WordPiece, a unigram model, and bytes:", "muted"),
                (self.cut, "ink"),
            ]
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        length = len(self.cut)  # the lines of tokens, if most of them are characters

        def lines(a_line: int) -> int:
            return 5 * ceil(length / a_line) + ceil(6 * length / (24 * a_line))

        return 1140 + 30 * lines(24), 1480 + 30 * lines(12)
