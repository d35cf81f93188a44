"""What is taken out of a page, and what is left alone."""

import re
from pathlib import Path

import pytest

from companion.site import vendor
from companion.site.page import tidy
from companion.widgets.picture import PALETTE

CDN = "https://cdnjs.cloudflare.com/ajax/libs"


def page(head="", body="", root="../../"):
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-content_root="{root}">\n<head>{head}</head>\n'
        f"<body>{body}</body>\n</html>\n"
    )


UNWANTED = [
    '<script async="async" src="../../_static/sphinx-thebe.js?v=c100c467"></script>',
    '<script>const THEBE_JS_URL = "https://unpkg.com/thebe@0.8.2/lib/index.js"; const thebe_selector = ".x"</script>',
    '<script>\nconst A=1</script><script>const THEBE_JS_URL = "https://unpkg.com/x"</script>',
    f'<script src="{CDN}/require.js/2.3.4/require.min.js"></script>',
    f'<script crossorigin="anonymous" integrity="sha256-x" src="{CDN}/require.js/2.3.4/require.min.js"></script>',
    '<script src="https://cdn.jsdelivr.net/npm/@jupyter-widgets/html-manager@1.0.1/dist/embed-amd.js"></script>',
    '<script type="application/vnd.jupyter.widget-state+json">\n{"state": {"a": "https://x"}}\n</script>',
    '<script type="application/vnd.jupyter.widget-view+json">{"model_id": "thebe"}</script>',
    '<script defer src="../../_static/scripts/fontawesome.js?digest=8878045cc6db502f8baf"></script>',
    '<link rel="preload" as="script" href="../../_static/scripts/fontawesome.js?digest=88" />',
    '<link href="../../_static/vendor/fontawesome/webfonts/fa-solid-900.woff2" rel="preload" as="font" />',
    '<link rel="stylesheet" type="text/css" href="../../_static/sphinx-thebe.css?v=4fa983c6" />',
]


@pytest.mark.parametrize("unwanted", UNWANTED)
def test_what_nobody_uses_is_taken_out(unwanted):
    kept = '<script src="../../_static/doctools.js"></script>'
    for before in (page(head=kept + unwanted + kept), page(body=f"<p>a</p>{unwanted}<p>b</p>")):
        after = tidy(before)
        assert after.replace("<script>\nconst A=1</script>", "") == before.replace(unwanted, "")


@pytest.mark.parametrize("name", ["_static/searchtools", "_static/language_data", "searchindex"])
def test_what_searches_is_on_the_page_of_results_only(name):
    script = f'<script src="../../{name}.js"></script>'
    results = '<div id="search-results"></div>'
    assert tidy(page(head=script)) == page()
    assert tidy(page(head=script, body=results)) == page(head=script, body=results)


def test_two_widget_states_do_not_take_what_is_between():
    state = '<script type="application/vnd.jupyter.widget-state+json">{}</script>'
    assert tidy(page(body=f"{state}<p>between</p>{state}")) == page(body="<p>between</p>")


KEPT = [
    "<p>thebe, require.js/2.3.4, @jupyter-widgets/html-manager, fontawesome.js and THEBE_JS_URL</p>",
    f"<p>BertViz loads {CDN}/d3/5.7.0/d3.min from another site.</p>",
    f"<pre>src=&quot;{CDN}/require.js/2.3.6/require.min.js&quot;</pre>",
    "<pre>&lt;script src=&quot;sphinx-thebe.js&quot;&gt;&lt;/script&gt;</pre>",
    "<pre>&lt;select id=&quot;layer&quot;&gt;</pre>",
    f"<p>The colour {PALETTE['light']['query']} and style=color:{PALETTE['light']['key']};</p>",
    '<span style="color:#123456;">x</span>',
    '<script type="application/json">{"a":1}</script>',
    '<script src="../../_static/plots.js"></script>',
    '<script>let thebe = "fontawesome.js"</script>',
    '<link rel="stylesheet" href="../../_static/book.css" />',
]


@pytest.mark.parametrize("kept", KEPT)
def test_the_rest_is_left_alone(kept):
    assert tidy(page(body=kept)) == page(body=kept)
    assert tidy(page(head=kept)) == page(head=kept)


BERTVIZ = f"""<script src="{CDN}/require.js/2.3.6/require.min.js"></script>
<select id="layer"><option>0</option></select> <select id="filter"></select>
<script>
require.config({{
  paths: {{
      d3: '{CDN}/d3/5.7.0/d3.min',
    jquery: '{CDN}/jquery/2.0.0/jquery.min',
  }}
}});</script>"""


@pytest.mark.parametrize("root", ["", "../", "../../"])
def test_bertviz_loads_the_book_s_own_files(root):
    after = tidy(page(body=BERTVIZ, root=root))
    assert "https://" not in after
    assert f'<script src="{root}_static/vendor/require.min.js"></script>' in after
    assert f"d3: '{root}_static/vendor/d3.min'," in after
    assert f"jquery: '{root}_static/vendor/jquery.min'," in after


def test_what_bertviz_writes_is_what_is_replaced():
    bertviz = pytest.importorskip("bertviz")
    for name in ("head_view", "model_view", "neuron_view"):
        for kind in ("js", "py"):
            text = bertviz.__path__[0] + f"/{name}.{kind}"
            with open(text, encoding="utf-8") as file:  # noqa: PTH123
                assert CDN in (before := file.read())
            assert CDN not in tidy(before)


def test_our_part_of_d3_has_what_bertviz_uses():
    bertviz = pytest.importorskip("bertviz")
    scripts = Path(bertviz.__path__[0]).glob("*_view.js")
    used = set(re.findall(r"\bd3\.([a-z]\w+)", "".join(s.read_text("utf-8") for s in scripts)))
    ours = (Path(vendor.__file__).parent / "static/d3_for_bertviz.js").read_text("utf-8")
    assert used - {"scale", "min"} <= set(re.findall(r"\w+", ours))  # d3 3's, and d3.min.js


def test_bertviz_menus_have_names():
    after = tidy(page(body=BERTVIZ))
    assert '<select id="layer" aria-label="Layer">' in after
    assert '<select id="filter" aria-label="Attention">' in after


@pytest.mark.parametrize("name", ["query", "key", "value"])
def test_colours_in_formulas_follow_the_mode(name):
    formula = '<span class="mord" style="color:{};margin-right:0.1em;">Q</span>'
    before, after = (
        formula.format(PALETTE["light"][name]),
        formula.format(f"var(--companion-{name})"),
    )
    assert tidy(page(body=before)) == page(body=after)


@pytest.mark.parametrize("body", [*UNWANTED, *KEPT, BERTVIZ])
def test_a_tidy_page_comes_back_unchanged(body):
    once = tidy(page(head=body, body=body))
    assert tidy(once) == once


def test_a_page_that_does_not_say_where_it_is_is_at_the_root():
    assert tidy(f'<script src="{CDN}/require.js/2.3.6/require.min.js">') == (
        '<script src="_static/vendor/require.min.js">'
    )
