"""Takes out of each page what asks other sites for anything, and what nobody uses."""

import re
from pathlib import Path

from sphinx.application import Sphinx

from companion.widgets.picture import PALETTE

# Theme and extensions bring these; none of it is used here, and most of it asks another site.
_UNWANTED = [
    r'<script[^>]*src="[^"]*(?:sphinx-thebe\.js|html-manager|fontawesome\.js|require\.js/2\.3\.4)[^"]*"[^>]*></script>',
    r'<link[^>]*href="[^"]*(?:sphinx-thebe\.css|fontawesome)[^"]*"[^>]*/>',
    r"<script>const THEBE_JS_URL[^<]*</script>",
    r'<script type="application/vnd\.jupyter\.widget-state\+json">.*?</script>',
    r'<script type="application/vnd\.jupyter\.widget-view\+json">.*?</script>',
]
# What a search is made with; the theme puts it on every page, for a search while typing that is not on.
_SEARCH = (
    r'<script src="[^"]*(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>'
)
# BertViz writes these addresses into the HTML it returns.
_ADDRESSES = {
    "https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js": "require.min.js",
    "https://cdnjs.cloudflare.com/ajax/libs/d3/5.7.0/d3.min": "d3.min",
    "https://cdnjs.cloudflare.com/ajax/libs/jquery/2.0.0/jquery.min": "jquery.min",
}
# BertViz names its menus in a text beside them, which a screen reader does not connect. The theme names two
# things otherwise than the text on them (WCAG 2.5.3); without a label they have that text for a name.
_LABELS = {
    '<select id="layer">': '<select id="layer" aria-label="Layer">',
    '<select id="filter">': '<select id="filter" aria-label="Attention">',
    '<summary aria-label="Toggle hidden content">': "<summary>",
    'search-button-field search-button__button pst-js-only" title="Search" aria-label="Search"': (
        'search-button-field search-button__button pst-js-only" title="Search"'
    ),
}
# BertViz writes weights with up to 20 digits; four decimals are more than it can draw.
_BERTVIZ = re.compile(
    r'<script type="application/javascript">/\*\*\s+\* @fileoverview.*?</script>', re.DOTALL
)
_LONG_NUMBER = re.compile(r"(?<=\d\.\d{4})\d+")


def tidy_pages(app: Sphinx, exception: Exception | None) -> None:
    """Tidy every page that was written."""
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text("utf-8")
        tidied = tidy(text)
        if tidied != text:
            path.write_text(tidied, "utf-8")


def tidy(html: str) -> str:
    """Return the page without foreign addresses and dead weight; a tidy page comes back unchanged."""
    searches = 'id="search-results"' in html
    for pattern in _UNWANTED if searches else [*_UNWANTED, _SEARCH]:
        html = re.sub(pattern, "", html, flags=re.DOTALL)
    root = re.search(r'data-content_root="([^"]*)"', html)
    vendor = f"{root[1] if root else ''}_static/vendor/"
    for address, name in _ADDRESSES.items():
        # Only where a script would load it: after a quotation mark, which in text is &quot; or “.
        html = re.sub(rf"(?<=[\"']){re.escape(address)}", vendor + name, html)
    for plain, labelled in _LABELS.items():
        html = html.replace(plain, labelled)
    if html.startswith(
        '<meta http-equiv="Refresh"'
    ):  # the redirect to the first page; it names no icon
        html = f'<!DOCTYPE html><title>NLP with attention models</title><link rel="icon" href="data:,">{html}'
    html = _BERTVIZ.sub(lambda script: _LONG_NUMBER.sub("", script[0]), html)
    return _themed_formulas(html)


def _themed_formulas(html: str) -> str:
    """Let the colours of query, key and value in formulas follow the page's mode."""
    for name in ("query", "key", "value"):
        own = re.compile(rf'(style="[^"]*)color:{PALETTE["light"][name]};')
        html = own.sub(rf"\1color:var(--companion-{name});", html)
    return html
