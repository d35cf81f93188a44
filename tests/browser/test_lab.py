"""A real JupyterLab: the widget is an ipywidget there, and kernel and view agree."""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from reading import Heatmap, numbers
from recorder import ALERTS

TOKENS = ["we", "book", "a", "table"]
_MAKE = f"""
import torch
from companion.attention import attention_scores, attention_weights
from companion.widgets import AttentionHeatmap

torch.manual_seed(0)
query, key = torch.randn(2, 2, 4, 4, 16)
heatmap = AttentionHeatmap({TOKENS!r}, query=query, key=key)
told = []
heatmap.observe(lambda change: told.append(change.name), ["layer", "head", "row", "column", "causal"])
heatmap
"""
_STATE = "print('state:', heatmap.layer, heatmap.head, heatmap.row, heatmap.column, heatmap.causal)"
_WEIGHT = "print(f'weight: {heatmap.current_weights()[heatmap.row, heatmap.column]:.3f}', sorted(set(told)))"
_SET = "heatmap.head = 3; heatmap.row = 1; print('done')"
_AGAIN = "heatmap"
_RESOLVER = """
from companion.models import live, load
from companion.models.resolver import prepare
from companion.widgets import WinogradResolver

cow = "the cow avoided the field because it was too"
twins = (f"{cow} tired", f"{cow} wide")
resolver = WinogradResolver(live("resolver"), **prepare(load("resolver"), [twins]))
resolver
"""
_OWN = "print('own:', resolver.own)"
_WRITE = "resolver.own = 'the dog avoided the river because it was too deep'; print('done')"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a notebook in a JupyterLab of its own, with settings of its own."""
    root = tmp_path_factory.mktemp("lab")
    desk = root / "desk"
    desk.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(cell.strip())
            for cell in (_MAKE, _STATE, _WEIGHT, _SET, _AGAIN, _RESOLVER, _OWN, _WRITE)
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(notebook, desk / "widget.ipynb")
    token = secrets.token_hex(16)
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME")
    environment = os.environ | {place: str(root / place.lower()) for place in places}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={desk}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdates",
        "--LabApp.extension_manager=readonly", "--LabApp.collaborative=False",
    ]  # fmt: skip
    log = root / "log.txt"
    with (
        log.open("w") as stream,
        subprocess.Popen(
            command, env=environment, stdout=stream, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            address = _wait_for_address(log, process)
            yield f"{address}/lab/tree/widget.ipynb?token={token}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _wait_for_address(log: Path, process: subprocess.Popen) -> str:
    for _ in range(240):
        found = re.search(r"http://127\.0\.0\.1:[1-9]\d*", log.read_text())
        if found:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{found[0]}/api"):  # noqa: S310
                return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.25)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


class Lab:
    """The notebook, as a person works with it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cell(self, number: int):
        return self.page.locator(".jp-Notebook > * .jp-CodeCell, .jp-Notebook > .jp-CodeCell").nth(
            number
        )

    def run(self, number: int) -> str:
        """Run a cell by keyboard, as often as it takes; returns what it prints."""
        cell = self.cell(number)
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        for _ in range(10):
            cell.locator(".cm-content").click()
            expect(cell.locator(".cm-focused")).to_be_visible()
            self.page.keyboard.press("Control+Enter")
            with contextlib.suppress(AssertionError):  # JupyterLab still starting: a key is lost
                expect(prompt).not_to_have_text(before, timeout=4_000)
                break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=90_000)
        texts = cell.locator(".jp-OutputArea-output pre").all_inner_texts()
        return "\n".join(texts).strip()

    def state(self) -> list[str]:
        return self.run(1).removeprefix("state: ").split()

    def heatmap(self, number: int) -> "View":
        return View(self.page, len(TOKENS), len(TOKENS), number)


