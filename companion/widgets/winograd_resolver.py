"""What does *it* refer to? A sentence, its arcs, and the two nouns to choose from."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array
from companion.widgets.live import LiveWidget, Model
from companion.widgets.picture import PALETTE

METHODS = ("naming", "attention", "substitution-full", "substitution-partial", "masked-lm")


class WinogradResolver(LiveWidget):
    """A network reads a sentence and says what its pronoun stands for.

    The prepared pairs are shown at once; a sentence that the reader types is answered by the model, in
    the kernel or on the page. Explained in chapters/week2-transformers/what-it-refers-to.ipynb.

    Args:
        model: answers `tokens` (batch, n) with `logits` (variants, batch, n, vocabulary) and `weights`
            (variants, batch, layers, heads, n, n); see `companion.models.live`.
        vocabulary: the model's words; number 0 is padding, and `<mask>` is among them.
        nouns: words that a pronoun can stand for.
        pronouns: words that ask for one of them.
        variants: names of the networks: "word", "ordinary", "causal".
        pairs: of sentences, as `companion.models.resolver.prepare` makes them: {label, twins: two of
            {words, pronoun, candidates, scores: {method: for each variant two scores, or None}}}.
        weights: (2 pairs, variants, layers, heads, n, n), the longest sentence having n words.
        longest: number of words that the model can read.
        **state: first values of `pair`, `twin`, `own`, `method`, `variant`, `layer`, `head` (-1: the
            mean over the last layer's heads).

    Raises:
        ValueError: If there are no pairs, or weights do not fit them.
        TraitError: If a choice is out of range.
    """

    vocabulary = t.List(t.Unicode()).tag(sync=True)
    nouns = t.List(t.Unicode()).tag(sync=True)
    pronouns = t.List(t.Unicode()).tag(sync=True)
    variants = t.List(t.Unicode()).tag(sync=True)
    pairs = t.List(t.Dict()).tag(sync=True)
    weights = Array()
    longest = t.Int(min=3).tag(sync=True)
    pair = t.Int(0, min=0).tag(sync=True)
    twin = t.Int(0, min=0, max=1).tag(sync=True)
    own = t.Unicode(None, allow_none=True).tag(sync=True)
    method = t.Enum(METHODS, default_value="naming").tag(sync=True)
    variant = t.Int(0, min=0).tag(sync=True)
    layer = t.Int(0, min=0).tag(sync=True)
    head = t.Int(-1, min=-1).tag(sync=True)

    def __init__(
        self,
        model: Model,
        *,
        pairs: Sequence[dict],
        weights: np.ndarray,
        **state: Any,  # noqa: ANN401
    ) -> None:
        pairs = list(pairs)
        if not pairs:
            raise ValueError("pairs: the list is empty; give at least one pair of sentences")
        most = max(len(twin["words"]) for pair in pairs for twin in pair["twins"])
        if weights.ndim != 6 or len(weights) != 2 * len(pairs) or weights.shape[-1] != most:
            raise ValueError(
                f"weights: shape {weights.shape} does not fit {len(pairs)} pairs of at most {most} "
                f"words; ({2 * len(pairs)}, variants, layers, heads, {most}, {most}) would"
            )
        super().__init__(model, pairs=pairs, weights=weights.astype(np.float16), **state)

    @t.validate("pair", "variant", "layer", "head")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        if self.weights is None:
            return proposal["value"]
        _, variants, layers, heads, _, _ = self.weights.shape
        size = {"pair": len(self.pairs), "variant": variants, "layer": layers, "head": heads}[name]
        if proposal["value"] >= size:
            raise t.TraitError(
                f"{name}: {proposal['value']} was given, there are {size} (0 to {size - 1})"
            )
        return proposal["value"]

    @property
    def shown(self) -> dict:
        """The prepared sentence that is chosen."""
        return self.pairs[self.pair]["twins"][self.twin]

    def answer(self) -> tuple[str, float]:
        """Return the noun that the chosen network names for the prepared sentence, and its share."""
        first, second = self.shown["scores"]["naming"][self.variant]
        share = 1 / (1 + np.exp(second - first))
        best = int(share < 0.5)
        return self.shown["words"][self.shown["candidates"][best]], float(max(share, 1 - share))

    def describe(self) -> str:
        """Return the sentence, and what the network says its pronoun is."""
        words = self.shown["words"]
        noun, share = self.answer()
        pronoun = words[self.shown["pronoun"]]
        be = "are" if pronoun == "they" else "is"
        return f"“{' '.join(words)}”: “{pronoun}” {be} the {noun} ({share:.0%})."

    def picture(self) -> str:
        """Return the sentence, and a bar for each noun, as SVG."""
        colours = PALETTE["light"]
        words, first, second = self.shown["words"], *self.shown["candidates"]
        ink = {self.shown["pronoun"]: "query", first: "first", second: "second"}
        spans = "".join(
            f'<tspan fill="{colours[ink.get(i, "ink")]}">{html.escape(word)} </tspan>'
            for i, word in enumerate(words)
        )
        noun, share = self.answer()
        bars = "".join(
            f'<text x="10" y="{y + 13}" fill="{colours[name]}">{html.escape(words[at])}</text>'
            f'<rect x="150" y="{y}" height="16" fill="{colours[name]}" '
            f'width="{400 * (share if words[at] == noun else 1 - share):.0f}"/>'
            for y, at, name in ((60, first, "first"), (90, second, "second"))
        )
        width = max(570, 11 * len(" ".join(words)) + 20)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="120" font-size="16" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="{colours["paper"]}"/>'
            f'<text x="10" y="36" font-size="20" xml:space="preserve">{spans}</text>{bars}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); a longer sentence takes more lines."""
        letters = len(" ".join(self.shown["words"]))
        wide, narrow = math.ceil(letters / 60), math.ceil(letters / 26)
        return (494 + 56 * wide, 630 + 46 * narrow)
