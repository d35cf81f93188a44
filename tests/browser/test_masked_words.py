"""The masked words: what a person hides, and what the page's model guesses, beside torch's guesses."""

import math
import re

import pytest
from axe import violations
from playwright.sync_api import Page, expect

from companion.models import live, load
from companion.models.bert.ask import ROOM, cut, guess, hidden_after, likeliest
from companion.models.bert.pieces import MASK, SIZE, SPECIAL, encode, names
from companion.models.bert.prepare import prepare
from companion.widgets import MaskedWords

CHAPTER = "chapters/week3-bert-and-t5/reading-with-holes.html"
SLOW = 30_000  # milliseconds for a first answer on a busy machine
TEXTS = {"I need a table for two at 7 pm.": [5], "Agent: What is your phone number?": [5, 6]}
OWN = "I would like to book a room for three nights."


@pytest.fixture(scope="module")
def model():
    return load("bert")


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=MaskedWords]").first
        self.box = self.place.get_by_role("textbox")
        self.hint = self.place.locator(".hint")
        self.told = self.place.locator(".told")
        self.pieces = self.place.locator(".piece button")
        self.cards = self.place.locator(".card")

    def write(self, text: str) -> None:
        self.box.fill(text)
        self.wait()

    def wait(self) -> None:
        expect(self.hint).to_be_empty(timeout=SLOW)

    def hide(self, *places: int) -> None:
        for place in places:
            self.pieces.nth(place).click()
        self.wait()

    def press(self, name: str) -> None:
        self.place.get_by_role("button", name=name, exact=True).click()
        self.wait()

    def guesses(self, card: int, side: int) -> list[tuple[str, float]]:
        """What is listed for a hole: from both sides (0), or with the right side hidden (1)."""
        lines = self.cards.nth(card).locator(".side").nth(side).locator("li")
        shares = lines.evaluate_all("(all) => all.map((e) => Number(e.dataset.exact))")
        texts = lines.locator("> :first-child").all_inner_texts()
        return [(text.removesuffix(" ✓"), x) for text, x in zip(texts, shares, strict=True)]

    def kinds(self) -> list[str]:
        """How each piece is shown: "", masked, replaced or kept."""
        classes = self.place.locator(".piece").evaluate_all("(all) => all.map((e) => e.className)")
        return [name.removeprefix("piece").strip() for name in classes]


@pytest.fixture
def seen(open_page):
    def open_(address=CHAPTER, **options):
        return Seen(open_page(address, **options))

    return open_


def widget(**state):
    return MaskedWords(live("bert"), **prepare(load("bert"), TEXTS), **state)


def agrees(found, expected):
    assert [piece for piece, _ in found] == [one.piece for one in expected]
    assert [x for _, x in found] == pytest.approx([one.probability for one in expected], abs=1e-3)


class TestPrepared:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_guesses_are_pythons(self, saved, seen, model, width):
        seen = seen(saved(widget()), width=width, touch=True)
        for text, hide in TEXTS.items():
            seen.place.get_by_role("button", name=text, exact=True).tap()
            expect(seen.cards).to_have_count(len(hide))
            expected = [names()[number] for number in cut(text)]
            for place in hide:
                expected[place] = "____"
            assert seen.pieces.all_inner_texts() == expected
            for card, hole in enumerate(guess(model, text, hide)):
                agrees(seen.guesses(card, 0), hole.guesses)
                agrees(seen.guesses(card, 1), hole.from_left)

    def test_a_place_says_what_it_is(self, saved, seen):
        seen = seen(saved(widget()))
        seen.place.get_by_role("button", name="6: table, hidden").wait_for()
        button = seen.place.get_by_role("button", name="7: for, shown")
        assert button.get_attribute("aria-pressed") == "false"
        expect(seen.told).to_contain_text("1 piece asked for.")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, saved, open_page, width, scheme):
        holes = [[0, MASK], [3, 50], [6, cut(next(iter(TEXTS)))[6]]]  # of all three kinds
        for made in (widget(), widget(holes=holes)):
            page = open_page(saved(made), width=width, scheme=scheme, expected=None)
            assert violations(page) == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        page = open_page(saved(widget()), width=width, scheme=scheme)
        tall = page.locator(".widget").bounding_box()["height"]
        kept = widget().heights[width == 390]
        assert kept - 250 <= tall <= kept

    def test_without_a_site_it_says_so_and_keeps_its_sentences(self, saved, seen):
        seen = seen(saved(widget()))
        seen.pieces.first.click()
        expect(seen.hint).to_contain_text("The prepared sentences still answer.")
        expect(seen.cards).to_have_count(0)  # they were about other holes
        expect(seen.told).to_be_empty()
        seen.pieces.first.click()
        expect(seen.hint).to_be_empty()
        expect(seen.cards).to_have_count(1)


