"""The distribution of the next word, its temperature, what top-k and top-p cut, and draws from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_SHOWN = 12  # words with a line of their own; mirrors next_word.js


class NextWord(Widget):
    """Turn temperature, top-k and top-p, and draw the next word.

    Bars show what each word is drawn with, marks what the model says. It chooses as
    `companion.decoding.choose` does: temperature, then top-k, then top-p. Explained in
    chapters/week1-translation/choosing-words.ipynb.

    Args:
        contexts: {label: logits}: a text so far, and what a model says of the next word,
            (vocabulary,); the first is shown.
        words: the text of each token, (vocabulary,).
        **state: first values of `context` (its number), `temperature` (0 to 3), `k` (0, all, to 12),
            `p` (above 0, at most 1), `draws` (how many words are drawn) and `seed`, of the draws.

    Raises:
        ValueError: If there are no contexts, or logits are not one for each word, or none of them is
            finite, or one is NaN or +inf.
        TraitError: If a state is out of range.
    """

    labels = t.List(t.Unicode()).tag(sync=True)
    words = t.List(t.Unicode()).tag(sync=True)
    logits = Array()
    context = t.Int(0, min=0).tag(sync=True)
    temperature = t.Float(1.0, min=0.0, max=3.0).tag(sync=True)
    k = t.Int(0, min=0, max=_SHOWN).tag(sync=True)
    p = t.Float(1.0, max=1.0).tag(sync=True)
    draws = t.Int(0, min=0, max=1000).tag(sync=True)
    seed = t.Int(1, min=0).tag(sync=True)

    def __init__(
        self,
        contexts: dict[str, Any],
        words: Sequence[str],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not contexts:
            raise ValueError("contexts: there is none; give at least one text and its logits")
        rows = []
        for label, logits in contexts.items():
            row = to_numpy(logits)
            if row.shape != (len(words),):
                raise ValueError(
                    f"contexts: the logits of {label!r} have shape {row.shape}; give one for each of "
                    f"the {len(words)} words"
                )
            if not np.isfinite(row.max(initial=-np.inf)):
                raise ValueError(
                    f"contexts: the largest logit of {label!r} is {row.max(initial=-np.inf)}; it must be "
                    "finite (−inf is for words that cannot come)"
                )
            rows.append(row)
        words = [str(word) for word in words]
        super().__init__(labels=list(contexts), words=words, logits=np.stack(rows), **state)

    @t.validate("context")
    def _check_context(self, proposal: dict) -> int:
        if self.labels and proposal["value"] >= len(self.labels):
            raise t.TraitError(f"context is {proposal['value']}: there are {len(self.labels)}")
        return proposal["value"]

    @t.validate("p")
    def _check_p(self, proposal: dict) -> float:
        if not proposal["value"] > 0:
            raise t.TraitError(f"p is {proposal['value']}: it must be above 0 and at most 1")
        return proposal["value"]

    def describe(self) -> str:
        """Return, in a sentence, what the model says comes next."""
        best = ", ".join(f"“{word}” {share:.0%}" for word, share in self._likeliest()[:3])
        return f"After “{self.labels[self.context]}” the model says: {best}."

    def picture(self) -> str:
        """Return the likeliest words as bars, as SVG."""
        colours, likeliest = PALETTE["light"], self._likeliest()
        bars = "".join(
            f'<text x="130" y="{26 + 26 * i}" text-anchor="end">{xml_text(word)}</text>'
            f'<rect x="140" y="{12 + 26 * i}" width="{340 * share / likeliest[0][1]:.0f}" height="18" '
            f'fill="{colours["accent"]}"/><text x="490" y="{26 + 26 * i}">{share:.1%}</text>'
            for i, (word, share) in enumerate(likeliest)
        )
        height = 20 + 26 * len(likeliest)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="550" height="{height}" '
            f'viewBox="0 0 550 {height}" font-family="sans-serif" font-size="14">'
            f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>{bars}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        rows = 28 * (1 + min(_SHOWN + 1, len(self.words)))
        pixels = [8 * len(label) + 52 for label in self.labels]
        wrapped = 22 * sum(wide > 290 for wide in pixels)  # labels of two lines, on a phone
        narrow = 386 + rows + 38 * (sum(pixels) // 290) + wrapped
        return (256 + rows + 38 * (sum(pixels) // 600), narrow)

    def _likeliest(self) -> list[tuple[str, float]]:
        """Return the words that are shown, likeliest first, with the model's own probabilities."""
        logits = self.logits[self.context].astype(np.float64)
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        order = np.argsort(-odds, kind="stable")[:_SHOWN]
        return [(self.words[i], float(odds[i])) for i in order]
