"""What a person reads on an attention heat map, and where they point: the tests' eyes and hands."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

_NUMBER = re.compile(r"[−-]?(?:\d+\.\d+|∞)")
_LIGHT = """(canvas, left, top, width, height) => {
  const {data} = canvas.getContext('2d').getImageData(left, top, width, height);
  const light = (i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2];
  return Array.from({length: height}, (_, y) => Array.from({length: width}, (_, x) => light(y * width + x)));
}"""


def numbers(text: str) -> list[float]:
    """The numbers in a line, as a reader sees them."""
    return [float(n.replace("−", "-").replace("∞", "inf")) for n in _NUMBER.findall(text)]


@dataclass
class Heatmap:
    """One attention heat map on a page."""

    page: Page
    n_rows: int
    n_columns: int
    nth: int = 0

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=AttentionHeatmap]").nth(self.nth)

    @property
    def lines(self) -> tuple[str, str, str]:
        """The line of the row, of the cell, and of the sum."""
        return tuple(self.place.locator(".readout p").all_inner_texts())

    @property
    def queries(self) -> Locator:
        return self.place.get_by_role("listbox")

    @property
    def chosen_query(self) -> str:
        """What a screen reader says: the list box's active option."""
        return self.queries.evaluate(
            "(e) => e.getRootNode().getElementById(e.getAttribute('aria-activedescendant')).textContent"
        )

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """Where a cell is on the screen."""
        matrix = self.place.locator("canvas.matrix")
        matrix.scroll_into_view_if_needed()
        box = matrix.bounding_box()
        return (
            box["x"] + (column + 0.5) * box["width"] / self.n_columns,
            box["y"] + (row + 0.5) * box["height"] / self.n_rows,
        )

    def point(self, row: int, column: int) -> None:
        self.page.mouse.move(*self.centre(row, column))

    def leave(self) -> None:
        self.page.mouse.move(1, 1)

    def click(self, row: int, column: int) -> None:
        self.page.mouse.click(*self.centre(row, column))

    def tap(self, row: int, column: int) -> None:
        self.page.touchscreen.tap(*self.centre(row, column))

    def press(self, *keys: str) -> None:
        """Press keys in the list box of queries."""
        self.queries.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def table(self) -> dict[str, float]:
        """The chosen row as a table, folded out."""
        details = self.place.locator("details")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        details.locator("tbody tr").first.wait_for()
        rows = details.locator("tbody tr").all_inner_texts()
        return {key: numbers(value)[0] for key, value in (row.split("\t") for row in rows)}

    def chip(self, name: str) -> Locator:
        return self.place.get_by_role("checkbox", name=name)

    @property
    def slider(self) -> Locator:
        return self.place.get_by_role("slider", name="temperature")

    def thumb(self, layer: int, head: int) -> Locator:
        return self.place.get_by_role("radio", name=f"layer {layer}, head {head}", exact=True)

    @property
    def chosen_head(self) -> str:
        return self.place.get_by_role("radio", checked=True).get_attribute("aria-label")

    def pixels(self) -> list[list[int]]:
        """How light each cell of the painted matrix is, 0 to 765."""
        canvas = self.place.locator("canvas.matrix")
        return canvas.evaluate(f"(canvas) => ({_LIGHT})(canvas, 0, 0, canvas.width, canvas.height)")

    def thumb_pixels(self, layer: int, head: int) -> list[list[int]]:
        """How light each pixel of a thumbnail is, within its border."""
        return self.thumb(layer, head).evaluate(f"""(button) => {{
          const canvas = button.closest('[role=radiogroup]').querySelector('canvas');
          const [x, y, size] = [button.offsetLeft + 4, button.offsetTop + 4, button.offsetWidth - 8];
          return ({_LIGHT})(canvas, x, y, size, size);
        }}""")
