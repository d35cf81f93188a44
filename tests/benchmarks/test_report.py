import importlib.util
import json
import math
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "report.py"


@pytest.fixture(scope="module")
def report():
    spec = importlib.util.spec_from_file_location("benchmark_report", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def measured(report, *rows, name="lsh-attention"):
    return [report.Measurement(name, *row) for row in rows]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law(report, power):
    sizes = [1024, 2048, 8192]
    assert report.exponent(sizes, [3 * n**power for n in sizes]) == pytest.approx(power)


def test_one_size_has_no_exponent(report):
    assert math.isnan(report.exponent([1024], [1.0]))


def test_ratios_compare_with_the_better_of_the_others_at_the_same_size_and_rounds(report):
    rows = measured(
        report,
        ("ours", 1024, 1, 0, 2.0, 30),
        ("ours", 1024, 4, 0, 6.0, 60),
        ("a", 1024, 1, 0, 5.0, 20),
        ("b", 1024, 1, 0, 4.0, 40),
        ("a", 1024, 4, 0, 3.0, 120),
        ("a", 2048, 1, 0, 0.1, 1),
        ("without rounds", 1024, 0, 0, 8.0, 10),
    )
    assert report.ratios(rows, "seconds", "ours", ["a", "b"]) == {
        (1024, 1, 0): 0.5,
        (1024, 4, 0): 2.0,
    }
    assert report.ratios(rows, "peak_bytes", "ours", ["without rounds"]) == {
        (1024, 1, 0): 3.0,
        (1024, 4, 0): 6.0,
    }
    assert report.ratios(rows, "seconds", "ours", ["not installed"]) == {}


def test_a_goal_says_whether_it_is_met(report):
    assert str(report.Goal("time", 0.5, 0.5)).startswith("   met")
    assert "MISSED" in str(report.Goal("time", 0.51, 0.5))


def test_the_table_shows_what_has_no_rounds_in_every_line_and_a_dash_where_nothing_was_measured(
    report,
):
    rows = measured(
        report,
        ("ours", 1024, 1, 0, 1.25, 2_000_000),
        ("ours", 1024, 2, 0, 2.5, 4_000_000),
        ("peer", 1024, 1, 0, 5.0, 8_000_000),
        ("sdpa", 1024, 0, 0, 9.0, 1_000_000),
    )
    _, one, two = report.table(rows, ["ours", "peer", "sdpa"]).splitlines()
    assert " ".join(one.split()) == "1024 1 – 1.250 / 2 5.000 / 8 9.000 / 1"
    assert " ".join(two.split()) == "1024 2 – 2.500 / 4 – 9.000 / 1"


def test_rows_replace_those_of_the_same_comparison_and_leave_others(report, tmp_path):
    path = tmp_path / "made" / "bench.json"
    report.keep(path, measured(report, ("ours", 1024, 1, 0, 1.0, 5)))
    report.keep(path, measured(report, ("ours", 4096, 0, 12, 2.0, 6), name="reversible-stack"))
    report.keep(path, measured(report, ("ours", 2048, 1, 0, 3.0, 7)))
    stack, attention = json.loads(path.read_text())
    assert stack == {
        "name": "reversible-stack",
        "implementation": "ours, depth 12",
        "length": 4096,
        "rounds": 0,
        "seconds": 2.0,
        "peak_bytes": 6,
    }
    assert (attention["length"], attention["implementation"]) == (2048, "ours")


def test_a_drawing_has_a_line_for_each_implementation_and_number_of_rounds(report, tmp_path):
    rows = measured(
        report,
        ("ours", 1024, 1, 0, 1.0, 5),
        ("ours", 1024, 4, 0, 2.0, 6),
        ("sdpa", 1024, 0, 0, 1.0, 5),
    )
    report.draw(tmp_path / "drawn.html", rows, "a title")
    text = (tmp_path / "drawn.html").read_text()
    assert all(name in text for name in ("ours, 1 rounds", "ours, 4 rounds", '"sdpa"', "a title"))
