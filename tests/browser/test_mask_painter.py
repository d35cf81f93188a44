"""The mask painter, driven as a person drives it; what is read equals what Python computes."""

import itertools
import re
from dataclasses import dataclass

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.attention import attention_weights, causal_mask
from companion.masks import leaks, prefix_mask, receptive_field, window_mask
from companion.widgets import MaskPainter

TOKENS = ["I", "want", "a", "table", "for", "two", "tonight", "<pad>"]
N = len(TOKENS)
SOURCE = ["heute", "einen", "Tisch", "bitte", "für", "zwei"]
NOT_PADDING = torch.arange(N) < N - 1
EVERYTHING = torch.ones(N, N, dtype=torch.bool)
MASKS = {
    "causal": causal_mask(N),
    "everything": EVERYTHING,
    "causal + padding": causal_mask(N) & NOT_PADDING,
    "prefix LM": prefix_mask(N, 3),
    "window": window_mask(N, 2),
}
CROSS = {"cross-attention": torch.ones(N, len(SOURCE), dtype=torch.bool)}
SCORES = 2 * torch.randn(N, N, generator=torch.Generator().manual_seed(3))


def _widget(**arguments) -> MaskPainter:
    arguments = {"masks": MASKS, "source_tokens": SOURCE, "cross_masks": CROSS, **arguments}
    return MaskPainter(TOKENS, **arguments)


@dataclass
class Painter:
    """One mask painter on a page: a person's eyes and hands."""

    page: Page
    nth: int = 0

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=MaskPainter]").nth(self.nth)

    @property
    def lines(self) -> list[str]:
        return self.place.locator(".readout p").all_inner_texts()

    def cell(self, row: int, column: int) -> Locator:
        return self.place.locator(f"[role=gridcell][data-row='{row}'][data-column='{column}']")

    def mask(self) -> torch.Tensor:
        """The mask as a screen reader hears it, cell by cell."""
        rows = self.place.get_by_role("row").filter(has=self.page.get_by_role("gridcell"))
        return torch.tensor(
            [
                [" may look " in cell.get_attribute("aria-label") for cell in row.all()]
                for row in (rows.nth(i).get_by_role("gridcell") for i in range(N))
            ]
        )

    def begin_from(self, name: str) -> None:
        self.place.get_by_role("button", name=name, exact=True).click()

    def follow(self, row: int) -> None:
        self.place.get_by_role("rowheader").nth(row).click()

    @property
    def slider(self) -> Locator:
        return self.place.get_by_role("slider", name="layers")

    def centre(self, row: int, column: int) -> tuple[float, float]:
        self.cell(row, column).scroll_into_view_if_needed()
        box = self.cell(row, column).bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def lit(self) -> list[str]:
        """The words lit at the bottom of the picture of layers."""
        return self.place.locator(".picture text.word.lit").all_text_contents()

    def table(self) -> dict[str, list[str]]:
        """What each word can learn of, folded out."""
        details = self.place.locator("details").nth(1)
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        rows = details.locator("tbody tr").all_inner_texts()
        return {word: text.split(", ") for word, text in (row.split("\t") for row in rows)}

    def code(self) -> torch.Tensor:
        """The mask, from the text that a reader takes away."""
        details = self.place.locator("details").nth(0)
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        text = details.locator("pre").inner_text()
        found = {}
        exec(text, {"torch": torch}, found)  # noqa: S102
        return found["mask"]


@pytest.fixture
def painter(saved, open_page):
    def open_(widget=None, **options) -> Painter:
        return Painter(open_page(saved(widget or _widget()), **options))

    return open_


def _words(flags) -> list[str]:
    return [word for word, flag in zip(TOKENS, flags.tolist(), strict=True) if flag]


