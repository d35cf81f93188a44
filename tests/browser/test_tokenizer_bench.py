"""The tokenizer bench, driven as a person drives it; what is read equals what Python learns and cuts."""

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion import unigram_learning
from companion.byte_pair_encoding import BytePairEncoding, learn
from companion.corpora import dialogues
from companion.tokenization import (
    WholeWords,
    bert_words,
    most_frequent,
    single_characters,
    spelled,
)
from companion.unigram import Unigram, space_marked_words
from companion.widgets import TokenizerBench
from companion.wordpiece import WordPiece, learn_wordpieces

TEXT = " ".join(turn.utterance for each in dialogues.generate(6, 0) for turn in each.turns)[:1800]
CUT = "I booked two bookings at booking.com for Zoë 🙂"
METHODS = ("words", "characters", "BPE", "WordPiece", "unigram", "bytes")


@dataclass
class Bench:
    """The widget, as a person uses and reads it."""

    page: Page

    @property
    def place(self) -> Locator:
        return self.page.locator("[data-widget=TokenizerBench]")

    def box(self, name: str) -> Locator:
        return self.place.get_by_role("textbox", name=name)

    @property
    def text(self) -> Locator:
        return self.box("Learn from this text")

    @property
    def cut(self) -> Locator:
        return self.box("Cut this one")

    @property
    def slider(self) -> Locator:
        return self.place.get_by_role("slider", name="merges")

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name)

    def row(self, method: str) -> Locator:
        return self.place.locator(".row").nth(METHODS.index(method))

    def pieces(self, method: str) -> Locator:
        return self.row(method).get_by_role("radio")

    def tokens(self, method: str) -> list[str]:
        return self.pieces(method).all_text_contents()

    def settle(self) -> None:
        """Wait until what was typed is learned."""
        self.page.wait_for_timeout(250)
        expect(self.row("unigram")).to_have_attribute("aria-busy", "false")

    def merge(self) -> str:
        return self.place.locator(".next").inner_text()


@pytest.fixture
def bench(saved, open_page):
    """`bench(state, …)`: the widget with that state, on a page of its own."""

    def open_(text=TEXT, cut=CUT, word="bookings", state=None, **options):
        widget = TokenizerBench(text, cut, word, **(state or {}))
        bench = Bench(open_page(saved(widget), **options))
        bench.settle()
        return bench

    return open_


def agree(bench):
    """Whatever stands in the boxes: all that is read is what Python learns, and makes of it."""
    text, cut = bench.text.input_value(), bench.cut.input_value()
    n = int(bench.slider.input_value())
    words = Counter(spelled(word) for word in bert_words(text))
    _, merges = learn(words, 10**9, suffix="</w>")
    assert (
        bench.place.locator(".slider + .number")
        .first.inner_text()
        .startswith(f"{n} of {len(merges)}")
    )
    if n < len(merges):
        step = merges[n]
        times = f"{step.count:,} time{'s' * (step.count > 1)}"
        assert bench.merge() == (
            f"Next: {step.left} + {step.right} becomes {step.joined}; side by side {times}."
        )
    else:
        assert bench.merge() == "Every word is one token."
    alphabet, _ = learn(words, 0, suffix="</w>")
    vocabulary = list(dict.fromkeys([*alphabet, *(step.joined for step in merges[:n])]))
    size = len(vocabulary)
    marked = Counter(spelled(word) for word in space_marked_words(text))
    singles = sorted({character for word in words for character in word})
    models = {
        "words": WholeWords(most_frequent((spelled(word) for word in bert_words(text)), size)),
        "characters": WholeWords(["[UNK]", *singles], words=single_characters),
        "BPE": BytePairEncoding(vocabulary, merges[:n], suffix="</w>"),
        "WordPiece": WordPiece(learn_wordpieces(words, size)),
        "unigram": Unigram(unigram_learning.learn(marked, size)),
    }
    for method, model in models.items():
        expected = model.encode(cut)
        found = bench.pieces(method)
        assert bench.tokens(method) == [piece.token for piece in expected]
        names = [found.nth(i).get_attribute("aria-label") for i in range(len(expected))]
        assert names == [f"{piece.token}, {told(piece)}" for piece in expected]
        head = bench.row(method).locator(".head").inner_text()
        unknown = sum(piece.id == 0 for piece in expected)
        plural = "s" * (len(expected) != 1)
        said = f"{len(expected)} token{plural}" + (f", {unknown} unknown" if unknown else "")
        assert said in head
        assert f"vocabulary: {len(model.vocabulary):,}" in head
        assert bench.row(method).locator(".unknown").count() == unknown
    assert f"{len(cut.encode())} token" in bench.row("bytes").locator(".head").inner_text()
    assert [byte_of(token) for token in bench.tokens("bytes")] == list(cut.encode())


