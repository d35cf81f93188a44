"""The beam of the translator as a tree: of what a person types it finds what Python's search finds."""

import itertools
import re
from dataclasses import dataclass

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.beam import beam_search, gnmt, power
from companion.models import live, load
from companion.models.translator import prepare_trees, translate
from companion.models.translator.ask import MORE, read
from companion.models.translator.pieces import decode
from companion.models.translator.recipe import END, LONGEST
from companion.widgets import TranslationTree

CHAPTER = "chapters/week1-translation/choosing-words.html"
CLOSE = 1e-3
ROUNDED = 5e-3  # of an unlikely text: the published weights are rounded
SLOW = 30_000  # milliseconds for a whole search on a busy machine
TEXTS = ["A crowd is watching a man who is juggling.", "A girl is jumping into a pool."]
KINDS = {"((5 + n) / 6)^α": gnmt, "n^α": power}

_READ = """(root) => ({
  nodes: [...root.querySelectorAll('.node')].filter((e) => !e.hidden).map((e) => ({
    at: e.dataset.at.split(',').map(Number), word: e.querySelector('.word').textContent,
    fate: e.classList[1], total: Number(e.dataset.exact), path: e.classList.contains('path')})),
  found: [...root.querySelectorAll('.found li')].filter((e) => !e.hidden).map((e) => {
    const [, text, total, , score] = e.querySelectorAll('span');
    return {text: text.textContent, total: Number(total.dataset.exact), score: Number(score.dataset.exact)};
  }),
  sum: Number(root.querySelector('.sum .total')?.dataset.exact),
  pieces: [...root.querySelectorAll('.sum b')].map((e) => e.textContent),
})"""


@pytest.fixture(scope="module")
def model():
    return load("translator")


@dataclass
class Tree:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=TranslationTree]")

    @property
    def box(self) -> Locator:
        return self.place.get_by_role("textbox")

    @property
    def hint(self) -> Locator:
        return self.place.locator(".hint")

    @property
    def source(self) -> Locator:
        return self.place.locator(".source")

    def write(self, text: str) -> None:
        """Type over what is there, key by key."""
        self.box.focus()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
        self.wait()

    def wait(self) -> None:
        expect(self.hint).to_be_empty(timeout=SLOW)
        expect(self.source).to_have_text(f"“{' '.join(self.box.input_value().split())}”")

    def pick(self, group: str, name: str) -> None:
        group = self.place.get_by_role("radiogroup", name=group)
        group.get_by_role("radio", name=name, exact=True).check()
        self.wait()

    def slide(self, name: str, value: float) -> None:
        self.place.get_by_role("slider", name=name).fill(f"{value:g}")
        self.wait()

    def node(self, level: int, place: int) -> Locator:
        return self.place.locator(f"[data-at='{level},{place}']")

    def caption(self, text: str) -> Locator:
        return self.place.get_by_role("button", name=text, exact=True)

    def read(self) -> dict:
        return self.place.locator(".widget").evaluate(_READ)


@pytest.fixture(scope="module")
def prepared(model):
    return prepare_trees(model, TEXTS)


@pytest.fixture
def tree(saved, open_page, prepared):
    """`tree(state, …)`: the widget with that state, on a page of its own, where no model is."""

    def open_(state=None, change=str, **options):
        widget = TranslationTree(live("translator"), **prepared, **(state or {}))
        opened = Tree(open_page(saved(widget, change=change), **options))
        expect(opened.source).to_contain_text("“")
        return opened

    return open_


@pytest.fixture
def in_book(open_page):
    """`in_book(…)`: the widget in its chapter, where the model is."""

    def open_(address=CHAPTER, **options):
        opened = Tree(open_page(address, **options))
        expect(opened.source).to_contain_text("“")
        return opened

    return open_


def seen(text):
    """A piece or a text as it is shown."""
    return "(end)" if text is None else re.sub("^ (?=.)", "␣", text)


