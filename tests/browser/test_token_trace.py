"""The trace of a token, driven as a person drives it; what is read equals what Python computes.

A model of random weights, on a page of its own: the prepared texts answer there, a text of one's own
does not.
"""

import re
from types import SimpleNamespace

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.language_model import LanguageModel
from companion.models import load
from companion.models.summarizer import prepare_trace as preparing
from companion.widgets import TokenTrace

WORDS = ["we", " book", " a", " table", " for", " two", "s", "\n", " ", "<b>x</b>"]
TEXTS = {"we book a table": [0, 1, 2, 3], "we books a\n table <b>x</b>": [0, 1, 6, 2, 7, 3, 9]}
BEGINS = dict(zip(TEXTS, (0, 4), strict=True))  # what comes before is given
LAYERS, HEADS = 3, 2
NAMES = ["embedding"] + [
    f"+ {kind} {layer + 1}" for layer in range(LAYERS) for kind in ("attention", "feed-forward")
]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    model = LanguageModel(len(WORDS), d_model=32, n_heads=HEADS, n_layers=LAYERS, d_ff=48)
    with torch.no_grad():
        for parameter in model.parameters():  # so that stages and heads differ visibly
            parameter.mul_(2.5)
    return model.eval()


@pytest.fixture(scope="module")
def widget(model):
    def cut(text):
        return TEXTS[text], [WORDS[i] for i in TEXTS[text]], BEGINS[text]

    examples = preparing.examples(model, list(TEXTS), cut)
    live = SimpleNamespace(name="none")
    return lambda **state: TokenTrace(live, vocabulary=WORDS, examples=examples, **state)


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=TokenTrace]").first

    def group(self, name: str) -> Locator:
        return self.place.get_by_role("radiogroup", name=name, exact=True)

    def stage(self, name: str) -> Locator:
        return self.group("Stage").get_by_role("radio", name=name)

    def token(self, number: int) -> Locator:
        return self.group("Token to follow").get_by_role("radio").nth(number)

    @property
    def told(self) -> Locator:
        return self.place.locator(".told")

    @property
    def title(self) -> Locator:
        return self.place.locator(".title")

    @property
    def hint(self) -> Locator:
        return self.place.locator(".hint")

    @property
    def says(self) -> list[tuple[str, float]]:
        rows = self.place.locator(".answer").all_inner_texts()
        read = (re.fullmatch(r"(.*?)\s+([\d.]+) %", row.strip(), re.DOTALL) for row in rows)
        return [(match[1].lstrip("␣"), float(match[2]) / 100) for match in read]

    @property
    def lengths(self) -> list[float]:
        return [float(x) for x in self.place.locator(".stages .long").all_inner_texts()]

    @property
    def arcs(self) -> int:
        return self.place.locator(".arcs svg path").count()

    def looks(self) -> list[float]:
        """How strongly each token is tinted."""
        tint = "(e) => parseInt(e.style.getPropertyValue('--look')) / 100"
        return [
            token.evaluate(tint)
            for token in self.group("Token to follow").get_by_role("radio").all()
        ]

    def bars(self, head: int) -> list[float]:
        """How tall the bars of a head are, as a share of the canvas."""
        return self.group("Heads").locator("canvas").nth(head).evaluate(_TALL)

    def strip(self, stage: int) -> list[list[int]]:
        return self.place.locator(".stages canvas").nth(stage).evaluate(_PIXELS)


_TALL = """(canvas) => {
  const {width, height} = canvas;
  const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
  const accent = getComputedStyle(canvas).getPropertyValue('--accent').trim();
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(accent.slice(i, i + 2), 16));
  return Array.from({length: width}, (_, x) => {
    let tall = 0;
    for (let y = 0; y < height; y++) {
      const at = 4 * (y * width + x);
      if (data[at + 3] > 200 && Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 12) tall++;
    }
    return tall / height;
  });
}"""
_PIXELS = """(canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, 1);
  return Array.from({length: canvas.width}, (_, i) => [...data.slice(4 * i, 4 * i + 3)]);
}"""


