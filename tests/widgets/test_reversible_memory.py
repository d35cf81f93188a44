"""The memory of a training step: what Python says of it, what it refuses, and how it is sent."""

import json
import re

import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.memory import MODES, memory_plan
from companion.memory_sizes import ITEM_BYTES, Shape
from companion.widgets import ReversibleMemory

MILLION = Shape(2**20)
SIZES = vars(MILLION)


def peaks_of(shape):
    plans = [(mode, memory_plan(shape, mode)) for mode in MODES]
    return {mode: plan.parts(plan.peak()) for mode, plan in plans}


PEAKS = peaks_of(MILLION)
TRIAL = {"mode": "chunked", "sizes": SIZES, "bytes": 12_000_000_000}


def state_of(widget):
    found = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    return json.loads(found)


def test_the_sentence_tells_every_mode():
    assert ReversibleMemory(SIZES, PEAKS).describe() == (
        "One training step of 12 layers on 1,048,576 tokens takes at most: standard 425 GB, "
        "checkpointed 69.3 GB, reversible 37.1 GB, + LSH 37.4 GB, + chunked 11.6 GB, inference 21.6 GB."
    )


@given(st.integers(0, 2**53 - 1))
@settings(max_examples=20, deadline=None)
def test_sizes_are_told_in_three_digits(size):
    peaks = {mode: {"loss": size} for mode in MODES}
    told = re.search(r"standard ([\d.]+) ([kMGTP]?)B,", ReversibleMemory(SIZES, peaks).describe())
    number = float(told[1]) * 1000 ** " kMGTP".index(told[2] or " ")
    assert number == pytest.approx(size, rel=0.005)
    assert len(told[1].replace(".", "").lstrip("0")) <= 3 or float(told[1]) < 1000


def test_the_picture_shows_the_bars_to_scale():
    svg = ReversibleMemory(SIZES, PEAKS).picture()
    assert svg.startswith("<svg")
    assert "+ chunked</text>" in svg
    assert ">11.6 GB</text>" in svg
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="20"', svg)]
    assert len(widths) == 6 * len(MODES)
    standard, checkpointed = sum(widths[:6]), sum(widths[6:12])
    share = sum(PEAKS["checkpointed"].values()) / sum(PEAKS["standard"].values())
    assert checkpointed / standard == pytest.approx(share, abs=0.002)


def test_the_line_at_sixteen_gb_is_drawn_where_a_bar_reaches_it():
    small = Shape(512, 64, 2, 2, 256)
    assert "16 GB" in ReversibleMemory(SIZES, PEAKS).picture()
    assert "16 GB" not in ReversibleMemory(vars(small), peaks_of(small)).picture()


