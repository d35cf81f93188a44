"""Which changes make a chapter run again, in a small project of its own."""

import json
import types

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from companion.site import freshness

PROJECT = {
    "requirements.txt": "torch\n",
    "companion/__init__.py": "",
    "companion/direct.py": "from companion.deeper import x\n",
    "companion/deeper.py": "import math\n",
    "companion/unrelated.py": "",
    "companion/unrelated.js": "",
    "companion/widgets/__init__.py": (
        "from companion.widgets.heatmap import Heatmap\nfrom companion.widgets.quiz import Quiz\n"
    ),
    "companion/widgets/heatmap.py": "from companion.widgets.host import Widget\n",
    "companion/widgets/quiz.py": "from companion.widgets.host import Widget\n",
    "companion/widgets/host.py": "import anywidget\n",
    "companion/widgets/bundles/heatmap.js": "",
    "companion/widgets/bundles/quiz.js": "",
    "companion/widgets/bundles/page.js": "",
    "companion/both/__init__.py": "from companion.widgets import Heatmap, Quiz\n",
    "companion/models/__init__.py": "",
    "companion/models/small.py": "import companion.direct\n",
    "companion/told/__init__.py": "",
    "companion/told/by_hand.py": "",
    "companion/told/by_hand.txt": "",
    "chapters/one.quiz.json": "[]",
    "chapters/two.quiz.json": "[]",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.setattr(freshness, "_PROJECT", tmp_path)
    return tmp_path


def write(path, *cells):
    notebook = new_notebook(cells=[new_markdown_cell("import companion.unrelated")])
    notebook.cells += [new_code_cell(cell, execution_count=i + 1) for i, cell in enumerate(cells)]
    nbformat.write(notebook, path)
    return path


def changes_with(project, code):
    """The files of the project whose change changes the digest of a chapter with this code."""
    chapter = write(project / "chapters/one.ipynb", *([code] if isinstance(code, str) else code))
    before = freshness.digest(chapter)
    changing = set()
    for name, text in PROJECT.items():
        (project / name).write_text(f"{text}\n", "utf-8")
        if freshness.digest(chapter) != before:
            changing.add(name)
        (project / name).write_text(text, "utf-8")
    assert freshness.digest(chapter) == before
    return changing


ALWAYS = {"requirements.txt", "chapters/one.quiz.json"}
HEATMAP = {
    "companion/widgets/__init__.py",
    "companion/widgets/heatmap.py",
    "companion/widgets/host.py",
    "companion/widgets/bundles/heatmap.js",
    "companion/widgets/bundles/page.js",
}
WIDGETS = HEATMAP | {"companion/widgets/quiz.py", "companion/widgets/bundles/quiz.js"}
DIRECT = {"companion/direct.py", "companion/deeper.py"}


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("import torch", set()),
        ("import companion.direct", DIRECT),
        (
            "import companion.told.by_hand",
            {"companion/told/by_hand.py", "companion/told/by_hand.txt"},
        ),
        ("import companion.direct as d, numpy as np", DIRECT),
        ("from companion.direct import x", DIRECT),
        ("def f():\n    from companion.deeper import x", {"companion/deeper.py"}),
        ("from companion import direct", {"companion/__init__.py"} | DIRECT),
        ("from companion.widgets import Heatmap", HEATMAP),
        ("from companion.widgets import Heatmap as H", HEATMAP),
        (
            "from companion.widgets.heatmap import Heatmap",
            HEATMAP - {"companion/widgets/__init__.py"},
        ),
        ("from companion.widgets import Heatmap, Quiz", WIDGETS),
        ("from companion.widgets import *", WIDGETS),
        ("from companion.both import Heatmap", {"companion/both/__init__.py"} | HEATMAP),
        ("import companion.widgets as w", WIDGETS),
        ("from companion import widgets", {"companion/__init__.py"} | WIDGETS),
        (
            "from companion.models import small",
            {"companion/models/__init__.py", "companion/models/small.py"} | DIRECT,
        ),
        ("from companion.models.small import net", {"companion/models/small.py"} | DIRECT),
        (
            ["import torch", "import companion.unrelated"],
            {"companion/unrelated.py", "companion/unrelated.js"},
        ),
    ],
)
def test_a_chapter_depends_on_what_it_imports_and_on_nothing_else(project, code, files):
    assert changes_with(project, code) == files | ALWAYS


