"""The pronoun resolver in the book: it reads what a person types, and answers as Python does."""

import base64
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from recorder import ALIVE

from companion.corpora import winograd as corpus
from companion.models import live, load, registry
from companion.models.resolver import prepare, resolve, tokenize
from companion.models.resolver.prepare import scores_of
from companion.models.resolver.shipped import VARIANTS
from companion.widgets import WinogradResolver

CHAPTER = "chapters/week2-transformers/what-it-refers-to.html"
TIRED, WIDE = (note.sentence for note in corpus.NOTES[0])
METHODS = {
    "attention": "attention",
    "substitution": "substitution-full",
    "substitution, partial": "substitution-partial",
    "masked word": "masked-lm",
}


@pytest.fixture(scope="module")
def networks():
    return load("resolver").variants


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=WinogradResolver]").first

    @property
    def verdict(self) -> Locator:
        return self.place.locator(".verdict")

    @property
    def hint(self) -> Locator:
        return self.place.locator(".hint")

    @property
    def box(self) -> Locator:
        return self.place.get_by_role("textbox", name="Your own sentence")

    @property
    def swap(self) -> Locator:
        return self.place.locator("button.swap")

    def choose(self, name: str) -> None:
        self.place.get_by_role("radio", name=name, exact=True).check()

    def write(self, sentence: str) -> None:
        """Type a sentence of one's own, key by key where it is short."""
        self.choose("write your own")
        self.box.fill("")
        if len(sentence) < 80:
            self.box.press_sequentially(sentence)
        else:
            self.box.fill(sentence)

    @property
    def shares(self) -> dict[str, float]:
        """The bars: a share for each noun."""
        expect(self.place.locator(".answer").first).to_be_visible(timeout=20_000)
        rows = self.place.locator(".answer").all_inner_texts()
        read = (re.fullmatch(r"(\w+)\s+([\d.]+) %", row.strip(), re.DOTALL) for row in rows)
        return {match[1]: float(match[2]) / 100 for match in read}

    @property
    def arcs(self) -> list[str]:
        return [p.get_attribute("stroke-width") for p in self.place.locator(".arcs svg path").all()]

    def looks(self) -> list[int]:
        """How strongly each word is tinted, in percent."""
        tints = "(e) => parseInt(e.style.getPropertyValue('--look'))"
        words = self.place.locator(".sentence > *")
        return [words.nth(i).evaluate(tints) for i in range(words.count())]


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


def _expected(network, sentence, method="naming"):
    told = resolve(network, sentence)
    if method == "naming":
        scores = [np.log(max(p, 1e-30)) for p in told.probabilities.values()]
    else:
        scores = scores_of(network, sentence, method)
    first = (
        scores[0] if method == "attention" else 1 / (1 + np.exp(min(700, scores[1] - scores[0])))
    )
    return dict(zip(told.probabilities, (first, 1 - first), strict=True))


