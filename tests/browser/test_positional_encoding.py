"""The positional encoding, driven as a person drives it; what is read equals what the mathematics computes."""

import math

import pytest
from axe import violations
from playwright.sync_api import expect
from reading import numbers

from companion.positional import frequencies, sinusoidal
from companion.widgets import PositionalEncoding

SETTINGS = [
    (64, 64, 10_000, "paper"),
    (9, 2, 100, "tensor2tensor"),
    (256, 128, 1e6, "tensor2tensor"),
]
SETTINGS += [(100, 6, 37.5, "paper"), (2, 4, 10_000, "paper")]


def lines(page):
    return page.locator(".line").all_inner_texts()


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


@pytest.mark.parametrize(("length", "d_model", "base", "layout"), SETTINGS)
def test_the_browser_computes_what_python_does(saved, open_page, length, d_model, base, layout):
    first, second = length // 4, length - 1
    widget = PositionalEncoding(
        length, d_model, base, layout, dimension=d_model - 1, first=first, second=second
    )
    page = open_page(saved(widget))
    table = sinusoidal(length, d_model, base=base, layout=layout).double()
    page.locator("summary").click()
    expect(page.locator("tbody tr")).to_have_count(d_model)  # filled once it is open
    rows = page.locator("tbody tr").all_inner_texts()
    shown = [numbers(row)[-2:] for row in rows]
    expected = table[[first, second]].T.tolist()
    assert [x for row in shown for x in row] == pytest.approx(
        [x for row in expected for x in row], abs=6e-4
    )
    product = float(table[first] @ table[second])
    assert numbers(lines(page)[1])[-1] == pytest.approx(product, abs=1e-3)
    turn = float(frequencies(d_model, base=base, layout=layout)[-1])
    turns = numbers(lines(page)[0].partition("positions: ")[2])[0]
    assert turns == pytest.approx(length * turn / (2 * math.pi), abs=6e-3)


def test_mouse(saved, open_page):
    page = open_page(saved(PositionalEncoding(64, 64)))
    box = page.locator(".map").bounding_box()
    page.mouse.click(box["x"] + 20.5 / 64 * box["width"], box["y"] + 5)
    expect(slider(page, "dimension")).to_have_attribute("aria-valuenow", "20")
    assert lines(page)[0].startswith("Dimension 20 is the sine of pair 10.")
    grip = page.locator(".second .grip")
    grip.hover()
    page.mouse.down()
    page.mouse.move(box["x"] - 10, box["y"] + 50.5 / 64 * box["height"], steps=4)
    page.mouse.up()
    expect(slider(page, "second position")).to_have_attribute("aria-valuenow", "50")
    assert "i = 16, j = 50: distance 34" in lines(page)[1]


def test_keyboard_and_equal_distances(saved, open_page):
    page = open_page(saved(PositionalEncoding(64, 64, first=3, second=9)))
    before = numbers(lines(page)[1])[-1]
    for name in ("first position", "second position"):
        slider(page, name).focus()
        for _ in range(4):
            page.keyboard.press("ArrowDown")
    assert "i = 7, j = 13: distance 6" in lines(page)[1]
    assert numbers(lines(page)[1])[-1] == before
    page.keyboard.press("End")
    assert "j = 63" in lines(page)[1]
    slider(page, "dimension").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert lines(page)[0].startswith("Dimension 1 is the cosine of pair 0.")
    page.get_by_role("radio", name="tensor2tensor").check()
    assert lines(page)[0].startswith("Dimension 1 is the sine of pair 1.")


def test_touch_and_a_smaller_table(saved, open_page):
    page = open_page(saved(PositionalEncoding(64, 64, second=60)), touch=True, width=390)
    box = page.locator(".map").bounding_box()
    page.touchscreen.tap(box["x"] + 63.5 / 64 * box["width"], box["y"] + 30)
    assert lines(page)[0].startswith("Dimension 63 is the cosine of pair 31.")
    for name in ("length", "d_model"):
        slider(page, name).focus()
        page.keyboard.press("Home")
    assert lines(page)[0].startswith("Dimension 1 is the cosine of pair 0.")
    assert "i = 1, j = 1: distance 0" in lines(page)[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessible_and_as_high_as_promised(saved, open_page, scheme, width):
    widget = PositionalEncoding()
    page = open_page(saved(widget), scheme=scheme, width=width)
    height = page.locator(".widget").bounding_box()["height"]
    assert 0 <= widget.heights[width < 600] - height <= 30
    page.locator("summary").click()
    assert violations(page) == []
