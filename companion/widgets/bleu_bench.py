"""A candidate translation beside its references: which runs of words count, and the BLEU score they make."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any

import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_MOST_REFERENCES = 3
_LETTER = 9.1  # pixels of the still picture


class BleuBench(Widget):
    """Write a translation, and see which of its runs of words count.

    The reader edits the candidate and up to three references, or takes a ready pair. Runs of 1 to 4 words
    that count are marked in all lines; so are repeats that are clipped, in a list of the runs. The score is that of one
    sentence, as `companion.bleu.sentence_bleu` has it, of words that `tokenize_13a` cuts. Explained in
    chapters/week1-translation/how-good-is-it.ipynb.

    Args:
        examples: {label: (candidate, [reference, …])}, one to three references each; the first is shown.
        **state: first values of `candidate`, `references`, `order` (the length of runs that is shown, 1 to
            4), `lowercase` (whether capitals are ignored), `smooth` (whether half a match stands for none,
            then a quarter, and so on).

    Raises:
        ValueError: If there are no examples, or one of them is no such pair.
        TraitError: If a state is out of range.
    """

    labels = t.List(t.Unicode()).tag(sync=True)
    candidates = t.List(t.Unicode()).tag(sync=True)
    reference_lists = t.List(t.List(t.Unicode())).tag(sync=True)
    candidate = t.Unicode().tag(sync=True)
    references = t.List(t.Unicode(), minlen=1, maxlen=_MOST_REFERENCES).tag(sync=True)
    order = t.Int(1, min=1, max=4).tag(sync=True)
    lowercase = t.Bool(default_value=False).tag(sync=True)
    smooth = t.Bool(default_value=True).tag(sync=True)

    def __init__(
        self,
        examples: dict[str, tuple[str, Sequence[str]]],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not examples:
            raise ValueError("examples: there is none; give at least one pair of texts")
        for label, example in examples.items():
            _check(label, example)
        pairs = [(candidate, list(references)) for candidate, references in examples.values()]
        state = {"candidate": pairs[0][0], "references": pairs[0][1], **state}
        super().__init__(
            labels=list(examples),
            candidates=[candidate for candidate, _ in pairs],
            reference_lists=[references for _, references in pairs],
            **state,
        )

    def describe(self) -> str:
        """Return, in a sentence, what is compared."""
        words, matched = self._matched()
        references = ", ".join(f"“{reference}”" for reference in self.references)
        return (
            f"The candidate “{self.candidate}” beside {references}: {sum(matched)} of its {len(words)} words "
            "count; runs of up to 4 words make its BLEU score."
        )

    def picture(self) -> str:
        """Return the texts as SVG, the candidate's words that count underlined."""
        colours = PALETTE["light"]
        words, matched = self._matched()
        parts, y = _drawn(words, matched, 48, colours["value"])
        for number, reference in enumerate(self.references, start=1):
            title = f'<text x="10" y="{y + 44}" fill="{colours["muted"]}">Reference {number}</text>'
            others = reference.split()
            more, y = _drawn(others, [False] * len(others), y + 68, colours["value"])
            parts += [title, *more]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="{y + 20}" font-size="15" '
            f'font-family="monospace" fill="{colours["ink"]}"><rect width="100%" height="100%" '
            f'fill="{colours["paper"]}"/><text x="10" y="22" fill="{colours["muted"]}">Candidate</text>'
            f"{''.join(parts)}</svg>"
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes in the book's column, (on a wide page, on a phone)."""
        chips = sum(len(label) + 7 for label in self.labels)
        texts = [self.candidate, *self.references]
        words = self.candidate.split()
        runs = [words[i : i + self.order] for i in range(len(words) - self.order + 1)]
        pills = [40 + 8 * len(" ".join(run)) for run in runs]

        def fields(a_line: int) -> int:
            lines = sum(ceil(max(1, len(text)) / a_line) for text in texts)
            return 86 + 116 * len(texts) + 46 * lines

        def below(a_line: int) -> int:
            return 46 + 30 * _lines(pills, a_line)

        return (
            52 + 38 * ceil(chips / 72) + max(fields(36), 430) + below(610),
            490 + 38 * ceil(chips / 32) + fields(33) + below(300),
        )

    def _matched(self) -> tuple[list[str], list[bool]]:
        """Return the candidate's words and whether each counts, by itself."""
        words, most = self.candidate.split(), Counter()
        for reference in self.references:
            most |= Counter(reference.split())
        met = Counter()
        matched = []
        for word in words:
            met[word] += 1
            matched.append(met[word] <= most[word])
        return words, matched


def _drawn(words: list[str], underlined: list[bool], y: int, colour: str) -> tuple[list[str], int]:
    """Return words as SVG from the height y on, wrapped, and the height of the last line."""
    parts, x = [], 10.0
    for word, line in zip(words, underlined, strict=True):
        width = _LETTER * len(word)
        if x > 10 and x + width > 590:
            x, y = 10.0, y + 28
        parts.append(f'<text x="{x:.0f}" y="{y}">{xml_text(word)}</text>')
        if line:
            parts.append(
                f'<rect x="{x:.0f}" y="{y + 4}" width="{width:.0f}" height="3" fill="{colour}"/>'
            )
        x += width + _LETTER
    return parts, y


def _lines(widths: list[int], a_line: int) -> int:
    """Return how many lines things of these widths take, put one behind the other."""
    lines, used = 1, 0
    for width in widths:
        if used + width > a_line:
            lines, used = lines + ceil(width / a_line), 0
        used += width
    return lines


def _check(label: str, example: Any) -> None:  # noqa: ANN401
    pair = isinstance(example, (tuple, list)) and len(example) == 2
    if not pair or not isinstance(example[0], str) or isinstance(example[1], str):
        raise ValueError(
            f"examples: {label!r} has {example!r}; give a candidate and a list of references"
        )
    if not 1 <= len(example[1]) <= _MOST_REFERENCES:
        raise ValueError(
            f"examples: {label!r} has {len(example[1])} references; give 1 to {_MOST_REFERENCES}"
        )
