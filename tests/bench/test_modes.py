"""One step in each mode: the command, and the record that the book shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import companion
from companion.bench.mode_models import build
from companion.memory import MODES, memory_plan
from companion.memory_sizes import Shape

RECORD = json.loads((Path(companion.__file__).parent / "records" / "modes.json").read_text("utf-8"))


def run(*arguments):
    command = [sys.executable, "-m", "companion.bench", "modes", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_tells_and_records_each_mode(tmp_path):
    path = tmp_path / "new" / "modes.json"
    done = run("--tokens", 256, "--layers", 1, "--record", path)
    assert done.returncode == 0, done.stderr
    record = json.loads(path.read_text("utf-8"))
    assert record["sizes"]["length"] == 256
    assert [*record["modes"]] == [*MODES]
    for mode, line in zip(MODES, done.stdout.splitlines()[2:], strict=False):
        found = record["modes"][mode]
        assert 0 < found["program_bytes"] < found["peak_bytes"]
        assert line.split()[:2] == [mode, f"{found['plan_bytes'] / 1e9:.3f}"]


def test_what_is_measured_is_within_a_tenth_of_the_plan():
    shape = Shape(**RECORD["sizes"])
    for mode in MODES:
        plan, found = memory_plan(shape, mode), RECORD["modes"][mode]
        assert found["plan_bytes"] == plan.total(plan.peak())
        held = found["peak_bytes"] - found["program_bytes"]
        assert held == pytest.approx(found["plan_bytes"], rel=0.1), mode


def test_an_unknown_mode():
    with pytest.raises(ValueError, match=r"mode is 'fast': it must be one of inference, standard"):
        build(Shape(64, n_layers=1), "fast")
