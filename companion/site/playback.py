"""nbval checks what chapters said when the book was built, and runs none of them again.

A plugin of pytest: `pytest -p companion.site.playback chapters` stands in the place of
`pytest --nbval-lax chapters`, which runs each chapter in a kernel of its own.
"""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat import NotebookNode
from nbval.plugin import IPyNbFile

CACHE = Path(__file__).parents[2] / "_build" / ".jupyter_cache"
_ID = "a cell"


class Playback:
    """Stands where nbval has its kernel: each cell gets the outputs that it had in the book.

    Args:
        notebook: a chapter that has run.
    """

    def __init__(self, notebook: NotebookNode) -> None:
        self._cells = iter([cell for cell in notebook.cells if cell.cell_type == "code"])
        self._messages = iter([_message(None)])

    def is_alive(self) -> bool:
        """It is always ready."""
        return True

    def execute_cell_input(self, source: str, **_options: bool) -> str:
        """Turn to the next cell that has this code.

        Returns:
            The number of the request, as a kernel would.
        """
        cell = next(cell for cell in self._cells if cell.source == source)
        self._messages = iter([*map(_message, cell.outputs), _message(None)])
        return _ID

    def await_reply(self, *_request: object, **_options: object) -> None:
        """Return at once: all has run."""

    def await_idle(self, *_request: object) -> None:
        """Return at once: all has run."""

    def get_message(self, *_stream: str, **_options: object) -> dict[str, Any]:
        """Return the cell's next output; behind the last, that it has ended."""
        return next(self._messages)

    def stop(self) -> None:
        """There is nothing to stop."""


def _message(output: NotebookNode | None) -> dict[str, Any]:
    content = output or {"execution_state": "idle"}
    kind = output.output_type if output else "status"
    return {"msg_type": kind, "parent_header": {"msg_id": _ID}, "content": content}


class ChapterOfTheBook(IPyNbFile):
    """A chapter as the book has run it; as with `--nbval-lax`, only marked cells are compared."""

    def __init__(self, **where: object) -> None:
        super().__init__(**where)
        self.compare_outputs = False

    def setup(self) -> None:
        """Find the run of the chapter.

        Raises:
            Failed: If the book has not been built with these cells.
        """
        cache = get_cache(str(CACHE))
        try:
            record = cache.match_cache_notebook(nbformat.read(self.path, as_version=4))
        except KeyError:
            pytest.fail(f"{self.path.name} has not run as it is now: build the book first")
        self.kernel = Playback(cache.get_cache_bundle(record.pk).nb)
        self.setup_sanitize_files()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect chapters."""
    if file_path.suffix == ".ipynb":
        return ChapterOfTheBook.from_parent(parent, path=file_path)
    return None
