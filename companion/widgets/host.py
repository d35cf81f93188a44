"""The widget host: one ES module alive with a kernel, and on a page that has none."""

import base64
import html
import inspect
import json
import uuid
from pathlib import Path
from typing import Any

import anywidget

_BUNDLES = Path(__file__).parent / "bundles"
_PAGE_HOST = _BUNDLES / "page.js"
_HIDDEN = {"layout", "tabbable", "tooltip"}


class Widget(anywidget.AnyWidget):
    """A view (NAME.js beside NAME.py, bundled) and a state (the synced traits).

    With a kernel it is an ipywidget: it links, observes and composes with others. On a page without one,
    `text/html` carries the state, the module and a picture, and the same module runs on the saved state.

    Subclasses say what they show in `describe()` and draw it in `picture()`, for places without
    JavaScript, and tell in `heights` how much room they take.
    """

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels to keep free before the script has run: (on a wide page, on a phone)."""
        return (300, 400)

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401
        """Point the class at its bundle: companion/widgets/quiz.py is drawn by bundles/quiz.js."""
        if "_esm" not in cls.__dict__:
            cls._esm = _bundle(cls.__module__.rpartition(".")[2])
        super().__init_subclass__(**kwargs)

    def describe(self) -> str:
        """Return the sentence that says what the widget shows."""
        return (inspect.getdoc(type(self)) or type(self).__name__).partition("\n")[0]

    def picture(self) -> str:
        """Return an SVG picture of the widget's first state."""
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

    def still(self) -> str:
        """Return HTML that stands in the widget's place where no script runs: picture and sentence."""
        svg = base64.b64encode(self.picture().encode()).decode()
        sentence = html.escape(self.describe())
        return (
            f'<img alt="{sentence}" src="data:image/svg+xml;base64,{svg}">'
            f"<figcaption>{sentence}</figcaption>"
        )

    def save_html(self, path: str | Path) -> None:
        """Write one standalone file that needs no kernel, no server and nothing from elsewhere.

        Args:
            path: where to write it; the folder must exist.

        Raises:
            FileNotFoundError: the folder of `path` does not exist.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"path: the folder {str(path.parent)!r} does not exist")
        title = html.escape(type(self).__name__)
        path.write_text(
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,">'
            "<style>:root{color-scheme:light dark}main{max-width:860px;margin:auto}</style>"
            f"<main><h1>{title}</h1>{self.to_html()}</main></html>",
            encoding="utf-8",
        )

    def to_html(self) -> str:
        """Return the widget as HTML: a picture at first, then alive, once its script has run."""
        place = f"widget-{uuid.uuid4().hex}"
        wide, narrow = self.heights
        return (
            f'<div id="{place}" class="companion-widget" data-widget="{type(self).__name__}">'
            f"<style>#{place}{{min-height:{wide}px}}#{place} figure{{margin:0}}"
            f"#{place} img{{max-width:100%;height:auto}}"
            f"@media(max-width:600px){{#{place}{{min-height:{narrow}px}}}}</style>"
            f"<figure>{self.still()}</figure>"
            f'<script type="application/json">{_inline(self._saved_state())}</script>'
            f'<script type="application/json">{_inline(str(self._esm))}</script>'
            f'</div><script type="module">{_PAGE_HOST.read_text("utf-8")}page.start({_inline(place)})</script>'
        )

    def _saved_state(self) -> dict[str, Any]:
        names = [name for name in self.keys if not name.startswith("_") and name not in _HIDDEN]
        return self.get_state(names)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:  # noqa: ANN401
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/html": self.to_html(), "text/plain": self.describe()}, metadata


def _bundle(name: str) -> Path:
    path = _BUNDLES / f"{name}.js"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the widgets are not bundled yet; run `make widgets` in the project's folder"
        )
    return path


def _inline(value: object) -> str:
    """JSON that may stand inside <script>: no `<`, so nothing in it can close the element."""
    return json.dumps(value, default=_encode_bytes, separators=(",", ":")).replace("<", "\\u003c")


def _encode_bytes(value: bytes | memoryview) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}
