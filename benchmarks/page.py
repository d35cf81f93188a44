"""The published page: input to paint, weight, and time until its widgets are alive.

Run as `python benchmarks/page.py`, after `make book SERVE=0`; budgets are in CONTRIBUTING.md.
"""

import functools
import itertools
import os
import statistics
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from playwright.sync_api import Browser, Page, sync_playwright

from companion.site.serve import make_server
from companion.widgets import AttentionHeatmap

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from chromium import launch  # noqa: E402
from reading import Heatmap  # noqa: E402
from recorder import ALIVE, packed  # noqa: E402

EVENTS = 80
METHOD = """Milliseconds, {events} real events each (Playwright's mouse, keyboard and touch screen); {cores} cores, load {load:.1f}.
paint:  from the start of the event's first handler until after the frame that shows it has been painted
        (requestAnimationFrame, then the first task after it). Keys and presses come at any time, so up to
        16.7 ms of it is waiting for the screen's next refresh; pointer moves come with the refresh.
work:   the same without the waiting: handlers, then the frame from its start until after its painting, and
        the next frame where it follows at once.
script: the handlers alone.
stolen: the share of the processors that this machine's host gave to others, per cent."""
# Else tasks, and so the one that ends a measurement, would wait after a key for the frame after the next.
AT_ONCE = "--disable-features=DeferRendererTasksAfterInput"
# Times each event of one type, from the first handler on its way down to the last on its way up. A loop that
# is always the frame's first callback notes when the frame starts.
_STOPWATCH = """(type) => {
  window.times = [];
  let start, script, frame;
  const loop = () => {
    frame = performance.now();
    next = requestAnimationFrame(loop);
  };
  let next = requestAnimationFrame(loop);
  const first = () => {
    start = performance.now();
    const from = start;
    requestAnimationFrame(() => {
      const began = frame;
      scheduler.postTask(() => {
        const now = performance.now();
        times.push([now - from, script + now - began, script]);
      }, { priority: "user-blocking" });
    });
  };
  const last = () => (script = performance.now() - start);
  window.stop?.();
  addEventListener(type, first, true);
  addEventListener(type, last);
  window.stop = () => {
    cancelAnimationFrame(next);
    removeEventListener(type, first, true);
    removeEventListener(type, last);
  };
}"""
# What a reader does with the widgets of chapters: the page, the widget, and for each action its name, the
# event to time, what gets the focus, and the keys that are pressed in turn.
_AND_BACK = ["ArrowRight", "ArrowLeft"]
IN_CHAPTERS = {
    ("week1-translation/how-good-is-it", "BleuBench"): [
        ("a letter typed", "input", "textarea, input[type=text]", ["a", "Backspace"]),
    ],
    ("week1-translation/soft-look-up", "AlignmentExplorer"): [
        ("another word", "keydown", ".targets button[tabindex='0']", ["ArrowDown", "ArrowUp"]),
        ("temperature", "input", "input[type=range]", _AND_BACK),
    ],
    ("week1-translation/choosing-words", "BeamTree"): [
        ("length penalty", "input", "input[aria-label='length penalty α']", _AND_BACK),
        ("a step", "input", "input[aria-label=step]", _AND_BACK),
    ],
    ("week1-translation/choosing-words", "TranslationTree"): [
        ("length penalty", "input", "input[aria-label='length penalty α']", _AND_BACK),
        ("a step", "input", "input[aria-label=step]", _AND_BACK),
    ],
    ("week1-translation/choosing-words", "NextWord"): [
        ("temperature", "input", "input[type=range]", _AND_BACK),
    ],
    ("week3-bert-and-t5/what-is-a-token", "TokenizerBench"): [
        ("a letter typed", "input", "textarea", ["a", "Backspace"]),
        ("a merge", "input", "input[aria-label=merges]", _AND_BACK),
        ("alpha", "input", "input[aria-label=alpha]", _AND_BACK),
    ],
    ("week3-bert-and-t5/reading-with-holes", "MaskedWords"): [
        ("a share to draw", "input", "input[type=range]", _AND_BACK),
    ],
    ("week3-bert-and-t5/from-knowledge-to-skill", "FewLabels"): [
        ("other vectors", "input", ".tested input[type=radio]", _AND_BACK),
    ],
    ("week3-bert-and-t5/text-in-text-out", "MixingRates"): [
        ("temperature", "input", "input[type=range] >> nth=1", _AND_BACK),
    ],
    ("week3-bert-and-t5/answer-questions", "DialogueReader"): [
        ("a word tapped", "click", ".word >> nth=3", ["Enter"]),
        ("caution", "input", "input[type=range]", _AND_BACK),
    ],
    ("week4-reformer/lsh-attention", "LSHBuckets"): [
        ("a vector turned", "keydown", ".dot", _AND_BACK),
        ("other rotations", "click", "button:text('Roll new rotations')", ["Enter"]),
        ("other sizes", "input", "input[type=range]", _AND_BACK),
    ],
    ("week4-reformer/reversible-layers", "ReversibleMemory"): [
        ("another length", "input", "input[type=range]", _AND_BACK),
        ("the film", "input", "input[aria-label=moment]", _AND_BACK),
        ("compared", "input", "label:text('compare') input", ["Space"]),
    ],
    ("week4-reformer/chatbot", "DialogueChat"): [
        ("a word picked", "click", ".said button >> nth=2", ["Enter"]),
        ("temperature", "input", "input[type=range]", _AND_BACK),
    ],
}
# Notes when the last widget has come alive.
_WATCH = f"""(() => {{
  const alive = {ALIVE};
  const look = () => document.readyState !== 'loading' && alive()
    ? (window.aliveAt = performance.now()) : requestAnimationFrame(look);
  look();
}})()"""


