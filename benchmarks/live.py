"""How long a reader waits for a live model: the first answer, later ones, and what is fetched.

`python benchmarks/live.py`, after `make book SERVE=0`. Each line of "first" is a browser that has never been
here; "again" is another page in the same browser, whose cache holds the runtime and the model.
"""

import statistics
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from chromium import launch
from playwright.sync_api import Page, sync_playwright

from companion.models.bert.pieces import encode
from companion.site.serve import make_server

BOOK = Path(__file__).parents[1] / "_build" / "html"
CHAPTER = "chapters/week2-transformers/what-it-refers-to.html"
LAB = "chapters/week3-bert-and-t5/answer-questions.html"
FIRST = "the cow avoided the bridge because it was too hungry"
LATER = [
    f"the {animal} avoided the {place} because it was too {cue}"
    for animal, place in (("dog", "river"), ("fox", "field"), ("goat", "valley"), ("hen", "road"))
    for cue in ("tired", "muddy", "scared", "wide", "ill")
]
# Writes a sentence as one keystroke does, and waits until the words that are shown are those.
_WRITE = """(sentence) => new Promise((resolve) => {
  const root = [...document.querySelector('[data-widget=WinogradResolver]').children].find((e) => e.shadowRoot).shadowRoot;
  const box = root.querySelector('input.own');
  const begun = performance.now();
  box.value = sentence;
  box.dispatchEvent(new Event('input', {bubbles: true}));
  const look = () => {
    const shown = root.querySelector('.sentence').textContent;
    if (shown === sentence && !root.querySelector('.answers').hidden) resolve(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})"""

DIALOGUE = """User: I'd like to eat somewhere nice in Oslo tonight. Is there something Greek?
Agent: The Velvet Kitchen is a Greek restaurant in Oslo, at 14 Harbour Street. Shall I reserve?
User: Yes, a table for four people at 7:30 pm, please. No, wait, there will be five of us.
Agent: A table for five people at the Velvet Kitchen in Oslo at 7:30 pm. Is that correct?
"""
TOKENS = 300
QUESTIONS = [
    f"{ask} {what}?"
    for ask in ("What is", "Where is", "Which is", "Tell me:")
    for what in ("the city", "the time", "the address", "the restaurant", "the phone number")
]
# Asks as one keystroke does, and waits for the answer.
_ASK = """(question) => new Promise((resolve) => {
  const root = [...document.querySelector('[data-widget=DialogueReader]').children].find((e) => e.shadowRoot).shadowRoot;
  const box = root.querySelector('input.own');
  const begun = performance.now();
  box.value = question;
  box.dispatchEvent(new Event('input', {bubbles: true}));
  const look = () => {
    if (root.querySelector('.hint').textContent.includes('“no answer”') && root.querySelector('.answer').textContent !== '…')
      resolve(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})"""


def answers(page: Page, address: str) -> tuple[int, list[float]]:
    """Ask about a dialogue of about `TOKENS` tokens: how many they are, and milliseconds until each answer."""
    lines = DIALOGUE.splitlines() * 9
    while len(encode("\n".join(lines[:-1]))[0]) >= TOKENS:
        lines.pop()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    place = page.locator("[data-widget=DialogueReader]")
    place.get_by_role("radio", name="edit, or write your own").check()
    place.get_by_role("textbox", name="Your dialogue").fill("\n".join(lines))
    page.evaluate(_ASK, "Who?")  # the model is loaded with the first question
    return len(encode("\n".join(lines))[0]), [page.evaluate(_ASK, one) for one in QUESTIONS]


def first_answer(page: Page, address: str) -> float:
    """Open the chapter and write a sentence: milliseconds until it is answered."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    place = page.locator("[data-widget=WinogradResolver]")
    place.get_by_role("radio", name="write your own").check()
    return page.evaluate(_WRITE, FIRST)


def main() -> None:
    """Measure and print."""
    if not (BOOK / CHAPTER).is_file():
        sys.exit("there is no book: run `make book SERVE=0`")
    server = make_server(BOOK, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book = f"http://127.0.0.1:{server.server_port}"
    address = f"{book}/{CHAPTER}"
    firsts, agains, laters = [], [], []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for _ in range(3):
            context = browser.new_context()
            firsts.append(first_answer(context.new_page(), address))
            page = context.new_page()
            agains.append(first_answer(page, address))
            laters += [page.evaluate(_WRITE, sentence) for sentence in LATER]
            context.close()
        tokens, asked = answers(browser.new_page(), f"{book}/{LAB}")
        browser.close()
    server.shutdown()
    print("milliseconds from a keystroke to the answer on the page, resolver, local server")
    print(f"  first, nothing in the cache: {', '.join(f'{t:.0f}' for t in firsts)}")
    print(f"  first, from the cache:       {', '.join(f'{t:.0f}' for t in agains)}")
    print(f"  later {_spread(laters)}")
    print(f"reader, a question about {tokens} tokens {_spread(asked)}")


def _spread(times: list[float]) -> str:
    high = statistics.quantiles(times, n=20)[-1]
    return f"({len(times)}): median {statistics.median(times):.0f}, 95th percentile {high:.0f}"


if __name__ == "__main__":
    main()
