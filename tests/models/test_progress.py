"""How a training shows that it goes on: a bar on one line, a curve that takes itself away."""

import re
import sys
from types import ModuleType

import IPython.display
import pytest

from companion.models import progress


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would be told to display, in order."""
    told = []
    monkeypatch.setattr(IPython.display, "display", lambda thing: told.append(thing.data))
    monkeypatch.setattr(
        IPython.display, "clear_output", lambda *, wait=False: told.append(f"clear {wait}")
    )
    return told


def test_the_bar_fills_on_one_line(capsys):
    draw = progress.bar(2)
    draw(1, 0.5)
    draw(2, 0.25)
    out, err = capsys.readouterr()
    half, full = f"[{'#' * 15}{' ' * 15}] 1/2  loss 0.500", f"[{'#' * 30}] 2/2  loss 0.250"
    assert err == f"\r{half}\r{full}\n"
    assert not out


def test_the_curve_clears_itself_at_the_end(shown):
    draw = progress.curve(3)
    for step, loss in enumerate([4.0, 2.0, 1.0], start=1):
        draw(step, loss)
    assert [text[:4] for text in shown] == ["clea", "<svg", "clea", "<svg", "clea"]
    assert shown[::2] == ["clear True", "clear True", "clear False"]
    assert "step 1 of 3, loss 4.000" in shown[1]
    assert "step 2 of 3, loss 2.000" in shown[3]


def test_the_curve_falls_as_the_loss_does(shown):
    draw = progress.curve(4)
    for step, loss in enumerate([4.0, 2.0, 1.0], start=1):
        draw(step, loss)
    points = re.search(r'points="([^"]*)"', shown[-1])[1].split()
    across, down = zip(*(map(float, point.split(",")) for point in points), strict=True)
    assert across == (0, 105, 210)
    assert down == (0, 60, 90)


def test_a_long_training_is_drawn_a_few_times(shown):
    draw = progress.curve(6000)
    for step in range(1, 6001):
        draw(step, 1.0)
    assert 50 < sum(text.startswith("<svg") for text in shown) <= 60
    assert shown[-1] == "clear False"


def test_a_loss_of_nothing_can_be_drawn(shown):
    progress.curve(2)(1, 0.0)
    assert "loss 0.000" in shown[-1]


@pytest.mark.parametrize("notebook", [True, False])
def test_it_is_a_curve_in_a_notebook_and_a_bar_elsewhere(notebook, monkeypatch, capsys, shown):
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    progress.progress(4)(1, 0.5)
    assert bool(shown) == notebook
    assert capsys.readouterr().err.startswith("\r[") != notebook
