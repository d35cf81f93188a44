"""The head splitter, driven as a person drives it; each number stands where torch puts it."""

import re

import pytest
import torch
from axe import violations
from playwright.sync_api import expect

from companion.attention import join_heads, split_heads
from companion.widgets import HeadSplitter

TOKENS = ["we", "book", "a", "table", "for", "two"]
# Where each cell with a number is, from the top and then from the left, and what stands in it.
_CELLS = """(figure) => [...figure.querySelectorAll(':scope > div:not(.scores) > .cell')].map((cell) => {
  const [, x, y] = /translate\\((.+)px, (.+)px\\)/.exec(cell.style.transform);
  return [cell.textContent, Number(x), Number(y), cell.className];
})"""
_SHAPES = ["n", "n", "apart", "heads", "scores", "heads", "apart", "n", "n"]


class Splitter:
    def __init__(self, page):
        self.page = page
        self.place = page.locator("[data-widget=HeadSplitter]")
        self.figure = self.place.locator(".figure")

    def button(self, name):
        return self.place.get_by_role("button", name=name)

    def to(self, stage):
        self.place.get_by_role("slider", name="step", exact=True).fill(str(stage))

    def follow(self, number):
        self.place.get_by_role("slider", name="number to follow").fill(str(number))

    def choose(self, group, value):
        chips = self.place.get_by_role("radiogroup", name=group)
        chips.get_by_role("radio", name=str(value), exact=True).check()

    def cells(self):
        return self.figure.evaluate(_CELLS)

    def numbers(self):
        """The numbers in reading order: blocks from left to right, then down."""
        return [int(text) for text, *_ in self.cells()]

    @property
    def shape(self):
        return tuple(
            int(size)
            for size in re.findall(r"\d+", self.place.locator(".shape").inner_text().split("=")[1])
        )

    @property
    def status(self):
        return self.place.get_by_role("status").inner_text()


@pytest.fixture
def splitter(saved, open_page):
    """Open a page with a widget."""

    def open_(widget=None, **options):
        return Splitter(open_page(saved(widget or HeadSplitter(TOKENS[:4])), **options))

    return open_


def _tensors(n, d_model, heads, *, wrong):
    """Numbers where torch puts them at each stage; None where they are not shown."""
    flat = torch.arange(n * d_model).reshape(1, n, d_model)
    cut = flat.view(1, heads, n, -1) if wrong else split_heads(flat, heads)
    apart = cut if wrong else cut.transpose(1, 2)
    return flat, cut, apart


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize(("n", "d_model", "heads"), [(4, 8, 2), (3, 6, 6), (2, 4, 1), (6, 12, 3)])
def test_every_number_is_where_torch_puts_it(splitter, n, d_model, heads, wrong):
    seen = splitter(HeadSplitter(TOKENS, n=n, d_model=d_model, heads=heads, wrong=wrong))
    flat, cut, apart = _tensors(n, d_model, heads, wrong=wrong)
    placed = {1: flat, 2: apart, 3: cut}
    for stage, tensor in placed.items():
        seen.to(stage)
        assert seen.shape == tuple(tensor.shape)
        # A block holds the last two axes: in it, the place says row and column.
        cells = {int(text): (x, y) for text, x, y, _ in seen.cells()}
        for block in tensor.reshape(-1, *tensor.shape[-2:]).tolist():
            left, top = cells[block[0][0]]
            step = seen.figure.locator(".cell").first.evaluate("(e) => e.offsetWidth") + 2
            for i, row in enumerate(block):
                for j, number in enumerate(row):
                    assert cells[number] == (left + j * step, pytest.approx(top + i * step))
    for stage in (5, 6, 7):  # what the heads hand over is called by its place at the end
        seen.to(stage)
        told = sorted(seen.cells(), key=lambda cell: (cell[2], cell[1]))
        if stage == 7:
            assert [int(text) for text, *_ in told] == list(range(n * d_model))
        place = {int(text): (x, y) for text, x, y, _ in told}
        handed = split_heads(flat, heads)
        blocks = handed if stage == 5 else handed.transpose(1, 2)
        if stage < 7:
            assert seen.shape == tuple(blocks.shape)
            for block in blocks[0].tolist():
                left, top = place[block[0][0]]
                assert all(place[row[0]][0] == left for row in block)
                assert all(place[number][1] == place[row[0]][1] for row in block for number in row)
    seen.to(4)
    assert seen.shape == (1, heads, n, n)
    texts = seen.place.locator(".scores .cell").all_inner_texts()
    assert texts == [f"{i + 1}·{j + 1}" for _ in range(heads) for i in range(n) for j in range(n)]


def test_the_steps_by_button_and_by_keyboard(splitter):
    seen = splitter()
    expect(seen.button("back")).to_be_disabled()
    for stage in range(1, 9):
        seen.button("next").click()
        expect(seen.place.get_by_text(f"step {stage} of 8")).to_be_visible()
    expect(seen.button("next")).to_be_disabled()
    seen.button("back").click()
    expect(seen.place.get_by_text("step 7 of 8")).to_be_visible()
    slider = seen.place.get_by_role("slider", name="step", exact=True)
    slider.focus()
    seen.page.keyboard.press("Home")
    seen.page.keyboard.press("ArrowRight")
    expect(seen.place.get_by_text("step 1 of 8")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "1, project")