def _agree(shown, expected):
    assert list(shown) == list(expected)
    assert list(shown.values()) == [pytest.approx(x, abs=6e-4) for x in expected.values()]


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_a_tap_on_the_word_that_decides_flips_the_answer(self, seen, networks, width):
        seen = seen(touch=True, width=width)
        expect(seen.verdict).to_have_text("it is the animal")
        _agree(seen.shares, _expected(networks["word"], TIRED))
        seen.swap.tap()
        expect(seen.verdict).to_have_text("it is the street")
        _agree(seen.shares, _expected(networks["word"], WIDE))
        seen.swap.tap()
        expect(seen.verdict).to_have_text("it is the animal")

    def test_the_keyboard_does_too_and_stays_on_the_word(self, seen):
        seen = seen()
        seen.swap.focus()
        seen.page.keyboard.press("Enter")
        expect(seen.verdict).to_have_text("it is the street")
        expect(seen.swap).to_be_focused()
        seen.page.keyboard.press("Space")
        expect(seen.verdict).to_have_text("it is the animal")

    def test_the_councilmen_feared_and_the_demonstrators_advocated(self, seen):
        seen = seen()
        seen.choose("councilmen or demonstrators?")
        expect(seen.verdict).to_have_text("they are the councilmen")
        seen.swap.click()
        expect(seen.verdict).to_have_text("they are the demonstrators")

    def test_arcs_are_the_weights(self, seen, networks):
        seen = seen()
        for name, label in (("word", "values from the words"), ("ordinary", "ordinary values")):
            seen.choose(label)
            trace = resolve(networks[name], TIRED).trace
            mean = trace.layers[-1].weights[:, 7].mean(dim=0)
            assert seen.looks() == [pytest.approx(100 * w, abs=0.6) for w in mean.tolist()]
            strong = sum(w >= 0.02 for j, w in enumerate(mean.tolist()) if j != 7)
            assert len(seen.arcs) == strong

    def test_one_head_alone(self, seen, networks):
        seen = seen()
        seen.place.get_by_text("Arcs of one head alone").click()
        trace = resolve(networks["word"], TIRED).trace
        for layer, head in ((0, 2), (1, 0)):
            seen.choose(f"layer {layer + 1}, head {head + 1}")
            row = trace.layers[layer].weights[head, 7].tolist()
            assert seen.looks() == [pytest.approx(100 * w, abs=0.6) for w in row]
        seen.place.get_by_role("button", name="mean of the last layer").click()
        mean = trace.layers[-1].weights[:, 7].mean(dim=0).tolist()
        assert seen.looks() == [pytest.approx(100 * w, abs=0.6) for w in mean]

    @pytest.mark.parametrize(("label", "method"), METHODS.items())
    def test_methods(self, seen, networks, label, method):
        seen = seen()
        seen.choose(label)
        for network in ("values from the words", "ordinary values", "ordinary, started anew"):
            seen.choose(network)
            name = {"v": "word", "ordinary values": "ordinary"}.get(
                network[0] if network[0] == "v" else network, "restarted"
            )
            _agree(seen.shares, _expected(networks[name], TIRED, method))
        seen.choose("reads left to right")
        if method.startswith("substitution"):
            _agree(seen.shares, _expected(networks["causal"], TIRED, method))
        else:
            expect(seen.place.locator(".answers")).to_contain_text("has not yet seen what decides")

    def test_from_left_to_right_twins_look_alike(self, seen):
        seen = seen()
        seen.choose("reads left to right")
        before, shares = seen.looks(), seen.shares
        seen.swap.click()
        expect(seen.swap).to_contain_text("wide")
        assert seen.looks() == before
        assert seen.shares == shares

    def test_the_model_is_not_fetched_before_it_is_asked_for(self, seen):
        seen = seen()
        seen.swap.click()
        seen.choose("masked word")
        seen.page.wait_for_load_state("networkidle")
        fetched = [r.url for r in seen.page.recorder.responses]
        assert not [url for url in fetched if "live" in url or "ort." in url or "onnx" in url]


