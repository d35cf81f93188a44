"""Mixing rates, driven as a person drives them; what is read equals what Python reckons."""

import math
from dataclasses import dataclass

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.text_to_text import mixing_rates
from companion.widgets import MixingRates

SETS = {
    "ours": {"translate <b>": 20_000, "cola": 1_200, "stsb": 20_001, "question": 35},
    "theirs": {"mnli": 392_702, "rte": 2_490},
}
_READ = """(root) => Object.fromEntries([...root.querySelectorAll('tbody tr')].map((row) => [
  row.querySelector('th').textContent, Number(row.querySelector('.share .number').dataset.exact)]))"""


@dataclass
class Mixed:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=MixingRates]")

    def slider(self, name: str) -> Locator:
        return self.place.get_by_role("slider", name=name)

    def agrees(self, sizes, limit=math.inf, temperature=1.0):
        found = self.place.locator(".widget").evaluate(_READ)
        assert found == pytest.approx(mixing_rates(sizes, limit, temperature), abs=1e-9)
        assert list(found) == sorted(sizes, key=sizes.get, reverse=True)


@pytest.fixture
def mixed(saved, open_page):
    def open_(state=None, **options):
        return Mixed(open_page(saved(MixingRates(SETS, **(state or {}))), **options))

    return open_


def test_it_begins_in_proportion(mixed):
    mixed().agrees(SETS["ours"])


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ({"limit": 4096}, {"limit": 4096}),
        ({"temperature": 2.0}, {"temperature": 2}),
        ({"temperature": 0.0}, {"temperature": math.inf}),
        ({"limit": 100, "temperature": 1.7}, {"limit": 100, "temperature": 1.7}),
    ],
)
def test_it_reckons_as_python_does(mixed, state, how):
    mixed(state).agrees(SETS["ours"], **how)
    mixed({"chosen": 1, **state}).agrees(SETS["theirs"], **how)


def test_sliders_and_sets(mixed):
    seen = mixed(touch=True, width=390)
    seen.slider("limit K").fill("10")
    seen.agrees(SETS["ours"], limit=1024)
    seen.slider("temperature T").focus()
    seen.page.keyboard.press("End")
    seen.agrees(SETS["ours"], temperature=math.inf)
    expect(seen.slider("temperature T")).to_have_attribute("aria-valuetext", "∞ (equal)")
    seen.slider("limit K").press("End")
    seen.slider("temperature T").fill("2")
    seen.agrees(SETS["ours"], temperature=2)
    seen.place.get_by_label("theirs").tap()
    seen.agrees(SETS["theirs"], temperature=2)
    expect(seen.place.locator(".told")).to_contain_text(
        "Temperature 2, no limit: mnli, the largest"
    )


def test_passes_are_draws_by_examples(mixed):
    seen = mixed({"temperature": 0.0, "chosen": 1})
    expect(seen.place.locator("tbody tr").last).to_contain_text("201")  # 500,000 / 2,490


def test_names_are_text(mixed):
    expect(mixed().place.locator("tbody th").nth(1)).to_have_text("translate <b>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everyone_can_use_it(saved, open_page, width, scheme):
    made = MixingRates(SETS)
    page = open_page(saved(made), width=width, scheme=scheme)
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    tall = page.locator(".widget").bounding_box()["height"]
    kept = made.heights[width == 390]
    assert kept - 110 <= tall <= kept
