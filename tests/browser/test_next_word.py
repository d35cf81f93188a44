"""The next word, driven as a person drives it; what is read equals what Python would draw with."""

import itertools
from dataclasses import dataclass

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.decoding import temper, top_k, top_p
from companion.widgets import NextWord

CLOSE = 1e-6
SHOWN = 12


def random(seed):
    return 2 * torch.randn(40, generator=torch.Generator().manual_seed(seed))


CONTEXTS = {"the start": random(0), "w3": random(1).masked_fill(random(2) > 2, float("-inf"))}
TIES = torch.tensor([0.0, 1.0, 1.0, 0.5, 1.0, 0.0])
WORDS = [f"w{i}" for i in range(40)]

_READ = """(root) => [...root.querySelectorAll('tbody tr')].filter((e) => !e.hidden).map((e) => ({
  word: e.querySelector('th').textContent, cut: e.className === 'cut',
  odds: Number(e.querySelector('.share .number').dataset.exact), shown: e.querySelector('.share .number').textContent,
  plain: Number(e.querySelectorAll('td')[1].dataset.exact), count: e.querySelectorAll('td')[2].textContent}))"""


@dataclass
class Draws:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=NextWord]")

    def slide(self, name: str, value: float) -> None:
        self.place.get_by_role("slider", name=name, exact=True).fill(f"{value:g}")

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name)

    def read(self) -> list[dict]:
        return self.place.locator(".widget").evaluate(_READ)

    def counts(self) -> dict[str, int]:
        return {row["word"]: int(row["count"]) for row in self.read()}


@pytest.fixture
def widget(saved, open_page):
    """`widget(state, …)`: the widget with that state, on a page of its own."""

    def open_(state=None, *, contexts=None, words=WORDS, **options):
        return Draws(
            open_page(saved(NextWord(contexts or CONTEXTS, words, **(state or {}))), **options)
        )

    return open_


def agree(widget, logits, words, *, temperature=1.0, k=None, p=1.0):
    """All that is read is what `companion.decoding` would draw with."""
    kept = temper(logits, temperature)
    kept = kept if k is None else top_k(kept, k)
    odds = top_p(kept, p).softmax(-1)
    order = logits.sort(descending=True, stable=True).indices.tolist()
    rows = widget.read()
    assert [row["word"] for row in rows[:SHOWN]] == [words[i] for i in order[:SHOWN]]
    plain = logits.softmax(-1)
    rest = order[SHOWN:]
    for row, token in zip(rows, order[:SHOWN], strict=False):
        assert row["odds"] == pytest.approx(odds[token].item(), abs=CLOSE)
        assert row["plain"] == pytest.approx(plain[token].item(), abs=CLOSE)
        if plain[token] > 0:
            assert row["cut"] == (odds[token].item() == 0)
        assert row["shown"] == ("cut" if row["cut"] else told(row["odds"]))
    if rest:
        assert rows[SHOWN]["word"] == f"{len(rest)} others"
        assert rows[SHOWN]["odds"] == pytest.approx(odds[rest].sum().item(), abs=CLOSE)
        assert rows[SHOWN]["plain"] == pytest.approx(plain[rest].sum().item(), abs=CLOSE)
    assert len(rows) == min(len(words), SHOWN) + bool(rest)
    assert sum(row["odds"] for row in rows) == pytest.approx(1, abs=CLOSE)


def told(share):
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


class TestWhatIsRead:
    @pytest.mark.parametrize("context", CONTEXTS)
    def test_it_is_what_python_would_draw_with(self, widget, context):
        widget = widget()
        widget.place.get_by_role("radio", name=context, exact=True).check()
        for temperature, k, p in itertools.product(
            (0.0, 0.5, 1.0, 2.3), (1, 5, SHOWN, None), (0.05, 0.6, 0.95, 1.0)
        ):
            widget.slide("temperature", temperature)
            widget.slide("top-k", k or SHOWN + 1)
            widget.slide("top-p", p)
            agree(widget, CONTEXTS[context], WORDS, temperature=temperature, k=k, p=p)

    @pytest.mark.parametrize("k", [1, 2, 4, None])
    def test_of_equals_the_first_stay(self, widget, k):
        widget = widget({"k": k or 0}, contexts={"": TIES}, words=WORDS[:6])
        agree(widget, TIES, WORDS[:6], k=k)
        widget.slide("top-p", 0.5)
        agree(widget, TIES, WORDS[:6], k=k, p=0.5)


class TestHands:
    def test_draws_are_counted_and_follow_the_distribution(self, widget):
        widget = widget({"temperature": 1.5})
        expect(widget.button("forget the draws")).to_be_disabled()
        widget.button("draw one").click()
        (drawn,) = (word for word, count in widget.counts().items() if count)
        status = widget.place.get_by_role("status")
        if "others" not in drawn:
            expect(status).to_contain_text(f"Drawn: 1 word, the last one “{drawn}”.")
        for _ in range(10):
            widget.button("draw 100").click()
        assert sum(widget.counts().values()) == 1000
        for row in widget.read():
            assert int(row["count"]) / 1000 == pytest.approx(
                row["odds"], abs=0.08
            )  # five deviations
        expect(widget.button("draw 100")).to_be_disabled()
        widget.button("forget the draws").click()
        assert {row["count"] for row in widget.read()} == {"–"}

    def test_what_is_cut_is_never_drawn(self, widget):
        widget = widget({"k": 3, "temperature": 3.0, "draws": 500})
        assert sorted(widget.counts().values())[:-3] == [0] * (SHOWN + 1 - 3)
        assert sum(widget.counts().values()) == 500

    def test_equal_seeds_draw_alike_and_others_do_not(self, widget):
        counts = [widget({"draws": 300, "seed": seed}).counts() for seed in (1, 1, 2)]
        assert counts[0] == counts[1] != counts[2]

    def test_another_distribution_forgets_the_draws(self, widget):
        widget = widget({"draws": 100}, width=390, touch=True)
        widget.place.get_by_role("radio", name="w3", exact=True).tap()
        assert {row["count"] for row in widget.read()} == {"–"}
        widget.button("draw one").tap()
        widget.place.get_by_role("slider", name="temperature", exact=True).focus()
        widget.page.keyboard.press("ArrowRight")
        assert {row["count"] for row in widget.read()} == {"–"}
        agree(widget, CONTEXTS["w3"], WORDS, temperature=1.1)

    def test_a_screen_reader_hears_what_may_be_drawn(self, widget):
        widget = widget({"k": 2})
        expect(widget.place.get_by_role("status")).to_contain_text("2 words of 40 may be drawn")
        slider = widget.place.get_by_role("slider", name="top-k", exact=True)
        expect(slider).to_have_attribute("aria-valuetext", "k = 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(widget, scheme, width):
    page = widget({"k": 4, "draws": 20}, scheme=scheme, width=width).page
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
def test_the_room_kept_is_about_the_room_it_takes(saved, open_page, width, column):
    """In the book's column, which is narrower than a page of its own."""
    widget = NextWord(CONTEXTS, WORDS)

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    page = open_page(saved(widget, change=narrowed), width=width)
    keep = widget.heights[width == 390]
    tall = page.evaluate("() => document.querySelector('[data-widget] > div').offsetHeight")
    assert keep - 60 < tall <= keep
