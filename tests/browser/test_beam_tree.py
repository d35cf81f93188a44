"""The tree of a beam search, driven as a person drives it; what is read equals what Python's search finds."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.beam import beam_search, gnmt, power
from companion.beginnings import beginnings
from companion.widgets import BeamTree

CLOSE = 1e-6
SOS, EOS = 4, 3
AFTER = torch.tensor(
    [
        [0.1, 0.5, 0.3, 0.1],
        [0.7, 0.05, 0.2, 0.05],
        [0.25, 0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.4, 0.1, 0.0],
    ]
)
WORDS = ["I", "am", "hungry", "<eos>"]


class Slide:
    """The table of a slide: what comes next depends on the last word alone."""

    start, state, ends, longest, words = torch.tensor([SOS]), None, EOS, 2, WORDS

    def step(self, tokens, state):
        return AFTER.log()[tokens], state


class Machine:
    """A recurrent network of random weights; some words cannot come."""

    def __init__(self, seed, vocabulary=14, longest=7, ends=0):
        drawn = torch.Generator().manual_seed(seed)
        self.table = torch.randn(vocabulary + 1, 5, generator=drawn)
        self.again = torch.randn(5, 5, generator=drawn)
        self.out = 2 * torch.randn(5, vocabulary, generator=drawn)
        self.start, self.state = torch.tensor([vocabulary]), torch.zeros(1, 5)
        self.words = [f"w{i}" for i in range(vocabulary)]
        self.longest, self.ends = longest, ends

    def step(self, tokens, h):
        h = torch.tanh(self.table[tokens] + h @ self.again)
        logits = h @ self.out
        logits[:, 5] = -math.inf
        return logits, h


class Halting:
    """It ends with probability .4, or goes on in one way."""

    start, state, ends, longest, words = torch.tensor([1]), None, 0, 6, ["stop", "go"]

    def step(self, tokens, state):
        return torch.tensor([0.4, 0.6]).log().expand(len(tokens), 2), state


MODELS = {
    "slide": Slide(),
    "one": Machine(1),
    "two": Machine(2, ends=[1, 3]),
    "few words": Machine(3, vocabulary=6, longest=5),
    "halting": Halting(),
}


def table(model):
    return beginnings(
        model.step, model.start, model.state, end=model.ends, width=5, longest=model.longest
    )


EXAMPLES = {
    name: (f"source of {name}" if name != "slide" else "", table(model), model.words)
    for name, model in MODELS.items()
}

_READ = """(root) => ({
  nodes: [...root.querySelectorAll('.node')].filter((e) => !e.hidden).map((e) => ({
    at: e.dataset.at.split(',').map(Number), word: e.querySelector('.word').textContent,
    fate: e.classList[1], total: Number(e.dataset.exact), path: e.classList.contains('path'),
    numbers: [...e.querySelectorAll('.number span')].map((s) => s.textContent)})),
  found: [...root.querySelectorAll('.found li')].filter((e) => !e.hidden).map((e) => {
    const [, text, total, , score] = e.querySelectorAll('span');
    return {text: text.textContent, total: Number(total.dataset.exact), score: Number(score.dataset.exact),
      shown: score.textContent};
  }),
  sum: Number(root.querySelector('.sum .total')?.dataset.exact),
  parts: [...root.querySelectorAll('.sum span:not(.total)')].map((e) => e.firstChild.textContent),
  steps: Number(root.querySelector('.clock').textContent.match(/of (\\d+)/)[1]),
})"""


@dataclass
class Tree:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=BeamTree]")

    def pick(self, group: str, name: str) -> None:
        group = self.place.get_by_role("radiogroup", name=group)
        group.get_by_role("radio", name=name, exact=True).check()

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name, exact=True)

    def slide(self, name: str, value: float) -> None:
        self.place.get_by_role("slider", name=name).fill(f"{value:g}")

    def node(self, level: int, place: int) -> Locator:
        return self.place.locator(f"[data-at='{level},{place}']")

    def read(self) -> dict:
        return self.place.locator(".widget").evaluate(_READ)


@pytest.fixture
def tree(saved, open_page):
    """`tree(state, …)`: the widget with that state, on a page of its own."""

    def open_(state=None, **options):
        opened = Tree(open_page(saved(BeamTree(EXAMPLES, **(state or {}))), **options))
        expect(opened.place.locator(".clock")).to_contain_text("step ")
        return opened

    return open_


def agree(tree, model, *, width, alpha=0.0, penalty=gnmt):
    """All that is read is what Python's search finds."""
    (expected,) = beam_search(
        model.step,
        model.start,
        model.state,
        end=model.ends,
        width=width,
        longest=model.longest,
        alpha=alpha,
        penalty=penalty,
        keep_tree=True,
    )
    read = tree.read()
    levels = [[node for node in read["nodes"] if node["at"][0] == i] for i in range(read["steps"])]
    for level, found in itertools.zip_longest(expected.tree, levels):
        found.sort(key=lambda node: node["at"][1])
        assert [node["word"] for node in found] == [model.words[c.token] for c in level]
        assert [node["fate"] for node in found] == [c.fate for c in level]
        assert [node["total"] for node in found] == pytest.approx(
            [c.log_probability for c in level], abs=CLOSE
        )
        for node in found:
            assert node["numbers"][1] == f"{node['total']:.2f}".replace("-", "−")
    texts = [" ".join(model.words[t] for t in h.tokens) for h in expected.hypotheses]
    assert [line["text"] for line in read["found"]] == texts
    for line, text in zip(read["found"], expected.hypotheses, strict=True):
        assert line["score"] == pytest.approx(text.score, abs=CLOSE)
        assert line["total"] == pytest.approx(text.log_probability, abs=CLOSE)
        assert line["shown"] == f"{line['score']:.2f}".replace("-", "−")
    return read


