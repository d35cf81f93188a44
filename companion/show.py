"""Shows, in a notebook and in the book, the very source that runs."""

import inspect
from collections.abc import Callable
from html import escape
from pathlib import Path

from IPython.display import display
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

REPOSITORY = "https://github.com/attention-companion/attention-companion"
_PACKAGE = Path(__file__).parent


class Source:
    """The source of a function or class, highlighted, with a link to its file."""

    def __init__(self, thing: Callable) -> None:
        lines, start = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing)).resolve()
        self.code = "".join(lines)
        inside = path.is_relative_to(_PACKAGE)
        self.place = path.relative_to(_PACKAGE.parent).as_posix() if inside else path.name
        self.link = f"{REPOSITORY}/blob/main/{self.place}#L{start}-L{start + len(lines) - 1}"

    def __repr__(self) -> str:
        """Return the source as text."""
        return f"# {self.place}\n{self.code}"

    def _repr_html_(self) -> str:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        code = code.replace("<pre>", '<pre tabindex="0">', 1)
        return (
            f'<figure class="companion-source">{code}<figcaption>the code that runs: '
            f'<a href="{escape(self.link)}">{escape(self.place)}</a></figcaption></figure>'
        )


def show_source(*things: Callable) -> None:
    """Show the source of each function or class: what a chapter shows is what runs, never a copy.

    Raises:
        TypeError: one of them has no Python source (a built-in, or an object that is neither function nor class).
    """
    for thing in things:
        if not (inspect.isfunction(thing) or inspect.isclass(thing) or inspect.ismethod(thing)):
            raise TypeError(f"things: a Python function or class is needed, not {thing!r}")
    for thing in things:
        display(Source(thing))
