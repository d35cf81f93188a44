"""The positional encoding's state: what it refuses, what it says, and that its table is the mathematics'."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from companion.positional import LAYOUTS, sinusoidal
from companion.widgets import PositionalEncoding

properties = settings(deadline=None, max_examples=30, derandomize=True)


@properties
@given(
    length=st.integers(2, 256),
    pairs=st.integers(1, 64),
    base=st.floats(10, 1e6),
    layout=st.sampled_from(LAYOUTS),
)
def test_the_table_is_the_mathematics_(length, pairs, base, layout):
    widget = PositionalEncoding(length, 2 * pairs, base, layout)
    expected = sinusoidal(length, 2 * pairs, base=base, layout=layout).numpy()
    np.testing.assert_allclose(widget.encoding(), expected, atol=1e-6)


def test_what_it_says():
    widget = PositionalEncoding(64, 64, first=10, second=13)
    table = sinusoidal(64, 64)
    said = widget.describe()
    assert f"positions 10 and 13 is {table[10] @ table[13]:.2f} of at most 32" in said
    assert "23 of 32 pairs turn less than once" in said


def test_the_picture_is_xml():
    root = ET.fromstring(PositionalEncoding(20, 8).picture())  # noqa: S314
    assert root.tag.endswith("svg")
    assert sum(element.tag.endswith("text") for element in root.iter()) == 28


def test_a_smaller_table_keeps_what_is_chosen_inside():
    widget = PositionalEncoding(64, 64, dimension=63, first=5, second=63)
    widget.length, widget.d_model = 8, 4
    assert (widget.dimension, widget.first, widget.second) == (3, 5, 7)


def test_the_smallest():
    assert PositionalEncoding(2, 2).encoding().shape == (2, 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": 1}, "length: 1 was given; give a whole number from 2 to 256"),
        ({"length": 257}, "length: 257"),
        ({"length": 8.0}, r"length: 8\.0 was given; give a whole number"),
        ({"length": True}, "length: True"),
        ({"d_model": 0}, "d_model: 0 was given; give a whole number from 2 to 128"),
        ({"d_model": 7}, "d_model: 7 was given; sine and cosine need an even number"),
        ({"base": 1}, "base: 1 was given; give a number from 10"),
        ({"base": float("nan")}, "base: nan"),
        ({"base": "ten"}, "base: 'ten'"),
        ({"layout": "mine"}, "layout: 'mine' was given; give one of paper, tensor2tensor"),
    ],
)
def test_what_does_not_do(wrong, message):
    with pytest.raises(ValueError, match=message):
        PositionalEncoding(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dimension": 64}, "dimension: 64 was given, there are 64"),
        ({"first": 64}, r"first: 64 was given, there are 64 \(0 to 63\)"),
        ({"second": -1}, "second"),
    ],
)
def test_a_place_outside_the_table(wrong, message):
    with pytest.raises(TraitError, match=message):
        PositionalEncoding(**wrong)
    with pytest.raises(TraitError):
        PositionalEncoding().d_model = 7
