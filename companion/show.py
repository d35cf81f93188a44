"""Shows, in a notebook and in the book, the very source that runs."""

import inspect
from collections.abc import Callable
from html import escape
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

REPOSITORY = "https://github.com/attention-companion/attention-companion"
_PROJECT = Path(__file__).parents[1]


class Source:
    """The source of a function or class, highlighted, with a link to its file."""

    def __init__(self, thing: Callable) -> None:
        lines, start = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing)).resolve()
        self.code = "".join(lines)
        self.place = (
            path.relative_to(_PROJECT).as_posix() if path.is_relative_to(_PROJECT) else path.name
        )
        self.link = f"{REPOSITORY}/blob/main/{self.place}#L{start}-L{start + len(lines) - 1}"

    def __repr__(self) -> str:
        """Return the source as text."""
        return f"# {self.place}\n{self.code}"

    def _repr_html_(self) -> str:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        code = code.replace("<pre>", '<pre tabindex="0">', 1)
        return (
            f'<figure class="companion-source">{code}'
            f'<figcaption>the code that runs: <a href="{escape(self.link)}">{escape(self.place)}</a></figcaption></figure>'
        )


def show_source(thing: Callable) -> Source:
    """Return the source of `thing` for display: what a chapter shows is what runs, never a copy.

    Raises:
        TypeError: `thing` has no Python source (a built-in, or an object that is no function or class).
    """
    if not (inspect.isfunction(thing) or inspect.isclass(thing) or inspect.ismethod(thing)):
        raise TypeError(f"thing: a Python function or class is needed, not {thing!r}")
    return Source(thing)