class View(Heatmap):
    """One of the views of the heat map: that in the output of the nth cell."""

    @property
    def place(self):
        return Lab(self.page).cell(self.nth).locator(".jp-OutputArea-output").first


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: str) -> Iterator[Lab]:
    context = browser.new_context(viewport={"width": 1280, "height": 1900})
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    problems = []
    context.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda e: problems.append(f"page error: {e.error}"))
    page = context.new_page()
    page.goto(lab)
    expect(page.locator(".jp-CodeCell")).to_have_count(8)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
    notebook = Lab(page)
    notebook.run(0)
    yield notebook
    problems += page.evaluate(ALERTS)
    ours = [p for p in problems if re.search("companion|widget|This figure", p, re.IGNORECASE)]
    assert ours == []
    context.close()
    expect.set_options(timeout=5_000)


def test_the_widget_is_alive_in_the_notebook(notebook):
    view = notebook.heatmap(0)
    expect(view.queries).to_be_visible()
    assert notebook.cell(0).locator(".companion-widget").count() == 0  # not the page's HTML
    assert notebook.state() == ["0", "0", "0", "-1", "False"]


def test_mouse_and_kernel_agree(notebook):
    view = notebook.heatmap(0)
    view.thumb(2, 3).click()
    view.click(2, 1)
    view.chip("causal mask").check()
    assert notebook.state() == ["1", "2", "2", "1", "True"]
    weight, told = notebook.run(2).removeprefix("weight: ").split(" ", 1)
    assert numbers(view.lines[1])[-1] == pytest.approx(float(weight), abs=2e-3)
    assert told == "['causal', 'column', 'head', 'layer', 'row']"


def test_keyboard_stays_with_the_widget(notebook):
    view = notebook.heatmap(0)
    view.click(1, 1)
    view.press("ArrowDown", "ArrowRight")
    expect(notebook.cell(0)).to_have_class(re.compile("jp-mod-active"))
    assert notebook.state()[2:4] == ["2", "2"]
    view.thumb(2, 3).focus()
    notebook.page.keyboard.press("ArrowUp")
    assert notebook.state()[:2] == ["0", "2"]


def test_the_kernel_moves_the_view(notebook):
    view = notebook.heatmap(0)
    assert notebook.run(3) == "done"
    expect(view.thumb(1, 4)).to_be_checked()
    assert view.chosen_query == TOKENS[1]
    assert view.lines[0].startswith(f"{TOKENS[1]} looks at ")


def test_two_views_follow_each_other(notebook):
    notebook.run(4)
    first, second = notebook.heatmap(0), notebook.heatmap(4)
    expect(second.queries).to_be_visible()
    assert second.lines == first.lines
    first.thumb(2, 2).click()
    expect(second.thumb(2, 2)).to_be_checked()
    second.click(3, 0)
    assert first.chosen_query == TOKENS[3]
    second.chip("softmax").uncheck()
    expect(first.chip("softmax")).not_to_be_checked()
    first.leave()
    assert first.lines == second.lines


def test_dark_theme_of_jupyterlab(notebook):
    view = notebook.heatmap(0)
    notebook.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(view.place.locator(".widget").first).to_have_css("background-color", "rgb(20, 24, 30)")
    notebook.page.evaluate("document.body.dataset.jpThemeLight = 'true'")


def test_the_kernel_answers_a_live_widget(notebook):
    notebook.run(5)
    place = notebook.cell(5).locator(".jp-OutputArea-output").first
    expect(place.locator(".verdict")).to_have_text("it is the cow")
    place.get_by_role("radio", name="write your own").check()
    box = place.get_by_role("textbox", name="Your own sentence")
    box.fill("the goose avoided the canal because it was too flooded")
    expect(place.locator(".verdict")).to_have_text("it is the canal")
    place.get_by_role("radio", name="masked word").check()
    expect(place.locator(".verdict")).to_have_text("it is the canal")
    assert notebook.run(6) == "own: the goose avoided the canal because it was too flooded"
    assert notebook.run(7) == "done"
    expect(place.locator(".verdict")).to_have_text("it is the river")
    expect(box).to_have_value("the dog avoided the river because it was too deep")
