"""A view of BertViz in a frame of its own, so that several of them fit on a page.

BertViz writes scripts that look for elements by fixed names and hand their data on in one global
variable: side by side on one page, two neuron views would both show the second's data. Nothing of
BertViz is copied here. Its HTML gets a document of its own, in which keys do what the mouse does
(bertviz_frame.js), and nothing of a text is taken for HTML.
"""

import json
import re
from html import escape
from pathlib import Path

_KEYS = Path(__file__).with_name("bertviz_frame.js")
_MENUS = {"layer": "Layer", "att_head": "Head", "filter": "Attention"}
# The line of BertViz's scripts that holds the data, as JSON: which has no line breaks of its own.
_DATA = re.compile(
    r"^(?P<before>\s*const params = |window\.bertviz_params = )(?P<data>\{.*)$", re.MULTILINE
)
_MARGIN, _MENU = 8, 56  # pixels around a view, and above it with a scroll bar below
_STYLE = f"body{{margin:{_MARGIN}px;color:#1c2230;background:#fff}}select{{font:inherit}}:focus{{outline:2px solid #0b62a8}}"
# BertViz has a dark mode in two of its three views, and chooses it once. Turned around, with every hue
# kept, all three follow the page. (The names: of the book's pages, and of JupyterLab's.)
_DARK = (
    ":is([data-theme=dark],[data-jp-theme-light=false]) .companion-bertviz iframe"
    "{filter:invert(.9) hue-rotate(180deg)}"
)
_FIT = 0.65  # a wide view is made smaller by this where it fits then; where it does not, it scrolls


class View:
    """One view, shown in a notebook or a page as a frame with a document of its own.

    Args:
        kind: what it is, such as "head view".
        label: what it shows, for who cannot see it.
        html: what BertViz returned.
        width: of what is drawn, in pixels; a narrower frame scrolls.
        height: of what is drawn, in pixels.
    """

    def __init__(self, kind: str, label: str, html: str, *, width: float, height: float) -> None:
        self.kind, self.label = kind, label
        self.width, self.height = round(width), round(height)
        self._html = html

    def __repr__(self) -> str:
        """Return what it is, and what it shows."""
        return f"<BertViz {self.kind}: {self.label}>"

    def document(self) -> str:
        """Return the HTML of a page that holds this view alone."""
        html = _DATA.sub(_data, self._html)
        for name, label in _MENUS.items():
            html = html.replace(
                f'<select id="{name}">', f'<select id="{name}" aria-label="{label}">'
            )
        # The book's pages look for the address in single quotes: in an attribute, double ones are &quot;.
        html = re.sub(
            r'<script src="([^"]*)"></script>', r"<script src='\1'></script>", html, count=1
        )
        style = (
            f"{_STYLE}svg{{min-width:{self.width}px}}@media {self._narrow()}{{body{{zoom:{_FIT}}}}}"
        )
        return (
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>BertViz {self.kind}</title>'
            f"<style>{style}</style><body>{html}<noscript>BertViz needs JavaScript.</noscript>"
            f"<script>{_KEYS.read_text('utf-8')}</script></body></html>"
        )

    def _narrow(self) -> str:
        """The condition, on the frame's width, that this fits if it is made smaller, and only then."""
        whole = self.width + 2 * _MARGIN
        return f"(min-width:{_FIT * whole:.0f}px) and (max-width:{whole - 1}px)"

    def _repr_html_(self) -> str:
        content = self.document().replace("&", "&amp;").replace('"', "&quot;")
        height = self.height + 2 * _MARGIN + _MENU
        name = f"bertviz-{self.width}-{self.height}"
        style = (
            f".{name}{{container-type:inline-size}}.{name} iframe{{width:100%;height:{height}px;border:0;"
            f"border-radius:10px}}@container {self._narrow()}{{.{name} iframe{{height:{_FIT * height:.0f}px}}}}"
        )
        return (
            f'<div class="companion-bertviz {name}"><style>{_DARK}{style}</style>'
            f'<iframe loading="lazy" title="{escape(f"BertViz {self.kind}: {self.label}")}" srcdoc="{content}"></iframe></div>'
        )


def _data(line: re.Match[str]) -> str:
    """Write the data once (BertViz has it in a comment too), and so that no text in it ends the script."""
    data, _ = json.JSONDecoder().raw_decode(line["data"])
    written = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", r"\u003c")
    return f"{line['before']}{written};"
