"""The chat on the page: it says what Python says, tells why, and takes what a person types as it is."""

import re
from pathlib import Path

import pytest
import torch
from axe import violations
from playwright.sync_api import Locator, Page, expect
from recorder import ALIVE

from companion import widgets
from companion.corpora import dialogues
from companion.corpora.transcript import as_text
from companion.models import live, registry
from companion.models.chatbot import reply
from companion.models.chatbot.ask import AGENT, MOST, USER, context
from companion.models.chatbot.graph import ALL_PAIRS
from companion.models.chatbot.prepare import looks, prepare
from companion.models.chatbot.recipe import LONGEST
from companion.models.summarizer.pieces import encode
from companion.widgets import DialogueChat

SLOW = 60_000  # milliseconds for a whole reply on a busy machine
SAID = ["I want to book a table in Oakland.", "Thai food, please. At 7 pm, for 2 people."]
OPENINGS = ["I want to book a table.", "Find me a film.", "I need a bus to Fresno."]
LIBRARY = Path(widgets.__file__).parent / "lib"
_PAGE = """<!DOCTYPE html><html lang="en" data-content_root="../"><meta charset="utf-8"><title>Chat</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>:root{{color-scheme:light dark}}main{{max-width:688px;margin:auto}}</style>
<main><h1>Chat</h1>{}</main></html>"""


@pytest.fixture(scope="module")
def reader():
    return registry.graph("chatbot").module


@pytest.fixture(scope="module")
def prepared(reader):
    return prepare(reader, SAID, OPENINGS)


@pytest.fixture
def chat(prepared):
    def make(**state):
        return DialogueChat(live("chatbot"), **prepared | state)

    return make


class Seen:
    """The widget, as a person uses and reads it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.place = page.locator("[data-widget=DialogueChat]").first
        self.box = self.place.get_by_role("textbox")
        self.hint = self.place.locator(".hint")
        self.told = self.place.locator(".told")
        self.rows = self.place.locator(".turns li")

    @property
    def turns(self) -> list[str]:
        """What was said; words of the model are single buttons."""
        return self.rows.evaluate_all("""(all) => all.map((row) => {
          const said = row.querySelector('.said');
          const words = [...said.querySelectorAll('button')].map((e) => e.textContent);
          return words.length ? words.join(' ') : said.textContent;
        })""")

    @property
    def meta(self) -> list[str]:
        return [" ".join(line.split()) for line in self.rows.locator(".meta").all_inner_texts()]

    def button(self, name: str) -> Locator:
        return self.place.get_by_role("button", name=name, exact=True)

    def words(self, turn: int) -> Locator:
        return self.rows.nth(turn).locator(".said button")

    def done(self) -> None:
        expect(self.hint).to_have_text(re.compile("wrote|stopped|[Tt]hat is"), timeout=SLOW)

    def say(self, text: str) -> None:
        """Type and send, and wait for the whole answer."""
        said = self.place.locator(".said")
        before = said.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(said).to_have_count(before + 2, timeout=SLOW)  # its turn and the agent's
        self.done()

    def rows_of(self, name: str) -> list[tuple[str, str]]:
        rows = self.place.get_by_role("list", name=name).locator("li").all()
        return [tuple(row.locator("span:not(.rail)").all_inner_texts()) for row in rows]

    @property
    def context(self) -> int:
        return int(re.search(r"(\d+) of 512", self.place.locator(".context").inner_text())[1])


@pytest.fixture
def alive(open_page, site):
    """A page of the book's site with this widget."""

    def open_(widget, **options):
        page = open_page("chapters/index.html", **options)
        html = _PAGE.format(widget.to_html())
        page.route(
            "**/chapters/chat.html",
            lambda route: route.fulfill(body=html, content_type="text/html"),
        )
        page.goto(f"{site}/chapters/chat.html")
        page.wait_for_function(ALIVE)
        return Seen(page)

    return open_


@pytest.fixture
def still(open_page, saved):
    """A page that is not on the book's site."""
    return lambda widget, **options: Seen(open_page(saved(widget), **options))


def one_line(text):
    return " ".join(text.split())


