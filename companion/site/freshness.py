"""Chapters run again when their notebook, the code that they import or the data beside them has changed.

jupyter-cache looks at a notebook's own cells alone; this module makes it forget a chapter whose imported
code is not what it was when the chapter last ran.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

_PROJECT = Path(__file__).parents[2]
_LOG = logging.getLogger(__name__)


def forget_stale_chapters(app: Sphinx) -> None:
    """Drop from the execution cache every chapter whose digest changed since the last build."""
    known_file = Path(app.outdir).parent / "chapters.json"
    known = json.loads(known_file.read_text("utf-8")) if known_file.is_file() else {}
    chapters = {name: Path(app.env.doc2path(name)) for name in app.project.discover()}
    digests = {name: digest(path) for name, path in chapters.items() if path.suffix == ".ipynb"}
    stale = [name for name in digests if name in known and known[name] != digests[name]]
    cache = get_cache(str(Path(app.outdir).parent / ".jupyter_cache"))
    for name in stale:
        _LOG.info("imported code changed, will run again: %s", name)
        for record in cache.list_cache_records():
            if Path(record.uri) == chapters[name]:
                cache.remove_cache(record.pk)
    known_file.parent.mkdir(parents=True, exist_ok=True)
    known_file.write_text(json.dumps(digests, indent=1), "utf-8")
    app.companion_stale_chapters = stale


def stale_chapters(app: Sphinx, env: BuildEnvironment, *_lists: set[str]) -> list[str]:  # noqa: ARG001
    """Tell Sphinx to read these chapters again."""
    return app.companion_stale_chapters


def digest(notebook: Path) -> str:
    """Return a digest of all that a chapter's outputs depend on, its own cells apart."""
    files = {_PROJECT / "requirements.txt", *_beside(notebook)}
    for name, wanted in _imports(_code(notebook)):
        _collect(name, wanted, files)
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def _beside(notebook: Path) -> list[Path]:
    return [path for path in notebook.parent.glob(f"{notebook.stem}.*") if path != notebook]


def _code(notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    plain = TransformerManager().transform_cell
    return "\n".join(
        plain("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"
    )


def _imports(code: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (module, names taken from it) for each import of our own package."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (
                (alias.name, []) for alias in node.names if alias.name.startswith("companion")
            )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("companion"):
            yield node.module, [alias.name for alias in node.names]


def _collect(module: str, wanted: list[str], files: set[Path]) -> None:
    """Add to `files` the module and, in turn, what it imports.

    From a package only the modules that define the wanted names are taken: a chapter that imports one
    widget does not depend on the others.
    """
    base = _PROJECT / module.replace(".", "/")
    if not base.is_dir():
        _collect_file(base.with_suffix(".py"), files)
        return
    init = base / "__init__.py"
    files.add(init)
    defined_in = {
        name: source for source, names in _imports(init.read_text("utf-8")) for name in names
    }
    for name in wanted:
        if name in defined_in:
            _collect(defined_in[name], [name], files)
        elif (base / f"{name}.py").is_file() or (base / name).is_dir():
            _collect(f"{module}.{name}", [], files)


def _collect_file(path: Path, files: set[Path]) -> None:
    if path in files:
        return
    files.add(path)
    if path.parent.name == "widgets":
        bundles = path.parent / "bundles"
        files.update(b for b in (bundles / f"{path.stem}.js", bundles / "page.js") if b.is_file())
    for name, wanted in _imports(path.read_text("utf-8")):
        _collect(name, wanted, files)
