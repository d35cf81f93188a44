"""The safety net itself: a widget that breaks says so to the reader, and fails the test that has it open."""

import json

import pytest
from playwright.sync_api import expect

from companion.widgets import AttentionHeatmap, Quiz, Widget

_AT_LOAD = "throw new Error('no load');"
_AT_RENDER = "export default { render() { throw new Error('no render'); } };"
_LATER = """export default { async render({ el }) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  throw new Error('no end');
} };"""
_NO_SYNTAX = "export default {"
_IN_LISTENER = """export default { render({ el }) {
  const button = document.createElement('button');
  button.textContent = 'press';
  button.onclick = () => { throw new Error('no press'); };
  el.append(button);
} };"""
_BROKEN = "${(() => { throw new Error('no words'); })()}"


class _Broken(Widget):
    _esm = ""

    def describe(self):
        return "A figure that breaks."


def _widget(module: str) -> Widget:
    return type("Broken", (_Broken,), {"_esm": module})()


def _heatmap() -> AttentionHeatmap:
    return AttentionHeatmap(["a", "b"], [[0.25, 0.75], [1, 0]])


def _breaking(text: str, broken: str = _BROKEN):
    """A change to a page: in its module, the template literal that starts with `text` throws."""

    text = json.dumps(text)[1:-1]

    def change(html: str) -> str:
        assert html.count(text) == 1, f"{text!r} stands {html.count(text)} times in the module"
        return html.replace(text, broken + text)

    return change


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (_AT_LOAD, "no load"),
        (_AT_RENDER, "no render"),
        (_LATER, "no end"),
        (_NO_SYNTAX, "Unexpected end of input"),
        ("export default 1;", "is not a function"),
    ],
)
def test_module_that_throws_is_told_and_caught(saved, open_page, module, message):
    page = open_page(saved(_widget(module)), alive=False, expected=[message])
    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.get_by_role("alert")).to_contain_text("This figure could not be drawn")
    _expect_caught(page, "page error: ", message)


def test_module_that_does_not_load_leaves_the_picture(saved, open_page):
    page = open_page(saved(_widget(_AT_LOAD)), alive=False, expected=["no load"])
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("figure")).to_contain_text("A figure that breaks.")


def test_state_that_cannot_be_read_is_told_and_caught(saved, open_page):
    page = open_page(
        saved(_heatmap(), change=lambda html: html.replace('"d_k":1', '"d_k":')),
        alive=False,
        expected=["JSON"],
    )
    expect(page.get_by_role("alert")).to_contain_text("This figure could not be drawn")
    _expect_caught(page, "JSON")


def test_raw_listener_that_throws_is_caught(saved, open_page):
    page = open_page(saved(_widget(_IN_LISTENER)), alive=False, expected=["no press"])
    page.recorder.expected.clear()
    page.recorder.check()
    page.get_by_role("button", name="press").click()
    _expect_caught(page, "no press")
    page.recorder.expected.append("no press")


def test_listener_that_throws_is_told_and_caught(saved, open_page):
    page = open_page(saved(_heatmap(), change=_breaking("What “")), expected=["no words"])
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_text("This row as a table").click()
    expect(page.get_by_role("alert")).to_have_text("This figure stopped working: no words")
    _expect_caught(page, "page error: ", "alert on the page: This figure stopped working: no words")


def test_drawing_that_throws_is_told_and_caught(saved, open_page):
    page = open_page(
        saved(_heatmap(), change=_breaking("the row sums to $")), alive=False, expected=["no words"]
    )
    expect(page.get_by_role("alert")).to_have_text("This figure stopped working: no words")
    _expect_caught(page, "page error: ")


def test_listener_of_the_state_that_throws_is_told_and_caught(saved, open_page):
    answers = [{"text": "yes", "why": "", "right": True}, {"text": "no", "why": ""}]
    verdict, broken = (
        json.dumps(json.dumps("✗ Not this one.", ensure_ascii=False))[1:-1],
        _BROKEN[2:-1],
    )
    page = open_page(
        saved(
            Quiz([{"question": "?", "answers": answers}]),
            change=lambda html: html.replace(verdict, broken),
        ),
        expected=["no words"],
    )
    page.get_by_label("yes").check()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_label("no").check()
    expect(page.get_by_role("alert")).to_have_text("This figure stopped working: no words")
    _expect_caught(page, "page error: ")


def test_change_of_theme_that_throws_is_told_and_caught(saved, open_page):
    dark = "document.documentElement.dataset.theme"
    page = open_page(
        saved(
            _heatmap(),
            change=_breaking("background:linear-gradient(", f"${{{dark} && {_BROKEN[2:-1]}}}"),
        ),
        expected=["no words"],
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    page.evaluate(f"{dark} = 'dark'")
    expect(page.get_by_role("alert")).to_have_text("This figure stopped working: no words")
    _expect_caught(page, "page error: ")


def test_failed_and_foreign_requests_are_caught(saved, open_page):
    page = open_page(
        saved(_heatmap()),
        expected=["status 404", "Failed to load", "foreign", "failed request", "ERR_"],
    )
    page.evaluate("fetch('/missing.json')")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    _expect_caught(
        page,
        "status 404",
        "/missing.json",
        "foreign request: http://127.0.0.1:9/",
        "failed request",
    )


def test_unmet_expectation_is_caught(saved, open_page):
    page = open_page(saved(_heatmap()))
    page.recorder.expected.append("something that never happens")
    with pytest.raises(AssertionError, match="expected, but not seen: something"):
        page.recorder.check()
    page.recorder.expected.clear()


def _expect_caught(page, *messages):
    """The recorder finds all messages, if nobody had told it to expect them."""
    expected, page.recorder.expected = page.recorder.expected, []
    with pytest.raises(AssertionError) as caught:
        page.recorder.check()
    for message in messages:
        assert message in str(caught.value)
    page.recorder.expected = expected