class TestWhatIsRead:
    @pytest.mark.parametrize("name", list(MODELS)[:4])
    def test_every_width_and_penalty_finds_what_python_finds(self, tree, name):
        tree = tree()
        tree.pick("Sentence", name)
        different = set()
        for width, alpha in itertools.product((1, 2, 3, 5), (0.0, 0.6, 2.0)):
            tree.pick("Beam width", str(width))
            tree.slide("length penalty α", alpha)
            for kind, penalty in (("((5 + n) / 6)^α", gnmt), ("n^α", power)):
                tree.pick("divide by", kind)
                read = agree(tree, MODELS[name], width=width, alpha=alpha, penalty=penalty)
                different.add((read["steps"], *(line["text"] for line in read["found"])))
        assert len(different) >= 4  # else the comparison would say little

    def test_the_slide(self, tree):
        tree = tree()
        read = tree.read()
        assert [line["text"] for line in read["found"]] == ["am I", "I am"]
        assert [math.exp(line["total"]) for line in read["found"]] == pytest.approx([0.28, 0.25])
        expect(tree.place.locator(".sum .total")).to_contain_text("probability .28")
        tree.pick("Beam width", "1")
        assert [line["text"] for line in tree.read()["found"]] == ["I am"]

    def test_a_penalty_may_change_what_is_best(self, tree):
        tree = tree({"example": 4, "width": 3})
        assert tree.read()["found"][0]["text"] == "stop"
        tree.slide("length penalty α", 2)
        assert tree.read()["found"][0]["text"] == "go go go go go go"
        agree(tree, MODELS["halting"], width=3, alpha=2.0)