def agree(tree, model, text, *, width, alpha, penalty, close=CLOSE):
    """All that is read is what Python's search over the same sentence finds."""
    row = read(0, text)
    (expected,) = beam_search(
        lambda tokens, state: model.step(tokens, state)[::2],
        torch.tensor([END]),
        model.start(torch.tensor([row])),
        end=END,
        width=width,
        longest=min(LONGEST, len(row) + MORE),
        alpha=alpha,
        penalty=penalty,
        keep_tree=True,
    )
    found = tree.read()
    for level, each in enumerate(expected.tree):
        nodes = sorted((n for n in found["nodes"] if n["at"][0] == level), key=lambda n: n["at"])
        if close == CLOSE:  # else those of nearly equal probability may have changed places
            assert [n["fate"] for n in nodes] == [c.fate for c in each]
            pieces = [None if c.token == END else decode([c.token]) for c in each]
            assert [n["word"] for n in nodes] == [seen(piece) for piece in pieces]
        assert [n["total"] for n in nodes] == pytest.approx(
            [c.log_probability for c in each], abs=close
        )
    assert len(found["nodes"]) == sum(map(len, expected.tree))
    assert [line["text"] for line in found["found"]] == [
        decode([t for t in h.tokens if t != END]).strip() or "(nothing)"
        for h in expected.hypotheses
    ]
    for line, one in zip(found["found"], expected.hypotheses, strict=True):
        assert line["total"] == pytest.approx(one.log_probability, abs=close)
        assert line["score"] == pytest.approx(one.score, abs=close)
    return found


def best_is_translates(tree, model, text, **how):
    (expected, *_), found = translate(model, [text], **how)[0], tree.read()
    assert found["found"][0]["text"] == expected.text
    assert found["found"][0]["total"] == pytest.approx(expected.log_probability, abs=CLOSE)
    assert found["found"][0]["score"] == pytest.approx(expected.score, abs=CLOSE)
    assert found["sum"] == pytest.approx(expected.log_probability, abs=CLOSE)
    joined = "".join(piece.replace("␣", " ") for piece in found["pieces"])
    assert joined.removesuffix("(end)").strip() == expected.text


class TestPrepared:
    def test_every_beam_is_pythons_and_no_model_is_asked(self, tree, model):
        tree = tree()
        asked = len(tree.page.recorder.responses)
        for text in TEXTS:
            tree.caption(text).click()
            tree.wait()
            for width, alpha in itertools.product((1, 4, 5), (0.0, 1.0)):
                tree.pick("Beam width", str(width))
                tree.slide("length penalty α", alpha)
                for kind, penalty in KINDS.items():
                    tree.pick("divide by", kind)
                    agree(tree, model, text, width=width, alpha=alpha, penalty=penalty)
        assert len(tree.page.recorder.responses) == asked

    def test_typing_a_prepared_caption_needs_no_model(self, tree, model):
        tree = tree({"width": 5})
        tree.write(f"  {TEXTS[1]}")
        best_is_translates(tree, model, TEXTS[1])

    def test_a_tap_follows_a_text_and_another_lets_go(self, tree):
        tree = tree({"width": 3}, width=390, touch=True)
        best = tree.read()
        tree.node(1, 4).tap()
        followed = tree.read()
        (node,) = (node for node in followed["nodes"] if node["at"] == [1, 4])
        assert node["path"]
        assert len(followed["pieces"]) == 2
        assert followed["pieces"][1] == node["word"]
        assert followed["sum"] == pytest.approx(node["total"])
        tree.node(1, 4).tap()
        assert tree.read()["pieces"] == best["pieces"]
        tree.place.locator("button.hypothesis").nth(1).tap()
        joined = "".join(tree.read()["pieces"]).replace("␣", " ").removesuffix("(end)")
        assert joined == best["found"][1]["text"]
        tree.caption(TEXTS[1]).tap()
        tree.wait()
        assert tree.read()["pieces"][-1] == "(end)"  # another caption's best, not what was followed

    def test_it_grows_step_by_step_and_keys_walk_along_it(self, tree):
        tree = tree({"step": 0})
        assert tree.read()["nodes"] == []
        for level in range(2):
            tree.place.get_by_role("button", name="next", exact=True).press("Enter")
            assert {node["at"][0] for node in tree.read()["nodes"]} == set(range(level + 1))
        tree.node(0, 0).focus()
        tree.page.keyboard.press("ArrowDown")
        expect(tree.node(0, 1)).to_be_focused()
        tree.page.keyboard.press("Enter")
        assert tree.read()["pieces"] == ["Ein"]

    def test_play_goes_to_the_end(self, tree):
        tree = tree({"width": 1, "example": 1})
        tree.page.clock.install()
        tree.place.get_by_role("button", name="play").click()
        expect(tree.place.locator(".clock")).to_contain_text("step 0")
        tree.page.clock.run_for(30_000)
        expect(tree.place.locator(".clock")).to_have_text(re.compile(r"step (\d+) of \1$"))

    def test_a_screen_reader_hears_a_piece_without_the_sign_for_its_space(self, tree):
        tree = tree({"width": 3, "example": 1})
        expect(tree.node(1, 0)).to_have_accessible_name(
            re.compile(r"^Mädchen \.\d+ −\d\.\d+ step 2, after Ein: kept$")
        )

    def test_an_empty_caption_says_what_to_do_and_leaves_the_tree(self, tree):
        tree = tree()
        before = tree.read()
        tree.box.fill("  ")
        expect(tree.hint).to_contain_text("Type a caption")
        assert tree.read() == before
        expect(tree.source).to_have_text(f"“{TEXTS[0]}”")

    def test_from_disk_it_says_so_and_keeps_its_captions(self, desk, open_page, prepared, model):
        path = desk / "translation_tree.html"
        TranslationTree(live("translator"), **prepared, width=5).save_html(path)
        tree = Tree(open_page(path))
        expect(tree.source).to_contain_text("“")
        tree.box.fill("A dog.")
        expect(tree.hint).to_contain_text("The prepared captions still answer.", timeout=SLOW)
        tree.caption(TEXTS[1]).click()
        tree.wait()
        best_is_translates(tree, model, TEXTS[1])

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
    @pytest.mark.parametrize("state", [{}, {"width": 5, "example": 1}])
    def test_everyone_can_use_it_and_room_is_kept(
        self, tree, prepared, state, width, column, scheme
    ):
        """In the book's column, which is narrower than a page of its own."""

        def narrowed(html):
            return html.replace("max-width:860px", f"width:{column}px;max-width:none")

        page = tree(state, narrowed, width=width, scheme=scheme).page
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        kept = TranslationTree(live("translator"), **prepared, **state).heights[width == 390]
        tall = page.evaluate("() => document.querySelector('[data-widget] > div').offsetHeight")
        assert kept - 170 < tall <= kept