def told(piece):
    if piece.end - piece.start == 1:
        return f"character {piece.start + 1}"
    return f"characters {piece.start + 1} to {piece.end}"


def byte_of(token):
    return int(token, 16) if len(token) == 2 else ord(token)


class TestWhatIsRead:
    @pytest.mark.parametrize("merges", [0, 60, 9999])
    def test_a_text_of_the_book(self, bench, merges):
        bench = bench(state={"merges": merges})
        agree(bench)

    @pytest.mark.parametrize(
        ("text", "cut"),
        [
            ("low low low lower newest newest widest", "lowest"),
            ("aaaa aaa aa a aaaaaaa", "aaaaaaaaaaaaa b"),
            ("Été à Zürich, ÉTÉ à Genève; ſtraße STRASSE İstanbul", "ÉTE\u0301 Istanbul"),
            ("שלום עולם שלום לכם, العربية عربي", "שלום, عرب!"),
            ("漢字かな漢字カナ 각도 각하 🙂🙂 👩🏽‍🚀", "漢字 각 🙂👩🏽‍🚀"),
            ("<b>bold</b> &amp; <script>alert(1)</script>", "<b>&amp;</script>"),
            ("a\u00a0b\tc\u200dd\ufffd ▁e ▁▁", " ▁ e  a"),
        ],
    )
    def test_what_a_person_types(self, bench, text, cut):
        bench = bench("once upon a time", "a time", state={"merges": 4})
        bench.text.fill(text)
        bench.cut.fill(cut)
        bench.settle()
        agree(bench)
        assert not bench.place.locator("b:not(.head b)").count()

    def test_with_nothing_to_cut_there_are_no_tokens(self, bench):
        bench = bench(cut="")
        agree(bench)
        assert violations(bench.page) == []

    def test_with_nothing_to_learn_from_it_asks_for_a_text(self, bench):
        bench = bench()
        bench.text.fill("  ")
        expect(bench.place.get_by_text("Write something to learn from.")).to_be_visible()
        expect(bench.row("BPE")).to_be_hidden()
        expect(bench.button("draw 100")).to_be_disabled()
        bench.text.fill("book a room")
        expect(bench.row("BPE")).to_be_visible()
        bench.settle()
        agree(bench)

    def test_too_long_a_text_is_not_cut_off_but_refused(self, bench):
        bench = bench()
        before = bench.tokens("BPE")
        bench.text.fill("a" * 5001)
        problem = bench.place.get_by_text("5,001 characters: too long.")
        expect(problem).to_be_visible()
        assert len(bench.text.input_value()) == 5001
        assert bench.tokens("BPE") == before
        bench.text.fill("a" * 5000)
        bench.settle()
        expect(problem).to_be_hidden()
        assert bench.tokens("BPE") != before

    def test_words_are_spelled_with_what_is_joined_so_far(self, bench):
        bench = bench("low low low lower newest newest widest", state={"merges": 0})
        items = bench.place.locator(".words li").all_inner_texts()
        first = re.sub(r"\s+", " ", items[0])
        assert first == "l o w</w> 3 ×"
        assert bench.place.locator(".words .joins").all_text_contents()[:2] == ["l", "o"]


class TestHands:
    def test_step_by_step(self, bench):
        bench = bench()
        seen = {bench.merge()}
        for n in (1, 2, 3):
            bench.button("one merge on").click()
            expect(bench.slider).to_have_value(str(n))
            seen.add(bench.merge())
        assert len(seen) == 4
        bench.button("one merge back").click()
        bench.settle()
        assert bench.merge() in seen
        agree(bench)

    def test_keys_move_the_slider(self, bench):
        bench = bench()
        bench.slider.focus()
        bench.page.keyboard.press("End")
        expect(bench.place.get_by_text("Every word is one token.")).to_be_visible()
        expect(bench.button("one merge on")).to_be_disabled()
        bench.settle()
        agree(bench)
        bench.page.keyboard.press("Home")
        expect(bench.button("one merge back")).to_be_disabled()

    def test_it_plays_and_pauses(self, bench):
        bench = bench()
        bench.button("play").click()
        expect(bench.slider).to_have_value("2")
        bench.button("pause").click()
        at = bench.slider.input_value()
        bench.page.wait_for_timeout(1000)
        assert bench.slider.input_value() == at
        agree(bench)

    def test_a_token_tells_what_it_covers(self, bench):
        bench = bench(cut="Zoë 🙂 bookings", state={"merges": 60})
        covers = bench.place.locator(".covers")
        bench.pieces("bytes").nth(5).hover()  # the emoji's first byte
        expect(covers).to_contain_text("bytes: F0, character 5")
        expect(covers.locator("mark")).to_have_text("🙂")
        bench.pieces("words").first.focus()
        expect(covers.locator("mark")).to_have_text("Zoë")
        bench.page.keyboard.press("ArrowRight")
        expect(covers.locator("mark")).to_have_text("🙂")
        expect(bench.pieces("words").nth(1)).to_be_focused()
        bench.page.keyboard.press("End")
        expect(covers.locator("mark")).to_have_text("bookings")
        bench.page.keyboard.press("Tab")
        expect(bench.pieces("characters").first).to_be_focused()

    def test_a_finger_does_too(self, bench):
        bench = bench(width=390, touch=True)
        bench.pieces("WordPiece").first.tap()
        expect(bench.place.locator(".covers")).to_contain_text("WordPiece: i")
        bench.button("one merge on").tap()
        expect(bench.slider).to_have_value("1")


