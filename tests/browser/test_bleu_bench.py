"""The bench for BLEU, driven as a person drives it; what is read equals what Python computes."""

import re
from dataclasses import dataclass

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.bleu import clipped_counts, ngrams, sentence_bleu, tokenize_13a
from companion.widgets import BleuBench

HUNGRY = ["Younes said I am hungry", "He said I am hungry"]
ROVER = "The NASA Opportunity rover is battling a massive dust storm on planet Mars."
EXAMPLES = {
    "I I am I": ("I I am I", HUNGRY),
    "a storm": ("A NASA rover is fighting a massive storm on planet Mars.", [ROVER]),
    "twice": (f"{ROVER} {ROVER}", [ROVER]),
    "a prefix": ("The NASA Opportunity rover", [ROVER]),
}
NAMES = ("words", "pairs", "threes", "fours")
CLOSE = 1e-6


@dataclass
class Bench:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=BleuBench]")

    def box(self, name: str) -> Locator:
        return self.place.get_by_role("textbox", name=name, exact=True)

    def order(self, n: int) -> Locator:
        return self.place.get_by_role("radiogroup", name="Runs of").get_by_role("radio").nth(n - 1)

    def texts(self) -> tuple[str, list[str]]:
        others = self.place.get_by_role("textbox", name="Reference").all()
        return self.box("Candidate").input_value(), [box.input_value() for box in others]

    def exact(self, locator: Locator, decimals: int) -> float:
        """The exact number of what is read, after making sure that this is what is read."""
        number = float(locator.get_attribute("data-exact"))
        told = locator.inner_text()
        assert re.fullmatch(rf"\d+\.\d{{{decimals}}}", told)
        assert float(told) == pytest.approx(number, abs=0.5001 * 10**-decimals)
        return number

    @property
    def score(self) -> float:
        return self.exact(self.place.locator(".score"), 1)

    def shares(self) -> list[float | None]:
        cells = self.place.locator(".order .share").all()
        return [None if cell.inner_text() == "–" else self.exact(cell, 2) for cell in cells]

    def counts(self) -> list[tuple[int, int] | None]:
        texts = self.place.locator(".order .count").all_inner_texts()
        read = (re.fullmatch(r"(\d+)(?: \(as .+\))? of (\d+)", text) for text in texts)
        return [match and (int(match[1]), int(match[2])) for match in read]

    def runs(self, state: str) -> list[str]:
        """What is written in the pills, without what only a screen reader hears."""
        pills = self.place.locator(f".runs:not(.legend) .{state}")
        return pills.evaluate_all("(all) => all.map((e) => e.lastChild.textContent)")

    def lines(self) -> list[list[tuple[str, list[bool]]]]:
        """Of each text its words, and which of their four stripes are lit."""
        return self.place.locator(".field:not([hidden]) .line").evaluate_all(_WORDS)

    def tick(self, name: str, on: bool) -> None:  # noqa: FBT001
        self.place.get_by_role("checkbox", name=name).set_checked(on)


_WORDS = """(lines) => lines.map((line) => [...line.querySelectorAll('.token')].map((token) =>
  [token.firstChild.textContent, [...token.querySelectorAll('i')].map((i) => i.className === 'lit')]))"""


@pytest.fixture
def bench(saved, open_page):
    """`bench(state, …)`: the widget with that state, on a page of its own."""

    def open_(state=None, **options):
        return Bench(open_page(saved(BleuBench(EXAMPLES, **(state or {}))), **options))

    return open_