class TestOwn:
    @pytest.mark.parametrize(
        ("sentence", "answer"),
        [
            ("The cow didn’t cross the bridge, because it was too hungry!", "cow"),
            ("the cow didn't cross the bridge because it was too muddy", "bridge"),
            ("The bag didn't fit in the drawer because it was too small.", "drawer"),
            ("The judges refused the marchers a permit because they feared violence.", "judges"),
        ],
    )
    def test_a_sentence_of_ones_own(self, seen, networks, sentence, answer):
        seen = seen()
        seen.write(sentence)
        expect(seen.verdict).to_contain_text(f" the {answer}", timeout=20_000)
        _agree(seen.shares, _expected(networks["word"], sentence))
        for label, method in METHODS.items():
            seen.choose(label)
            expect(seen.place.locator(".answer")).to_have_count(2)
            _agree(seen.shares, _expected(networks["word"], sentence, method))

    def test_it_answers_while_one_types_on(self, seen):
        seen = seen()
        seen.write("the dog avoided the river because it was too deep")
        expect(seen.verdict).to_have_text("it is the river", timeout=20_000)
        seen.box.fill("the dog avoided the river because it was too scared")
        expect(seen.verdict).to_have_text("it is the dog")
        seen.choose("lamp or drawer?")
        expect(seen.verdict).to_have_text("it is the lamp")
        expect(seen.box).to_be_hidden()

    def test_unknown_words_get_suggestions(self, seen):
        seen = seen()
        seen.write("the camle avoided the river because it was too deep")
        expect(seen.hint).to_have_text("It does not know “camle”.")
        seen.place.get_by_role("button", name="camel", exact=True).click()
        expect(seen.verdict).to_have_text("it is the river", timeout=20_000)
        expect(seen.box).to_be_focused()

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("", "Write a sentence with it or they, and two nouns."),
            (" \n ,;! ", "Write a sentence with it or they, and two nouns."),
            ("the animal sang", "It does not know “sang”."),
            ("the dog was tired", "It needs one pronoun, it or they; here is none."),
            ("it was too tired because it was too wide", "here are 2."),
            ("the dog was tired because it was ill", "It chooses between two nouns; here is one."),
            ("the dog the cat the cow it", "It chooses between two nouns; here are 3."),
            (
                "<script>document.title='x'</script>",
                "It does not know “<script>document.title=…”.",
            ),
            ("<mask> <pad>", "It does not know “<mask>”, “<pad>”."),
            ("👩‍👩‍👧‍👦 🐶", "It does not know “👩‍👩‍👧‍👦”, “🐶”."),
            ("שלום it مرحبا", "It does not know “שלום”, “مرحبا”."),
            ("x" * 10_000, "It does not know “xxxxxxxxxxxxxxxxxxxxxxx…”."),
            ("dog " * 2_500, "That is 2500 words; it reads at most 31."),
        ],
    )
    def test_whatever_is_typed_gets_a_plain_answer(self, seen, text, hint):
        seen = seen(width=390)
        title = seen.page.title()
        seen.write(text)
        if not text:
            seen.box.press("a")
            seen.box.press("Backspace")
        expect(seen.hint).to_contain_text(hint)
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= 390
        seen.box.fill(WIDE)
        expect(seen.verdict).to_have_text("it is the street", timeout=20_000)
        assert seen.page.title() == title

    def test_runtime_and_model_are_fetched_once_for_all_pages(self, seen):
        seen = seen()
        seen.write(TIRED)
        expect(seen.verdict).to_have_text("it is the animal", timeout=20_000)
        big = [r.url for r in seen.page.recorder.responses if re.search(r"ort\.wasm|\.onnx", r.url)]
        assert len(big) == 2
        seen.page.goto(seen.page.url.replace(CHAPTER, "chapters/index.html"))
        seen.page.wait_for_function(ALIVE)  # else leaving cuts off what the page still fetches
        seen.page.goto(seen.page.url.replace("chapters/index.html", CHAPTER))
        seen.write(WIDE)
        expect(seen.verdict).to_have_text("it is the street", timeout=20_000)
        again = [r for r in seen.page.recorder.responses if re.search(r"ort\.wasm|\.onnx", r.url)]
        assert len(again) == 2


