"""The summarizer in the book: it reads what a person types, writes what Python writes, and says from where."""

import base64
import random
import re

import numpy as np
import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.models import live, load, registry
from companion.models.summarizer import pieces, prepare, summarize
from companion.widgets import DialogueSummarizer

CHAPTER = "chapters/week2-transformers/summarize-a-dialogue.html"
SLOW = 30_000  # milliseconds for a whole summary on a busy machine
DINNER = """User: I want to book a table in Oakland.
Agent: What kind of food do you like?
User: Thai food, please.
Agent: How about Farmhouse Kitchen in Oakland?
User: Good. Book a table there for 3 people tomorrow at 7 pm.
Agent: Your table at Farmhouse Kitchen for 3 people tomorrow at 7 pm is booked.
User: Thank you, that is all.
Agent: Have a nice evening.
"""


@pytest.fixture(scope="module")
def model():
    return load("summarizer")


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=DialogueSummarizer]").first

    @property
    def box(self) -> Locator:
        return self.place.get_by_role("textbox")

    @property
    def hint(self) -> Locator:
        return self.place.locator(".hint")

    @property
    def told(self) -> Locator:
        return self.place.locator(".told")

    @property
    def summary(self) -> str:
        return " ".join(self.place.locator(".summary").inner_text().split())

    @property
    def words(self) -> Locator:
        return self.place.locator(".summary button")

    def edit(self) -> None:
        self.place.get_by_role("radio", name="edit, or write your own").check()

    def write(self, text: str) -> None:
        """Put a dialogue of one's own into the box, and wait for the whole summary."""
        self.edit()
        self.box.fill(text)
        expect(self.hint).to_contain_text("written", timeout=SLOW)

    @property
    def turns(self) -> list[str]:
        return self.place.locator(".turns .said").all_inner_texts()

    def tints(self) -> dict[str, list[float]]:
        """How strongly each word of the dialogue is tinted, in percent."""
        found = self.place.locator(".turns .word").evaluate_all(
            "(all) => all.map((e) => [e.textContent, parseFloat(e.style.getPropertyValue('--look') || 0)])"
        )
        tints = {}
        for word, tint in found:
            tints.setdefault(word, []).append(tint)
        return tints


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


def widget(**state):
    return DialogueSummarizer(
        live("summarizer"), **prepare(load("summarizer"), {"dinner": DINNER}), **state
    )


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_a_tap_on_a_word_shows_where_it_came_from(self, saved, seen, model, width):
        seen = seen(saved(widget()), touch=True, width=width)
        told = summarize(model, DINNER)
        assert seen.summary == told.text
        assert [" ".join(turn.split()) for turn in seen.turns] == DINNER.strip().splitlines()
        assert max(map(max, seen.tints().values())) == 0
        seen.place.get_by_role("button", name="Farmhouse").tap()
        tints = seen.tints()
        assert max(tints["Farmhouse"]) == max(map(max, tints.values())) > 30
        expect(seen.told).to_contain_text(re.compile(r"Farmhouse came mostly from turn [46]"))
        seen.place.get_by_role("button", name="Farmhouse").tap()
        assert max(map(max, seen.tints().values())) == 0

    def test_the_tints_are_pythons_weights(self, saved, seen, model):
        seen = seen(saved(widget()))
        told = summarize(model, DINNER)
        ids, _ = pieces.encode(DINNER)
        starts = np.cumsum([0, *(len(pieces.names()[i]) for i in ids)])
        written = [pieces.names()[i].replace("Ġ", " ") for i in told.tokens]
        for number, word in enumerate(told.text.split()):
            if word not in {"Thai", "Farmhouse", "3"}:
                continue
            seen.words.nth(number).click()
            own = [
                i
                for i, piece in enumerate(written)
                if piece.strip() and word == "".join(written[i:]).split()[0]
            ]
            first = own[0]
            last = first
            while "".join(written[first : last + 1]).strip() != word:
                last += 1
            looks = told.sources[first : last + 1].mean(dim=0)
            expected = {}
            for match in re.finditer(r"\S+", DINNER):
                inside = (starts[:-1] < match.end()) & (starts[1:] > match.start())
                share = sum(float(looks[j]) for j in np.flatnonzero(inside))
                expected.setdefault(match[0], []).append(min(100, 100 * share))
            shown = seen.tints()
            assert list(shown) == list(expected)
            for each, values in expected.items():
                assert shown[each] == pytest.approx(values, abs=0.3), (word, each)

    def test_the_keyboard_walks_along_the_words(self, saved, seen):
        seen = seen(saved(widget()))
        seen.words.first.focus()
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        expect(seen.words.nth(1)).to_have_attribute("aria-pressed", "true")
        expect(seen.told).to_contain_text("came mostly from")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, saved, open_page, width, scheme):
        page = open_page(saved(widget(word=2)), width=width, scheme=scheme)
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