def test_play_goes_on_by_itself_and_stops(splitter):
    seen = splitter(HeadSplitter(TOKENS[:4], stage=7))
    seen.button("play").click()
    expect(seen.button("stop")).to_be_visible()
    expect(seen.place.get_by_text("step 8 of 8")).to_be_visible()
    expect(seen.button("play")).to_be_visible()


def test_a_number_is_followed_by_mouse_touch_and_keyboard(splitter):
    seen = splitter(HeadSplitter(TOKENS[:4], stage=3), touch=True)
    cell = seen.figure.locator(".cell[data-number='13']")
    cell.hover()
    assert seen.status == "Number 13, of “book”, is at [0, 1, 1, 1]: head 2, its number 2 of 4."
    seen.page.mouse.move(1, 1)
    assert seen.status.startswith("Number 0, of “we”")
    cell.click()
    seen.page.mouse.move(1, 1)
    assert seen.status.startswith("Number 13, of “book”")
    seen.figure.locator(".cell[data-number='30']").tap()
    assert seen.status.startswith("Number 30, of “table”")
    seen.place.get_by_role("slider", name="number to follow").focus()
    seen.page.keyboard.press("ArrowLeft")
    assert seen.status.startswith("Number 29, of “table”")
    marked = [int(text) for text, _, _, kind in seen.cells() if "word" in kind]
    assert marked == list(range(24, 32))
    assert [int(text) for text, _, _, kind in seen.cells() if "picked" in kind] == [29]


@pytest.mark.parametrize("wrong", [False, True])
def test_the_sentence_tells_the_index_in_torch(splitter, wrong):
    seen = splitter(HeadSplitter(TOKENS[:4], wrong=wrong))
    flat, cut, apart = _tensors(4, 8, 2, wrong=wrong)
    for number in (0, 6, 13, 31):
        seen.follow(number)
        for stage, tensor in {1: flat[0], 2: apart[0], 3: cut[0]}.items():
            seen.to(stage)
            index = ", ".join(map(str, (tensor == number).nonzero()[0].tolist()))
            assert f"[0, {index}]" in seen.status
        seen.to(3)
        row = int((cut == number).nonzero()[0][2])
        astray = "But head" in seen.status
        assert astray == (row != number // 8)
        seen.to(7)
        ends = int(join_heads(cut).flatten().tolist().index(number))
        assert seen.status.startswith(f"Number {ends} is at [0, {ends // 8}, {ends % 8}]")
        seen.to(8)
        assert f"Number {ends} goes into all 8 numbers" in seen.status


def test_the_wrong_reshape_names_whose_rows_they_are(splitter):
    seen = splitter()
    seen.place.get_by_role("checkbox", name="wrong reshape").check()
    expect(seen.place.get_by_text("step 3 of 8")).to_be_visible()  # where it shows
    assert seen.shape == (1, 2, 4, 4)
    names = seen.figure.locator(".name").all_inner_texts()
    assert names == ["we", "we", "book", "book", "a", "a", "table", "table"]
    assert seen.figure.locator(".name.bad").count() == 6
    expect(seen.place.get_by_text("# no transpose")).to_be_visible()
    seen.place.get_by_role("checkbox", name="wrong reshape").uncheck()
    assert seen.figure.locator(".name").all_inner_texts() == 2 * TOKENS[:4]
    assert seen.figure.locator(".name.bad").count() == 0


def test_only_divisors_can_be_heads(splitter):
    seen = splitter(HeadSplitter(TOKENS, heads=4, stage=3, picked=47))
    heads = seen.place.get_by_role("radiogroup", name="heads")
    for d_model, kept in ((6, 3), (12, 3), (4, 2), (8, 2)):
        seen.choose("d_model", d_model)
        shown = [int(text) for text in heads.locator("label").all_inner_texts()]
        assert shown == [k for k in range(1, d_model + 1) if d_model % k == 0]
        expect(heads.get_by_role("radio", name=str(kept), exact=True)).to_be_checked()
        assert seen.shape == (1, kept, 6, d_model // kept)
    seen.choose("heads", 8)
    seen.choose("words", 2)
    assert seen.shape == (1, 8, 2, 1)
    assert sorted(seen.numbers()) == list(range(16))
    assert seen.status.startswith("Number 15, ")  # 47 is no longer there


def test_without_motion_there_is_none(splitter):
    seen = splitter()
    cell = seen.figure.locator(".cell").first
    assert cell.evaluate("(e) => getComputedStyle(e).transitionDuration") != "0s"
    seen.page.emulate_media(reduced_motion="reduce")
    assert cell.evaluate("(e) => getComputedStyle(e).transitionDuration") == "0s"
    seen.page.reload()
    expect(seen.button("next")).to_be_visible()
    expect(seen.button("play")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off(splitter, width, scheme):
    widget = HeadSplitter(TOKENS, d_model=12, heads=12, stage=3, wrong=True)
    seen = splitter(widget, width=width, scheme=scheme)
    assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width
    for stage in (3, 4, 7):
        seen.to(stage)
        seen.page.wait_for_timeout(400)  # fading colours have no contrast of their own
        assert violations(seen.page) == []
    room = seen.figure.bounding_box()
    for text, x, y, _ in seen.cells():
        assert x + 20 <= room["width"], text
        assert y + 20 <= room["height"], text


def test_any_token_is_shown_as_text(splitter):
    seen = splitter(HeadSplitter(["<b>x</b>", "שלום" * 9, ""], stage=3))
    assert seen.figure.locator("b").count() == 0
    assert seen.figure.locator(".name").first.inner_text() == "<b>x</b>"
