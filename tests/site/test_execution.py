"""Chapters run on all cores, before Sphinx asks for them."""

import os
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_notebook

from companion.site.execution import run_ahead

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
# Each says that it is there, and goes on when the other has said so.
TOGETHER = """\
import pathlib, time
pathlib.Path("{own}").touch()
begun = time.monotonic()
while not pathlib.Path("{other}").exists():
    assert time.monotonic() - begun < 60
    time.sleep(0.05)
"""


@pytest.fixture
def book(tmp_path):
    """`book(name=source, …)`: what Sphinx hands over, for a book of these chapters, and its cache."""

    def make(**sources):
        for name, source in sources.items():
            cells = [new_code_cell(source, id="one")]
            nbformat.write(new_notebook(cells=cells, metadata=KERNEL), tmp_path / f"{name}.ipynb")
        (tmp_path / "page.md").write_text("# No chapter")
        app = SimpleNamespace(
            outdir=str(tmp_path / "_build" / "html"),
            config=SimpleNamespace(nb_execution_timeout=100),
        )
        env = SimpleNamespace(
            found_docs={*sources, "page"},
            doc2path=lambda name: str(
                tmp_path / (f"{name}.ipynb" if name in sources else "page.md")
            ),
        )
        cache = get_cache(str(tmp_path / "_build" / ".jupyter_cache"))
        return app, env, lambda name: cache.match_cache_file(str(tmp_path / f"{name}.ipynb"))

    return make


def outputs(cache, record):
    return cache.get_cache_bundle(record.pk).nb.cells[0].outputs


def test_what_ran_is_in_the_cache_and_runs_no_more(book, tmp_path):
    app, env, found = book(sum="print(1 + 1); open('ran', 'a').write('x')")
    assert run_ahead(app, env, set(), set(), set()) == []
    cache = get_cache(str(tmp_path / "_build" / ".jupyter_cache"))
    assert outputs(cache, found("sum"))[0]["text"] == "2\n"
    run_ahead(app, env, set(), set(), set())
    assert (tmp_path / "ran").read_text() == "x"


def test_one_that_fails_is_left_to_sphinx_and_the_others_are_kept(book):
    app, env, found = book(bad="1 / 0", good="print('well')")
    run_ahead(app, env)
    found("good")
    with pytest.raises(KeyError):
        found("bad")


@pytest.mark.skipif(os.cpu_count() == 1, reason="a single core runs one chapter at a time")
def test_they_run_at_the_same_time(book):
    app, env, found = book(
        a=TOGETHER.format(own="a", other="b"), b=TOGETHER.format(own="b", other="a")
    )
    run_ahead(app, env)
    found("a")
    found("b")


def test_each_kernel_has_one_thread_and_ours_are_as_before(book, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    source = "import os; assert os.environ['OMP_NUM_THREADS'] == '1'"
    app, env, found = book(threads=source)
    run_ahead(app, env)
    found("threads")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    monkeypatch.delenv("OMP_NUM_THREADS")
    app, env, found = book(threads=f"{source}  # again")
    run_ahead(app, env)
    found("threads")
    assert "OMP_NUM_THREADS" not in os.environ
