"""How often each task is drawn, by the sizes of their data, a limit and a temperature."""

from collections.abc import Mapping
from typing import Any

import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text


class MixingRates(Widget):
    """Set a limit and a temperature, and see which share of the examples comes from each task.

    It reckons as `companion.text_to_text.mixing_rates` does. Explained in
    chapters/week3-bert-and-t5/text-in-text-out.ipynb.

    Args:
        sets: {label: {task: examples}}; the first is shown.
        **state: first values of `chosen` (which set), `limit` (0: none) and `temperature` (1 or more;
            0: as high as can be, equal mixing).

    Raises:
        ValueError: If there are no sets, or one has no task, or a task no examples.
        TraitError: If a state is out of range.
    """

    sets = t.Dict().tag(sync=True)
    chosen = t.Int(0, min=0).tag(sync=True)
    limit = t.Int(0, min=0).tag(sync=True)
    temperature = t.Float(1.0, min=0.0).tag(sync=True)

    def __init__(
        self,
        sets: Mapping[str, Mapping[str, int]],
        **state: Any,  # noqa: ANN401
    ) -> None:
        if not sets:
            raise ValueError("sets: there is none; give at least one, with the sizes of its tasks")
        for label, sizes in sets.items():
            if not sizes or min(sizes.values()) < 1:
                raise ValueError(
                    f"sets: {label!r} is {dict(sizes)}; give at least one task, and each an example"
                )
        super().__init__(sets={label: dict(sizes) for label, sizes in sets.items()}, **state)

    @t.validate("chosen")
    def _check_chosen(self, proposal: dict) -> int:
        if self.sets and proposal["value"] >= len(self.sets):
            raise t.TraitError(f"chosen is {proposal['value']}: there are {len(self.sets)} sets")
        return proposal["value"]

    @t.validate("temperature")
    def _check_temperature(self, proposal: dict) -> float:
        if 0 < proposal["value"] < 1:
            raise t.TraitError(
                f"temperature is {proposal['value']}: it must be at least 1, or 0 for equal mixing"
            )
        return proposal["value"]

    def describe(self) -> str:
        """Return how many tasks there are, and the sizes of the largest and the smallest."""
        label, sizes = list(self.sets.items())[self.chosen]
        first, last = max(sizes, key=sizes.get), min(sizes, key=sizes.get)
        return (
            f"{label}: {len(sizes)} task{'s' * (len(sizes) > 1)}, from {first} with {sizes[first]:,} examples to {last} "
            f"with {sizes[last]:,}"
        )

    def picture(self) -> str:
        """Return the sizes of the tasks as bars, as SVG."""
        colours = PALETTE["light"]
        sizes = list(self.sets.values())[self.chosen]
        most = max(sizes.values())
        bars = "".join(
            f'<text x="150" y="{26 + 26 * i}" text-anchor="end">{xml_text(name)}</text>'
            f'<rect x="160" y="{12 + 26 * i}" width="{max(1, 280 * size / most):.0f}" height="18" '
            f'fill="{colours["accent"]}"/><text x="450" y="{26 + 26 * i}">{size:,}</text>'
            for i, (name, size) in enumerate(sorted(sizes.items(), key=lambda pair: -pair[1]))
        )
        height = max(110, 20 + 26 * len(sizes))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{height}" '
            f'viewBox="0 0 560 {height}" font-family="sans-serif" font-size="14">'
            f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>{bars}</svg>'
        )

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone), with the longest of its sets."""
        rows = 28 * max(map(len, self.sets.values()))
        return (276 + rows, 416 + rows)
