"""The reader in the book: it marks what Python marks, and says when the dialogue does not say."""

import base64
import random
import re

import numpy as np
import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.models import live, load, registry
from companion.models.bert import pieces
from companion.models.reader import ask
from companion.models.reader.prepare import prepare
from companion.widgets import DialogueReader

CHAPTER = "chapters/week3-bert-and-t5/answer-questions.html"
SLOW = 30_000  # milliseconds for the model on a busy machine
DINNER = """User: I want to book a table in Zürich.
Agent: What kind of food do you like?
User: Thai food, please 🙂.
Agent: How about Farmhouse Kitchen in Zürich?
User: Good. Book a table there for 3 people tomorrow at 7:15 pm.
Agent: Your table at Farmhouse Kitchen for 3 people tomorrow at 7:15 pm is booked.
"""
QUESTIONS = ["What is the restaurant called?", "What time is it for?", "What is the phone number?"]
TAXI = "User: I need a cab to the Grand Harbour Inn.\nAgent: It comes in 9 minutes and costs $14.\n"


@pytest.fixture(scope="module")
def model():
    return load("reader")


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=DialogueReader]").first

    @property
    def dialogue(self) -> Locator:
        return self.place.get_by_role("textbox", name=re.compile("Your dialogue"))

    @property
    def question(self) -> Locator:
        return self.place.get_by_role("textbox", name="Your question about the dialogue")

    @property
    def answer(self) -> Locator:
        return self.place.locator(".answer")

    @property
    def hint(self) -> Locator:
        return self.place.locator(".hint")

    @property
    def told(self) -> Locator:
        return self.place.locator(".told")

    @property
    def words(self) -> Locator:
        return self.place.locator(".turns .word")

    @property
    def lit(self) -> str:
        return " ".join(self.place.locator(".turns mark").all_inner_texts())

    def write(self, text: str) -> None:
        self.place.get_by_role("radio", name="edit, or write your own").check()
        self.dialogue.fill(text)

    def shown(self) -> list[tuple[str, float, float]]:
        """Each word of the dialogue, with the lengths of its two bars in percent."""
        found = self.words.evaluate_all(
            "(all) => all.map((e) => [e.textContent, ...['--begins', '--ends']"
            ".map((name) => parseFloat(e.style.getPropertyValue(name)))])"
        )
        return [tuple(each) for each in found]


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


def widget(**state):
    made = prepare(load("reader"), {"dinner": (DINNER, QUESTIONS), "taxi": (TAXI, ["Where to?"])})
    return DialogueReader(live("reader"), **made, **state)


def bars(reading, text):
    """What the two bars of each word say, in percent."""
    return [
        (
            match[0],
            *(
                100
                * sum(
                    chance
                    for chance, (a, b) in zip(chances, reading.offsets, strict=True)
                    if a < match.end() and b > match.start()
                )
                for chances in (reading.start, reading.end)
            ),
        )
        for match in re.finditer(r"\S+", text)
    ]


def agrees(seen, reading, text):
    """Whether the page shows what Python found: the answer, what is lit, and every bar."""
    if reading.answer.text:
        expect(seen.answer).to_have_text(reading.answer.text, timeout=SLOW)
        assert seen.lit.split() == reading.answer.text.split()
    else:
        expect(seen.answer).to_have_text("The dialogue does not say.", timeout=SLOW)
        assert seen.lit == ""
    expect(seen.hint).to_contain_text("“no answer”", timeout=SLOW)
    margin = float(re.search(r"([\d.]+) (above|below) “no answer”", seen.hint.inner_text())[1])
    assert margin == pytest.approx(abs(reading.answer.score), abs=0.07)
    expected = bars(reading, text)
    shown = seen.shown()
    assert [word for word, *_ in shown] == [word for word, *_ in expected]
    for (word, *lengths), (_, *chances) in zip(shown, expected, strict=True):
        assert lengths == pytest.approx(chances, abs=0.1), word


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_a_tap_on_a_question_lights_its_answer(self, saved, seen, model, width):
        seen = seen(saved(widget()), touch=True, width=width)
        for question in [*QUESTIONS[1:], QUESTIONS[0]]:
            seen.place.get_by_role("button", name=question).tap()
            agrees(seen, ask.read(model, DINNER, question), DINNER)

    def test_a_tap_on_a_word_tells_its_chances(self, saved, seen, model):
        seen = seen(saved(widget()), touch=True)
        found = bars(ask.read(model, DINNER, QUESTIONS[0]), DINNER)
        best = max(range(len(found)), key=lambda i: found[i][1])
        seen.words.nth(best).tap()
        expect(seen.told).to_contain_text(f"{found[best][0]} begins the answer with")
        percents = [float(x) for x in re.findall(r"([\d.]+) %", seen.told.inner_text())]
        assert percents == pytest.approx(found[best][1:], abs=0.6)
        seen.words.nth(best).tap()
        expect(seen.told).to_contain_text("No beginning at all")

    def test_caution_decides_whether_it_answers(self, saved, seen, model):
        seen = seen(saved(widget()))
        slider = seen.place.get_by_role("slider")
        margins = {q: ask.read(model, DINNER, q).answer.score for q in QUESTIONS}
        for question, margin in margins.items():
            seen.place.get_by_role("button", name=question).click()
            for press, caution in (("Home", -40), ("End", 40)):
                slider.focus()
                seen.page.keyboard.press(press)
                refused = "The dialogue does not say."
                expected = expect(seen.answer)
                (expected.to_have_text if margin <= caution else expected.not_to_have_text)(refused)

    def test_the_keyboard_reaches_questions_and_words(self, saved, seen):
        seen = seen(saved(widget()))
        seen.place.get_by_role("button", name=QUESTIONS[0]).focus()
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        expect(seen.question).to_have_value(QUESTIONS[1])
        seen.words.first.focus()
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        expect(seen.words.nth(1)).to_have_attribute("aria-pressed", "true")

    def test_another_dialogue_brings_its_own_question(self, saved, seen, model):
        seen = seen(saved(widget()))
        seen.place.get_by_role("radio", name="taxi").check()
        expect(seen.question).to_have_value("Where to?")
        agrees(seen, ask.read(model, TAXI, "Where to?"), TAXI)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, saved, open_page, width, scheme):
        page = open_page(saved(widget(word=2)), width=width, scheme=scheme)
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