@pytest.mark.parametrize(
    "magic",
    [
        "%pip install .",
        "!ls -l",
        "files = !ls",
        "%%time\nx = 1",
        "%%bash\nif true; then echo; fi",
        "torch?",
        "%matplotlib inline\nimport torch",
    ],
)
def test_magics_are_understood(project, magic):
    assert changes_with(project, [magic, "import companion.deeper"]) == {
        "companion/deeper.py",
        *ALWAYS,
    }


def test_the_chapter_s_own_cells_are_left_to_jupyter_cache(project):
    chapter = write(project / "chapters/one.ipynb", "import companion.direct", "a = 1")
    before = freshness.digest(chapter)
    write(chapter, "import companion.direct", "a = 2")
    assert freshness.digest(chapter) == before


def test_bundles_may_be_missing(project):
    for bundle in (project / "companion/widgets/bundles").iterdir():
        bundle.unlink()
    assert freshness.digest(write(project / "chapters/one.ipynb", "import companion.widgets"))


def test_modules_may_import_each_other(project):
    (project / "companion/deeper.py").write_text("import companion.direct", "utf-8")
    assert freshness.digest(write(project / "chapters/one.ipynb", "import companion.direct"))


class Book:
    """As much of a Sphinx application as is asked for, with a real execution cache."""

    def __init__(self, project):
        self.project = project
        self.app = types.SimpleNamespace(outdir=project / "_build/html")
        (project / "_build").mkdir()
        self.env = types.SimpleNamespace(
            found_docs={"index", "chapters/one", "chapters/two"}, doc2path=self.path
        )
        self.cache = get_cache(str(project / "_build/.jupyter_cache"))
        write(self.path("chapters/one"), "import companion.direct")
        write(self.path("chapters/two"), "import companion.unrelated")

    def path(self, name):
        return self.project / f"{name}.{'md' if name == 'index' else 'ipynb'}"

    def build(self, exception=None):
        """What a build does: forget, run what is not in the cache, remember; returns what is stale."""
        stale = freshness.forget_stale_chapters(self.app, self.env, set(), set(), set())
        if exception is None:
            for name in ("chapters/one", "chapters/two"):
                notebook = nbformat.read(self.path(name), as_version=4)
                bundle = CacheBundleIn(notebook, str(self.path(name)))
                self.cache.cache_notebook_bundle(bundle, overwrite=True)
        freshness.remember_chapters(self.app, exception)
        return stale

    def kept(self):
        return {record.uri for record in self.cache.list_cache_records()}

    def change(self, name):
        (self.project / name).write_text("y = 1", "utf-8")


@pytest.fixture
def book(project):
    return Book(project)


def test_at_first_nothing_is_stale(book):
    assert book.build() == []
    assert book.build() == []
    assert book.kept() == {str(book.path("chapters/one")), str(book.path("chapters/two"))}


def test_only_the_stale_chapter_is_forgotten(book):
    book.build()
    book.change("companion/deeper.py")
    assert book.build(RuntimeError()) == ["chapters/one"]
    assert book.kept() == {str(book.path("chapters/two"))}


def test_a_rebuilt_chapter_is_fresh_again(book):
    book.build()
    book.change("companion/deeper.py")
    assert book.build() == ["chapters/one"]
    assert book.build() == []


def test_after_a_failed_build_stale_chapters_stay_stale(book):
    book.build()
    book.change("companion/deeper.py")
    book.build(RuntimeError())
    assert book.build() == ["chapters/one"]
    assert book.build() == []


def test_a_chapter_that_moved_is_forgotten_too(book):
    book.build()
    old, new = book.path("chapters/one"), book.path("chapters/three")
    old.rename(new)
    book.env.found_docs = {"chapters/three"}
    freshness.forget_stale_chapters(book.app, book.env)
    freshness.remember_chapters(book.app, None)
    book.change("companion/deeper.py")
    assert freshness.forget_stale_chapters(book.app, book.env) == ["chapters/three"]
    assert book.kept() == {str(book.path("chapters/two"))}


def test_only_chapters_of_the_book_are_looked_at(book):
    write(book.project / "chapters/draft.ipynb", "import companion.gone")
    book.build()
    known = json.loads((book.project / "_build/chapters.json").read_text("utf-8"))
    assert set(known) == {"chapters/one", "chapters/two"}
