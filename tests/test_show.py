"""Source on the page: the very source, and where it is."""

import ast
import functools
import html
import inspect
import re
import sys
from pathlib import Path

import pytest
import torch

from companion import attention, show
from companion.show import REPOSITORY, show_source
from companion.widgets import AttentionHeatmap

PROJECT = Path(__file__).parents[1]
THINGS = [
    attention.attention_weights,
    attention.MultiHeadAttention,
    attention.MultiHeadAttention.forward,
    AttentionHeatmap.describe,
    show_source,
]


@pytest.fixture(autouse=True)
def displayed(monkeypatch):
    """What was displayed, in its order."""
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    return shown


def text_of(source):
    block = source._repr_html_().partition("<figcaption>")[0]
    return html.unescape(re.sub("<[^>]*>", "", block)).strip()


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__qualname__)
def test_what_is_shown_is_the_very_source(thing, displayed):
    show_source(thing)
    (source,) = displayed
    assert source.code == inspect.getsource(thing)
    assert text_of(source).split() == source.code.split()
    assert repr(source).endswith(source.code)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__qualname__)
def test_it_links_to_the_file_and_its_lines(thing, displayed):
    show_source(thing)
    (source,) = displayed
    path, first, last = re.fullmatch(
        rf"{re.escape(REPOSITORY)}/blob/main/(.*)#L(\d+)-L(\d+)", source.link
    ).groups()
    lines = (PROJECT / path).read_text("utf-8").splitlines(keepends=True)
    assert "".join(lines[int(first) - 1 : int(last)]) == inspect.getsource(thing)
    assert f'<a href="{source.link}">{path}</a>' in source._repr_html_()
    assert repr(source).startswith(f"# {path}\n")


def test_several_are_shown_in_their_order(displayed):
    assert show_source(*THINGS) is None
    assert [source.code for source in displayed] == [inspect.getsource(thing) for thing in THINGS]


def test_where_one_is_refused_none_is_shown(displayed):
    with pytest.raises(TypeError):
        show_source(show_source, int)
    assert displayed == []


def test_source_is_escaped(displayed):
    def nasty():
        return "<script>alert('&')</script>"

    show_source(nasty)
    block = displayed[0]._repr_html_()
    assert "<script" not in block
    assert "&lt;script&gt;" in block


def test_what_a_decorator_put_around_it_is_not_shown(displayed):
    @functools.cache
    @torch.no_grad()
    def decorated():
        return "this very line"

    show_source(decorated)
    (source,) = displayed
    assert "this very line" in source.code
    assert source.place == Path(__file__).name


def test_what_is_not_ours_has_no_link(displayed):
    show_source(torch.nn.functional.softmax)
    (source,) = displayed
    assert source.link is None
    assert "<a " not in source._repr_html_()
    assert "functional.py" in source._repr_html_()


@pytest.mark.parametrize(
    "thing", [len, int, sys, 3, "attention", None, torch.nn.Linear(1, 1)], ids=repr
)
def test_what_has_no_python_source_is_refused(thing):
    with pytest.raises(TypeError, match=r"^things: "):
        show_source(thing)


def test_a_function_whose_source_is_gone_is_refused():
    names = {}
    exec("def lost(): pass", names)  # noqa: S102
    with pytest.raises(TypeError, match=r"^things: .*lost.* has no Python source"):
        show_source(names["lost"])


def test_the_code_can_be_reached_and_scrolled_with_the_keyboard(displayed):
    show_source(show_source)
    assert '<pre tabindex="0">' in displayed[0]._repr_html_()


def test_the_module_has_one_address_of_the_repository():
    tree = ast.parse(Path(show.__file__).read_text("utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert [text for text in texts if str(text).startswith("https://")] == [REPOSITORY]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("_config.yml", r"^repository:\n +url: (\S+)$"),
        ("CITATION.cff", r'^repository-code: "(\S+)"$'),
    ],
)
def test_the_repository_has_the_same_address_everywhere(name, pattern):
    text = (PROJECT / name).read_text("utf-8")
    assert re.findall(pattern, text, flags=re.MULTILINE) == [REPOSITORY]
