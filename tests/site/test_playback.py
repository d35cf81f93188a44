import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import v4

from companion.site import playback

pytest_plugins = "pytester"


def cell(source, *outputs, tags=()):
    return v4.new_code_cell(
        source, execution_count=1, outputs=[*outputs], metadata={"tags": [*tags]}
    )


def said(text):
    return v4.new_output("stream", name="stdout", text=text)


def shown(text):
    return v4.new_output("display_data", data={"text/plain": text})


@pytest.fixture
def check(pytester, monkeypatch):
    """Check a chapter, given as its cells, against the cells of its run; None: it has not run."""

    def check(cells, ran):
        monkeypatch.setattr(playback, "CACHE", pytester.path / "cache")
        chapter = pytester.path / "chapter.ipynb"
        nbformat.write(v4.new_notebook(cells=cells), chapter)
        if ran is not None:
            bundle = CacheBundleIn(v4.new_notebook(cells=ran), str(chapter))
            get_cache(str(playback.CACHE)).cache_notebook_bundle(bundle, check_validity=False)
        return pytester.inline_run("-p", "companion.site.playback", "-W", "default", str(chapter))

    return check


def test_equal_outputs_pass_each_cell_a_test(check):
    cells = [
        cell("a = 1"),
        v4.new_markdown_cell("Then"),
        cell("print(a)", said("1\n"), tags=["nbval-check-output"]),
        cell("display(a)", shown("1"), tags=["nbval-check-output"]),
    ]
    check(cells, cells).assertoutcome(passed=3)


@pytest.mark.parametrize("output", [said("2\n"), shown("1")])
def test_another_output_fails_where_it_is_checked(check, output):
    for tags, outcome in (["nbval-check-output"], {"failed": 1}), ([], {"passed": 1}):
        check(
            [cell("print(a)", said("1\n"), tags=tags)], [cell("print(a)", output, tags=tags)]
        ).assertoutcome(**outcome)


def test_outputs_are_those_of_the_same_cell_where_two_say_the_same(check):
    cells = [
        cell("print(a)", said("1\n"), tags=["nbval-check-output"]),
        cell("a = 2"),
        cell("print(a)", said("2\n"), tags=["nbval-check-output"]),
    ]
    check(cells, cells).assertoutcome(passed=3)


def test_a_cell_that_nbval_skips_is_passed_over(check):
    cells = [
        cell("input()", said("no\n"), tags=["nbval-skip"]),
        cell("print(1)", said("1\n"), tags=["nbval-check-output"]),
    ]
    check(cells, cells).assertoutcome(passed=1, skipped=1)


def test_an_error_in_the_run_fails(check):
    error = v4.new_output("error", ename="ValueError", evalue="no", traceback=["here"])
    check([cell("fail()")], [cell("fail()", error)]).assertoutcome(failed=1)


def test_a_chapter_that_has_not_run_as_it_is_fails_and_says_what_to_do(check, capsys):
    check([cell("print(2)")], [cell("print(1)")]).assertoutcome(failed=1)
    assert "chapter.ipynb has not run as it is now: build the book first" in capsys.readouterr().out
