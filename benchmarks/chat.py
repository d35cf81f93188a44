"""How fast the chatbot talks on the page: tokens a second, by how much it has read.

`python benchmarks/chat.py`, after `make book SERVE=0`. The figures are those that the widget shows: tokens after the
first of a reply, by the seconds they took.
"""

import statistics
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from chromium import launch
from playwright.sync_api import Locator, expect, sync_playwright

from companion.site.serve import make_server

BOOK = Path(__file__).parents[1] / "_build" / "html"
CHAPTER = "chapters/week4-reformer/chatbot.html"
LONG = "I would like a table for two in San Jose at 7 pm, please. "
REPLIES = 8


def talk(widget: Locator, text: str) -> None:
    """Say something, and wait for the end of the reply."""
    widget.get_by_role("textbox").fill(text)
    widget.get_by_role("button", name="Send").click()
    wait(widget)


def wait(widget: Locator) -> None:
    """Wait until the model is silent."""
    stop = widget.get_by_role("button", name="Stop")
    expect(stop).to_have_attribute("aria-disabled", "true", timeout=120_000)


def speeds(widget: Locator, text: str) -> tuple[str, list[int]]:
    """What the widget says of its context, and tokens a second of some replies to a text."""
    widget.get_by_role("button", name="Start over").click()
    talk(widget, text)
    found = []
    while len(found) < REPLIES:
        widget.get_by_role("button", name="Say it again").click()
        wait(widget)
        shown = widget.get_by_text("tokens/s")
        if shown.count():
            found.append(int(shown.inner_text().split()[0]))
    return widget.get_by_text("Context:").inner_text(), found


def main() -> None:
    """Measure and print."""
    if not (BOOK / CHAPTER).is_file():
        sys.exit("there is no book: run `make book SERVE=0`")
    server = make_server(BOOK, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/{CHAPTER}")
        page.wait_for_load_state("networkidle")
        widget = page.locator("[data-widget=DialogueChat]")
        talk(widget, "Hello!")  # the model is loaded with the first words
        print(f"tokens a second, {REPLIES} replies each")
        for times in (1, 12, 25):
            context, found = speeds(widget, LONG * times)
            middle = statistics.median(found)
            print(f"  {context}: median {middle:.0f}, {min(found)} to {max(found)}")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