class TestPrepared:
    def test_a_conversation_stands_before_any_model_is_there(self, still, chat, reader):
        seen = still(chat())
        lines = []
        for text in SAID:
            lines.append(f"{USER} {text}")
            lines.append(f"{AGENT} {reply(reader, lines).text}")
        assert [one_line(text) for text in seen.turns] == [
            one_line(line.partition(" ")[2]) for line in lines
        ]
        assert seen.context == sum(len(encode(f"{line}\n")[0]) for line in lines)
        assert seen.meta[2].startswith("You, turn 3")

    def test_without_javascript_it_is_read_too(self, open_page, saved, chat):
        page = open_page(saved(chat()), scripts=False)
        assert SAID[0] in chat().picture()
        assert page.get_by_role("img").get_attribute("alt") == chat().describe()

    @pytest.mark.parametrize("width", [1280, 390])
    def test_a_tap_on_a_word_tells_its_odds_and_where_it_looked(self, still, chat, prepared, width):
        seen = still(chat(), touch=True, width=width)
        turn = prepared["turns"][3]
        average = [sum(column) / len(turn["ids"]) for column in zip(*turn["looks"], strict=True)]
        shares = [float(re.search(r"at ([\d.]+)", meta)[1]) for meta in seen.meta[:3]]
        assert shares == pytest.approx([100 * look for look in average], abs=0.51)
        seen.words(3).first.tap()
        first = next(i for i, id_ in enumerate(turn["ids"]) if prepared["names"][id_] != "Ġ")
        expect(seen.told).to_contain_text(f"was {100 * turn['odds'][first]:.0f}")
        shown = seen.rows_of("What it might have said here")
        assert len(shown) == 5
        assert [float(p.removesuffix("\u00a0%")) for _, p in shown] == pytest.approx(
            [100 * p for _, p in turn["likely"][first]], abs=0.51
        )
        shares = [float(re.search(r"at ([\d.]+)", meta)[1]) for meta in seen.meta[:3]]
        assert shares == pytest.approx([100 * look for look in turn["looks"][first]], abs=0.51)
        seen.words(3).first.tap()
        expect(seen.told).to_contain_text("The last reply")

    def test_a_word_of_several_tokens_is_told_piece_by_piece(self, still, chat, prepared):
        turn = prepared["turns"][3]
        seen = still(chat())
        for number in range(seen.words(3).count()):
            seen.words(3).nth(number).click()
            pieces = seen.place.locator(".pieces button")
            if pieces.count() > 1:
                pieces.last.click()
                expect(pieces.last).to_have_attribute("aria-pressed", "true")
                expect(pieces.last).to_be_focused()
                break
        bold = seen.place.locator(".drawn .number").inner_text()
        whole = [100 * p for p in turn["odds"]]
        assert min(abs(float(bold.removesuffix("\u00a0%")) - p) for p in whole) < 0.51

    def test_the_keyboard_goes_from_word_to_word(self, still, chat):
        seen = still(chat())
        last = seen.place.locator(".token").last
        seen.place.get_by_role("log").focus()
        seen.page.keyboard.press("Tab")
        expect(last).to_be_focused()
        seen.page.keyboard.press("Home")
        expect(seen.words(1).first).to_be_focused()
        seen.page.keyboard.press("ArrowRight")
        seen.page.keyboard.press("Enter")
        expect(seen.words(1).nth(1)).to_have_attribute("aria-pressed", "true")
        expect(seen.told).to_contain_text("likely. It looked mostly at")
        seen.page.keyboard.press("Tab")
        assert seen.place.locator(".log :focus").count() == 0  # one stop of the Tab key

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_everyone_can_use_it(self, alive, chat, width, scheme):
        seen = alive(chat(word=[3, 4]), width=width, scheme=scheme)
        assert violations(seen.page) == []
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width
        card = seen.place.locator(".widget")
        tall = card.bounding_box()["height"]
        kept = chat().heights[width == 390]  # for the book's column, which is narrower
        assert kept - 60 <= tall <= kept
        seen.button("Start over").click()
        expect(seen.place.locator(".none")).to_be_visible()
        assert violations(seen.page) == []
        assert card.bounding_box()["height"] == tall

    def test_long_talks_say_what_is_no_longer_read(self, still, chat, prepared):
        turns = prepared["turns"] * 12
        seen = still(chat(turns=turns))
        gone = [i for i, meta in enumerate(seen.meta) if "no longer read" in meta]
        lines = [f"{turn['speaker']} {turn['text']}" for turn in turns]
        kept = sum(turn["length"] for turn in turns[len(gone) :])
        assert gone == list(range(len(gone)))
        assert len(context(lines, AGENT)) == kept + len(encode(AGENT)[0])
        assert seen.context == kept
        log = seen.place.locator(".log")
        assert log.evaluate("(e) => e.scrollTop + e.clientHeight >= e.scrollHeight - 2")