class TestHands:
    def test_it_grows_step_by_step(self, tree):
        tree = tree({"step": 0, "example": 1})
        assert tree.read()["nodes"] == []
        expect(tree.place.get_by_role("status")).to_contain_text("Only the start is there")
        expect(tree.button("back")).to_be_disabled()
        tree.button("next").click()
        assert {node["at"][0] for node in tree.read()["nodes"]} == {0}
        tree.button("next").click()
        assert {node["at"][0] for node in tree.read()["nodes"]} == {0, 1}
        tree.button("back").click()
        assert {node["at"][0] for node in tree.read()["nodes"]} == {0}
        steps = tree.read()["steps"]
        tree.slide("step", steps)
        expect(tree.button("next")).to_be_disabled()
        agree(tree, MODELS["one"], width=2)
        tree.pick("Beam width", "4")  # who has seen all sees all of another search
        agree(tree, MODELS["one"], width=4)

    def test_play_goes_to_the_end(self, tree):
        tree = tree()
        tree.button("▶ play").click()
        expect(tree.button("❚❚ pause")).to_be_visible()
        expect(tree.place.locator(".clock")).to_have_text("step 0 of 2")
        expect(tree.place.locator(".clock")).to_have_text("step 2 of 2")
        expect(tree.button("▶ play")).to_be_visible()

    def test_a_tap_follows_a_text_and_another_lets_go(self, tree):
        tree = tree({"example": 1, "width": 3}, width=390, touch=True)
        best = tree.read()
        assert best["parts"] == best["found"][0]["text"].split()
        assert best["sum"] == pytest.approx(best["found"][0]["total"])
        tree.node(1, 4).tap()
        read = tree.read()
        (node,) = (node for node in read["nodes"] if node["at"] == [1, 4])
        assert node["path"]
        assert len(read["parts"]) == 2
        assert read["parts"][1] == node["word"]
        assert read["sum"] == pytest.approx(node["total"])
        assert sum(each["path"] for each in read["nodes"]) == 2
        tree.node(1, 4).tap()
        assert tree.read()["parts"] == best["parts"]
        tree.place.locator("button.hypothesis").nth(1).tap()
        assert tree.read()["parts"] == best["found"][1]["text"].split()

    def test_keys_walk_along_the_tree(self, tree):
        tree = tree()
        tree.node(1, 0).focus()  # the end of the best text is where the Tab key stops
        expect(tree.node(1, 0)).to_have_attribute("tabindex", "0")
        for key, at in (
            ("ArrowDown", (1, 1)),
            ("ArrowLeft", (0, 0)),
            ("ArrowUp", (0, 0)),
            ("ArrowDown", (0, 1)),
            ("ArrowRight", (1, 0)),
            ("ArrowRight", (1, 0)),
        ):
            tree.page.keyboard.press(key)
            expect(tree.node(*at)).to_be_focused()
        tree.page.keyboard.press("ArrowDown")
        tree.page.keyboard.press("Enter")
        assert tree.read()["parts"] == ["I", "am"]
        assert tree.place.locator(".node[tabindex='0']").count() == 1

    def test_a_screen_reader_hears_each_word_and_the_best_text(self, tree):
        tree = tree()
        expect(tree.node(1, 0)).to_have_accessible_name(
            "I .70 −1.27 step 2, after am: cut, as there is no more room: a hypothesis"
        )
        expect(tree.place.get_by_role("status")).to_have_text(
            "Step 2: of the likeliest 4, 0 kept, 2 new hypotheses. Best so far: “am I”, score −1.27. The "
            "search is over."
        )

    def test_who_wants_no_motion_gets_none(self, tree):
        tree = tree({"step": 0})
        tree.page.emulate_media(reduced_motion="reduce")
        tree.button("▶ play").click()
        expect(tree.place.locator(".clock")).to_have_text("step 2 of 2")
        expect(tree.button("▶ play")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(tree, scheme, width):
    for state in ({}, {"example": 1, "width": 5, "alpha": 1.0}):
        page = tree(state, scheme=scheme, width=width).page
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("state", [{}, {"example": 1, "width": 4}])
@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
def test_the_room_kept_is_about_the_room_it_takes(saved, open_page, state, width, column):
    """In the book's column, which is narrower than a page of its own."""
    widget = BeamTree(EXAMPLES, **state)
    keep = widget.heights[width == 390]

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    page = open_page(saved(widget, change=narrowed), width=width)
    page.locator(".node").first.wait_for(state="attached")
    tall = page.evaluate("() => document.querySelector('[data-widget] > div').offsetHeight")
    assert keep - 170 < tall <= keep
