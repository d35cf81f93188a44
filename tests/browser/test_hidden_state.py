"""The widget of the hidden state, driven as a person drives it; what is read equals Python's figures."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.widgets import HiddenState

SHORT = {
    "label": "short",
    "words": ["he", "sleeps", ",", "and", "she", "reads"],
    "stops": [2, 6],
    "right": [["er", "schläft", "."], ["er", "schläft", ",", "und", "sie", "liest", "."]],
    "written": [
        [["er", "schläft", "."], ["er", "geht", "."]],
        [["er", "schläft", "."], ["er", "schläft", ",", "und", "sie", "liest", "."]],
    ],
}
CLAUSE = ["Friendly", "colleagues", "forgot", "beautiful", "suitcases", ",", "and"]
TARGET = ["freundliche", "Kollegen", "haben", "schöne", "Koffer", "vergessen", ",", "und"]
LONG = {
    "label": "long",
    "words": CLAUSE * 6,
    "stops": [5, 12, 19, 26, 33, 40],
    "right": [TARGET * k for k in range(1, 7)],
    "written": [[["heute", *TARGET] * k for k in range(1, 7)], [TARGET * k for k in range(1, 7)]],
}
SENTENCES = [SHORT, LONG]


def left_of(n):
    """Shares that differ everywhere, some above 1."""
    t, i = np.indices((n, n))
    return np.tril(1.2 * 0.95 ** (t - i) + 0.002 * i * (t > i))


LEFT = [left_of(len(sentence["words"])) for sentence in SENTENCES]
OUTPUTS = [
    np.sin(np.arange(16) + np.arange(len(sentence["words"]))[:, None]) for sentence in SENTENCES
]


@dataclass
class State:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=HiddenState]")

    @property
    def status(self) -> str:
        return self.place.get_by_role("status").inner_text()

    @property
    def slider(self) -> Locator:
        return self.place.get_by_role("slider", name="words read")

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name)

    def shares(self) -> list[float | None]:
        """The exact share of each word, after making sure that its bar is as long."""
        read = self.place.locator(".word").evaluate_all(
            "(all) => all.map((e) => [e.dataset.exact, e.lastChild.style.width])"
        )
        for exact, width in read:
            assert float(width.removesuffix("%")) == pytest.approx(
                min(100, 100 * float(exact or 0)), abs=0.06
            )
        return [float(exact) if exact else None for exact, _ in read]

    def written(self) -> list[list[tuple[str, bool]]]:
        """Of each of the three translations its words, and which are struck out."""
        return self.place.locator(".written").evaluate_all(_WORDS)


_WORDS = """(all) => all.map((e) => [...e.childNodes].flatMap((node) =>
  node.textContent.split(' ').filter(Boolean).map((word) => [word, node.nodeName === 'DEL'])))"""


@pytest.fixture
def state(saved, open_page):
    """`state(traits, …)`: the widget, on a page of its own."""

    def open_(traits=None, **options):
        widget = HiddenState(SENTENCES, left=LEFT, outputs=OUTPUTS, **(traits or {}))
        return State(open_page(saved(widget), **options))

    return open_


def agree(state, sentence, read):
    """All that is read is what Python was given."""
    told, n = SENTENCES[sentence], len(SENTENCES[sentence]["words"])
    expect(state.place.get_by_text(f"{read} of {n} read")).to_be_visible()
    shares = state.shares()
    assert shares[read:] == [None] * (n - read)
    assert shares[:read] == pytest.approx(LEFT[sentence][read - 1, :read].tolist(), abs=2e-3)
    first = re.search(r"“(.+)”, (\d+) % is left", state.status)
    assert first[1] == told["words"][0]
    assert int(first[2]) == pytest.approx(100 * LEFT[sentence][read - 1, 0], abs=0.6)
    past = [k for k, stop in enumerate(told["stops"]) if stop <= read]
    written = state.written()
    if not past:
        expect(state.place.get_by_text("The sentence cannot end yet")).to_be_visible()
        assert written == [[["–", False]]] * 3
        return
    k = past[-1]
    assert [[word for word, _ in side] for side in written] == [
        *(side[k] for side in told["written"]),
        told["right"][k],
    ]
    good = [sum(not struck for _, struck in side) for side in written]
    assert f"{good[0]} of {good[2]} from the state alone, {good[1]} with attention" in state.status


class TestWhatIsRead:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_every_place_of_a_short_sentence(self, state, width):
        state = state(width=width)
        agree(state, 0, 2)
        for read in (1, 2, 3, 5, 6):
            state.slider.fill(str(read))
            agree(state, 0, read)

    def test_words_that_are_wrong_are_struck_out(self, state):
        written = state({"read": 6}).written()
        assert written[0] == [["er", False], ["geht", True], [".", False]]
        assert not any(struck for side in written[1:] for _, struck in side)

    def test_the_table(self, state):
        state = state({"read": 4})
        state.place.locator("summary").click()
        rows = state.place.locator("tbody tr")
        expect(rows).to_have_count(4)
        percents = [round(100 * float(share)) for share in LEFT[0][3, :4].astype(np.float16)]
        assert [row.split("\t")[1:] for row in rows.all_inner_texts()] == [
            [word, f"{share} %"] for word, share in zip(SHORT["words"][:4], percents, strict=True)
        ]
        state.slider.fill("5")
        expect(rows).to_have_count(5)


class TestHands:
    def test_the_buttons_go_by_clauses(self, state):
        state = state({"sentence": 1})
        agree(state, 1, 5)
        state.button("+ clause").click()
        agree(state, 1, 12)
        state.button("+ clause").click()
        state.button("− clause").click()
        agree(state, 1, 12)
        state.slider.fill("40")
        state.button("+ clause").click()
        agree(state, 1, 42)
        expect(state.button("+ clause")).to_be_disabled()

    def test_keys(self, state):
        state = state()
        state.slider.focus()
        state.page.keyboard.press("ArrowRight")
        agree(state, 0, 3)
        state.page.keyboard.press("End")
        agree(state, 0, 6)
        state.page.keyboard.press("Home")
        agree(state, 0, 1)
        expect(state.button("− clause")).to_be_disabled()
        expect(state.slider).to_have_attribute("aria-valuetext", "1 of 6: he")

    def test_a_finger_chooses_another_sentence(self, state):
        state = state({"read": 6}, width=390, touch=True)
        state.place.get_by_role("radio", name="long").tap()
        agree(state, 1, 6)
        state.button("+ clause").tap()
        agree(state, 1, 12)

    def test_a_shorter_sentence_is_read_to_its_end(self, state):
        state = state({"sentence": 1, "read": 30})
        state.place.get_by_role("radio", name="short").check()
        agree(state, 0, 6)

    def test_it_reads_on_by_itself_and_stops_at_the_end(self, state):
        state = state({"read": 4})
        state.button("read on").click()
        expect(state.place.get_by_text("6 of 6 read")).to_be_visible()
        expect(state.button("read on")).to_be_visible()
        agree(state, 0, 6)

    def test_who_wants_no_motion_sees_the_end_at_once(self, state):
        state = state({"read": 2})
        state.page.emulate_media(reduced_motion="reduce")
        state.button("read on").click()
        agree(state, 0, 6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(state, scheme, width):
    page = state({"sentence": 1, "read": 20}, scheme=scheme, width=width).page
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
def test_nothing_moves_while_the_sentence_grows(saved, open_page, width, column):
    """In the book's column; and the room kept is the room it takes."""
    widget = HiddenState(SENTENCES, left=LEFT, outputs=OUTPUTS, sentence=1)

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    state = State(open_page(saved(widget, change=narrowed), width=width))
    tall = "() => document.querySelector('[data-widget] > div').offsetHeight"
    heights = []
    for read in (1, 5, 20, 42):
        state.slider.fill(str(read))
        heights.append(state.page.evaluate(tall))
    assert len(set(heights)) == 1, heights
    keep = widget.heights[width == 390]
    assert keep - 150 < heights[0] <= keep, (keep, heights)
