"""Every page of the built book: what it asks for, weighs, shows and lets a reader do."""

import re
from pathlib import Path

import pytest
from axe import violations
from playwright.sync_api import Page, expect
from recorder import packed

_BOOK = Path(__file__).parents[2] / "_build" / "html"
# Without a book the list would be empty and all would pass; a page that is missing fails instead.
PAGES = sorted(p.relative_to(_BOOK).as_posix() for p in (_BOOK / "chapters").rglob("*.html"))
CHAPTERS = PAGES or ["chapters/index.html"]
KB = 1000

pytestmark = pytest.mark.usefixtures("book")

_SCROLL = """async () => {
  const page = document.scrollingElement;
  for (let y = 0; y < page.scrollHeight; y += 0.8 * innerHeight) {
    window.scrollTo({top: y, behavior: 'instant'});
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  }
}"""
_SHIFTS = """() => new Promise((resolve) => {
  const found = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput)
      found.push([entry.value, ...entry.sources.map((s) => (s.node?.outerHTML ?? s.node?.textContent ?? '').slice(0, 120))]);
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => resolve(found), 100);
})"""
_ROOM = """() => [...document.querySelectorAll('.companion-widget')].map((place) => {
  const el = [...place.children].find((e) => e.shadowRoot);
  return [place.dataset.widget, parseFloat(getComputedStyle(place).minHeight), el.getBoundingClientRect().height];
})"""
_STICKING_OUT = """() => [...document.querySelectorAll('main *')].filter((e) =>
  e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", CHAPTERS)
def test_page(open_page, path, width):
    """Nothing jumps, sticks out, asks elsewhere or fails; figures follow the theme; axe has nothing to say."""
    page = open_page(path, width=width)
    page.evaluate(_SCROLL)
    shifts = page.evaluate(_SHIFTS)
    assert sum(shift[0] for shift in shifts) < 0.02, shifts
    for name, kept, needed in page.evaluate(_ROOM):
        assert needed <= kept, f"{name} takes {needed} pixels, {kept} are kept free"
    out = page.evaluate("document.scrollingElement.scrollWidth")
    assert out <= width, page.evaluate(_STICKING_OUT)
    choose = _press_theme_button if width == 1280 else _prefer
    for theme, paper in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 30)")]:
        choose(page, theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        for card in page.locator(".companion-widget .widget").all():
            expect(card).to_have_css("background-color", paper)
        _expect_plots(page)
        assert violations(page) == []


def _prefer(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)


def _press_theme_button(page: Page, theme: str) -> None:
    """Go on from automatic to light to dark until the page has the theme."""
    for _ in range(3):
        if page.locator("html").get_attribute("data-theme") != theme:
            page.locator(".theme-switch-button").first.click()


def _expect_plots(page: Page) -> None:
    for plot in page.locator(".companion-plot").all():
        expect(plot.locator("svg.main-svg").first).to_be_visible()
        assert plot.locator("svg .trace, svg .point, svg .bars").count() > 0
        ink = page.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--companion-ink')"
        ).strip()
        colour = plot.locator("svg text").first.evaluate("(e) => getComputedStyle(e).fill")
        red, green, blue = (int(ink[i : i + 2], 16) for i in (1, 3, 5))
        assert colour == f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("path", ["search.html", "genindex.html"])
def test_pages_of_the_theme(open_page, path):
    open_page(path)


def test_a_search_from_a_chapter_finds_chapters(open_page):
    page = open_page(CHAPTERS[-1])
    page.wait_for_load_state("networkidle")
    page.locator(".search-button__button").first.click()
    page.keyboard.type("reversible")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=reversible")
    expect(page.locator("#search-results li a").first).to_be_visible()
    assert page.locator("#search-results li a[href*=reversible-layers]").count() > 0


def test_the_first_page_leads_into_the_book(book):
    target = re.search(r'http-equiv="Refresh"[^>]*url=([^"]+)"', (book / "index.html").read_text())
    assert (book / target[1]).is_file()


@pytest.mark.parametrize("path", CHAPTERS)
def test_weight(open_page, path):
    page = open_page(path)
    page.wait_for_load_state("networkidle")
    sizes = {r.url: packed(r) for r in page.recorder.responses if r.url.startswith("http")}
    plotly = sum(size for url, size in sizes.items() if url.endswith("plotly.js"))
    assert sum(sizes.values()) - plotly <= 400 * KB, sizes
    assert plotly <= 500 * KB
    for state in page.locator(".companion-widget > script").all()[::2]:
        assert len(state.text_content()) <= 200 * KB


@pytest.mark.parametrize("path", CHAPTERS)
def test_from_a_file(book, open_page, path):
    page = open_page(book / path)
    _expect_plots(page)


@pytest.mark.parametrize("path", CHAPTERS)
def test_without_javascript(open_page, path):
    """Each widget's picture (or its list of questions) stands in its place."""
    page = open_page(path, scripts=False)
    for place in page.locator(".companion-widget").all():
        still = place.locator("figure > img, figure > ol")
        expect(still).to_be_visible()
        assert still.bounding_box()["height"] > 100


@pytest.mark.parametrize("path", CHAPTERS)
def test_figures_answer(open_page, path):
    """Every heat map follows the keyboard, quiz takes an answer, BertViz changes layers: on the page itself."""
    page = open_page(path)
    for place in page.locator("[data-widget=AttentionHeatmap]").all():
        before = place.locator(".row-line").inner_text()
        place.get_by_role("listbox").press("End")
        expect(place.locator(".row-line")).not_to_have_text(before)
    for place in page.locator("[data-widget=Quiz]").all():
        place.get_by_role("radio").first.check()
        expect(place.get_by_role("status")).to_contain_text(re.compile("[✓✗]"))
    for view in page.locator("[id^=bertviz-]:has(svg), [id^=bertviz-]:has(select)").all():
        lines = view.locator("svg line")
        expect(lines.first).to_be_attached()
        menu = view.get_by_role("combobox", name="Layer")
        layers = menu.locator("option").count()
        if layers > 1:
            before = view.locator("svg").inner_html()
            menu.select_option(index=(menu.evaluate("(e) => e.selectedIndex") + 1) % layers)
            page.wait_for_function(
                "([id, before]) => document.getElementById(id).querySelector('svg').innerHTML !== before",
                arg=[view.get_attribute("id"), before],
            )
            expect(lines.first).to_be_attached()


def test_no_page_loads_from_elsewhere(book):
    loads = re.compile(
        r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\ssrc=["']?(?:https?:)?//[^>]*>"""
        r"""|<link\b(?=[^>]*rel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*href=["']?(?:https?:)?//[^>]*>""",
        re.IGNORECASE,
    )
    pages = [p for p in book.rglob("*.html") if not p.name.endswith("webpack-macros.html")]
    assert pages
    found = [(p.name, m[0]) for p in pages for m in loads.finditer(p.read_text("utf-8"))]
    assert found == []