def test_a_shape_may_be_of_any_dtype():
    for dtype in ITEM_BYTES:
        assert ReversibleMemory(SIZES | {"dtype": dtype}, PEAKS).sizes["dtype"] == dtype


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0}, "sizes: length is 0; give a whole number, 1 to 2097152"),
        ({"length": 2**21 + 1}, "sizes: length is 2097153; give a whole number, 1 to 2097152"),
        ({"n_layers": 1.5}, "sizes: n_layers is 1.5; give a whole number, 1 to 48"),
        ({"batch": True}, "sizes: batch is True; give a whole number, 1 to 64"),
        ({"dtype": "int8"}, "sizes: dtype is 'int8'; give one of float64, float32, bfloat16"),
        ({"d_model": 511}, "sizes: d_model is 511; give an even number"),
        (
            {"n_heads": 7},
            "sizes: d_model is 512 and n_heads is 7; give a d_model that is a multiple",
        ),
        ({"width": 3}, "sizes: missing or unknown: width; give all sizes, as vars(Shape(2**20))"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ReversibleMemory(SIZES | change, PEAKS)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        ReversibleMemory(SIZES, PEAKS).sizes = SIZES | change


def test_all_sizes_are_needed():
    with pytest.raises(ValueError, match="sizes: missing or unknown: d_ff, rows; give all sizes"):
        ReversibleMemory({key: SIZES[key] for key in SIZES if key not in {"d_ff", "rows"}}, PEAKS)
    with pytest.raises(TypeError, match=r"sizes: Shape.* was given; give a mapping, as vars"):
        ReversibleMemory(MILLION, PEAKS)


@pytest.mark.parametrize(
    ("peaks", "message"),
    [
        ({"standard": {}}, "peaks: modes standard were given; give standard, checkpointed"),
        (PEAKS | {"lsh": {"heads": 1}}, "peaks: lsh has parts heads; give some of model, text"),
        (
            PEAKS | {"lsh": {"loss": 1.5}},
            "peaks: lsh is {'loss': 1.5}; give whole numbers of bytes",
        ),
        (PEAKS | {"lsh": {"loss": -1}}, "peaks: lsh is {'loss': -1}; give whole numbers of bytes"),
        (PEAKS | {"lsh": {"loss": 2**53}}, "peaks: lsh is 9007199254740992; give less than 2^53"),
    ],
)
def test_peaks_that_cannot_be_drawn_are_refused(peaks, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ReversibleMemory(SIZES, peaks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "revnet"}, "measured[1]: mode is 'revnet'; give one of standard, checkpointed"),
        ({"bytes": 1.2e10}, "measured[1]: bytes is 12000000000.0; give a whole number of bytes"),
        ({"outside_bytes": -1}, "measured[1]: outside_bytes is -1; give a whole number of bytes"),
        ({"sizes": SIZES | {"rows": 0}}, "measured[1]: sizes: rows is 0; give a whole number, 1"),
        ({"seconds": 3}, "measured[1]: missing or unknown: seconds; give mode, sizes, bytes, and"),
    ],
)
def test_measurements_that_say_too_little_are_refused(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ReversibleMemory(SIZES, PEAKS, measured=[TRIAL, TRIAL | change])
    with pytest.raises(ValueError, match=r"measured\[0\]: missing or unknown: bytes, mode; give"):
        ReversibleMemory(SIZES, PEAKS, measured=[{"sizes": SIZES}])


@pytest.mark.parametrize(
    ("name", "value"),
    [("mode", "revnet"), ("unit", "MB"), ("scale", "log"), ("moment", -1), ("materialised", 1.5)],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        ReversibleMemory(SIZES, PEAKS, **{name: value})


def test_state_is_small_and_complete():
    state = state_of(ReversibleMemory(SIZES, PEAKS, mode="chunked", moment=3, measured=[TRIAL]))
    assert len(json.dumps(state)) < 5000
    assert state["sizes"] == SIZES
    assert (state["mode"], state["moment"], state["unit"]) == ("chunked", 3, "GB")
    assert set(state["modes"]) == set(MODES)
    assert state["measured"][0]["bytes"] == 12_000_000_000


def test_one_button_leads_to_each_choice_of_sizes_that_was_measured():
    other = SIZES | {"n_layers": 2}
    trials = [
        TRIAL | {"name": "a million"},
        TRIAL | {"mode": "lsh"},
        TRIAL | {"sizes": other},
        TRIAL | {"sizes": other, "mode": "standard", "materialised": True},
    ]
    places = ReversibleMemory(SIZES, PEAKS, measured=trials).presets[2:]
    assert [place["name"] for place in places] == [
        "a million",
        "measured: 1,048,576 × 512, 2 layers",
        "measured: 1,048,576 × 512, 2 layers",
    ]
    assert [place["state"]["mode"] for place in places] == ["chunked", "chunked", "standard"]
    assert [place["state"]["materialised"] for place in places] == [False, False, True]


def test_the_height_grows_with_what_was_measured():
    none, one = (ReversibleMemory(SIZES, PEAKS, measured=[TRIAL] * n) for n in (0, 1))
    assert none.heights[0] < one.heights[0]
    assert none.heights[1] < one.heights[1]
