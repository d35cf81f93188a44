"""Chapters run again when their notebook, the code that they import or the data beside them has changed.

jupyter-cache looks at a notebook's own cells alone; this module makes it forget a chapter whose imported
code is not what it was when the chapter last ran.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

_PROJECT = Path(__file__).parents[2]
# What lies beside a module, it may read; and the script of its own name.
_DATA = {".json", ".safetensors", ".txt", ".xml"}
_LOG = logging.getLogger(__name__)


def forget_stale_chapters(app: Sphinx, env: BuildEnvironment, *_lists: set[str]) -> list[str]:
    """Drop from the execution cache every chapter whose digest changed since it was last built.

    Returns:
        Their names, which tells Sphinx to read them again.
    """
    known_file = _known_file(app)
    known = json.loads(known_file.read_text("utf-8")) if known_file.is_file() else {}
    chapters = {name: Path(env.doc2path(name)) for name in sorted(env.found_docs)}
    chapters = {name: path for name, path in chapters.items() if path.suffix == ".ipynb"}
    digests = {name: digest(path) for name, path in chapters.items()}
    stale = [name for name in digests if name in known and known[name] != digests[name]]
    cache = get_cache(str(known_file.parent / ".jupyter_cache"))
    for name in stale:
        _LOG.info("imported code changed, will run again: %s", name)
        _forget(cache, chapters[name])
    app.companion_digests = digests
    return stale


def remember_chapters(app: Sphinx, exception: Exception | None) -> None:
    """Keep the digests of what was built; after a build that failed, the stale chapters stay stale."""
    if not exception:
        _known_file(app).write_text(json.dumps(app.companion_digests, indent=1), "utf-8")


def _known_file(app: Sphinx) -> Path:
    return Path(app.outdir).parent / "chapters.json"


def _forget(cache: JupyterCacheAbstract, chapter: Path) -> None:
    """Remove what ran at this path, and what matches its cells (it ran elsewhere if the file moved)."""
    for record in cache.list_cache_records():
        if Path(record.uri) == chapter:
            cache.remove_cache(record.pk)
    with suppress(KeyError):
        cache.remove_cache(cache.match_cache_file(str(chapter)).pk)


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
    widget does not depend on the others. A chapter that imports the package itself depends on all.
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
    for name in defined_in if wanted in ([], ["*"]) else wanted:
        if name in defined_in:
            _collect(defined_in[name], [name], files)
        elif (base / f"{name}.py").is_file() or (base / name).is_dir():
            _collect(f"{module}.{name}", [], files)


def _collect_file(path: Path, files: set[Path]) -> None:
    if path in files:
        return
    files.add(path)
    beside = path.parent.iterdir()
    files.update(f for f in beside if f.suffix in _DATA or f.name == f"{path.stem}.js")
    if path.parent.name == "widgets":
        bundles = path.parent / "bundles"
        files.update(b for b in (bundles / f"{path.stem}.js", bundles / "page.js") if b.is_file())
    for name, wanted in _imports(path.read_text("utf-8")):
        _collect(name, wanted, files)
