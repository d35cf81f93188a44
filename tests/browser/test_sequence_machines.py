"""The two machines, driven as a person drives them; what is read equals what Python computes."""

import re
from dataclasses import dataclass

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.recurrent import multiplications, path_length, sequential_steps
from companion.widgets import SequenceMachines

KINDS = ("recurrent", "attention")
TEXT = "the dogs near the old red house sleep"


@dataclass
class Machines:
    """One pair of machines on a page: a person's eyes and hands."""

    page: Page
    nth: int = 0

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=SequenceMachines]").nth(self.nth)

    def panel(self, kind: str) -> Locator:
        return self.place.locator(f".machine.{kind}")

    def counts(self, kind: str) -> tuple[int, int]:
        """Steps so far, and of how many."""
        return tuple(map(int, re.findall(r"\d+", self.panel(kind).locator(".count").inner_text())))

    def handed_on(self, kind: str) -> int:
        said = self.panel(kind).locator(".way").inner_text().split("handed on ")[1]
        return 1 if said == "once" else int(said.split()[0])

    def done(self, kind: str) -> int:
        """How many squares or circles are filled."""
        return self.panel(kind).locator(".node:not(.later)").count()

    def slide(self, name: str, value: float) -> None:
        self.place.get_by_role("slider", name=name, exact=True).fill(str(value))

    def choose(self, mode: str) -> None:
        self.place.get_by_role("radio", name=mode).check()

    def word(self, i: int) -> Locator:
        return self.place.get_by_role("group", name="Two words").get_by_role("button").nth(i)

    @property
    def box(self) -> Locator:
        return self.place.get_by_role("textbox")

    @property
    def cost(self) -> str:
        return self.place.locator(".cost").inner_text()


@pytest.fixture
def machines(saved, open_page):
    def open_(widget=None, **options) -> Machines:
        return Machines(open_page(saved(widget or SequenceMachines(TEXT)), **options))

    return open_


def _done(kind, n, layers, now, *, generating):
    """Parts that are done after `now` steps, by asking how long shorter sentences take."""
    return sum(
        sequential_steps(kind, word, layer, generating=False) <= now
        if not generating
        else sequential_steps(kind, word - 1, layers, generating=True) + layer <= now
        for word in range(1, n + 1)
        for layer in range(1, layers + 1)
    )


class TestFigures:
    @pytest.mark.parametrize("generating", [False, True])
    @pytest.mark.parametrize("layers", [1, 3])
    def test_every_step(self, machines, layers, generating):
        seen = machines()
        seen.slide("layers", layers)
        seen.choose("generating" if generating else "reading")
        totals = [sequential_steps(kind, 8, layers, generating=generating) for kind in KINDS]
        for now in range(max(totals) + 1):
            seen.slide("step", now)
            for kind, total in zip(KINDS, totals, strict=True):
                assert seen.counts(kind) == (min(now, total), total)
                assert seen.done(kind) == _done(kind, 8, layers, now, generating=generating)

    @pytest.mark.parametrize("pair", [(0, 7), (3, 4), (6, 2)])
    def test_ways(self, machines, pair):
        seen = machines()
        for i in pair:
            seen.word(i).click()
        for kind in KINDS:
            length = path_length(kind, abs(pair[0] - pair[1]))
            assert seen.handed_on(kind) == length
            points = seen.panel(kind).locator(".route").get_attribute("points").split()
            assert len(points) == length + (2 if kind == "recurrent" else 1)

    @pytest.mark.parametrize(("n", "d"), [(70, 1000), (1000, 1000), (5000, 64), (10, 10_000)])
    def test_costs(self, machines, n, d):
        seen = machines(SequenceMachines(TEXT, length=n, width=d))
        state = multiplications("recurrent", n, d) // 2
        looking = multiplications("looking", n, d) // 2
        rest = multiplications("projections", n, d) + multiplications("feed-forward", n, d)
        for number in (state, looking, rest):
            assert f"{number:,}" in seen.cost
        assert f"{200 * looking / (2 * looking + rest):.1f} %" in seen.cost
        cheaper = "Looking" if n < d else "Passing a state" if n > d else "Both cost the same"
        assert f"{cheaper} is the cheaper" in seen.cost or (n == d and cheaper in seen.cost)
        ratio = max(n, d) / min(n, d)
        assert n == d or (f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}") in seen.cost

    def test_the_sliders_of_cost(self, machines):
        seen = machines()
        seen.slide("words", 3)
        assert "n = 1,000 words" in seen.cost
        assert "Both cost the same" in seen.cost
        seen.slide("numbers a word", 2)
        assert "Passing a state is the cheaper, 10.0 times" in seen.cost