def _expect_all(seen: Painter, mask: torch.Tensor, layers: int, row: int) -> None:
    """Everything that is written agrees with Python: the row, what arrives, the verdict."""
    first, second, verdict, blind = seen.lines
    weights = attention_weights(torch.zeros(N, N), mask)[row]
    looks = [(TOKENS[j], float(weights[j])) for j in range(N) if mask[row, j]]
    if looks:
        start, shown = first.split("; the weights: ")
        assert start == f"{TOKENS[row]} may look at {len(looks)} of {N}"
        shown = [part.rsplit(" ", 1) for part in shown.split(" · ")]
        assert [(word, float(weight)) for word, weight in shown] == [
            (word, pytest.approx(weight, abs=0.0051)) for word, weight in looks
        ]
    else:
        assert first == f"{TOKENS[row]} may look at nothing."
    field = receptive_field(mask, layers)
    known = ", ".join(f"“{word}”" for word in _words(field[row]))
    assert second == f"Through {layers} layer{'s' if layers > 1 else ''} it can learn of {known}."
    assert seen.lit() == _words(field[row])
    leaky = leaks(mask, layers)
    if leaky.any():
        assert verdict.startswith(f"✗ Looks ahead: {int(leaky.sum())} of {N} words")
        way = verdict.split(": ")[-1].rstrip(".").split(" → ")
        steps = [TOKENS.index(word) for word in way]
        assert 2 <= len(steps) <= layers + 1
        assert steps[0] > steps[-1]
        assert (steps[-1] == row) or not leaky[row]
        assert all(mask[after, before] for before, after in itertools.pairwise(steps))
    else:
        assert verdict == "✓ Fit for writing: no word can learn of a later one."
    assert re.findall("“(.*?)”", blind) == _words(~mask.any(-1))