class TestOwn:
    def test_it_searches_for_what_a_person_types_as_python_does(self, in_book, model):
        tree = in_book()
        for text in ("A dog is catching a ball.", "Three girls in green dresses are dancing."):
            tree.write(text)
            agree(tree, model, text, width=3, alpha=1.0, penalty=power, close=ROUNDED)
            best_is_translates(tree, model, text, width=3)

    def test_other_beams(self, in_book, model):
        tree = in_book()
        text = "A child is throwing a ball into the water."
        tree.write(text)
        tree.pick("Beam width", "5")
        best_is_translates(tree, model, text)
        tree.slide("length penalty α", 0)
        best_is_translates(tree, model, text, alpha=0.0)
        tree.slide("length penalty α", 0.6)
        tree.pick("divide by", "((5 + n) / 6)^α")
        tree.pick("Beam width", "2")
        found = agree(tree, model, text, width=2, alpha=0.6, penalty=gnmt, close=ROUNDED)
        assert len(found["found"]) == 2

    def test_a_finger_follows_a_piece_of_it(self, in_book):
        tree = in_book(width=390, touch=True)
        tree.box.tap()
        tree.write("A man is climbing a rock.")
        tree.node(0, 1).tap()
        found = tree.read()
        assert found["pieces"] == [tree.node(0, 1).locator(".word").inner_text()]
        assert sum(node["path"] for node in found["nodes"]) == 1
        tree.caption(TEXTS[0]).tap()
        tree.wait()
        expect(tree.box).to_have_value(TEXTS[0])

    def test_only_what_is_typed_loads_the_model(self, in_book, site):
        tree = in_book()
        models = [r.url for r in tree.page.recorder.responses if "/models/" in r.url]
        assert models == []
        tree.write("A dog.")
        loaded = [r.url for r in tree.page.recorder.responses]
        assert any("/models/translator-" in url for url in loaded)
        assert all(url.startswith((site, "blob:", "data:")) for url in loaded)

    @pytest.mark.parametrize(
        "text", ["<b>A dog</b> & <script>alert(1)</script> <end>", "שלום 👩‍👩‍👧", "?"]
    )
    def test_strange_text_gets_an_answer_and_is_shown_as_text(self, in_book, model, text):
        tree = in_book()
        tree.box.fill(text)
        tree.wait()
        expect(tree.source).to_have_text(f"“{text}”")
        # Of nonsense the model is so unsure that rounding decides between beginnings.
        best = translate(model, [text], width=3)[0][0]
        assert tree.read()["found"][0]["score"] == pytest.approx(best.score, rel=0.1)

    def test_a_very_long_one_is_too_long(self, in_book):
        tree = in_book()
        tree.box.fill("xq" * 150)
        expect(tree.hint).to_contain_text(
            re.compile(r"That is \d+ tokens; it reads at most 80"), timeout=SLOW
        )
        tree.caption(TEXTS[0]).click()
        tree.wait()
