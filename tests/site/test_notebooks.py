"""Notebooks as they are kept in git: what `normalise` does, and that every chapter is so."""

import ast
import copy
import re
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from companion.site import notebooks
from companion.site.notebooks import TAG, normalise

CHAPTERS = sorted(
    path
    for path in (Path(__file__).parents[2] / "chapters").rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
OUTPUTS = [
    new_output("stream", name="stdout", text="printed\n"),
    new_output("stream", name="stderr", text="a warning\n"),
    new_output("display_data", data={"image/png": "iVBO", "text/plain": "<Figure>"}),
    new_output(
        "execute_result",
        data={"text/plain": "42", "text/html": "<b>42</b>"},
        metadata={"isolated": True},
        execution_count=7,
    ),
]


def code_cell(*tags, outputs=OUTPUTS, **metadata):
    metadata = {"tags": list(tags), **metadata} if tags else metadata
    return new_code_cell(
        "6 * 7", outputs=copy.deepcopy(outputs), execution_count=7, metadata=metadata
    )


def only(cell):
    return normalise(new_notebook(cells=[cell])).cells[0]


def full_notebook():
    return new_notebook(
        cells=[new_markdown_cell("# Title"), code_cell(), code_cell(TAG, claims=["C1"])],
        metadata={
            "kernelspec": {"name": "py311", "display_name": "My Python", "language": "python"},
            "language_info": {"name": "python", "version": "3.11.7"},
            "widgets": {"application/vnd.jupyter.widget-state+json": {}},
        },
    )


def test_of_tagged_cells_the_printed_text_and_the_value_are_kept():
    printed, value = only(code_cell(TAG)).outputs
    assert printed == new_output("stream", name="stdout", text="printed\n")
    assert value == new_output("execute_result", data={"text/plain": "42"})


def test_of_other_cells_no_output_is_kept():
    assert only(code_cell()).outputs == []
    assert only(code_cell("hide-input")).outputs == []


def test_counts_are_dropped():
    cell = only(code_cell(TAG))
    assert cell.execution_count == 1
    assert cell.outputs[1].execution_count is None


def test_tags_and_claims_are_kept_and_what_editors_add_is_dropped():
    cell = code_cell("b", "a", claims=["C1"], collapsed=True, ExecuteTime={"start": 1}, mystnb={})
    assert only(cell).metadata == {"tags": ["b", "a"], "claims": ["C1"], "mystnb": {}}


def test_the_kernel_is_the_same_for_everyone():
    metadata = normalise(full_notebook()).metadata
    assert metadata.kernelspec == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    assert metadata.language_info == {"name": "python"}
    assert set(metadata) == {"kernelspec", "language_info"}


def test_cells_are_numbered_and_their_sources_kept():
    before = full_notebook()
    after = normalise(before)
    assert [cell.id for cell in after.cells] == ["cell-00", "cell-01", "cell-02"]
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]


def test_a_normal_notebook_comes_back_unchanged():
    once = normalise(full_notebook())
    assert normalise(once) == once
    nbformat.validate(once)


def test_the_given_notebook_is_not_touched():
    notebook = full_notebook()
    before = copy.deepcopy(notebook)
    normalise(notebook)
    assert notebook == before


def test_a_chapter_is_run_in_its_folder_and_written_back_normalised(tmp_path, monkeypatch):
    (tmp_path / "beside.txt").write_text("here", "utf-8")
    path = tmp_path / "chapter.ipynb"
    source = (
        "import sys\nfor part in 'ab':\n    print(open('beside.txt').read(), flush=True)\n1 + 1"
    )
    cell = new_code_cell(source, metadata={"tags": [TAG], "collapsed": True})
    nbformat.write(new_notebook(cells=[cell]), path)
    monkeypatch.setattr("sys.argv", ["notebooks", str(tmp_path)])
    notebooks.main()
    written = nbformat.read(path, as_version=4)
    assert normalise(written) == written
    assert [o.get("text") or o.data["text/plain"] for o in written.cells[0].outputs] == [
        "here\nhere\n",
        "2",
    ]


# The chapters themselves.


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def tags(cell):
    return cell.metadata.get("tags", [])


def test_there_are_chapters():
    assert CHAPTERS


def test_a_chapter_is_kept_normalised(chapter):
    assert normalise(chapter) == chapter, "run `make notebooks NB=…`"


def test_every_pinned_cell_has_text_to_compare_with(chapter):
    for cell in chapter.cells:
        if TAG in tags(cell):
            assert cell.outputs, cell.source
            assert all(o.get("text") or o.data["text/plain"] for o in cell.outputs), cell.source


def test_no_cell_is_skipped(chapter):
    assert [cell.source for cell in chapter.cells if "nbval-skip" in tags(cell)] == []


def test_claims_are_settled_by_code_cells(chapter):
    for cell in chapter.cells:
        if "claims" in cell.metadata:
            assert cell.cell_type == "code", cell.source
            assert cell.metadata.claims, cell.source
            for claim in cell.metadata.claims:
                assert re.fullmatch(r"[CE]\d+", claim), claim


def test_code_cells_parse(chapter):
    for cell in chapter.cells:
        if cell.cell_type == "code":
            ast.parse(TransformerManager().transform_cell(cell.source))
