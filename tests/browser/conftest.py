import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import launch
from playwright.sync_api import Browser, Page, sync_playwright
from recorder import ALIVE, Recorder, origin_of

from companion.site.serve import make_server
from companion.widgets import Widget

_BOOK = Path(__file__).parents[2] / "_build" / "html"


def _serve(folder: Path) -> Iterator[str]:
    server = make_server(folder, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built book."""
    if not (_BOOK / "index.html").is_file():
        pytest.fail(f"there is no book in {_BOOK}: build it with `make book SERVE=0`")
    return _BOOK


@pytest.fixture(scope="session")
def site(book: Path) -> Iterator[str]:
    """The address at which the built book is served."""
    yield from _serve(book)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for stand-alone pages."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def desk_address(desk: Path) -> Iterator[str]:
    yield from _serve(desk)


@pytest.fixture
def saved(desk: Path, desk_address: str) -> Callable[..., str]:
    """`saved(widget, …)`: the address of a stand-alone page with these widgets.

    `change`, if given, is a function of the page's HTML that returns another, to break it.
    """

    def save(*widgets: Widget, change: Callable[[str], str] = str) -> str:
        path = desk / f"{len(list(desk.iterdir()))}.html"
        widgets[0].save_html(path)
        html = path.read_text("utf-8")
        more = "".join(widget.to_html() for widget in widgets[1:])
        path.write_text(change(html.replace("</main>", f"{more}</main>")), "utf-8")
        return f"{desk_address}/{path.name}"

    return save


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`open_page(address or path in the book, …)`: a page whose problems fail the test at its end.

    `expected` lists parts of messages of problems that the test brings about itself; each must be met.
    The recorder is at hand as `page.recorder`.
    """
    recorders = []

    def open_(
        address: str | Path,
        *,
        width: int = 1280,
        scheme: str = "light",
        touch: bool = False,
        scripts: bool = True,
        alive: bool = True,
        expected: list[str] | None = None,
    ) -> Page:
        if isinstance(address, Path):
            address = address.as_uri()
        if ":" not in address:
            address = f"{request.getfixturevalue('site')}/{address}"
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            has_touch=touch,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(10_000)
        recorder = Recorder(context, origin_of(address), scripts, expected or [])
        recorders.append(recorder)
        page = context.new_page()
        page.recorder = recorder
        page.goto(address)
        if scripts and alive:
            page.wait_for_function(ALIVE)
        return page

    yield open_
    try:
        for recorder in recorders:
            recorder.check()
    finally:
        for recorder in recorders:
            recorder.context.close()
