"""Every widget as HTML: what it carries, and that nothing in its state can break out of it."""

import base64
import json
import re
import sys
import types
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.widgets import AttentionHeatmap, Quiz, Widget, host
from companion.widgets.picture import lines_svg, matrix_svg

NASTY = [
    "</script><script>alert(1)</script>",
    "<!--",
    "-->",
    "<script>",
    "]]>",
    '"onload="x',
    "&lt;",
]

properties = settings(deadline=None, max_examples=100, derandomize=True)
words = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4)


class Page(HTMLParser):
    """The elements of a page, and the text of each script."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.scripts = []
        self.styles = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] in ("script", "style"):
            self.scripts[-1] += data

    @property
    def tags(self):
        return [tag for tag, _ in self.elements]

    @property
    def state(self):
        return json.loads(self.scripts[1])  # the first is the style


def heatmap(tokens=("the", "cat", "sat"), **state):
    return AttentionHeatmap(tokens, np.eye(len(tokens)), **state)


def svg_of(page):
    source = dict(page.elements)["img"]["src"]
    kind, _, data = source.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ET.fromstring(base64.b64decode(data))  # noqa: S314 (it is our own)


def test_html_holds_the_picture_and_the_sentence():
    widget = heatmap()
    html = widget.to_html()
    page = Page(html)
    assert svg_of(page).tag == "{http://www.w3.org/2000/svg}svg"
    assert dict(page.elements)["img"]["alt"] == widget.describe()
    assert f"<figcaption>{widget.describe()}</figcaption>" in html


def test_html_keeps_the_height_free():
    widget = heatmap()
    wide, narrow = widget.heights
    style = Page(widget.to_html()).scripts[0]
    assert f"{{min-height:{wide}px}}" in style
    assert re.search(rf"@media\(max-width:600px\){{[^}}]*{{min-height:{narrow}px}}", style)


def test_html_has_this_structure_whatever_the_tokens():
    structure = ["div", "style", "figure", "img", "figcaption", "script", "script", "script"]
    assert Page(heatmap().to_html()).tags == structure
    assert Page(heatmap(NASTY).to_html()).tags == structure


def test_nothing_in_the_state_can_close_its_script():
    page = Page(heatmap(NASTY).to_html())
    assert "<" not in page.scripts[1]
    assert "<" not in page.scripts[2]
    assert page.state["tokens"] == NASTY


def test_a_quiz_cannot_break_out_either():
    answers = [{"text": text, "why": text, "right": text == "<!--"} for text in NASTY]
    quiz = Quiz([{"question": NASTY[0], "answers": answers}])
    page = Page(quiz.to_html())
    assert page.tags.count("script") == 3
    assert page.state["questions"] == quiz.questions


def test_the_module_arrives_unchanged():
    widget = heatmap()
    assert json.loads(Page(widget.to_html()).scripts[2]) == (
        host._BUNDLES / "attention_heatmap.js"  # noqa: SLF001
    ).read_text("utf-8")


def test_the_page_host_starts_this_very_place():
    page = Page(heatmap().to_html())
    place = page.elements[0][1]["id"]
    assert page.elements[-1] == ("script", {"type": "module"})
    assert page.scripts[-1].endswith(f'page.start("{place}")')


def test_arrays_are_sent_as_base64():
    weights = Page(heatmap().to_html()).state["weights"]
    assert weights["dtype"] == "float32"
    assert weights["shape"] == [1, 1, 3, 3]
    values = np.frombuffer(base64.b64decode(weights["data"]["base64"]), "<f4")
    assert np.array_equal(values.reshape(3, 3), np.eye(3))


def test_the_state_holds_the_widget_s_own_traits_and_nothing_of_jupyter_s():
    state = Page(heatmap().to_html()).state
    assert set(state) == {
        name
        for name in AttentionHeatmap.class_trait_names(sync=True)
        if name not in Widget.class_trait_names()
    }
    assert {"tokens", "weights", "layer"} <= set(state)


def test_the_state_is_that_of_now():
    widget = heatmap()
    widget.row = 2
    assert Page(widget.to_html()).state["row"] == 2


@properties
@given(words)
def test_any_tokens_survive_the_way_to_the_page(tokens):
    page = Page(heatmap(tokens).to_html())
    assert page.state["tokens"] == page.state["target_tokens"] == tokens
    assert page.tags.count("script") == 3


@properties
@given(words)
def test_the_picture_is_well_formed_for_any_tokens(tokens):
    svg = ET.fromstring(matrix_svg(np.eye(len(tokens)), tokens, tokens))  # noqa: S314
    assert len(svg.findall("{http://www.w3.org/2000/svg}text")) == 2 * len(tokens)


@pytest.mark.parametrize("token", ["שלום", "مرحبا", "🙂👩‍👩‍👧", "e\u0301", "<b>&amp;", "a b"])
def test_the_picture_shows_the_token_itself(token):
    svg = ET.fromstring(matrix_svg(np.eye(1), [token], [token]))  # noqa: S314
    assert {text.text for text in svg.findall("{http://www.w3.org/2000/svg}text")} == {token}


@pytest.mark.parametrize("token", ["\0", "\x1b[0m", "\x0b", "\ufffe", "\uffff", "\ud800"])
def test_what_xml_cannot_hold_is_replaced_in_the_picture(token):
    svg = ET.fromstring(matrix_svg(np.eye(1), [token], [token]))  # noqa: S314
    assert svg.find("{http://www.w3.org/2000/svg}text").text.startswith("\N{REPLACEMENT CHARACTER}")


@properties
@given(words)
def test_lines_of_any_text_are_well_formed(texts):
    ET.fromstring(lines_svg([(text, "ink") for text in texts]))  # noqa: S314


def test_lines_are_wrapped_and_shown_as_they_are():
    svg = ET.fromstring(lines_svg([("word " * 40, "ink"), ("<b>&amp;\0", "accent")]))  # noqa: S314
    lines = [text.text for text in svg.findall("{http://www.w3.org/2000/svg}text")]
    assert all(len(line) <= 76 for line in lines)
    assert " ".join(lines[:-1]).split() == ["word"] * 40
    assert lines[-1] == "<b>&amp;\N{REPLACEMENT CHARACTER}"


def test_labels_are_left_out_where_they_could_not_be_read():
    many = [str(i) for i in range(41)]
    assert "<text" not in matrix_svg(np.eye(41), many, many)
    assert matrix_svg(np.eye(40), many[:40], many[:40]).count("<text") == 80


def test_a_saved_file_asks_nobody_for_anything(tmp_path):
    path = tmp_path / "map.html"
    heatmap(["https://example.org/x.js"]).save_html(path)
    page = Page(path.read_text("utf-8"))
    for tag, attributes in page.elements:
        address = attributes.get("src") or attributes.get("href") or "data:"
        assert address.startswith("data:"), tag
    code = [json.loads(page.scripts[3]), page.scripts[-1]]
    for text in [*code, *page.scripts[:2]]:
        assert not re.search(r"""(\bimport\b|\bfrom\b|url)[\s('"]*(https?:)?//""", text)
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|importScripts)\b", text)


def test_a_saved_file_is_a_whole_page(tmp_path):
    heatmap().save_html(str(tmp_path / "map.html"))
    text = (tmp_path / "map.html").read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in text
    assert "<title>AttentionHeatmap</title>" in text


def test_saving_into_a_folder_that_does_not_exist_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: the folder '.*nowhere' does not exist"):
        heatmap().save_html(tmp_path / "nowhere" / "map.html")


def test_a_notebook_gets_the_live_widget_the_page_and_the_sentence():
    widget = heatmap()
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == widget.describe()
    assert '<div id="widget-' in data["text/html"]


def test_two_displays_of_one_widget_have_different_ids():
    widget = heatmap()
    ids = {Page(widget.to_html()).elements[0][1]["id"] for _ in range(2)}
    assert len(ids) == 2


def define(module):
    return types.new_class("Something", (Widget,), {}, lambda body: body.update(__module__=module))


def test_a_missing_bundle_says_what_to_run():
    with pytest.raises(FileNotFoundError, match=r"nothing\.js is missing: .* run `make widgets`"):
        define("companion.widgets.nothing")


def test_a_subclass_finds_its_bundle_by_the_name_of_its_module(tmp_path, monkeypatch):
    monkeypatch.setattr(host, "_BUNDLES", tmp_path)
    (tmp_path / "something.js").write_text("export default {}", "utf-8")
    assert str(define("far.away.something")._esm) == "export default {}"  # noqa: SLF001


@pytest.mark.parametrize("widget", [AttentionHeatmap, Quiz])
def test_each_widget_has_the_bundle_of_its_module(widget):
    name = sys.modules[widget.__module__].__name__.rpartition(".")[2]
    assert str(widget._esm) == (host._BUNDLES / f"{name}.js").read_text("utf-8")  # noqa: SLF001


def test_by_default_a_widget_is_described_by_its_first_line_of_documentation():
    class Described(Widget):
        """What it shows.

        And more.
        """

        _esm = "export default {}"

    assert Described().describe() == "What it shows."
    assert "What it shows." in Described().to_html()