def heatmap(n: int, heads: int, layers: int, *, scores: bool) -> AttentionHeatmap:
    """A heat map of this size, over scores (all steps) or over given weights."""
    generator = torch.Generator().manual_seed(0)
    tokens = [f"token{i}" for i in range(n)]
    query, key = (torch.randn(layers, heads, n, 16, generator=generator) for _ in range(2))
    if scores:
        return AttentionHeatmap(tokens, query=query, key=key, causal=True)
    return AttentionHeatmap(tokens, (query @ key.mT / 4).softmax(-1))


def actions(seen: Heatmap, heads: int, layers: int) -> Iterator[tuple[str, str, Callable]]:
    """What a reader does: its name, the event to time, and a function that does it for the i-th time."""
    n, mouse, keyboard = seen.n_rows, seen.page.mouse, seen.page.keyboard
    x0, y0 = seen.centre(0, 0)
    x1, y1 = seen.centre(n - 1, n - 1)

    def cell(i: int) -> tuple[float, float]:
        row, column = i % n, i * 5 % n
        return x0 + column * (x1 - x0) / (n - 1), y0 + row * (y1 - y0) / (n - 1)

    yield "pointer over rows", "pointermove", lambda i: mouse.move(*cell(i))
    yield "click on a cell", "pointerdown", lambda i: mouse.click(*cell(i))
    yield "tap on a cell", "pointerdown", lambda i: seen.page.touchscreen.tap(*cell(i))
    seen.press("Home")
    keys = ["ArrowDown", "ArrowRight"] * (min(n, EVENTS) - 1) + ["ArrowUp"] * EVENTS
    yield "arrow keys", "keydown", lambda i: keyboard.press(keys[i])
    yield "temperature", "input", functools.partial(_slide, seen)
    thumbs = [
        seen.thumb(layer + 1, head + 1).bounding_box()
        for layer, head in itertools.product(range(layers), range(heads))
    ]
    yield "another head", "click", lambda i: _click(mouse, thumbs[i * 7 % len(thumbs)])