class TestOwn:
    def test_it_answers_what_a_person_types_as_python_does(self, seen, model):
        seen = seen()
        seen.write(DINNER)
        for question in (*QUESTIONS, "Where do we eat?"):
            seen.question.fill(question)
            agrees(seen, ask.read(model, DINNER, question), DINNER)
        changed = DINNER.replace("7:15 pm", "8 o'clock").replace("Farmhouse", "Xöylé")
        seen.write(changed)
        agrees(seen, ask.read(model, changed, "Where do we eat?"), changed)

    @pytest.mark.parametrize(
        "text",
        [
            "User: <script>alert(1)</script> [SEP] [CLS]\nAgent: &amp; <b>bold</b>",
            "שלום\nمرحبا 👩‍👩‍👧 e\u0301",
            "?",
            "User: a\n\n\n   \nAgent:",
            "東京 に行く ﬁne Ⅷ ½ ß İstanbul \u00ad x\u200dy",
        ],
    )
    def test_strange_text_gets_an_answer_and_is_shown_as_text(self, seen, model, text):
        seen = seen()
        seen.write(text)
        seen.question.fill("<b>What</b> is it?")
        agrees(seen, ask.read(model, text, "<b>What</b> is it?"), text)
        assert seen.place.locator(".turns script, .turns b, .result b").count() == 0

    def test_what_is_missing_is_asked_for(self, seen):
        seen = seen()
        seen.write("  \n ")
        expect(seen.hint).to_contain_text("Write a dialogue")
        assert seen.words.count() == 0
        seen.question.fill(" ")
        expect(seen.hint).to_contain_text("Ask a question.")

    def test_a_text_that_is_too_long_is_refused_and_kept(self, seen):
        seen = seen()
        text = "User: more and more\n" * 200
        seen.write(text)
        expect(seen.hint).to_contain_text(
            re.compile(r"have \d{4} tokens; the model reads 384 at most"), timeout=SLOW
        )
        assert seen.dialogue.input_value() == text

    def test_the_last_question_counts(self, seen, model):
        seen = seen()
        seen.write(DINNER)
        for question in ("Who?", "When?", QUESTIONS[1]):
            seen.question.fill(question)
        agrees(seen, ask.read(model, DINNER, QUESTIONS[1]), DINNER)


class TestWhereItCannotRun:
    def test_from_disk_it_says_so_and_keeps_its_examples(self, seen, book):
        seen = seen(book / CHAPTER)
        before = seen.answer.inner_text()
        first = seen.question.input_value()
        seen.question.fill("Who is the mayor of Casterbridge?")
        expect(seen.hint).to_contain_text("The prepared questions still answer.", timeout=SLOW)
        seen.place.get_by_role("button", name=first).click()
        expect(seen.answer).to_have_text(before)


_ANSWER = """async ([url, arrays]) => {
  const page = await import(url);
  const inputs = arrays.map(([name, values]) => [name, 'int64', [1, values.length]]);
  const buffers = arrays.map(([, values]) => BigInt64Array.from(values, BigInt).buffer);
  const [content, found] = await new Promise((resolve) =>
    page.answer({id: 1, model: 'reader', inputs}, buffers,
      (content, buffers) => 'progress' in content || resolve([content, buffers])));
  if (content.error) throw new Error(content.error);
  return found.map((buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))));
}"""


class TestParity:
    def test_logits_are_torchs(self, open_page, site):
        """On 40 random inputs of any length that it reads."""
        graph = registry.graph("reader")
        page = open_page("chapters/index.html")
        drawn = random.Random(0)  # noqa: S311
        for _ in range(40):
            n = drawn.randint(4, 384)
            tokens = [drawn.randrange(pieces.SIZE) for _ in range(n)]
            cut = drawn.randrange(n)
            segments = [int(i > cut) for i in range(n)]
            url = f"{site}/_static/live.js"
            found = page.evaluate(_ANSWER, [url, [["tokens", tokens], ["segments", segments]]])
            given = {"tokens": np.array([tokens]), "segments": np.array([segments])}
            for said, right in zip(found, graph.answer(given).values(), strict=True):
                logits = np.frombuffer(base64.b64decode(said), np.float32)
                np.testing.assert_allclose(logits, right, atol=1e-2)

    def test_the_page_cuts_text_as_the_library_does(self, seen, model):
        """If it did not, the model would be asked about another text, and the bars would differ."""
        drawn = random.Random(1)  # noqa: S311
        alphabet = [*map(chr, range(32, 127)), *"éÜßñç£€½Ⅷﬁ…—’“”東京ни\u0301\u00ad\u200d\u3000🙂👩"]
        seen = seen()
        seen.write("User: x")
        for _ in range(25):
            line = "a" + " ".join("".join(drawn.choices(alphabet, k=40)).split())
            seen.dialogue.fill(line)
            agrees(seen, ask.read(model, line, QUESTIONS[0]), line)