class TestWhereItCannotRun:
    def test_from_disk_it_says_so_and_keeps_its_examples(self, seen, book):
        seen = seen(book / CHAPTER)
        seen.write(TIRED)
        expect(seen.hint).to_contain_text("The prepared sentences still answer.")
        seen.choose("animal or street?")
        seen.swap.click()
        expect(seen.verdict).to_have_text("it is the street")

    def test_without_webassembly(self, seen):
        seen = seen()
        seen.page.evaluate("delete globalThis.WebAssembly")
        seen.write(TIRED)
        expect(seen.hint).to_contain_text("it has no WebAssembly. The prepared sentences still")

    def test_a_file_of_its_own(self, saved, seen):
        seen = seen(saved(_widget()))
        seen.write(TIRED)
        expect(seen.hint).to_contain_text("The model lives on the book's site")
        seen.choose("animal or street?")
        expect(seen.verdict).to_have_text("it is the animal")

    def test_a_model_that_is_not_there(self, seen):
        seen = seen(expected=["status 404", "ERR_ABORTED"])
        seen.page.route("**/*.onnx", lambda route: route.fulfill(status=404))
        seen.write(TIRED)
        expect(seen.hint).to_contain_text("could not be fetched (404)", timeout=20_000)
        expect(seen.page.get_by_role("progressbar")).to_be_hidden()
        seen.page.unroute("**/*.onnx")
        seen.box.fill(WIDE)
        expect(seen.verdict).to_have_text("it is the street", timeout=20_000)


def _widget():
    pairs = [tuple(s.sentence for s in corpus.NOTES[0])]
    return WinogradResolver(live("resolver"), **prepare(load("resolver"), pairs))


_ASK = """async ([url, tokens, shape]) => {
  const page = await import(url);
  const data = BigInt64Array.from(tokens.map(BigInt));
  const [content, buffers] = await new Promise((resolve) =>
    page.answer({id: 1, model: 'resolver', inputs: [['tokens', 'int64', shape]]}, [data.buffer],
      (content, buffers) => 'progress' in content || resolve([content, buffers])));
  if (content.error) throw new Error(content.error);
  const text = (buffer) => {
    let all = '';
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < bytes.length; i += 32768) all += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(all);
  };
  return content.outputs.map(([name, dtype, dims], i) => [name, dtype, dims, text(buffers[i])]);
}"""


class TestParity:
    def test_logits_and_weights_are_torchs(self, open_page, site):
        """On 300 random inputs, padded and not, of every length."""
        graph = registry.graph("resolver")
        page = open_page(CHAPTER)
        rng = np.random.default_rng(0)
        for number in range(60):
            n = 2 + number % 31
            tokens = rng.integers(1, len(corpus.vocabulary()), (5, n))
            for row in range(1, 5):
                tokens[row, rng.integers(1, n + 1) :] = 0
            found = page.evaluate(
                _ASK, [f"{site}/_static/live.js", tokens.ravel().tolist(), list(tokens.shape)]
            )
            expected = graph.answer({"tokens": tokens})
            assert [name for name, *_ in found] == list(expected)
            for name, dtype, dims, data in found:
                array = np.frombuffer(base64.b64decode(data), dtype).reshape(dims)
                np.testing.assert_allclose(array, expected[name], atol=1e-4)

    def test_words_are_cut_alike(self, open_page):
        rng = random.Random(0)  # noqa: S311
        pieces = [*corpus.vocabulary()[:40], *" \t\n\r\f\v\u00a0\u2003.,;:!?\"'“”‘’()[]…–—-_<>&",
                  "ÀÉß", "İ", "ſ", "É", "Ω", "שלום", "مرحبا", "👩‍👩‍👧", "it's", "DON’T", "ﬁ", "\u0301", "x²"]  # fmt: skip
        texts = ["".join(rng.choices(pieces, k=rng.randrange(1, 14))) for _ in range(2000)]
        source = (Path(__file__).parents[2] / "companion/widgets/lib/word_list.js").read_text()
        page = open_page("chapters/index.html")
        found = page.evaluate(
            """async ([source, texts]) => {
              const {tokenize} = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
              return texts.map(tokenize);
            }""",
            [source, texts],
        )
        assert found == [list(tokenize(text)) for text in texts]

    def test_every_network_is_named_in_the_widget(self, seen):
        radios = seen().place.get_by_role("radiogroup", name="Network").get_by_role("radio")
        assert radios.count() == len(VARIANTS)
        state = json.loads(
            seen().place.locator("script[type='application/json']").first.text_content()
        )
        assert state["variants"] == list(VARIANTS)
