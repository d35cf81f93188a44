"""The alignment explorer, driven as a person drives it; what is read equals what Python computes."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.widgets import Alignment, AlignmentExplorer

SOURCE = ["a", "tourist", "says", "that", "Jonas", "forgets", "suitcases", "."]
TARGET = ["ein", "Tourist", "sagt", ",", "dass", "Jonas", "Koffer", "vergisst", "."]
SCORES = np.random.default_rng(3).normal(0, 1.5, (len(TARGET), len(SOURCE)))
SCORES[3, 2] = -np.inf
EXAMPLES = {
    "measured": Alignment(SOURCE, TARGET, scores=SCORES, note="Where a model looks."),
    "<b>odd</b>": Alignment(
        ["<i>x</i>", "&amp;", "Donaudampfschifffahrtsgesellschaft"],
        ["“y”", "🙂"],
        weights=[[0.2, 0.3, 0.5], [0.4, 0.4, 0.2]],
        note="<script>alert(1)</script>",
    ),
    "by hand": Alignment(["a", "b"], ["B", "A"], weights=[[0, 1], [1, 0]], note="Drawn."),
}


@dataclass
class Explorer:
    """The widget, as a person uses and reads it, beside a twin in Python that should say the same."""

    page: Page
    twin: AlignmentExplorer

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=AlignmentExplorer]")

    def example(self, name: str) -> Locator:
        group = self.place.get_by_role("radiogroup", name="Try")
        return group.get_by_role("radio", name=name, exact=True)

    @property
    def words(self) -> Locator:
        return self.place.get_by_role("radiogroup", name="Target word").get_by_role("radio")

    @property
    def slider(self) -> Locator:
        return self.place.get_by_role("slider", name="temperature")

    @property
    def status(self) -> Locator:
        return self.place.get_by_role("status")

    def sources(self) -> dict[str, int]:
        """The source words and the percentages beside them."""
        lines = self.place.locator(".sources li").all_inner_texts()
        parts = [re.fullmatch(r"(.*?)\s+(\d+) %", line, re.DOTALL) for line in lines]
        return {part[1]: int(part[2]) for part in parts}

    def links(self) -> dict[tuple[int, int], float]:
        """The links that can be seen: (target, source) and how strong each is."""
        n_source = len(self.twin.sources[self.twin.example])
        strengths = self.place.locator(".links path").evaluate_all(
            "(paths) => paths.map((path) => Number(path.getAttribute('stroke-opacity')))"
        )
        return {divmod(k, n_source): x for k, x in enumerate(strengths) if x}

    def lights(self) -> np.ndarray:
        """How light each cell of the matrix is, (n_target, n_source)."""
        return np.array(
            self.place.locator(".grid .row").evaluate_all(
                """(rows) => rows.map((row) => [...row.querySelectorAll('i')].map((cell) =>
                getComputedStyle(cell).backgroundColor.match(/\\d+/g).reduce((sum, x) => sum + Number(x), 0)))"""
            )
        )

    def agrees(self, row: int) -> None:
        """What is read of a target word is what the twin computes."""
        weights = self.twin.current_weights()
        source = self.twin.sources[self.twin.example]
        word = self.twin.targets[self.twin.example][row]
        expect(self.place.locator(".row.chosen")).to_have_count(1)
        expect(self.status).to_contain_text(f"“{word}” looks")
        assert list(self.sources()) == source
        assert list(self.sources().values()) == [
            pytest.approx(100 * weight, abs=0.501) for weight in weights[row]
        ]
        best = int(weights[row].argmax())
        expect(self.status).to_contain_text(f"“{source[best]}”")
        terms = re.findall(r"(\d\.\d\d) · h\(", self.status.inner_text())
        strongest = sorted(weights[row], reverse=True)[: len(terms)]
        assert [float(x) for x in terms] == pytest.approx(strongest, abs=0.00501)
        assert set(self.links()) == {
            tuple(map(int, pair)) for pair in np.argwhere(weights >= 0.04)
        }  # fmt: skip
        # The more weight, the further from the paper's colour.
        lights, order = self.lights(), weights.ravel().argsort()
        assert lights.shape == weights.shape
        steps = np.diff(lights.ravel()[order])
        assert (steps <= 2).all() if lights.mean() > 380 else (steps >= -2).all()


@pytest.fixture
def explorer(saved, open_page):
    """`explorer(state, …)`: the widget with that state, on a page of its own."""

    def open_(state=None, **options):
        twin = AlignmentExplorer(EXAMPLES, **(state or {}))
        return Explorer(open_page(saved(twin), **options), twin)

    return open_


class TestReading:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_each_word_of_each_example(self, explorer, width):
        seen = explorer(width=width)
        for k, name in enumerate(EXAMPLES):
            seen.example(name).check()
            seen.twin.example = k
            expect(seen.place.locator(".note")).to_have_text(EXAMPLES[name].note)
            for row, word in enumerate(EXAMPLES[name].target):
                seen.words.nth(row).click()
                expect(seen.words.nth(row)).to_have_text(word)
                seen.page.mouse.move(1, 1)
                seen.agrees(row)
        assert not seen.place.locator("b, script:not([type])").count()

    def test_one_word_is_named_or_two(self, explorer):
        odd = explorer({"example": 1})
        expect(odd.status).to_contain_text(
            "“y”” looks mostly at “Donaudampfschifffahrtsgesellschaft”: 50 %."
        )
        odd.words.nth(1).click()
        expect(odd.status).to_contain_text(
            "“🙂” looks at “<i>x</i>” (40 %) and “&amp;” (40 %), among others."
        )

    @pytest.mark.parametrize("temperature", [0.0625, 0.5, 2.0, 8.0, 0.0])
    def test_the_temperature(self, explorer, temperature):
        seen = explorer({"row": 7})
        seen.slider.fill("-4.25" if temperature == 0 else str(np.log2(temperature)))
        seen.twin.temperature = temperature
        told = f"temperature {temperature:.2f}" if temperature else "temperature → 0"
        expect(seen.place.locator(".heat")).to_have_text(told)
        seen.agrees(7)
        seen.place.get_by_role("button", name="back to 1").click()
        seen.twin.temperature = 1
        seen.agrees(7)

    def test_what_has_no_scores_has_no_temperature(self, explorer):
        seen = explorer()
        expect(seen.slider).to_be_enabled()
        expect(seen.slider).to_have_attribute("aria-valuetext", "1.00")
        seen.example("by hand").check()
        expect(seen.slider).to_be_disabled()
        expect(seen.place.locator(".heat")).to_have_text("temperature: no effect")


class TestHands:
    def test_pointing_shows_and_leaving_returns(self, explorer):
        seen = explorer({"row": 2})
        seen.words.nth(5).hover()
        seen.agrees(5)
        seen.place.locator(".grid .row").nth(7).hover()
        seen.agrees(7)
        seen.page.mouse.move(1, 1)
        seen.agrees(2)

    def test_a_row_of_the_matrix_is_chosen_by_a_click(self, explorer):
        seen = explorer()
        seen.place.locator(".grid .row").nth(4).click()
        seen.page.mouse.move(1, 1)
        expect(seen.words.nth(4)).to_have_attribute("aria-checked", "true")
        seen.agrees(4)

    def test_keys(self, explorer):
        seen = explorer()
        seen.words.first.focus()
        for key, row in (("ArrowDown", 1), ("End", 8), ("ArrowDown", 0), ("ArrowUp", 8)):
            seen.page.keyboard.press(key)
            expect(seen.words.nth(row)).to_be_focused()
            seen.agrees(row)
        seen.slider.focus()
        seen.page.keyboard.press("Home")
        seen.twin.temperature = 0
        seen.agrees(8)

    def test_a_finger(self, explorer):
        seen = explorer(width=390, touch=True)
        seen.words.nth(3).tap()
        seen.agrees(3)
        seen.place.locator(".grid .row").nth(6).tap()
        seen.agrees(6)

    def test_a_shorter_example_keeps_within_its_words(self, explorer):
        seen = explorer({"row": 8})
        seen.example("by hand").check()
        seen.twin.example = 2
        expect(seen.words.nth(1)).to_have_attribute("aria-checked", "true")
        seen.agrees(1)

    def test_names_that_a_screen_reader_says(self, explorer):
        seen = explorer()
        expect(seen.words.nth(7)).to_have_accessible_name("vergisst")
        assert seen.place.locator(".matrix").get_attribute("aria-hidden") == "true"
        expect(seen.place.get_by_role("list", name="Source words")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(explorer, scheme, width):
    for state in ({"row": 7}, {"example": 1}, {"example": 2}):
        page = explorer(state, scheme=scheme, width=width).page
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
def test_the_room_kept_is_the_room_it_takes(saved, open_page, width, column):
    """In the book's column, which is narrower than a page of its own; and no example takes more."""
    widget = AlignmentExplorer(EXAMPLES)
    keep = widget.heights[width == 390]

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    seen = Explorer(open_page(saved(widget, change=narrowed), width=width), widget)
    for name in EXAMPLES:
        seen.example(name).check()
        tall = seen.page.evaluate("document.querySelector('[data-widget] > div').offsetHeight")
        assert keep - 150 < tall <= keep