class TestLive:
    def test_it_answers_as_python_does(self, alive, chat, reader):
        seen = alive(chat(turns=[]))
        lines = []
        card = seen.place.locator(".widget")
        tall = card.bounding_box()["height"]
        for text in SAID:
            lines.append(f"{USER} {text}")
            seen.say(text)
            expected = reply(reader, lines)
            lines.append(f"{AGENT} {expected.text}")
            assert one_line(seen.turns[-1]) == one_line(expected.text)
            assert seen.turns[-2] == text
            assert f"Read {len(expected.given)} tokens" in seen.hint.inner_text()
            assert f"wrote {len(expected.tokens)}" in seen.hint.inner_text()
        expect(seen.box).to_have_value("")
        expect(seen.box).to_be_focused()
        expect(seen.place.locator(".context")).to_contain_text("tokens/s")
        seen.words(3).last.click()
        expect(seen.told).to_contain_text("likely")
        assert card.bounding_box()["height"] == tall
        assert violations(seen.page) == []

    @pytest.mark.parametrize("rounds", [0, ALL_PAIRS])
    def test_other_hash_rounds_are_for_the_next_reply(self, alive, chat, reader, rounds):
        seen = alive(chat())
        before = seen.turns
        seen.place.get_by_role("radio", name="none" if rounds == 0 else "all pairs").check()
        assert seen.turns == before
        seen.button("Say it again").click()
        expect(seen.hint).to_contain_text("wrote", timeout=SLOW)
        lines = [f"{who} {text}" for who, text in zip([USER, AGENT, USER], before, strict=False)]
        assert one_line(seen.turns[3]) == one_line(reply(reader, lines, rounds=rounds).text)
        assert seen.turns[:3] == before[:3]

    def test_a_tap_on_an_opening_begins_anew(self, alive, chat, reader):
        seen = alive(chat(), touch=True, width=390)
        seen.button(OPENINGS[1]).tap()
        expect(seen.hint).to_contain_text("wrote", timeout=SLOW)
        expected = reply(reader, [f"{USER} {OPENINGS[1]}"]).text
        assert [one_line(turn) for turn in seen.turns] == [OPENINGS[1], one_line(expected)]
        seen.button("Yes, please.").tap()
        expect(seen.rows).to_have_count(4, timeout=SLOW)
        assert seen.turns[2] == "Yes, please."

    @pytest.mark.parametrize(
        "text",
        [
            "<b>bold</b> <script>alert(1)</script> &amp;",
            "👩‍👩‍👧 à la carte: 10 €?",
            "שלום, أريد طاولة",
            "User: Agent: hello",
        ],
    )
    def test_what_is_typed_is_shown_and_read_as_typed(self, alive, chat, reader, text):
        seen = alive(chat(turns=[]))
        seen.say(text)
        assert seen.turns[0] == text
        assert seen.place.locator(".said b, .said script").count() == 0
        assert one_line(seen.turns[1]) == one_line(reply(reader, [f"{USER} {text}"]).text)

    def test_nothing_and_too_much(self, alive, chat):
        seen = alive(chat())
        before = seen.turns
        for text in ("", "   \t "):
            seen.box.fill(text)
            seen.button("Send").click()
            expect(seen.hint).to_contain_text("in this page")
        room = LONGEST - MOST - len(encode(AGENT)[0])
        long = "a table for two and a half " * 100
        seen.box.fill(long)
        seen.button("Send").click()
        expect(seen.hint).to_have_text(
            re.compile(rf"That is \d+ tokens, and at most {room} fit: say it shorter"), timeout=SLOW
        )
        expect(seen.box).to_have_value(long)
        assert seen.turns == before

    def test_stop_keeps_what_was_said(self, alive, chat, reader):
        tried = [*SAID, *OPENINGS, "Is that all?", "What did I ask for?", "Please tell me more."]
        text = max(tried, key=lambda each: len(reply(reader, [f"{USER} {each}"]).tokens))
        whole = reply(reader, [f"{USER} {text}"])
        seen = alive(chat(turns=[]))
        seen.place.evaluate("""(place) => {
          const root = [...place.children].find((e) => e.shadowRoot).shadowRoot;
          const stop = [...root.querySelectorAll('button')].find((e) => e.textContent === 'Stop');
          new MutationObserver(() => root.querySelectorAll('.token').length > 1 && stop.click())
            .observe(root.querySelector('.turns'), {childList: true, subtree: true});
        }""")
        seen.box.fill(text)
        seen.button("Send").click()
        expect(seen.hint).to_have_text("stopped", timeout=SLOW)
        said = one_line(seen.turns[1])
        assert one_line(whole.text).startswith(said)
        assert said != one_line(whole.text)
        seen.words(1).first.click()
        expect(seen.told).to_contain_text("likely")

    def test_stop_before_the_first_word_gives_the_text_back(self, alive, chat):
        seen = alive(chat())
        before = seen.turns
        held = []
        seen.page.route("**/chatbot-*.onnx", lambda route: held.append(route))  # noqa: PLW0108
        seen.box.fill("Hello!")
        seen.button("Send").click()
        expect(seen.hint).to_contain_text("loading the model", timeout=SLOW)
        expect(seen.rows).to_have_count(len(before) + 1)
        seen.button("Stop").click()
        expect(seen.hint).to_have_text("stopped")
        expect(seen.box).to_have_value("Hello!")
        assert seen.turns == before
        for route in held:
            route.continue_()
        seen.button("Send").click()
        expect(seen.hint).to_contain_text("wrote", timeout=SLOW)

    def test_start_over_forgets_what_is_being_written(self, alive, chat, reader):
        seen = alive(chat())
        seen.box.fill("Hello!")
        seen.box.press("Enter")
        seen.button("Start over").click()
        expect(seen.rows).to_have_text(["Nothing said yet. Type something, or tap an opening."])
        seen.say(SAID[0])
        expected = reply(reader, [f"{USER} {SAID[0]}"]).text
        assert [one_line(turn) for turn in seen.turns] == [SAID[0], one_line(expected)]

    def test_a_temperature_lets_it_say_other_things(self, alive, chat):
        seen = alive(chat())
        slider = seen.place.get_by_role("slider", name="Temperature")
        assert slider.get_attribute("aria-valuetext") == "0: always the likeliest"
        slider.focus()
        seen.page.keyboard.press("End")
        assert slider.get_attribute("aria-valuetext") == "1.5"
        found = set()
        for number in range(3):
            seen.button("Say it again").click()
            expect(seen.hint).to_contain_text("ing …" if number == 0 else re.compile("."))
            expect(seen.button("Stop")).to_have_attribute("aria-disabled", "true", timeout=SLOW)
            found.add(seen.turns[3])
        assert len(found) > 1


