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
    """The source of a function or class, highlighted; with a link to its file, if that is ours."""

    def __init__(self, thing: Callable) -> None:
        lines, start = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing)).resolve()
        self.code = "".join(lines)
        self.place, self.link = path.name, None
        if path.is_relative_to(_PACKAGE):
            self.place = path.relative_to(_PACKAGE.parent).as_posix()
            self.link = f"{REPOSITORY}/blob/main/{self.place}#L{start}-L{start + len(lines) - 1}"

    def __repr__(self) -> str:
        """Return the source as text."""
        return f"# {self.place}\n{self.code}"

    def _repr_html_(self) -> str:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        code = code.replace("<pre>", '<pre tabindex="0">', 1)
        place = escape(self.place)
        if self.link:
            place = f'<a href="{escape(self.link)}">{place}</a>'
        return (
            f'<figure class="companion-source">{code}'
            f"<figcaption>the code that runs: {place}</figcaption></figure>"
        )


def show_source(*things: Callable) -> None:
    """Show the source of each function or class: what a chapter shows is what runs, never a copy.

    Raises:
        TypeError: one of them has no Python source (a built-in, or an object that is neither function nor class).
    """
    for source in [_source(thing) for thing in things]:
        display(source)


def _source(thing: Callable) -> Source:
    thing = inspect.unwrap(thing)  # what a decorator such as torch.no_grad put around it
    if not (inspect.isfunction(thing) or inspect.isclass(thing) or inspect.ismethod(thing)):
        raise TypeError(f"things: a Python function or class is needed, not {thing!r}")
    try:
        return Source(thing)
    except (OSError, TypeError) as error:
        raise TypeError(f"things: {thing!r} has no Python source ({error})") from error