def cuts(bench):
    """Of each line of the table: the cut, how often it was drawn, and its exact probability."""
    lines = bench.place.locator("tbody tr").all()
    return {
        line.locator("code").inner_text(): (
            int(line.locator("td").nth(1).inner_text()),
            float(line.locator("[data-exact]").get_attribute("data-exact")),
        )
        for line in lines
    }


class TestChance:
    @pytest.mark.parametrize("alpha", [0, 0.4, 1])
    def test_cuts_are_drawn_as_often_as_python_says(self, bench, alpha):
        bench = bench(
            word="lowest",
            text="low low lowest est slow west " * 3,
            state={"merges": 8, "alpha": alpha},
        )
        words = Counter(spelled(word) for word in bert_words(bench.text.input_value()))
        vocabulary, merges = learn(words, 10**9, suffix="</w>")
        size = len(vocabulary) - len({step.joined for step in merges[8:]})
        marked = Counter(spelled(word) for word in space_marked_words(bench.text.input_value()))
        model = Unigram(unigram_learning.learn(marked, size))
        probabilities = {
            " · ".join(edge.token for edge in cut): model.probability(cut, "▁lowest", alpha)
            for cut in model.cuts("▁lowest")
        }
        best = " · ".join(edge.token for edge in model.best("▁lowest"))
        expect(bench.place.locator("tbody tr")).to_have_count(1)
        assert cuts(bench) == {best: (0, pytest.approx(probabilities[best], abs=1e-9))}
        for _ in range(20):
            bench.button("draw 100").click()
        status = bench.place.get_by_text("can be cut in")
        expect(status).to_contain_text(f"“lowest” can be cut in {len(probabilities)} way")
        expect(status).to_contain_text("Drawn 2000 times")
        drawn = cuts(bench)
        assert len(drawn) == min(8, len(drawn))
        for name, (times, exact) in drawn.items():
            assert exact == pytest.approx(probabilities[name], abs=1e-9)
            spread = (2000 * exact * (1 - exact)) ** 0.5
            assert abs(times - 2000 * exact) <= 5 * spread + 1

    def test_another_alpha_begins_anew(self, bench):
        bench = bench()
        bench.button("draw 100").click()
        expect(bench.place.get_by_text("Drawn 100 times")).to_be_visible()
        bench.place.get_by_role("slider", name="alpha").focus()
        bench.page.keyboard.press("ArrowLeft")
        expect(bench.place.get_by_text("Nothing is drawn yet.")).to_be_visible()

    def test_without_a_word_nothing_is_drawn(self, bench):
        bench = bench()
        bench.box("Cut this word").fill("")
        expect(bench.button("draw 100")).to_be_disabled()
        bench.box("Cut this word").fill("x" * 25)
        expect(bench.place.get_by_text("25 characters: too long.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(bench, scheme, width):
    bench = bench(state={"merges": 40, "alpha": 0.3}, scheme=scheme, width=width)
    bench.button("draw 100").click()
    bench.pieces("BPE").nth(2).click()
    assert violations(bench.page) == []
    assert bench.page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "column"), [(1280, 688), (390, 358)])
@pytest.mark.parametrize("cut", [CUT, "Book it.", CUT * 3])
def test_the_room_kept_is_the_room_it_takes(saved, open_page, cut, width, column):
    """In the book's column, which is narrower than a page of its own."""
    widget = TokenizerBench(TEXT, cut, "bookings", merges=150)
    keep = widget.heights[width == 390]

    def narrowed(html):
        return html.replace("max-width:860px", f"width:{column}px;max-width:none")

    page = open_page(saved(widget, change=narrowed), width=width)
    page.wait_for_timeout(400)
    tall = "() => document.querySelector('[data-widget] > div').offsetHeight"
    assert keep - 200 < page.evaluate(tall) <= keep