def agree(bench, *, lowercase=False, smooth=True):
    """Whatever stands in the boxes: all that is read is what Python says of it."""
    candidate, references = bench.texts()

    def cut(text):
        return tokenize_13a(text.lower() if lowercase else text)

    words = cut(candidate)
    others = [cut(text) for text in references if cut(text)] or [[]]
    expected = sentence_bleu(words, others, smoothing="exp" if smooth else "none")
    assert bench.score == pytest.approx(expected.score, abs=CLOSE)
    shares = [
        share if total else None
        for share, total in zip(expected.precisions, expected.totals, strict=True)
    ]
    assert bench.shares() == [share and pytest.approx(share, abs=CLOSE) for share in shares]
    pairs = zip(expected.matches, expected.totals, strict=True)
    assert bench.counts() == [(match, total) if total else None for match, total in pairs]
    penalty = float(bench.place.locator(".lengths").get_attribute("data-exact"))
    assert penalty == pytest.approx(expected.brevity_penalty, abs=CLOSE)
    assert f"brevity penalty {penalty:.2f} ×" in bench.place.locator(".made").inner_text()

    lines = bench.lines()
    assert [[word for word, _ in line] for line in lines] == [
        cut(t) for t in (candidate, *references)
    ]
    for n in (1, 2, 3, 4):
        bench.order(n).click()
        counted = clipped_counts(words, others, n)
        extra = {run for run in ngrams(words, n) if counted[run]}
        assert sorted(bench.runs("counts")) == sorted(map(" ".join, counted.elements()))
        more = (ngrams(words, n) - counted).elements()
        struck = [" ".join(run) for run in more if run in extra]
        assert sorted(bench.runs("extra")) == sorted(struck)
        assert len(bench.runs("none")) + len(struck) == expected.totals[n - 1] - counted.total()
        assert [lit[n - 1] for _, lit in lines[0]] == within(words, counted, n)


def within(words, counted, n):
    """Whether each word is in one of the runs that count: of each run, the first so many."""
    left, lit = counted.copy(), [False] * len(words)
    for i in range(len(words) - n + 1):
        run = tuple(words[i : i + n])
        if left[run]:
            left[run] -= 1
            lit[i : i + n] = [True] * n
    return lit


class TestWhatIsRead:
    @pytest.mark.parametrize("name", EXAMPLES)
    @pytest.mark.parametrize("width", [1280, 390])
    def test_the_ready_pairs(self, bench, name, width):
        bench = bench(width=width, touch=True)
        bench.place.get_by_role("radio", name=name, exact=True).check()
        assert bench.texts() == EXAMPLES[name]
        agree(bench)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "   ",
            "I",
            "hungry hungry I am I am hungry",
            "He said: “I am hungry!”, twice.",
            "He paid 3.50, or 1,000-odd; isn't it & so? (No.)",
            "<b>I am</b> &lt;hungry&gt; &amp;quot; <script>alert(1)</script>",
            "He said I am hungry and went on to say it until nobody heard him any more",
            "He said I am hungry",
            "İ ǅ ΑΣ 𝔘 🙂, ok.",
            "a\u00a0b\u2003c\ufeffd\u0085e\x1cf",
        ],
    )
    def test_what_a_person_types(self, bench, text):
        bench = bench()
        bench.box("Candidate").fill(text)
        assert bench.box("Candidate").input_value() == text
        agree(bench)
        bench.tick("ignore capitals", on=True)
        agree(bench, lowercase=True)
        bench.tick("smooth zeros", on=False)
        agree(bench, lowercase=True, smooth=False)
        assert not bench.place.locator("b").count()

    def test_it_moves_with_every_letter(self, bench):
        bench = bench({"candidate": "He said I am", "references": HUNGRY[1:]})
        before = bench.score
        bench.box("Candidate").press_sequentially(" hungr")
        expect(bench.place.locator(".score")).not_to_have_text(f"{before:.1f}")
        agree(bench)
        bench.box("Candidate").press_sequentially("y")
        expect(bench.place.locator(".score")).to_have_text("100.0")
        agree(bench)

    def test_a_reference_may_be_edited_added_and_removed(self, bench):
        bench = bench()
        bench.box("Reference 2").fill("I I I am hungry")
        agree(bench)
        bench.place.get_by_role("button", name="another reference").click()
        expect(bench.box("Reference 3")).to_be_focused()
        agree(bench)  # an empty field is no reference yet
        bench.box("Reference 3").focus()
        bench.page.keyboard.type("I I am I")
        agree(bench)
        expect(bench.place.locator(".score")).to_have_text("100.0")
        expect(bench.place.get_by_role("button", name="another reference")).to_be_disabled()
        bench.place.get_by_role("button", name="Remove reference 2").click()
        assert bench.texts()[1] == [HUNGRY[0], "I I am I"]
        expect(bench.place.get_by_role("button", name="another reference")).to_be_focused()
        bench.place.get_by_role("button", name="Remove reference 2").click()
        agree(bench)
        expect(bench.place.get_by_role("button", name="Remove")).to_have_count(0)

    def test_without_any_reference_it_asks_for_one(self, bench):
        bench = bench({"references": ["  "]})
        expect(bench.place.locator(".lengths")).to_have_text("Write a reference.")
        agree(bench)

    def test_what_is_taken_instead_of_nothing_is_said(self, bench):
        bench = bench()
        texts = bench.place.locator(".order .count").all_inner_texts()
        assert texts == ["2 of 4", "1 of 3", "0 (as ½) of 2", "0 (as ¼) of 1"]
        bench.tick("smooth zeros", on=False)
        expect(bench.place.locator(".score")).to_have_text("0.0")
        expect(bench.place.locator(".order .count").nth(2)).to_have_text("0 of 2")

    def test_both_lines_are_lit(self, bench):
        [candidate, first, second] = bench().lines()
        words = {word: lit[:2] for word, lit in first}
        assert words == {
            "Younes": [False, False],
            "said": [False, False],
            "I": [True, True],
            "am": [True, True],
            "hungry": [False, False],
        }
        assert [lit for _, lit in second[2:4]] == [lit for _, lit in first[2:4]]
        assert [lit[0] for _, lit in candidate] == [True, False, True, False]
        assert [lit[1] for _, lit in candidate] == [False, True, True, False]


