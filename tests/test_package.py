"""The package: what it declares, and that a wheel of it is whole."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
REQUIREMENTS = (PROJECT / "requirements.txt").read_text("utf-8")
DIRECT = REQUIREMENTS.partition("# What those need")[0]


def pins(text):
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("requirement", METADATA["project"]["dependencies"])
def test_a_dependency_is_pinned_and_importable(requirement):
    name, least = requirement.split(">=")
    pinned = pins(DIRECT)[name]
    assert [*map(int, re.findall(r"\d+", pinned))] >= [*map(int, least.split("."))]
    assert importlib.import_module(name)


@pytest.mark.parametrize(
    "name", ["jupyter-book", "ipywidgets", "numpy", "torch", "plotly", "bertviz"]
)
def test_what_the_book_stands_on_is_among_the_direct_requirements(name):
    assert name in pins(DIRECT)


def test_torch_is_the_first_requirement():
    lines = [line for line in REQUIREMENTS.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "torch==2.13.0"


def test_every_requirement_is_pinned_once():
    lines = [line for line in REQUIREMENTS.splitlines() if line and not line.startswith("#")]
    names = [re.fullmatch(r"([\w.-]+)==\S+( *;.*)?", line)[1].lower() for line in lines]
    assert len(names) == len(set(names))


def test_a_wheel_of_a_fresh_checkout_is_whole(tmp_path):
    """Built in a copy: the build runs `npm ci --omit=dev`, which empties node_modules first."""
    copy = tmp_path / "project"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, copy / name)
    assert not (copy / "companion/widgets/bundles").exists()

    wheel = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation"]
    result = subprocess.run(
        [*wheel, "--quiet", "--wheel-dir", tmp_path],
        cwd=copy,
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        inside = set(archive.namelist())

    modules = {path.relative_to(copy).as_posix() for path in (copy / "companion").rglob("*.py")}
    bundled = {path.stem for path in (copy / "companion/widgets").glob("*.js")} | {"page"}
    assert modules <= inside
    assert {f"companion/widgets/bundles/{name}.js" for name in bundled} <= inside
    assert "companion/widgets/bundles/attention_heatmap.js" in inside
    assert "companion/widgets/lib/palette.json" in inside
    assert not [
        name for name in inside if name.startswith(("tests/", "chapters/", "node_modules/"))
    ]
