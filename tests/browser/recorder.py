"""The safety net: writes down all that goes wrong in a browser context, so that no broken widget can pass."""

import gzip
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response

_LOCAL = ("blob:", "data:", "about:")
_SETTLED = """async () => {
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve));
}"""
# What a reader sees in the place of a widget that broke: every alert, in and out of shadow roots.
ALERTS = """() => {
  const roots = [document];
  for (const root of roots) for (const e of root.querySelectorAll('*')) if (e.shadowRoot) roots.push(e.shadowRoot);
  return roots.flatMap((root) => [...root.querySelectorAll('[role=alert]')].map((e) => e.textContent));
}"""
# A widget is alive when its still picture has made way for a shadow root with something in it.
ALIVE = """() => [...document.querySelectorAll('.companion-widget')].every((place) =>
  !place.querySelector(':scope > figure') && [...place.children].some((e) => e.shadowRoot?.childElementCount > 1))"""


@dataclass
class Recorder:
    """Listens to all pages of a context; `check` raises with everything that went wrong."""

    context: BrowserContext
    origin: str
    scripts: bool = True
    expected: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._console)
        self.context.on("weberror", lambda e: self.problems.append(f"page error: {e.error}"))
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._response)
        self.context.on("request", self._request)
        self.context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("crash", lambda _: self.problems.append("the page crashed"))
        page.on("websocket", lambda s: self.problems.append(f"foreign request: {s.url}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            self.problems.append(
                f"console {message.type}: {message.text} ({message.location['url']})"
            )

    def _failed(self, request: Request) -> None:
        # The icon is fetched last, and given up when a test ends before it is there.
        if request.url.endswith("favicon.svg") and request.failure == "net::ERR_ABORTED":
            return
        if self.scripts or request.resource_type != "script":
            self.problems.append(f"failed request: {request.url} ({request.failure})")

    def _response(self, response: Response) -> None:
        self.responses.append(response)
        if response.url.startswith("http") and response.status != 200:
            self.problems.append(f"status {response.status}: {response.url}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(_LOCAL) and origin_of(request.url) != self.origin:
            self.problems.append(f"foreign request: {request.url}")

    def look(self) -> list[str]:
        """Let what is under way finish, then return all problems, what the pages tell included."""
        found = []
        for page in self.context.pages if self.scripts else []:
            try:
                page.evaluate(_SETTLED)
                found += [f"alert on the page: {text}" for text in page.evaluate(ALERTS)]
            except Error as error:
                found.append(f"the page does not answer: {error}")
        return self.problems + found

    def check(self) -> None:
        """Raise on every problem but those expected, and on expectations that were not met."""
        problems = self.look()
        met = {part for part in self.expected if any(part in problem for problem in problems)}
        wrong = [p for p in problems if not any(part in p for part in self.expected)]
        wrong += [f"expected, but not seen: {part}" for part in self.expected if part not in met]
        assert not wrong, "\n".join(wrong)


def packed(response: Response) -> int:
    """How many bytes travel: the body, gzipped but where it is packed already."""
    body = response.body()
    return (
        len(body)
        if response.url.endswith((".woff2", ".png", ".jpg"))
        else len(gzip.compress(body, 6))
    )


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
