"""The translator in the book: it reads what a person types, and finds what Python's beam finds."""

import json
import re

import numpy as np
import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.models import live, load
from companion.models.translator.ask import looks, translate
from companion.models.translator.pieces import encode, names
from companion.models.translator.prepare import LOOKED, prepare
from companion.widgets import CaptionTranslator

CHAPTER = "chapters/week1-translation/build-the-translator.html"
SLOW = 30_000  # milliseconds for a whole search on a busy machine
TEXTS = ["Two dogs are running on the beach.", "A woman in a red coat is reading a newspaper."]


@pytest.fixture(scope="module")
def model():
    return load("translator")


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=CaptionTranslator]").first
        self.box = self.place.get_by_role("textbox")
        self.hint = self.place.locator(".hint")
        self.says = self.place.locator(".says")
        self.best = self.place.locator(".best")

    def write(self, text: str) -> None:
        self.box.fill(text)
        self.wait()

    def wait(self) -> None:
        expect(self.hint).to_contain_text(re.compile("…$"))
        expect(self.hint).to_be_empty(timeout=SLOW)

    @property
    def rows(self) -> Locator:
        return self.place.locator(".found")

    def found(self) -> list[tuple[str, float, float]]:
        """The translations: text, log-probability, score."""
        texts = self.place.locator(".found .said").all_inner_texts()
        exact = self.rows.evaluate_all("(all) => all.map((e) => e.dataset.exact)")
        return [(text, *json.loads(pair)) for text, pair in zip(texts, exact, strict=True)]

    def word(self, name: str) -> Locator:
        return self.place.get_by_role("radio", name=name, exact=True)

    def shares(self) -> list[int]:
        """What the chosen word looks at, in percent, word by word of the source."""
        texts = self.place.locator(".sources .number").all_inner_texts()
        return [int(text.removesuffix(" %").removesuffix("\u00a0%")) for text in texts]


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


def widget(**state):
    return CaptionTranslator(live("translator"), **prepare(load("translator"), TEXTS), **state)


def agrees(found, expected):
    assert [text for text, *_ in found] == [one.text or "(nothing)" for one in expected]
    for (_, total, score), one in zip(found, expected, strict=True):
        assert total == pytest.approx(one.log_probability, abs=1e-3)
        assert score == pytest.approx(one.score, abs=1e-3)


def word_looks(model, text, one):
    """How much each word of a translation looked at each word of the source and its end."""

    def spans(whole, ids):
        stops = np.cumsum([len(names()[i]) for i in ids])
        starts = stops - [len(names()[i]) for i in ids]
        found = []
        for match in re.finditer(rb"\S+", whole.encode()):
            inside = (starts < match.end()) & (stops > match.start())
            found.append(np.flatnonzero(inside))
        return found

    weights = looks(model, text, one.tokens)[:-1, LOOKED].mean(dim=1).numpy()
    source = [*spans(text, encode(text)[0]), np.array([weights.shape[1] - 1])]
    target = spans(one.text, one.tokens)
    return [[float(weights[np.ix_(i, j)].sum() / len(i)) for j in source] for i in target]


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_translations_and_their_scores_are_pythons(self, saved, seen, model, width):
        seen = seen(saved(widget()), width=width, touch=True)
        for text, expected in zip(TEXTS, translate(model, TEXTS), strict=True):
            seen.place.get_by_role("button", name=text).tap()
            expect(seen.best).to_have_text(expected[0].text)
            agrees(seen.found(), expected)

    def test_a_tap_on_a_word_shows_where_it_looked(self, saved, seen, model):
        seen = seen(saved(widget()), touch=True)
        one = translate(model, TEXTS)[0][0]
        for word, expected in zip(one.text.split(), word_looks(model, TEXTS[0], one), strict=True):
            if one.text.split().count(word) > 1:
                continue
            seen.word(word).tap()
            assert seen.shares() == pytest.approx([100 * x for x in expected], abs=1.1)
            best = [*TEXTS[0].split(), "(end)"][int(np.argmax(expected))]
            expect(seen.says).to_contain_text(re.compile(rf"“{re.escape(word)}” looks .*“{best}”"))

    def test_another_translation_has_words_of_its_own(self, saved, seen, model):
        seen = seen(saved(widget()))
        other = translate(model, TEXTS)[0][1]
        seen.rows.first.focus()
        seen.page.keyboard.press("ArrowDown")
        expect(seen.best).to_have_text(other.text)
        words = seen.place.locator(".targets .word").all_inner_texts()
        assert words == other.text.split()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, saved, open_page, width, scheme):
        page = open_page(saved(widget(word=2)), width=width, scheme=scheme)
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        tall = page.locator(".widget").bounding_box()["height"]
        kept = widget().heights[width == 390]  # for the book's column, which is narrower
        assert kept - 250 <= tall <= kept


class TestOwn:
    def test_it_translates_what_a_person_types_as_python_does(self, seen, model):
        seen = seen()
        for text in ("A man is climbing a rock.", "Three girls in green dresses are dancing."):
            seen.write(text)
            agrees(seen.found(), translate(model, [text])[0])

    def test_other_beams(self, seen, model):
        seen = seen()
        text = "A child is throwing a ball into the water."
        seen.write(text)
        seen.place.get_by_role("radio", name="2", exact=True).check()
        seen.wait()
        agrees(seen.found(), translate(model, [text], width=2)[0])
        seen.place.get_by_label("length penalty").press("Home")
        seen.wait()
        agrees(seen.found(), translate(model, [text], width=2, alpha=0.0)[0])

    @pytest.mark.parametrize(
        "text", ["<b>A dog</b> & <script>alert(1)</script> <end>", "שלום 👩‍👩‍👧", "?"]
    )
    def test_strange_text_gets_an_answer_and_is_shown_as_text(self, seen, model, text):
        seen = seen()
        seen.write(text)
        # Of nonsense the model is so unsure that rounding decides between beginnings.
        (_, _, score), *others = seen.found()
        assert score == pytest.approx(translate(model, [text])[0][0].score, rel=0.1)
        assert len(others) == 4
        assert seen.place.locator(".sources .name").all_inner_texts()[:-1] == text.split()

    def test_an_empty_caption_says_what_to_do(self, seen):
        seen = seen()
        seen.box.fill("  ")
        expect(seen.hint).to_contain_text("Type a caption")

    def test_a_very_long_one_is_too_long(self, seen):
        seen = seen()
        seen.box.fill("xq" * 150)
        expect(seen.hint).to_contain_text(
            re.compile(r"That is \d+ tokens; it reads at most 80"), timeout=SLOW
        )
        seen.place.locator(".try").first.click()
        expect(seen.hint).to_be_empty()

    def test_from_disk_it_says_so_and_keeps_its_captions(self, seen, book):
        seen = seen(book / CHAPTER)
        before = seen.best.inner_text()
        seen.box.fill("A dog.")
        expect(seen.hint).to_contain_text("The prepared captions still answer.", timeout=SLOW)
        seen.place.locator(".try").first.click()
        expect(seen.best).to_have_text(before)
