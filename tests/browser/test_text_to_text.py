"""Text in, text out: the page writes what Python writes, whatever the prefix."""

import re

import pytest
from axe import violations
from playwright.sync_api import Page, expect

from companion.models import live, load, text_to_text
from companion.text_to_text import TEMPLATES, read_score, write_input
from companion.widgets import TextToText

CHAPTER = "chapters/week3-bert-and-t5/text-in-text-out.html"
SLOW = 30_000  # milliseconds for a whole answer on a busy machine
BOUGHT = "Tomorrow Anna buys a cheap ticket."
DIALOGUE = "User: I need a train from York to Riga. Agent: Which day? User: On Sunday, please."
LINES = {
    "translate": [write_input("translate", text=BOUGHT)],
    "cola": [
        write_input("cola", sentence="They sleep."),
        write_input("cola", sentence="They sleeps <b>now</b>."),
    ],
    "stsb": [write_input("stsb", sentence1=BOUGHT, sentence2="Yesterday we slept.")],
    "summarize": [write_input("summarize", text=DIALOGUE)],
}


@pytest.fixture(scope="module")
def model():
    return load("text_to_text")


@pytest.fixture(scope="module")
def widget(model):
    return TextToText(live("text_to_text"), **text_to_text.prepare(model, LINES))


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=TextToText]").first
        self.box = self.place.get_by_role("textbox")
        self.hint = self.place.locator(".hint")
        self.out = self.place.locator(".out")
        self.says = self.place.locator(".says")

    def write(self, line: str) -> None:
        self.box.fill(line)
        self.wait()

    def wait(self) -> None:
        expect(self.hint).to_contain_text(re.compile("…$"))
        expect(self.hint).to_be_empty(timeout=SLOW)

    def button(self, name: str):
        return self.place.get_by_role("button", name=name, exact=True)

    def ids(self) -> list[int]:
        text = self.says.get_attribute("data-ids")
        return [int(number) for number in text.split(",")] if text else []

    def agrees(self, one) -> None:
        """The page shows this answer of Python's."""
        expect(self.says).to_have_attribute("data-text", one.text)
        assert self.ids() == one.tokens
        assert self.out.inner_text().strip() == (one.text or "(nothing)")
        assert ("no end" in self.says.inner_text()) == (not one.ended)


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_each_line_has_its_answer_before_any_model_is_there(
        self, saved, seen, widget, model, width
    ):
        seen = seen(saved(widget), width=width, touch=True)
        lines = [line for some in LINES.values() for line in some]
        names = ["translate", "cola 1", "cola 2", "stsb", "summarize"]
        for name, line, one in zip(names, lines, text_to_text.answer(model, lines), strict=True):
            seen.button(name).tap()
            expect(seen.box).to_have_value(line)
            seen.agrees(one)

    def test_the_prefix_that_is_there_is_pressed(self, saved, seen, widget):
        seen = seen(saved(widget))
        for name, prefix in (("stsb", "stsb sentence1:"), ("summarize", "summarize:")):
            seen.button(name).click()
            expect(seen.button(prefix)).to_have_attribute("aria-pressed", "true")
            expect(seen.place.locator(".prefix[aria-pressed=true]")).to_have_count(1)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, saved, open_page, widget, width, scheme):
        page = open_page(saved(widget), width=width, scheme=scheme)
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        tall = page.locator(".widget").bounding_box()["height"]
        kept = widget.heights[width == 390]
        assert kept - 200 <= tall <= kept


class TestLive:
    @pytest.mark.parametrize(
        "line",
        [
            "translate English to German: We visit the old museum today.",
            "cola sentence: We visits the museum.",
            "stsb sentence1: Paul buys a cake. sentence2: Emma buys a cake.",
            "question: Where to? context: User: I need a bus from Oslo to Nice on Monday.",
            "translate English to French: We sleep.",
            "We sleep.",
        ],
    )
    def test_it_writes_what_python_writes(self, seen, model, line):
        seen = seen()
        seen.write(line)
        seen.agrees(text_to_text.answer(model, [line])[0])

    def test_another_prefix_before_the_same_text(self, seen, model):
        seen = seen()
        seen.button("translate").click()
        body = seen.box.input_value().removeprefix("translate English to German: ")
        for prefix in ("cola sentence:", "stsb sentence1:", "summarize:"):
            seen.button(prefix).click()
            seen.wait()
            expect(seen.box).to_have_value(f"{prefix} {body}")
            seen.agrees(text_to_text.answer(model, [f"{prefix} {body}"])[0])
        seen.button("(no prefix)").click()
        seen.wait()
        expect(seen.says).to_contain_text("No prefix that it was trained on.")
        seen.agrees(text_to_text.answer(model, [body])[0])

    def test_it_says_what_the_answer_counts_as(self, seen, model):
        seen = seen()
        line = "stsb sentence1: We sleep. sentence2: Anna buys a cake."
        seen.write(line)
        score = read_score(text_to_text.answer(model, [line])[0].text)
        expect(seen.says).to_contain_text(
            "would count as wrong" if score is None else f"Read as a number: {score:.1f}."
        )

    @pytest.mark.parametrize("line", ["<b>A dog</b> & <end> </script>", "שלום 👩‍👩‍👧", "?"])
    def test_strange_text_gets_an_answer_and_is_shown_as_text(self, seen, line):
        seen = seen()
        seen.write(line)
        expect(seen.says).to_contain_text(re.compile(r"\d+ tokens?"))
        assert seen.place.locator(".out b").count() == 0

    def test_an_empty_line_says_what_to_do(self, seen):
        seen = seen()
        seen.box.fill("  ")
        expect(seen.hint).to_contain_text("Type a line, such as: cola sentence:")

    def test_a_very_long_one_is_too_long(self, seen):
        seen = seen()
        seen.box.fill("xq" * 300)
        expect(seen.hint).to_contain_text(
            re.compile(r"That is \d+ tokens; it reads at most 200"), timeout=SLOW
        )

    def test_from_disk_it_says_so_and_keeps_its_lines(self, seen, book):
        seen = seen(book / CHAPTER)
        before = seen.out.inner_text()
        seen.box.fill("cola sentence: A dog.")
        expect(seen.hint).to_contain_text("The prepared lines still answer.", timeout=SLOW)
        seen.button("translate").click()
        assert seen.out.inner_text() == before


def test_what_is_a_number_is_what_python_reads(saved, open_page, widget):
    """The pattern of lib/text_to_text.js against `read_score`, on answers a model may write."""
    example = widget.examples[0]
    texts = ["3.8", "5.0", "1", "0.8", "5.2", "acceptable", "3.8.", "nan", "-2", "", "2e0", ".5"]
    for text in texts:
        page = open_page(
            saved(
                TextToText(
                    live("text_to_text"),
                    names=["<end>", *(text or "x")],
                    templates=TEMPLATES,
                    examples=[
                        example
                        | {
                            "task": "stsb",
                            "line": LINES["stsb"][0],
                            "ids": list(range(1, len(text) + 1)),
                            "text": text,
                        }
                    ],
                    sizes=widget.sizes,
                )
            )
        )
        score = read_score(text)
        expect(page.locator(".says")).to_contain_text(
            "no number from 1 to 5" if score is None else f"Read as a number: {score:.1f}."
        )