class TestOwn:
    def test_it_summarizes_what_a_person_types_as_python_does(self, seen, model):
        seen = seen()
        seen.write(DINNER)
        assert seen.summary == summarize(model, DINNER).text
        changed = DINNER.replace("3 people", "8 people").replace("Oakland", "Fresno")
        seen.write(changed)
        assert seen.summary == summarize(model, changed).text
        assert "8 people" in seen.summary
        seen.place.get_by_role("button", name="Farmhouse").click()
        tints = seen.tints()
        assert max(tints["Farmhouse"]) == max(map(max, tints.values()))

    def test_back_to_the_example(self, seen):
        seen = seen()
        before = seen.summary
        seen.write(DINNER)
        assert seen.summary != before
        seen.place.get_by_role("button", name="back to the example").click()
        expect(seen.place.locator(".summary")).to_have_text(re.compile(re.escape(before[:30])))
        assert seen.summary == before

    @pytest.mark.parametrize(
        "text",
        [
            "User: <script>alert(1)</script> <summary> <end>\nAgent: &amp; <b>bold</b>",
            "שלום\nمرحبا 👩‍👩‍👧 \u0301",
            "?",
            "User: a\n\n\n   \nAgent:",
        ],
    )
    def test_strange_text_gets_an_answer_and_is_shown_as_text(self, seen, model, text):
        seen = seen()
        seen.write(text)
        expected = summarize(model, text).text
        assert seen.summary.removesuffix("… (it found no end)").split() == expected.split()
        lines = [line for line in text.splitlines() if line.strip()]
        assert [" ".join(turn.split()) for turn in seen.turns] == [
            " ".join(line.split()) for line in lines
        ]
        assert seen.place.locator(".said script, .said b, .summary script").count() == 0

    def test_an_empty_dialogue_says_what_to_do(self, seen):
        seen = seen()
        seen.edit()
        seen.box.fill("  \n ")
        expect(seen.hint).to_contain_text("Write a turn on each line")
        assert seen.words.count() == 0

    def test_ten_thousand_characters_are_too_many(self, seen):
        seen = seen()
        seen.edit()
        seen.box.fill("User: more and more\n" * 500)
        expect(seen.hint).to_contain_text(
            re.compile(r"That is \d+ tokens; it reads at most 779"), timeout=SLOW
        )
        seen.place.get_by_role("button", name="back to the example").click()
        assert seen.words.count() > 5


class TestWhereItCannotRun:
    def test_from_disk_it_says_so_and_keeps_its_examples(self, seen, book):
        seen = seen(book / CHAPTER)
        before = seen.summary
        seen.edit()
        seen.box.fill(DINNER)
        expect(seen.hint).to_contain_text("The prepared dialogues still answer.")
        seen.place.get_by_role("button", name="back to the example").click()
        assert seen.summary == before

    def test_a_tokenizer_that_is_not_there(self, seen):
        seen = seen(expected=["status 404", "ERR_ABORTED"])
        seen.page.route("**/summarizer-*.json", lambda route: route.fulfill(status=404))
        seen.edit()
        seen.box.fill(DINNER)
        expect(seen.hint).to_contain_text("could not be fetched (404)", timeout=SLOW)


_ANSWER = """async ([url, question, arrays]) => {
  const page = await import(url);
  const buffers = arrays.map(([kind, values]) => (kind === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values)).buffer);
  const [content, found] = await new Promise((resolve) =>
    page.answer({id: 1, model: 'summarizer', ...question}, buffers,
      (content, buffers) => 'progress' in content || resolve([content, buffers])));
  if (content.error) throw new Error(content.error);
  if (content.ids) return content;
  const text = (buffer) => {
    let all = '';
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < bytes.length; i += 32768) all += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(all);
  };
  return content.outputs.map(([name, dtype, dims], i) => [name, dtype, dims, text(found[i])]);
}"""


class TestParity:
    def test_logits_weights_and_all_else_are_torchs(self, open_page, site):
        """On 60 random inputs: first tokens and later ones, one or many, asked about any of them."""
        graph = registry.graph("summarizer")
        page = open_page("chapters/index.html")
        rng = np.random.default_rng(0)
        layers, heads, _, d_k = graph.inputs["past_keys"].shape
        for number in range(60):
            n, past = int(rng.integers(1, 40)), int(rng.integers(0, 60)) * (number % 2)
            arrays = {
                "tokens": rng.integers(0, pieces.SIZE, (1, n)),
                "at": rng.integers(0, n, 1 + number % 3),
                "past_keys": rng.normal(size=(layers, heads, past, d_k)).astype(np.float32),
                "past_values": rng.normal(size=(layers, heads, past, d_k)).astype(np.float32),
            }
            inputs = [[name, a.dtype.name, list(a.shape)] for name, a in arrays.items()]
            data = [[a.dtype.name, a.ravel().tolist()] for a in arrays.values()]
            found = page.evaluate(_ANSWER, [f"{site}/_static/live.js", {"inputs": inputs}, data])
            expected = graph.answer(arrays)
            assert [name for name, *_ in found] == list(expected)
            for name, dtype, dims, packed in found:
                array = np.frombuffer(base64.b64decode(packed), dtype).reshape(dims)
                np.testing.assert_allclose(array, expected[name], atol=1e-4)

    def test_text_is_cut_alike(self, open_page, site):
        """On 600 texts put together from what is common and what is odd."""
        rng = random.Random(0)  # noqa: S311
        parts = [
            "User:", "Agent: San", "Jose,", "7:30 pm", "$1,234.56", "don't", "we're", "<end>", "<summary>", "408-298-5335",
            *" \t\n\r\f\v\u00a0\u2003.,;:!?\"'“”‘’()[]…–—-_<>&²½",
            "ÀÉß", "İ", "ſ", "É", "Ω", "שלום", "مرحبا", "👩‍👩‍👧", "\u0301", "٣", "漢字", "\u200b", "  ", "\n\n", "\x00",
        ]  # fmt: skip
        texts = ["".join(rng.choices(parts, k=rng.randrange(0, 14))) for _ in range(600)]
        page = open_page("chapters/index.html")
        for text in texts:
            found = page.evaluate(_ANSWER, [f"{site}/_static/live.js", {"text": text}, []])
            assert (found["ids"], found["pieces"]) == pieces.encode(text), repr(text)
