"""The step on a million tokens, as a command, with a few hundred."""

import json
import subprocess
import sys

import pytest
import torch

from companion.bench import million
from companion.corpora import dialogues


def run(*arguments):
    command = [sys.executable, "-m", "companion.bench", "million", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "new" / "step.json"
    done = run("--tokens", 300, "--layers", 2, "--record", path)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(path.read_text("utf-8"))


def test_the_plan_comes_first_and_the_measurement_beside_it(step):
    printed, record = step
    lines = printed.splitlines()
    assert lines[0] == "one step of 2 layers on 300 tokens, float32, on cpu"
    assert lines[1].startswith("the plan")
    assert any(line.startswith("  attention, backward") for line in lines)
    measured, planned = (x for x in lines if x.startswith(("measured:", "planned:")))
    assert f"peak {record['peak_bytes'] / 1e9:.2f} GB" in measured
    assert f"{(record['plan_bytes'] + record['program_bytes']) / 1e9:.2f} GB" in planned


def test_the_record_says_what_was_done_where(step):
    _, record = step
    assert record["tokens"] == 300
    assert (record["layers"], record["d_model"], record["n_heads"], record["d_ff"]) == (
        2,
        512,
        8,
        2048,
    )
    assert record["versions"]["torch"] == torch.__version__
    assert record["machine"]["cores"] >= 1
    assert 0 < record["program_bytes"] < record["peak_bytes"] < record["limit_bytes"]
    assert record["seconds"] >= record["forward_seconds"] + record["backward_seconds"]
    seconds, held = zip(*record["memory_over_time"], strict=True)
    assert list(seconds) == sorted(seconds)
    assert 0 < max(held) <= 1.05 * record["peak_bytes"]


def test_the_step_learns(step):
    _, record = step
    assert 5 < record["loss_before"] < 7  # the logarithm of 256 is 5.5
    assert record["loss_after"] < record["loss_before"] - 0.1


def test_above_the_limit_it_is_ended():
    done = run("--tokens", 300, "--layers", 1, "--limit", 0.2)
    assert done.returncode == 1
    assert "the step ended with" in done.stderr


def test_the_loss_after_can_be_left_out(tmp_path):
    done = run("--tokens", 64, "--layers", 1, "--skip-after", "--record", tmp_path / "step.json")
    assert done.returncode == 0, done.stderr
    assert "loss_after" not in json.loads((tmp_path / "step.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tokens", 0], "'0' is no whole number of at least 1"),
        (["--layers", "many"], "'many' is no whole number"),
        (["--device", "abacus"], "invalid choice: 'abacus'"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_missed():
    done = run("--device", "cuda", "--tokens", 8)
    assert done.returncode == 2
    assert "there is no GPU that torch can use" in done.stderr


def test_the_text_is_that_of_the_dialogues():
    said = bytes(million.text(200).tolist()).decode()
    first = dialogues.generate(500, 0)[0].turns[0]
    assert said.startswith(f"{first.speaker}: {first.utterance}\n")
    assert len(million.text(5000)) == 5000
