"""The record of the step on a million tokens: whole, and what the memory model says of it."""

import json
from pathlib import Path

import pytest

import companion
from companion.memory import memory_plan
from companion.memory_sizes import Shape

RECORD = json.loads(
    (Path(companion.__file__).parent / "records" / "million.json").read_text("utf-8")
)


def shape():
    sizes = {name: RECORD[name] for name in ("d_model", "n_heads", "d_ff", "dtype", "rounds")}
    return Shape(RECORD["tokens"], n_layers=RECORD["layers"], **sizes)


def test_is_of_the_whole_step():
    sizes = [RECORD[name] for name in ("tokens", "layers", "d_model", "n_heads", "d_ff")]
    assert sizes == [2**20, 12, 512, 8, 2048]
    assert RECORD["dtype"] == "float32"
    assert RECORD["device"] == "cpu"


def test_peak_is_below_sixteen_gigabytes():
    assert RECORD["peak_bytes"] < RECORD["limit_bytes"] == 16 * 10**9
    assert max(held for _, held in RECORD["memory_over_time"]) <= RECORD["peak_bytes"]


def test_plan_is_within_a_tenth_of_the_peak():
    plan = memory_plan(shape(), "chunked")
    assert plan.total(plan.peak()) == RECORD["plan_bytes"]
    planned = RECORD["plan_bytes"] + RECORD["program_bytes"]
    assert planned == pytest.approx(RECORD["peak_bytes"], rel=0.1)


def test_parameters_are_those_of_the_plan():
    assert 4 * RECORD["parameters"] == shape().all_parameters


def test_seconds_add_up_and_the_step_made_the_loss_smaller():
    parts = RECORD["forward_seconds"] + RECORD["backward_seconds"]
    assert 0 <= RECORD["seconds"] - parts < 60  # Adam's update
    assert RECORD["loss_after"] < RECORD["loss_before"]
    seconds = [at for at, _ in RECORD["memory_over_time"]]
    assert seconds == sorted(seconds)