def _slide(seen: Heatmap, i: int) -> None:
    if i == 0:
        seen.slider.focus()
    seen.page.keyboard.press("ArrowLeft" if i // 20 % 2 else "ArrowRight")


def _click(mouse: object, box: dict[str, float]) -> None:
    mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def latencies(page: Page, event: str, act: Callable[[int], None]) -> list[list[float]]:
    """[paint, work, script, stolen] of each event; the last is the same for all."""
    page.evaluate(_STOPWATCH, event)
    before = _processors()
    for i in range(EVENTS):
        done = page.evaluate("times.length")
        act(i)
        page.wait_for_function(f"times.length > {done}")
    spent = [after - at for at, after in zip(before, _processors(), strict=True)]
    stolen = 100 * spent[7] / max(1, sum(spent))
    return [[*times, stolen] for times in page.evaluate("times")]


def _processors() -> list[int]:
    """Ticks that the processors have spent: user, nice, system, idle, waiting, interrupts (2), stolen (Linux)."""
    stat = Path("/proc/stat")
    return (
        [int(x) for x in stat.read_text().split("\n")[0].split()[1:9]] if stat.exists() else [0] * 8
    )


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def interaction(browser: Browser, folder: Path) -> None:
    """Print how fast the heat map answers, small and large."""
    load = os.getloadavg()[0]
    print(METHOD.format(events=EVENTS, cores=os.cpu_count(), load=load))
    for n, heads, layers, scores in [(12, 8, 2, True), (128, 12, 6, False), (128, 12, 6, True)]:
        kind = "scores" if scores else "weights"
        _print_head(f"AttentionHeatmap, {n} tokens, {heads} heads, {layers} layers, {kind}")
        heatmap(n, heads, layers, scores=scores).save_html(folder / "widget.html")
        context = browser.new_context(has_touch=True, viewport={"width": 1280, "height": 1400})
        page = context.new_page()
        page.goto((folder / "widget.html").as_uri())
        page.wait_for_function(ALIVE)
        page.wait_for_timeout(1500)
        for name, event, act in actions(Heatmap(page, n, n), heads, layers):
            _print_latencies(name, latencies(page, event, act))
        context.close()


def _print_head(what: str) -> None:
    print(
        f"\n{what}\n{'':<18}{'paint p50':>11}{'p95':>7}{'max':>7}{'work p50':>11}{'p95':>7}{'max':>7}"
        f"{'script p50':>12}{'p95':>7}{'max':>7}{'stolen':>8}"
    )


def _print_latencies(name: str, times: list[list[float]]) -> None:
    *columns, stolen = zip(*times, strict=True)
    figures = [
        f"{statistics.median(column):>{width}.1f}{percentile(column, 0.95):>7.1f}{max(column):>7.1f}"
        for column, width in zip(columns, (11, 11, 12), strict=True)
    ]
    print(f"{name:<18}{''.join(figures)}{stolen[0]:>8.0f}", flush=True)


def in_chapters(browser: Browser, book: Path) -> None:
    """Print how fast the widgets of chapters answer the keyboard, on the built pages."""
    server = make_server(book, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for (chapter, widget), wanted in IN_CHAPTERS.items():
        _print_head(f"{widget}, in {chapter}")
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(f"http://127.0.0.1:{server.server_port}/chapters/{chapter}.html")
        page.wait_for_function(ALIVE)
        page.wait_for_timeout(1500)
        place = page.locator(f"[data-widget={widget}]").first
        for name, event, focus, keys in wanted:
            place.locator(focus).first.focus()
            press = page.keyboard.press
            press("Home")  # a slider's end, so that the first key moves it
            act = functools.partial(
                lambda i, keys, press: press(keys[i % len(keys)]), keys=keys, press=press
            )
            _print_latencies(name, latencies(page, event, act))
        page.close()
    server.shutdown()


def weights(browser: Browser, book: Path) -> None:
    """Print what each page of the book weighs, gzipped, and when its widgets are alive."""
    server = make_server(book, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kinds = ["document", "stylesheet", "script", "font", "image", "plotly.js"]
    print("\nPages of the book: KB gzipped, by kind, with an empty cache; milliseconds until every")
    print("widget is alive (of three loads, from a server on this machine).")
    print(
        f"{'':<45}"
        + "".join(f"{kind:>11}" for kind in kinds)
        + f"{'all':>8} {'alive':>7} {'max':>6}"
    )
    for path in sorted((book / "chapters").rglob("*.html")):
        name = path.relative_to(book).as_posix()
        sizes: Counter[str] = Counter()
        alive = []
        for _ in range(3):
            context = browser.new_context()
            page = context.new_page()
            page.add_init_script(_WATCH)
            responses = []
            page.on("response", lambda response: responses.append(response))  # noqa: B023, PLW0108
            page.goto(f"http://127.0.0.1:{server.server_port}/{name}", wait_until="networkidle")
            page.wait_for_function("window.aliveAt !== undefined")
            alive.append(page.evaluate("aliveAt"))
            sizes = Counter()
            for response in responses:
                if response.url.startswith("http"):
                    kind = response.request.resource_type
                    kind = "plotly.js" if response.url.endswith("plotly.js") else kind
                    sizes[kind] += packed(response)
            context.close()
        cells = "".join(f"{sizes[kind] / 1000:>11.1f}" for kind in kinds)
        total = f"{sum(sizes.values()) / 1000:>8.1f}"
        print(f"{name[-44:]:<45}{cells}{total} {statistics.median(alive):>7.0f} {max(alive):>6.0f}")
    server.shutdown()


def main() -> None:
    """Print all tables."""
    book = ROOT / "_build" / "html"
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch(playwright, AT_ONCE)
        interaction(browser, Path(folder))
        if (book / "index.html").is_file():
            in_chapters(browser, book)
            weights(browser, book)
        else:
            print(f"\nno book in {book}: build it with `make book SERVE=0`")
        browser.close()


if __name__ == "__main__":
    main()