class TestHands:
    def test_keys_choose_the_length_of_runs(self, bench):
        bench = bench({"candidate": "I am hungry"})
        bench.order(1).focus()
        bench.page.keyboard.press("ArrowDown")
        expect(bench.order(2)).to_be_focused()
        assert bench.runs("counts") == ["I am", "am hungry"]
        bench.page.keyboard.press("End")
        expect(bench.place.get_by_text("The candidate has no runs of 4 words.")).to_be_visible()
        bench.page.keyboard.press("ArrowRight")
        expect(bench.order(1)).to_have_attribute("aria-checked", "true")

    def test_a_finger_does_too(self, bench):
        bench = bench(width=390, touch=True)
        bench.order(2).tap()
        expect(bench.order(2)).to_have_attribute("aria-checked", "true")
        assert bench.runs("counts") == ["I am"]
        bench.place.get_by_role("radio", name="a prefix", exact=True).tap()
        assert bench.texts()[0] == "The NASA Opportunity rover"
        agree(bench)

    def test_the_cursor_stays_where_it_is(self, bench):
        bench = bench()
        bench.box("Candidate").focus()
        bench.page.keyboard.press("Home")
        bench.page.keyboard.type("He ")
        expect(bench.box("Candidate")).to_have_value("He I I am I")

    def test_a_ready_pair_is_chosen_only_as_long_as_it_stands_there(self, bench):
        bench = bench()
        chip = bench.place.get_by_role("radio", name="I I am I", exact=True)
        expect(chip).to_be_checked()
        bench.box("Candidate").fill("I am")
        expect(chip).not_to_be_checked()
        chip.check()
        assert bench.texts() == EXAMPLES["I I am I"]

    def test_a_screen_reader_hears_the_score_and_each_run(self, bench):
        bench = bench()
        status = bench.place.get_by_role("status")
        expect(status).to_contain_text("BLEU 24.9")
        expect(status).to_contain_text("brevity penalty 0.78")
        expect(bench.order(1)).to_have_accessible_name("words: 2 of 4 count, share 0.50")
        items = bench.place.locator(".runs:not(.legend) li").all_text_contents()
        assert items == ["counts: I", "counts no more: I", "counts: am", "counts no more: I"]

    def test_a_very_long_text_is_counted_whole_and_shown_in_part(self, bench):
        bench = bench({"candidate": "a b " * 200, "references": ["a b " * 150]})
        assert bench.score == pytest.approx(
            sentence_bleu(["a", "b"] * 200, [["a", "b"] * 150]).score, abs=CLOSE
        )
        assert [len(line) for line in bench.lines()] == [150, 150]
        expect(bench.place.get_by_text("… and 250 more").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(bench, scheme, width):
    for state in ({}, {"order": 2, "candidate": f"{ROVER} {ROVER}", "references": [ROVER]}):
        page = bench(state, scheme=scheme, width=width).page
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
def test_the_room_kept_is_the_room_it_takes(saved, open_page, name, width, column):
    """In the book's column, which is narrower than a page of its own."""
    candidate, references = EXAMPLES[name]
    widget = BleuBench(EXAMPLES, candidate=candidate, references=references)
    keep = widget.heights[width == 390]

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    page = open_page(saved(widget, change=narrowed), width=width)
    tall = "() => document.querySelector('[data-widget] > div').offsetHeight"
    assert keep - 150 < page.evaluate(tall) <= keep