class TestReading:
    @pytest.mark.parametrize("name", MASKS)
    def test_each_mask_to_begin_from(self, painter, name):
        seen = painter()
        seen.begin_from(name)
        expect(seen.place.get_by_role("button", name=name, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        assert torch.equal(seen.mask(), MASKS[name])
        for layers, row in [(1, 0), (2, 3), (6, 7), (3, 6)]:
            seen.slider.fill(str(layers))
            seen.follow(row)
            _expect_all(seen, MASKS[name], layers, row)

    @pytest.mark.parametrize("seed", range(4))
    def test_any_mask_through_any_layers(self, painter, seed):
        drawn = torch.Generator().manual_seed(seed)
        mask = torch.rand(N, N, generator=drawn) < (0.08, 0.15, 0.25, 0.5)[seed]
        seen = painter(_widget(masks={"drawn": mask}))
        for layers in range(1, 7):
            seen.slider.fill(str(layers))
            field = receptive_field(mask, layers)
            assert seen.table() == {
                word: _words(row) for word, row in zip(TOKENS, field, strict=True)
            }
            for row in range(N):
                seen.follow(row)
                _expect_all(seen, mask, layers, row)

    def test_weights_of_given_scores(self, painter):
        seen = painter(_widget(scores=SCORES))
        weights = attention_weights(SCORES, causal_mask(N))
        for row in range(N):
            seen.follow(row)
            shown = [float(x) for x in re.findall(r"\d\.\d\d", seen.lines[0])]
            assert shown == [pytest.approx(x, abs=0.0051) for x in weights[row, : row + 1].tolist()]

    def test_heat_follows_the_weights(self, painter):
        seen = painter(_widget(scores=SCORES))
        light = [
            sum(map(int, re.findall(r"\d+", seen.cell(7, j).evaluate("e => e.style.background"))))
            for j in range(N)
        ]
        weights = attention_weights(SCORES, causal_mask(N))[7]
        by_weight = [light[j] for j in weights.argsort().tolist()]
        assert by_weight == sorted(light, reverse=True)
        assert len(set(light)) > N // 2

    def test_cross_attention(self, painter):
        seen = painter(_widget(layers=3))
        seen.begin_from("cross-attention")
        assert torch.equal(seen.mask(), CROSS["cross-attention"])
        assert seen.place.get_by_role("columnheader").all_inner_texts()[1:] == SOURCE
        seen.cell(3, 0).click()
        first, second, verdict, blind = seen.lines
        assert first.startswith("table may look at 5 of 6; the weights: einen 0.20")
        assert second.startswith("More layers add nothing")
        assert verdict.startswith("Another sentence has no “later”")
        assert blind == ""
        expect(seen.slider).to_be_disabled()
        assert seen.lit() == SOURCE[1:]
        assert seen.code().shape == (N, len(SOURCE))
        seen.begin_from("causal")
        _expect_all(seen, causal_mask(N), 3, 3)

    def test_code_can_be_run(self, painter):
        seen = painter()
        seen.cell(1, 5).click()
        mask = causal_mask(N)
        mask[1, 5] = True
        assert seen.code().dtype == torch.bool
        assert torch.equal(seen.code(), mask)

    def test_copy(self, painter):
        seen = painter()
        seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        text = seen.code() is not None and seen.place.locator("pre").inner_text()
        seen.place.get_by_role("button", name="copy").click()
        expect(seen.place.get_by_text("copied", exact=True)).to_be_visible()
        assert seen.page.evaluate("navigator.clipboard.readText()") == text

    def test_rows_that_look_at_nothing_are_named(self, painter):
        seen = painter()
        seen.cell(0, 0).click()
        assert seen.lines[0] == "I may look at nothing."
        assert seen.lines[3].startswith("May look at nothing: “I”.")
        _expect_all(seen, seen.mask(), 1, 0)


class TestPainting:
    def test_click_opens_and_closes(self, painter):
        seen = painter()
        mask = causal_mask(N)
        for row, column in [(0, 7), (4, 4), (0, 7), (2, 5)]:
            seen.cell(row, column).click()
            mask[row, column] = ~mask[row, column]
            assert torch.equal(seen.mask(), mask)
            _expect_all(seen, mask, 1, row)

    def test_one_open_cell_and_a_second_layer(self, painter):
        seen = painter()
        seen.cell(0, 7).click()
        assert "1 of 8 words" in seen.lines[2]
        seen.slider.fill("2")
        assert "7 of 8 words" in seen.lines[2]

    def test_drag_paints_all_cells_it_crosses_alike(self, painter):
        seen = painter()
        seen.page.mouse.move(*seen.centre(2, 1))
        seen.page.mouse.down()
        seen.page.mouse.move(*seen.centre(2, 6), steps=30)
        seen.page.mouse.up()
        seen.page.mouse.move(*seen.centre(5, 6), steps=10)
        mask = causal_mask(N)
        mask[2, 1:] = False
        mask[2, 7] = False
        assert torch.equal(seen.mask(), mask)

    def test_tap(self, painter):
        seen = painter(touch=True, width=390)
        mask = causal_mask(N)
        for row, column in [(0, 7), (6, 1)]:
            seen.page.touchscreen.tap(*seen.centre(row, column))
            mask[row, column] = ~mask[row, column]
            assert torch.equal(seen.mask(), mask)
        seen.place.get_by_role("rowheader").nth(4).tap()
        _expect_all(seen, mask, 1, 4)

    def test_a_scroll_that_begins_on_the_grid_paints_nothing(self, painter):
        seen = painter(touch=True, width=390)
        x, y = seen.centre(3, 6)
        session = seen.page.context.new_cdp_session(seen.page)
        for kind, dy in [("touchStart", 0), *(("touchMove", 10 * k) for k in range(1, 16))]:
            points = [{"x": x, "y": y - dy}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        seen.page.wait_for_function("scrollY > 50")
        assert torch.equal(seen.mask(), causal_mask(N))

    def test_keyboard(self, painter):
        seen = painter()
        seen.page.keyboard.press("Tab")
        for _ in range(20):
            if seen.page.evaluate(
                "document.querySelector('.companion-widget > div').shadowRoot.activeElement?.role"
            ) == ("gridcell"):
                break
            seen.page.keyboard.press("Tab")
        mask = causal_mask(N)
        row, column = 0, 0
        for key, row, column in [
            ("ArrowRight", 0, 1),
            (" ", 0, 1),
            ("ArrowDown", 1, 1),
            ("Enter", 1, 1),
            ("End", 1, 7),
            ("ArrowRight", 1, 7),
            (" ", 1, 7),
            (" ", 1, 7),
            ("ArrowUp", 0, 7),
            ("ArrowUp", 0, 7),
            ("Home", 0, 0),
            ("ArrowLeft", 0, 0),
        ]:
            seen.page.keyboard.press(key)
            if key in {" ", "Enter"}:
                mask[row, column] = ~mask[row, column]
            assert torch.equal(seen.mask(), mask)
            expect(seen.cell(row, column)).to_be_focused()
            assert seen.lines[0].startswith(f"{TOKENS[row]} may look at")

    def test_one_stop_of_the_tab_key(self, painter):
        seen = painter()
        assert seen.place.locator("[role=gridcell][tabindex='0']").count() == 1
        seen.begin_from("cross-attention")
        assert seen.place.locator("[role=gridcell][tabindex='0']").count() == 1

    def test_a_node_of_the_top_layer_picks_its_word(self, painter):
        seen = painter(_widget(layers=2))
        seen.place.locator("rect[data-layer='2'][data-column='5']").click()
        _expect_all(seen, causal_mask(N), 2, 5)

    def test_a_painted_mask_is_no_longer_the_one_begun_from(self, painter):
        seen = painter()
        pressed = seen.place.locator("[aria-pressed=true]")
        expect(pressed).to_have_text("causal")
        seen.cell(5, 0).click()
        expect(pressed).to_have_count(0)
        seen.cell(5, 0).click()
        expect(pressed).to_have_text("causal")


class TestPage:
    def test_two_widgets_are_independent(self, saved, open_page):
        page = open_page(saved(_widget(), _widget(row=2)))
        first, second = Painter(page), Painter(page, 1)
        before = second.lines
        first.begin_from("everything")
        first.cell(1, 1).click()
        assert second.lines == before
        assert torch.equal(second.mask(), causal_mask(N))

    def test_still_picture_without_javascript(self, saved, open_page):
        widget = _widget(row=3)
        page = open_page(saved(widget), scripts=False)
        expect(page.get_by_role("img")).to_be_visible()
        expect(page.get_by_text(widget.describe())).to_be_visible()

    def test_follows_the_theme_of_the_page_live(self, painter):
        seen = painter()
        cell = seen.cell(0, 0)
        light = cell.evaluate("e => e.style.background")
        seen.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        assert cell.evaluate("e => e.style.background") != light
        seen.page.evaluate("document.documentElement.dataset.theme = 'light'")
        assert cell.evaluate("e => e.style.background") == light

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("n", [3, 8, 10])
    def test_needs_no_more_room_than_was_kept_free(self, painter, width, n):
        words = [f"word{i}" for i in range(n)]
        seen = painter(_widget() if n == N else MaskPainter(words), width=width)
        kept = float(seen.place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
        for action in (lambda: None, lambda: seen.cell(0, n - 1).click()):
            action()
            seen.slider.fill("3")
            needed = seen.place.locator(".widget").bounding_box()["height"]
            assert needed <= kept
            assert kept - needed < 120
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width

    def test_cells_are_large_enough_for_a_finger(self, painter):
        words = [f"word{i}" for i in range(10)]
        seen = painter(MaskPainter(words), width=390, touch=True)
        box = seen.cell(9, 9).bounding_box()
        assert min(box["width"], box["height"]) >= 22

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessible(self, painter, scheme, width):
        seen = painter(scheme=scheme, width=width)
        seen.cell(0, 7).click()
        seen.cell(0, 0).click()
        seen.table()
        seen.code()
        assert violations(seen.page) == []
        seen.begin_from("cross-attention")
        assert violations(seen.page) == []