class TestOwn:
    def test_it_guesses_as_torch_does(self, seen, model):
        seen = seen()
        seen.write(OWN)
        expect(seen.told).to_contain_text("Nothing is hidden: tap a word.")
        assert seen.pieces.all_inner_texts() == [names()[number] for number in cut(OWN)]
        seen.hide(7)
        expect(seen.cards).to_have_count(1)
        (hole,) = guess(model, OWN, [7])
        agrees(seen.guesses(0, 0), hole.guesses)
        agrees(seen.guesses(0, 1), hole.from_left)
        seen.hide(10, 5)
        expect(seen.cards).to_have_count(3)
        for card, hole in enumerate(guess(model, OWN, [5, 7, 10])):
            agrees(seen.guesses(card, 0), hole.guesses)
            agrees(seen.guesses(card, 1), hole.from_left)
        best = seen.place.locator(".piece.masked .guess").all_inner_texts()
        first = [hole.guesses[0] for hole in guess(model, OWN, [5, 7, 10])]
        for text, one in zip(best, first, strict=True):
            assert text.startswith(f"{one.piece} ")
            assert int(text.split()[-2]) == pytest.approx(100 * one.probability, abs=0.6)

    def test_what_was_hidden_is_marked_where_it_is_guessed_and_ranked_where_it_is_not(
        self, seen, model
    ):
        seen = seen()
        seen.write(OWN)
        for place, piece in enumerate(cut(OWN)[:6]):
            seen.hide(place)
            expect(seen.cards).to_contain_text(f"piece {place + 1}:")
            (hole,) = guess(model, OWN, [place], most=SIZE)
            for side, guesses in enumerate((hole.guesses, hole.from_left)):
                rank = [one.piece for one in guesses].index(names()[piece]) + 1
                shown = seen.cards.first.locator(".side").nth(side)
                if rank <= 5:
                    assert shown.locator("li.right").count() == 1
                else:
                    expect(shown.locator(".own-word")).to_contain_text(f"rank {rank}")
            seen.hide(place)

    def test_by_keyboard_alone(self, seen, model):
        seen = seen()
        seen.box.focus()
        seen.page.keyboard.press("Control+a")
        seen.page.keyboard.type(OWN)
        seen.wait()
        expect(seen.pieces).to_have_count(len(cut(OWN)))
        seen.pieces.nth(6).focus()
        seen.page.keyboard.press("Enter")
        seen.wait()
        expect(seen.cards).to_have_count(1)
        agrees(seen.guesses(0, 0), guess(model, OWN, [6])[0].guesses)
        seen.page.keyboard.press("Space")
        expect(seen.cards).to_have_count(0)

    def test_a_hole_may_be_typed(self, seen, model):
        seen = seen()
        text = "I need a [MASK] for two [MASK]."
        seen.write(text)
        expect(seen.cards).to_have_count(2)
        for card, hole in enumerate(guess(model, text)):
            agrees(seen.guesses(card, 0), hole.guesses)
        expect(seen.pieces.nth(5)).to_be_disabled()
        assert seen.place.locator(".own-word").all_inner_texts() == [""] * 4

    def test_more_holes_than_are_listed(self, seen, model):
        seen = seen()
        seen.write(OWN)
        seen.hide(*range(8))
        expect(seen.cards).to_have_count(6)
        expect(seen.told).to_contain_text("8 pieces asked for. The first 6 are listed")
        expect(seen.place.locator(".piece.masked .guess").filter(has_text="%")).to_have_count(8)
        last = guess(model, OWN, range(8))[7].guesses[0]
        assert last.piece in seen.place.locator(".piece .guess").nth(7).inner_text()
        seen.press("show all")
        expect(seen.cards).to_have_count(0)

    @pytest.mark.parametrize(
        "text",
        [
            "<b>a table</b> & <script>alert(1)</script> [SEP] [CLS]",
            "ZÜRICH café naïve İstanbul ﬁne Straße ＡＢＣ",
            "漢字 שלום مرحبا 🙂👩🏽 e\u0301\u0323 x\u200dy\u00a0z\ufeffw",
            "don't, 7:30pm—$5.00! @#%^*()_+=~`|\\",
            "supercalifragilisticexpialidocious qzxjvkw 1234567890",
            "x" * 101,
        ],
    )
    def test_any_text_is_cut_as_in_python_and_shown_as_text(self, seen, model, text):
        seen = seen()
        seen.write(text)
        one_line = " ".join(re.sub(r"[\s\ufeff]|[\x00-\x1f\x7f-\x9f]", " ", text).split())
        expected = encode(f"User: {one_line}")[0]
        assert seen.pieces.all_inner_texts() == [names()[number] for number in expected]
        seen.hide(2)
        agrees(seen.guesses(0, 0), guess(model, one_line, [2])[0].guesses)
        unknown = sum(names()[number] == "[UNK]" for number in expected)
        if unknown:
            expect(seen.told).to_contain_text(f"({unknown} word")

    def test_whole_alphabets_are_cut_as_in_python(self, seen):
        """Latin to Hebrew, symbols, Chinese and emoji; of others, tables of Unicode differ by age."""
        page = seen().page
        blocks = ((0x21, 0x600), (0x1E00, 0x2C00), (0x3000, 0x5000), (0x1F300, 0x1F700))
        characters = [chr(i) for block in blocks for i in range(*block)]
        texts = ["a".join(characters[i : i + 20]) for i in range(0, len(characters), 20)]
        found = page.evaluate(
            """async (texts) => {
              const root = document.documentElement.dataset.content_root;
              const at = new URL(`${root}_static/`, document.baseURI);
              const {Tokenizer} = await import(new URL("vendor/tokenizers.mjs", at).href);
              const {models} = await (await fetch(new URL("live.json", at))).json();
              const file = await (await fetch(new URL(models.bert.tokenizer.url, at))).json();
              const tokenizer = new Tokenizer(file, {});
              return texts.map((text) => tokenizer.encode(text).ids);
            }""",
            texts,
        )
        differ = [t for t, ids in zip(texts, found, strict=True) if list(ids) != encode(t)[0]]
        assert differ == []

    def test_an_empty_text_says_what_to_do(self, seen):
        seen = seen()
        seen.box.fill("  ")
        expect(seen.hint).to_contain_text("Type a sentence")
        expect(seen.cards).to_have_count(0)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a table " * 40, f"That is 82 pieces; it reads at most {ROOM} here."),
            ("a table " * 400, "letters; it reads at most 2000."),
        ],
    )
    def test_a_long_text_is_refused_whole(self, seen, text, told):
        seen = seen()
        seen.box.fill(text)
        expect(seen.hint).to_contain_text(told, timeout=SLOW)
        expect(seen.pieces.first).to_be_disabled()
        seen.place.locator(".try").first.click()
        expect(seen.hint).to_be_empty()
        expect(seen.pieces.first).to_be_enabled()