class TestWhereItCannotRun:
    def test_what_was_typed_stays(self, still, chat):
        seen = still(chat())
        before = seen.turns
        seen.box.fill("Hello!")
        seen.box.press("Enter")
        expect(seen.hint).to_contain_text("The model lives on the book's site")
        expect(seen.box).to_have_value("Hello!")
        assert seen.turns == before
        seen.words(3).first.click()
        expect(seen.told).to_contain_text("likely")

    def test_a_model_that_is_not_there(self, alive, chat):
        seen = alive(chat(), expected=["status 404", "ERR_ABORTED"])
        before = seen.turns
        seen.page.route("**/chatbot-*.onnx", lambda route: route.fulfill(status=404))
        seen.button(OPENINGS[0]).click()
        expect(seen.hint).to_contain_text("could not be fetched (404)", timeout=SLOW)
        assert seen.turns == before


_TALK = """async ([site, names, sizes, jobs]) => {
  const [{talker}, {asker, encoder}, {answer}] = await Promise.all(
    ['chapters/lib/chat.js', 'chapters/lib/live.js', '_static/live.js'].map((path) => import(`${site}/${path}`)));
  const listeners = [];
  const model = {
    get: () => 'chatbot',
    on: (_, callback) => listeners.push(callback),
    send: (content, buffers) => answer(content, buffers, (...reply) => listeners.forEach((hear) => hear(...reply))),
  };
  const talk = talker({ask: asker(model), encode: encoder(model), names, sizes});
  const found = [];
  for (const [turns, rounds] of jobs) {
    await talk.reply(turns, {temperature: 0, rounds}, (reply) => {
      if (reply.done) found.push(reply);
      return true;
    });
  }
  return found;
}"""


