"""The icons and third-party files of the book: the ones that are asked for, in the versions that fit."""

import json
import re
from pathlib import Path
from unittest.mock import MagicMock
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import plotly.offline
import pydata_sphinx_theme
import pytest
import sphinx_book_theme
from sphinxcontrib import katex

from companion import site
from companion.site.icons import BRANDS, SOLID, icon_css
from companion.site.vendor import FILES, PROJECT

MODULES = PROJECT / "node_modules"
BOOK = PROJECT / "_build" / "html"
THEMES = [Path(theme.__file__).parent for theme in (pydata_sphinx_theme, sphinx_book_theme)]
STYLES = {"solid", "brands", "regular", "lg"}  # fa-… that names no icon

LEFT_OUT = {
    "bitbucket": "another host than GitHub",
    "square-gitlab": "another host than GitHub",
    "square-github": "the sidebar of pydata-sphinx-theme, not used",
    "square-twitter": "the sidebar of pydata-sphinx-theme, not used",
    "code": "download of a notebook made from Markdown, and the source button, not used",
    "file-lines": "the source link of pydata-sphinx-theme, not used",
    "outdent": "the header of pydata-sphinx-theme, not used",
    "pencil-alt": "the edit button, not used",
    "play": "Thebe, not used",
}


def icons_in(folder, *suffixes):
    found = set()
    for suffix in suffixes:
        for path in folder.rglob(f"*{suffix}"):
            found |= set(re.findall(r"\bfa-([a-z][a-z-]*[a-z])", path.read_text("utf-8")))
    return found - STYLES


def icons_of_pages():
    if not BOOK.is_dir():
        return set()
    classes = set()
    for path in BOOK.rglob("*.html"):
        for value in re.findall(r'<(?:i|span)[^>]* class="([^"]*)"', path.read_text("utf-8")):
            classes |= set(value.split())
    return {name.removeprefix("fa-") for name in classes if name.startswith("fa-")} - STYLES


def css():
    return icon_css(MODULES)


def test_every_icon_of_the_themes_is_there_or_left_out_with_a_reason():
    named = set().union(*(icons_in(theme, ".html", ".py") for theme in THEMES))
    assert named - {*SOLID, *BRANDS} == set(LEFT_OUT)


def test_every_icon_on_the_built_pages_is_there():
    assert icons_of_pages() <= {*SOLID, *BRANDS}


@pytest.mark.parametrize("name", [*SOLID, *BRANDS])
def test_an_icon_is_a_picture_in_the_style_sheet(name):
    (svg,) = re.findall(rf"\.fa-{name}\{{--icon:url\('data:image/svg\+xml,([^']*)'\)\}}", css())
    root = ET.fromstring(unquote(svg))  # noqa: S314 (it is Font Awesome's)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}path") is not None


def test_the_style_sheet_of_icons_is_small_and_asks_nobody():
    assert len(css()) < 30 * 1024
    assert "url(http" not in css().replace('"', "").replace("'", "")


def version(package):
    return json.loads((MODULES / package / "package.json").read_text("utf-8"))["version"]


def test_plotly_in_the_browser_is_the_one_that_python_writes_for():
    assert version("plotly.js-basic-dist-min") == plotly.offline.get_plotlyjs_version()


def test_katex_is_the_one_that_the_extension_writes_for():
    assert version("katex") == katex.katex_version


def test_what_is_installed_is_what_package_json_pins():
    wanted = json.loads((PROJECT / "package.json").read_text("utf-8"))
    pinned = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert {name: version(name) for name in pinned} == pinned


@pytest.mark.parametrize("source", FILES)
def test_every_file_that_is_copied_exists(source):
    assert (MODULES / source).stat().st_size > 0


def test_the_fonts_of_formulas_exist():
    sheet = (MODULES / "katex/dist/katex.min.css").read_text("utf-8")
    fonts = set(re.findall(r"url\(fonts/([^)]*\.woff2)\)", sheet))
    assert fonts
    assert fonts == {path.name for path in (MODULES / "katex/dist/fonts").glob("*.woff2")}


def test_formulas_are_asked_for_until_the_server_that_draws_them_listens(monkeypatch):
    for name in ("NODEJS_BINARY", "STARTUP_TIMEOUT"):  # what `setup` changes is put back
        monkeypatch.setattr(katex, name, getattr(katex, name))
    server = katex.KaTeXServer
    monkeypatch.setattr(server, "start_server_process", server.start_server_process)
    site.setup(MagicMock())
    assert server.start_server_process == server.start_network_socket