class TestHands:
    def test_own_sentence_and_its_limits(self, machines):
        seen = machines()
        seen.box.fill("<b>cats</b> & dogs sleep")
        assert seen.word(0).inner_text() == "<b>cats<…"
        assert seen.place.locator("b", has_text="cats").count() == 2  # as typed, in the two ways
        assert seen.counts("recurrent")[1] == sequential_steps("recurrent", 4, 2)
        seen.box.fill("x " * 11)
        expect(seen.place.get_by_text("11 words, but 10 fit: take some out.")).to_be_visible()
        assert seen.counts("recurrent")[1] == sequential_steps("recurrent", 4, 2)
        seen.box.fill("one")
        expect(seen.place.get_by_text("Type at least two words.")).to_be_visible()
        seen.box.fill("one two")
        expect(seen.place.get_by_text("Type at least two words.")).to_have_count(0)
        assert seen.handed_on("recurrent") == 1

    def test_play_runs_to_the_end_and_stops(self, machines):
        seen = machines(SequenceMachines("a b", layers=1))
        seen.place.get_by_role("button", name="play").click()
        expect(seen.place.get_by_role("button", name="pause")).to_be_visible()
        expect(seen.panel("recurrent").locator(".count")).to_have_text("step 2 of 2: done")
        expect(seen.place.get_by_role("button", name="play")).to_be_visible()

    def test_play_jumps_where_less_motion_is_asked_for(self, machines):
        seen = machines()
        seen.page.emulate_media(reduced_motion="reduce")
        seen.place.get_by_role("button", name="play").click()
        assert seen.counts("recurrent") == (9, 9)

    def test_keyboard(self, machines):
        seen = machines()
        seen.place.get_by_role("button", name="next", exact=True).focus()
        seen.page.keyboard.press("Enter")
        seen.page.keyboard.press(" ")
        assert seen.counts("recurrent") == (2, 9)
        seen.place.get_by_role("slider", name="step").focus()
        seen.page.keyboard.press("ArrowLeft")
        assert seen.counts("recurrent") == (1, 9)
        seen.word(2).focus()
        seen.page.keyboard.press("Enter")
        assert seen.handed_on("recurrent") == 5
        expect(seen.word(2)).to_be_focused()
        expect(seen.word(2)).to_have_attribute("aria-pressed", "true")

    def test_tap(self, machines):
        seen = machines(touch=True, width=390)
        seen.word(1).tap()
        seen.word(4).tap()
        assert seen.handed_on("recurrent") == 3
        seen.place.get_by_role("button", name="next", exact=True).tap()
        assert seen.counts("attention") == (1, 2)

    def test_what_is_not_written_yet_is_not_shown(self, machines):
        seen = machines()
        seen.choose("generating")
        seen.slide("step", 4)
        shown = seen.panel("attention").locator("text").all_text_contents()
        assert shown == ["the", "dogs", "near", "?", "?", "?", "?", "?"]


class TestPage:
    def test_two_widgets_are_independent(self, saved, open_page):
        page = open_page(saved(SequenceMachines(TEXT), SequenceMachines("a b c")))
        first, second = Machines(page), Machines(page, 1)
        first.slide("step", 5)
        first.choose("generating")
        assert second.counts("recurrent") == (0, 4)

    def test_still_picture_without_javascript(self, saved, open_page):
        widget = SequenceMachines(TEXT)
        page = open_page(saved(widget), scripts=False)
        expect(page.get_by_role("img")).to_be_visible()
        expect(page.get_by_text(widget.describe())).to_be_visible()

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("text", ["a b", TEXT, "elephants " * 10])
    def test_needs_no_more_room_than_was_kept_free(self, machines, width, text):
        seen = machines(SequenceMachines(text, layers=3), width=width)
        kept = float(seen.place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
        for mode in ("reading", "generating"):
            seen.choose(mode)
            for step in (0, 1, 3):
                seen.slide("step", min(step, 4))
                needed = seen.place.locator(".widget").bounding_box()["height"]
                assert needed <= kept
                assert kept - needed < 80
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessible(self, machines, scheme, width):
        seen = machines(scheme=scheme, width=width)
        seen.slide("step", 4)
        seen.box.fill("one")
        assert violations(seen.page) == []
        seen.choose("generating")
        assert violations(seen.page) == []