@pytest.fixture
def seen(saved, open_page, widget):
    """`seen(state, …)`: the widget with that state, on a page of its own."""

    def open_(state=None, **options):
        return Seen(open_page(saved(widget(**(state or {}))), **options))

    return open_


@pytest.fixture(scope="module")
def reading(model):
    """`reading(text)`: states (2 layers + 1, n, d_model) and weights (layers, heads, n, n)."""

    def read(text):
        with torch.no_grad():
            found = model.read(torch.tensor([TEXTS[text]]))
        return found.states[0], found.weights[0]

    return read


def said(model, vector):
    """The five likeliest next tokens, as a person reads them."""
    shares, best = model.score(vector).softmax(dim=-1).topk(5)
    words = [WORDS[i].removeprefix(" ").replace("\n", "⏎") or "" for i in best]
    return list(zip(words, shares.tolist(), strict=True))


def agree(shown, expected):
    assert [word for word, _ in shown] == [word for word, _ in expected]
    assert [x for _, x in shown] == [pytest.approx(x, abs=1.1e-3) for _, x in expected]


FIRST, SECOND = TEXTS


class TestWhatIsRead:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_every_stage_of_every_token(self, seen, model, reading, width):
        states, weights = reading(FIRST)
        seen = seen(width=width, touch=True)
        for at in range(4):
            seen.token(at).tap()
            for stage, name in enumerate(NAMES):
                seen.stage(name).tap()
                expect(seen.stage(name)).to_have_attribute("aria-checked", "true")
                agree(seen.says, said(model, states[stage, at]))
                if width == 390:
                    continue
                expected = torch.linalg.norm(states[:, at], dim=-1).tolist()
                assert seen.lengths == [pytest.approx(x, rel=2e-3, abs=6e-3) for x in expected]
                if stage % 2:
                    mean = weights[stage // 2, :, at].mean(dim=0).tolist()
                    assert seen.looks() == [pytest.approx(w, abs=6e-3) for w in mean]
                else:
                    assert seen.looks() == [0, 0, 0, 0]

    def test_what_a_stage_added(self, seen, reading):
        states, weights = reading(SECOND)
        seen = seen({"example": 1, "token": 5})
        expect(seen.told).to_have_text(
            "“table” begins as its row of a table: 32 numbers, the same wherever it stands."
        )
        for stage, name in list(enumerate(NAMES))[1:]:
            seen.stage(name).click()
            expect(seen.title).to_have_text(name.replace("+ ", "After "))
            before, after = states[stage - 1, 5], states[stage, 5]
            added = torch.linalg.norm(after - before).item()
            cosine = torch.cosine_similarity(before, after, dim=0).item()
            text = seen.told.inner_text().replace("−", "-")
            match = re.search(
                r"a vector of length ([\d.]+); cosine of before and after ([-\d.]+)\.$", text
            )
            assert float(match[1]) == pytest.approx(added, rel=3e-3, abs=6e-3)
            assert float(match[2]) == pytest.approx(cosine, abs=6e-3)
            if stage % 2:
                best = weights[stage // 2, :, 5].mean(dim=0).argmax().item()
                word = WORDS[TEXTS[SECOND][best]].strip(" ").replace("\n", "⏎")
                assert f"looked most at “{word}” (" in text
            else:
                assert "no other token is looked at" in text

    def test_heads(self, seen, reading):
        _, weights = reading(FIRST)
        seen = seen({"stage": 3})
        for head in range(HEADS):
            seen.group("Heads").get_by_role("radio", name=f"head {head + 1}").click()
            row = weights[1, head, 3].tolist()
            assert seen.looks() == [pytest.approx(w, abs=6e-3) for w in row]
            assert seen.arcs == sum(w >= 0.02 for w in row[:3])
            tall = seen.bars(head + 1)
            quarter = len(tall) / 4
            middles = [tall[int((j + 0.5) * quarter)] for j in range(4)]
            assert middles == [pytest.approx(w, abs=0.05) for w in row]
        seen.group("Heads").get_by_role("radio", name="mean").click()
        mean = weights[1, :, 3].mean(dim=0).tolist()
        assert seen.looks() == [pytest.approx(w, abs=6e-3) for w in mean]

    def test_the_strip_is_the_vector(self, seen, reading):
        """Orange below 0, purple above: the sign is seen in red against blue."""
        states, _ = reading(FIRST)
        strip = seen().strip(4)
        vector = states[4, 3]
        sizes = (vector / vector.square().mean().sqrt()).tolist()
        clear = [
            (x, red - blue) for x, (red, _, blue) in zip(sizes, strip, strict=True) if abs(x) > 0.5
        ]
        assert len(clear) > 10
        assert all((x < 0) == (warm > 0) for x, warm in clear)

    def test_a_screen_reader_hears_the_stages(self, seen, model, reading):
        states, _ = reading(FIRST)
        seen = seen()
        for stage, name in enumerate(NAMES):
            word, share = said(model, states[stage, 3])[0]
            length = torch.linalg.norm(states[stage, 3]).item()
            heard = seen.stage(name).get_attribute("aria-label")
            assert heard.startswith(f"{name}: length ")
            assert f"would say {word or '␣'}, {100 * share:.1f} %" in heard
            assert float(re.search(r"length ([\d.]+)", heard)[1]) == pytest.approx(length, rel=3e-3)


class TestHands:
    def test_keys_walk_along_tokens_and_stages(self, seen):
        seen = seen({"token": 1})
        seen.token(1).focus()
        seen.page.keyboard.press("ArrowRight")
        expect(seen.token(2)).to_be_focused()
        expect(seen.told).to_contain_text("“a” begins")
        seen.page.keyboard.press("End")
        expect(seen.told).to_contain_text("“table” begins")
        seen.page.keyboard.press("ArrowRight")
        expect(seen.token(0)).to_be_focused()
        expect(seen.told).to_contain_text("“we” begins")
        seen.stage("embedding").focus()
        seen.page.keyboard.press("ArrowDown")
        seen.page.keyboard.press("ArrowDown")
        expect(seen.title).to_have_text("After feed-forward 1")
        expect(seen.stage("+ feed-forward 1")).to_be_focused()
        seen.page.keyboard.press("Home")
        expect(seen.title).to_have_text("The embedding")

    def test_the_slider_scrubs(self, seen):
        seen = seen()
        slider = seen.place.get_by_role("slider", name="Stage")
        slider.focus()
        for name in NAMES[1:]:
            seen.page.keyboard.press("ArrowRight")
            expect(seen.stage(name)).to_have_attribute("aria-checked", "true")
        assert slider.get_attribute("aria-valuetext") == NAMES[-1]

    def test_it_plays_to_the_end_and_stops(self, seen):
        seen = seen({"stage": 4})
        play = seen.place.get_by_role("button", name="play")
        play.click()
        expect(seen.place.get_by_role("button", name="pause")).to_be_visible()
        expect(seen.title).to_have_text("After attention 3")
        expect(seen.title).to_have_text("After feed-forward 3")
        expect(play).to_be_visible()

    def test_a_hand_on_the_stages_stops_it(self, seen):
        seen = seen()
        seen.place.get_by_role("button", name="play").click()
        expect(seen.title).to_have_text("After attention 1")
        seen.stage("+ feed-forward 2").click()
        expect(seen.place.get_by_role("button", name="play")).to_be_visible()
        seen.page.wait_for_timeout(1300)
        expect(seen.title).to_have_text("After feed-forward 2")

    def test_nothing_plays_for_who_wants_no_motion(self, seen):
        seen = seen()
        seen.page.emulate_media(reduced_motion="reduce")
        seen.page.reload()
        expect(seen.title).to_have_text("The embedding")
        expect(seen.place.locator(".play")).to_be_hidden()

    def test_another_text_begins_at_its_last_token(self, seen, model, reading):
        seen = seen({"token": 1, "stage": 6})
        seen.group("Text").get_by_role("radio", name="we books a").check()
        expect(seen.token(2)).to_have_attribute("aria-checked", "true")
        states, _ = reading(SECOND)
        agree(seen.says, said(model, states[6, 6]))
        tokens = seen.group("Token to follow").get_by_role("radio").all_inner_texts()
        assert tokens == ["⏎", "␣table", "<b>x</b>"]
        given = seen.place.locator(".given").all_text_contents()
        assert given == ["we", " book", "s", " a"]

    def test_later_tokens_are_marked(self, seen):
        seen = seen({"token": 1})
        later = [
            "later" in token.get_attribute("class")
            for token in seen.group("Token to follow").get_by_role("radio").all()
        ]
        assert later == [False, False, True, True]


class TestOwnText:
    def test_without_a_model_it_says_so_and_keeps_its_examples(self, seen):
        seen = seen()
        seen.group("Text").get_by_role("radio", name="write your own").check()
        box = seen.place.get_by_role("textbox", name="Your own text")
        expect(box).to_be_focused()
        expect(box).to_have_value(FIRST)
        box.press_sequentially(" for")
        expect(seen.hint).to_contain_text("The prepared texts still answer.")
        expect(seen.told).to_be_hidden()
        box.fill("  ")
        expect(seen.hint).to_have_text("Write a few words.")
        seen.group("Text").get_by_role("radio", name="we book a table").check()
        expect(seen.hint).to_be_hidden()
        expect(seen.told).to_contain_text("“table” begins")


class TestGoingOn:
    def test_the_next_word_stands_behind_the_token_that_is_followed(self, seen, model, reading):
        states, _ = reading(FIRST)
        seen = seen({"token": 2})
        word = WORDS[model.score(states[-1, 2]).argmax()]
        seen.place.get_by_role("button", name="write its next token").click()
        box = seen.place.get_by_role("textbox", name="Your own text")
        expect(box).to_have_value(f"we book a{word}")

    def test_a_separator_is_written_between_what_is_given_and_the_rest(self, seen):
        seen = seen({"example": 1, "separator": "\n"})
        seen.group("Text").get_by_role("radio", name="write your own").check()
        box = seen.place.get_by_role("textbox", name="Your own text")
        expect(box).to_have_value("we books a \n  table<b>x</b>")

    def test_the_end_is_not_written(self, seen, model, reading):
        states, _ = reading(FIRST)
        end = WORDS[model.score(states[-1, 3]).argmax()]
        expect(seen({"end": end}).place.get_by_role("button", name="it ends here")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(seen, scheme, width):
    for state in ({}, {"stage": 3, "token": 2}, {"own": "we"}):
        page = seen(state, scheme=scheme, width=width)
        assert violations(page.page) == []
        assert page.page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps(seen, widget, width):
    """The place kept free is at least the room it takes, at every stage."""
    seen = seen(width=width)
    keep = widget().heights[width == 390]
    tall = "() => document.querySelector('[data-widget] > div').offsetHeight"
    for name in NAMES:
        seen.stage(name).click()
        assert keep - 90 < seen.page.evaluate(tall) <= keep


class TestLive:
    """In the chapter: the shipped model reads what a person types."""

    CHAPTER = "chapters/week2-transformers/block-stack-model.html"

    def test_a_text_of_ones_own_is_read_as_python_reads_it(self, open_page):
        seen = Seen(open_page(self.CHAPTER))
        text = "User: A room in Oslo for 3 nights.\nAgent: Done!\n<summary> The user reserved a room in"
        seen.place.get_by_role("radio", name="write your own").check()
        seen.place.get_by_role("textbox").fill(text)
        shipped = load("summarizer")
        ids, pieces, begin = preparing.cut(text)
        with torch.no_grad():
            reading = shipped.read(torch.tensor([ids]))
            states = reading.states[0, :, -1]  # (2 layers + 1, d_model)
            odds = shipped.score(states[-1]).softmax(dim=-1)  # (vocabulary,)
        tokens = seen.group("Token to follow").get_by_role("radio")
        expect(tokens).to_contain_text([x.strip() for x in pieces[begin:]], timeout=20_000)
        expect(seen.hint).to_be_empty()  # nothing is being read
        tokens.last.click()
        seen.place.get_by_role("radio", name="+ feed-forward 4").click()
        assert seen.lengths == pytest.approx(states.norm(dim=-1).tolist(), abs=0.006)
        shares, best = odds.topk(5)
        assert [share for _, share in seen.says] == pytest.approx(shares.tolist(), abs=6e-4)
        assert seen.says[0][0].strip() == preparing.decode([int(best[0])]).strip()
