"""What the widgets weigh, and what may know of what."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "companion"
WIDGETS = PACKAGE / "widgets"
BUNDLES = sorted((WIDGETS / "bundles").glob("*.js"))
MATHEMATICS = sorted(PACKAGE.glob("*.py"))
LIMIT = 30 * 1024


def imports(path):
    """The modules of ours that a file imports, its own package's relative ones written out."""
    package = ["companion", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "companion")


def widget_modules():
    for path in sorted(WIDGETS.glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and _is_widget(node):
                yield path


def _is_widget(node):
    """Whether a class is a widget with a module of its own; an abstract one sets `_esm` itself."""
    bases = {"Widget", "LiveWidget"} & set(map(ast.unparse, node.bases))
    return bases and not any(
        isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "_esm"
        for line in node.body
    )


def names(path):
    return path.stem


@pytest.mark.parametrize("bundle", [path for path in BUNDLES if path.name != "page.js"], ids=names)
def test_a_bundled_widget_is_small(bundle):
    assert bundle.stat().st_size <= LIMIT


def test_the_page_host_is_small():
    assert (WIDGETS / "bundles" / "page.js").stat().st_size <= 3 * 1024  # it is in every figure


def test_the_widgets_are_found():
    assert {"attention_heatmap", "quiz"} <= {path.stem for path in widget_modules()}


@pytest.mark.parametrize("module", list(widget_modules()), ids=names)
def test_a_widget_has_its_view_beside_it_and_bundled(module):
    assert module.with_suffix(".js").is_file()
    assert (WIDGETS / "bundles" / f"{module.stem}.js").is_file()


@pytest.mark.parametrize("module", sorted(WIDGETS.rglob("*.py")), ids=names)
def test_widgets_know_nothing_of_the_rest(module):
    others = [name for name in imports(module) if not f"{name}.".startswith("companion.widgets.")]
    assert [name for name in others if name != "companion"] == []


@pytest.mark.parametrize("module", [path for path in MATHEMATICS if path.stem != "show"], ids=names)
def test_mathematics_knows_nothing_of_widgets_models_text_and_site(module):
    above = ("widgets", "models", "corpora", "site")
    assert [
        name for name in imports(module) if name.split(".")[1:2] and name.split(".")[1] in above
    ] == []


def test_the_scan_sees_every_form_of_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    path = tmp_path / "widgets" / "some.py"
    path.parent.mkdir()
    path.write_text(
        "import companion.a\nfrom companion import b\nfrom companion.c import d\n"
        "def later():\n    from ..e import f\n    from .g import h\n    import numpy\n",
        "utf-8",
    )
    found = set(imports(path))
    assert {
        "companion.a",
        "companion.b",
        "companion.c",
        "companion.e",
        "companion.widgets.g",
    } <= found
    assert "numpy" not in found