@pytest.fixture
def library(open_page):
    """A page from which the modules in lib/ can be imported."""
    page = open_page("chapters/index.html")
    page.route(
        "**/chapters/lib/*.js",
        lambda route: route.fulfill(path=LIBRARY / route.request.url.rpartition("/")[2]),
    )
    return page


def _turn(line):
    speaker, _, text = line.partition(" ")
    return {"speaker": speaker, "text": text}


class TestParity:
    def test_replies_are_pythons(self, library, site, prepared, reader):
        """Dialogues with and without an end that fits, one turn too long, in all hash rounds."""
        real = [as_text(one).splitlines() for one in dialogues.held_out(4, 3)]
        long = [line for each in real for line in each]
        talks = [
            *(([f"{USER} {SAID[0]}"], rounds) for rounds in (0, 1, 2, 4, ALL_PAIRS)),
            *((real[0][:5], rounds) for rounds in (0, 1, 2, 4, ALL_PAIRS)),
            *((each[:-1], 2) for each in real[1:]),
            ((long * 3)[:-1], 2),
            ((long * 3)[:-1], ALL_PAIRS),
            (["User: Hello!", "Agent:", f"{USER} {'a table for two ' * 200}"], 2),
        ]
        jobs = [[[_turn(line) for line in lines], rounds] for lines, rounds in talks]
        found = library.evaluate(_TALK, [site, prepared["names"], prepared["sizes"], jobs])
        for (lines, rounds), said in zip(talks, found, strict=True):
            expected = reply(reader, lines, rounds=rounds)
            assert said["ids"] == expected.tokens, (lines, rounds)
            assert (said["text"], said["ended"]) == (expected.text, expected.ended)
            assert said["given"] == len(expected.given)
            assert said["odds"] == pytest.approx(expected.odds, abs=1e-4)
            lengths = [len(encode(f"{line.strip()}\n")[0]) for line in lines]
            shares = looks(expected, lengths)
            assert len(said["looks"]) == len(shares)
            for row, share in zip(said["looks"], shares, strict=True):
                assert row == pytest.approx(share, abs=1e-4)
            assert len(said["ids"]) <= MOST

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
    def test_tokens_are_drawn_as_often_as_they_are_likely(self, library, site, temperature):
        logits = [2.0, 1.0, 0.0, -1.0, -1000.0, 1.0]
        counts, odds = library.evaluate(
            """async ([site, logits, temperature, draws]) => {
              const {choose, oddsOf} = await import(`${site}/chapters/lib/chat.js`);
              const scores = Float32Array.from(logits);
              const counts = logits.map(() => 0);
              for (let i = 0; i < draws; i++) counts[choose(scores, temperature, () => (i + 0.5) / draws)]++;
              return [counts, [...oddsOf(scores, temperature)]];
            }""",
            [site, logits, temperature, 10_000],
        )
        expected = (torch.tensor(logits) / temperature).softmax(dim=0).tolist()
        assert odds == pytest.approx(expected, abs=1e-6)
        # The draws go evenly through 0 to 1, so each count is its odds, to a rounding.
        assert counts == pytest.approx([10_000 * p for p in expected], abs=1.01)

    def test_at_temperature_0_the_first_of_the_likeliest_is_taken(self, library, site):
        script = """async (site) => {
          const {choose} = await import(`${site}/chapters/lib/chat.js`);
          return [choose(Float32Array.of(-3, -1, -2, -1), 0), choose(Float32Array.of(0, 0), 1, () => 1 - 1e-16)];
        }"""
        assert library.evaluate(script, site) == [1, 1]