class TestDraws:
    def test_a_draw_shows_what_each_piece_became(self, seen):
        seen = seen()
        text = " ".join(["I need a table for two at seven in the city please"] * 4)
        seen.write(text)
        ids = cut(text)
        slider = seen.place.get_by_role("slider")
        slider.press("End")
        counts = {"masked": 0, "replaced": 0, "kept": 0, "": 0}
        for _ in range(20):
            seen.press("draw as BERT does")
            kinds = seen.kinds()
            for kind, shown, number in zip(kinds, seen.pieces.all_inner_texts(), ids, strict=True):
                counts[kind] += 1
                assert (shown == names()[number]) == (kind in ("", "kept"))
                assert (shown == "____") == (kind == "masked")
                assert shown not in SPECIAL
        total, drawn = sum(counts.values()), sum(counts.values()) - counts[""]
        within(drawn, total, 0.5)
        for kind, share in {"masked": 0.8, "replaced": 0.1, "kept": 0.1}.items():
            within(counts[kind], drawn, share)

    def test_what_is_replaced_and_kept_is_seen_by_the_model(self, seen, model):
        seen = seen()
        seen.write(OWN)
        given = cut(OWN)
        slider = seen.place.get_by_role("slider")
        slider.press("End")
        for _ in range(30):
            seen.press("draw as BERT does")
            kinds = seen.kinds()
            if {"replaced", "kept"} <= set(kinds) and sum(map(bool, kinds)) <= 6:
                break
        shown = seen.pieces.all_inner_texts()
        for place, (kind, text) in enumerate(zip(kinds, shown, strict=True)):
            given[place] = MASK if kind == "masked" else names().index(text)
        places = [place for place, kind in enumerate(kinds) if kind]
        for card, place in enumerate(places[:6]):
            agrees(seen.guesses(card, 0), likeliest(model, given, place))
            agrees(seen.guesses(card, 1), likeliest(model, hidden_after(given, place), place))

    def test_hide_at_random_hides(self, seen):
        seen = seen()
        seen.write(OWN)
        seen.place.get_by_role("slider").press("End")
        for _ in range(5):
            seen.press("hide at random")
            assert set(seen.kinds()) <= {"", "masked"}

    def test_a_draw_of_nothing_says_so(self, seen):
        seen = seen()
        seen.write("Hi")
        seen.place.get_by_role("slider").press("Home")
        for _ in range(20):
            seen.press("draw as BERT does")
            if not any(seen.kinds()):
                break
        expect(seen.told).to_contain_text("Nothing was drawn this time")


def within(count, n, share):
    assert abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))
