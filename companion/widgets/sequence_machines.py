"""Two machines read one sentence: a recurrent network word by word, a Transformer all at once."""

from collections.abc import Sequence
from typing import Any

import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_FEWEST, _MOST = 2, 10  # words: more would be too narrow on a phone


class SequenceMachines(Widget):
    """A recurrent network and a Transformer side by side, step by step, on the reader's own sentence.

    Shown are the steps that must wait for one another, the way between two words, and what one layer
    multiplies. Explained in chapters/week2-transformers/rnn-or-transformer.ipynb.

    Args:
        text: the sentence to begin with, 2 to 10 words.
        pair: the positions of the two words whose way is shown; by default the first and the last.
        **state: first values of the synced traits (`mode`, "reading" or "generating"; `step`; `layers`;
            `length`, n, and `width`, d, of the comparison of costs).

    Raises:
        ValueError: too few or too many words, or a pair that is not two different words.
        TraitError: any other state out of range.
    """

    text = t.Unicode().tag(sync=True)
    pair = t.List(t.Int(min=0), minlen=2, maxlen=2, default_value=[0, 1]).tag(sync=True)
    mode = t.Enum(["reading", "generating"], default_value="reading").tag(sync=True)
    step = t.Int(0, min=0).tag(sync=True)
    layers = t.Int(2, min=1, max=4).tag(sync=True)
    length = t.Int(70, min=10, max=10_000).tag(sync=True)
    width = t.Int(1000, min=10, max=10_000).tag(sync=True)

    def __init__(
        self,
        text: str = "the dogs near the old red house sleep",
        *,
        pair: Sequence[int] | None = None,
        **state: Any,  # noqa: ANN401
    ) -> None:
        words = str(text).split()
        if not _FEWEST <= len(words) <= _MOST:
            raise ValueError(f"text: {len(words)} words were given; give {_FEWEST} to {_MOST}")
        pair = [0, len(words) - 1] if pair is None else [int(i) for i in pair]
        if len(set(pair)) != 2 or len(pair) != 2 or not all(0 <= i < len(words) for i in pair):
            raise ValueError(
                f"pair: {pair} was given; give two different positions, 0 to {len(words) - 1}"
            )
        super().__init__(text=" ".join(words), pair=pair, **state)

    def describe(self) -> str:
        """Return, in a sentence, how far the two words are apart in both machines."""
        words = self.text.split()
        first, last = sorted(self.pair)
        times = "once" if last - first == 1 else f"{last - first} times"
        return (
            f"A recurrent network hands “{words[first]}” on {times} until it reaches “{words[last]}”; "
            "a Transformer once, whatever the distance."
        )

    def picture(self) -> str:
        """Return the first layer of both machines, and the way between the two words, as SVG."""
        words = self.text.split()
        return _machines_svg(words, *sorted(self.pair))

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the CSS."""
        drawing = 46 * self.layers + 84
        letters = sum(34 + 8 * min(9, len(word)) for word in self.text.split())  # pixels to tap
        return (drawing + 620 + 36 * (letters // 830), 2 * drawing + 1016 + 36 * (letters // 330))


def _machines_svg(words: list[str], first: int, last: int) -> str:
    """Draw the words below, a node for each above them, and arrows: in a chain, and from all to all."""
    colours = PALETTE["light"]
    step, across = 56, 56 * len(words) + 60
    parts = []
    for top, title in ((0, "Recurrent network"), (190, "Transformer")):
        x = [60 + step * i for i in range(len(words))]
        chain = title == "Recurrent network"
        y = top + 50
        arrows = (
            [(x[i], y, x[i + 1], y) for i in range(len(x) - 1)] + [(a, y + 70, a, y) for a in x]
            if chain
            else [(a, y + 70, b, y) for a in x for b in x]
        )
        way = [(x[first], y + 70)] + (
            [(a, y) for a in x[first : last + 1]] if chain else [(x[last], y)]
        )
        parts.append(
            f'<text x="10" y="{top + 20}" font-weight="bold">{title}</text>'
            + "".join(
                f'<line x1="{a}" y1="{b}" x2="{c}" y2="{d}" stroke="{colours["masked"]}"/>'
                for a, b, c, d in arrows
            )
            + f'<polyline fill="none" stroke="{colours["key"]}" stroke-width="4" points="'
            + " ".join(f"{a},{b}" for a, b in way)
            + '"/>'
            + "".join(
                f'<circle cx="{a}" cy="{y}" r="9" fill="{colours["accent"]}"/>'
                f'<text x="{a}" y="{y + 88}" text-anchor="end" '
                f'transform="rotate(-30 {a} {y + 88})">{xml_text(word)}</text>'
                for a, word in zip(x, words, strict=True)
            )
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="380" '
        f'viewBox="0 0 {across} 380" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>'
    )
