"""`python -m companion.models` and the list of models behind it."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from companion.corpora import wsc
from companion.models import card, load, registry, store
from companion.models.__main__ import main
from companion.models.resolver import recipe, shipped

OURS = Path(wsc.__file__).with_name("winograd_collection.xml")
METRIC = re.compile(r"\S.* = \d\.\d{3} \(\d+ items\)")


def out_of(capsys, *arguments):
    main([*map(str, arguments)])
    out, err = capsys.readouterr()
    return out.splitlines(), err


@pytest.fixture
def short(monkeypatch):
    """A training of two steps, measured on a few sentences."""
    monkeypatch.setattr(recipe, "STEPS", 2)
    monkeypatch.setattr(shipped, "STEPS", 2 * len(shipped.VARIANTS))
    monkeypatch.setattr(shipped, "_ITEMS", 20)


# The list of models.


@pytest.mark.parametrize("name", registry.MODELS)
def test_each_model_has_its_recipe_its_card_and_its_weights(name):
    module = registry.recipe(name)
    assert module.STEPS > 0
    assert {"data", "licence", "recipe", "tolerance", "limits"} <= set(module.CARD)
    told = card(name)
    assert told["name"] == name
    assert told["summary"] == module.SUMMARY
    assert {key: told[key] for key in module.CARD} == module.CARD
    model = load(name)
    assert not model.training
    assert told["parameters"] == sum(p.numel() for p in model.parameters())
    assert (registry.folder(name) / "weights.safetensors").is_file()


@pytest.mark.parametrize("ask", [load, card, registry.live, registry.graph, registry.folder])
def test_a_model_that_there_is_not(ask):
    with pytest.raises(
        ValueError, match=r"name: there is no model 'x'; there is: resolver, summarizer, copier"
    ):
        ask("x")


def test_a_metric_is_one_line():
    assert str(registry.Metric("accuracy", 0.98765, 12)) == "accuracy = 0.988 (12 items)"


# The commands.


def test_list(capsys):
    lines, err = out_of(capsys, "list")
    assert [line.split()[0] for line in lines] == list(registry.MODELS)
    assert lines[0].endswith(shipped.SUMMARY)
    assert not err


def test_list_from_a_shell():
    done = subprocess.run(
        [sys.executable, "-m", "companion.models", "list"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "resolver"
    assert not done.stderr


def test_a_failure_from_a_shell():
    done = subprocess.run(
        [sys.executable, "-m", "companion.models", "card", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not done.stdout
    assert done.stderr.count("\n") == 1


def test_card(capsys):
    lines, err = out_of(capsys, "card", "resolver")
    told = card("resolver")
    figures = lines.index("figures:")
    assert len(lines) - figures - 1 == len(told["figures"])
    assert all(METRIC.fullmatch(line.strip()) for line in lines[figures + 1 :])
    assert [line.partition(":")[0] for line in lines[: figures + 1]] == list(told)
    assert f"parameters: {told['parameters']}" in lines
    assert not err


def test_evaluate_on_what_the_generator_holds_out(capsys, monkeypatch):
    monkeypatch.setattr(shipped, "_ITEMS", 20)
    lines, err = out_of(capsys, "evaluate", "resolver")
    assert all(METRIC.fullmatch(line) for line in lines)
    names = [figure["name"] for figure in card("resolver")["figures"]]
    assert [line.partition(" = ")[0] for line in lines] == names
    assert not err


@pytest.mark.parametrize("zipped", [True, False])
def test_evaluate_on_a_collection(capsys, tmp_path, zipped):
    data = OURS.read_bytes()
    (tmp_path / "data").write_bytes(gzip.compress(data) if zipped else data)
    lines, err = out_of(capsys, "evaluate", "resolver", "--data", tmp_path / "data")
    assert all(METRIC.fullmatch(line) for line in lines)
    told = dict(line.split(" = ") for line in lines)
    problems = len(wsc.collection())
    assert told["accuracy"].endswith(f" ({problems} items)")
    assert told["accuracy on pairs"].endswith(f" ({problems // 2} items)")
    low, accuracy, high = (
        float(told[name].split()[0])
        for name in ("accuracy, 95 % interval from", "accuracy", "accuracy, 95 % interval to")
    )
    assert low <= accuracy <= high
    assert not err


def test_evaluate_on_a_collection_without_twins(capsys, tmp_path):
    record = {
        "text": "The animal didn't cross the street because it was too tired.",
        "pronoun": "it",
        "pronoun_loc": 43,
        "options": ["The animal", "the street"],
        "label": 0,
    }
    (tmp_path / "data").write_text(json.dumps([record]), "utf-8")
    lines, _ = out_of(capsys, "evaluate", "resolver", "--data", tmp_path / "data")
    assert lines[0] == "accuracy = 1.000 (1 items)"
    assert all(METRIC.fullmatch(line) for line in lines)
    assert not any("pairs" in line for line in lines)


def test_export(capsys, tmp_path, monkeypatch):
    exported = []

    def export(graph, path, _stored):
        exported.append(graph)
        path.write_bytes(bytes(1_400_000))

    monkeypatch.setattr("companion.models.graph.export", export)
    path = tmp_path / "here.onnx"
    lines, err = out_of(capsys, "export", "resolver", "--to", path)
    assert lines == [f"{path}: 1.4 MB"]
    assert exported[0].outputs == ("logits", "weights")
    assert not err


@pytest.mark.usefixtures("short")
def test_train(capsys, tmp_path):
    before = [path.read_bytes() for path in sorted(registry.folder("resolver").glob("*.*"))]
    lines, err = out_of(capsys, "train", "resolver", "--seed", "3", "--to", tmp_path)
    assert err.count("\n") == 1
    steps = re.findall(r"\r\[[# ]{30}\] (\d+)/(\d+)", err)
    every = 2 * len(shipped.VARIANTS)
    assert steps == [(str(step), str(every)) for step in range(1, every + 1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "weights.safetensors"]
    told = store.load_card(tmp_path / "card.json")
    assert (told["name"], told["seed"]) == ("resolver", 3)
    assert list(told) == list(card("resolver"))
    assert all(METRIC.fullmatch(line) for line in lines)
    for line, figure in zip(lines, told["figures"], strict=True):
        name, _, shown = line.partition(" = ")
        assert name == figure["name"]
        assert shown.endswith(" (20 items)")
        # The card has a digit more.
        assert float(shown.split()[0]) == pytest.approx(figure["figure"], abs=6e-4)
    model = store.load_weights(shipped.build(), tmp_path / "weights.safetensors")
    again, _ = recipe.train(steps=2, seed=3)
    expected = again.state_dict()
    torch.testing.assert_close(model.variants["word"].state_dict(), expected, rtol=0, atol=0)
    after = [path.read_bytes() for path in sorted(registry.folder("resolver").glob("*.*"))]
    assert after == before


# What cannot be done.


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, arguments)])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert not out
    assert err.count("\n") == 1
    assert err.startswith("python -m companion.models")
    assert err.endswith("\n")
    return err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["tran"], "invalid choice: 'tran'"),
        (["train"], "required: NAME"),
        (
            ["card", "resolv"],
            "name: there is no model 'resolv'; there is: resolver, summarizer, copier",
        ),
        (
            ["train", "resolv"],
            "name: there is no model 'resolv'; there is: resolver, summarizer, copier",
        ),
        (
            ["export", "resolv"],
            "name: there is no model 'resolv'; there is: resolver, summarizer, copier",
        ),
        (
            ["evaluate", "resolv"],
            "name: there is no model 'resolv'; there is: resolver, summarizer, copier",
        ),
        (["list", "resolver"], "unrecognized arguments: resolver"),
        (["card", "a\nb"], "name: there is no model"),
        (["list", "a\nb"], "unrecognized arguments: a b"),
        (["train", "resolver", "--seed", "one"], "--seed: invalid int value: 'one'"),
        (["train", "resolver", "--data", "x.xml"], "--data: the resolver learns from its own"),
        (["train", "resolver", "--to", "missing/folder"], "--to: there is no folder missing/f"),
        (["train", "resolver", "--to", __file__], "--to: there is no folder"),
        (["train", "resolver", "--seed", 2**64], f"seed is {2**64}: it must be from"),
        (["evaluate", "resolver", "--data", "missing.xml"], "missing.xml"),
        (["export", "resolver", "--to", "missing/folder/x.onnx"], "missing/folder/x.onnx"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(capsys, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["evaluate --data", "export --to"])
def test_a_folder_is_no_file(capsys, tmp_path, command):
    command, option = command.split()
    assert str(tmp_path) in refused(capsys, command, "resolver", option, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"<collection>\n<schema>\n",
        b"<collection/>",
        b"[1,\n2]",
        b'{"text":\n',
        gzip.compress(OURS.read_bytes())[:-100],
    ],
)
def test_a_file_that_cannot_be_read(capsys, tmp_path, data):
    (tmp_path / "data").write_bytes(data)
    message = refused(capsys, "evaluate", "resolver", "--data", tmp_path / "data")
    assert str(tmp_path / "data") in message


@pytest.mark.parametrize("name", ["weights.safetensors", "card.json"])
def test_a_model_that_is_not_trained_yet(capsys, tmp_path, monkeypatch, name):
    monkeypatch.setattr(registry, "folder", lambda _: tmp_path)
    command = "card" if name == "card.json" else "evaluate"
    for damaged in (False, True):
        if damaged:
            (tmp_path / name).write_text("{\n", "utf-8")
        assert str(tmp_path / name) in refused(capsys, command, "resolver")
