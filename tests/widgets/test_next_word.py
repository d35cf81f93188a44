"""The next word: what Python says of it, and what it refuses."""

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets

from companion.widgets import NextWord

WORDS = ["am", "I", "hungry"]
CONTEXTS = {"": torch.tensor([0.4, 0.5, 0.1]).log(), "I": [1.0, -math.inf, 0.0]}


def test_it_says_what_comes_next():
    assert NextWord(CONTEXTS, WORDS).describe() == (
        "After “” the model says: “I” 50%, “am” 40%, “hungry” 10%."
    )
    assert NextWord(CONTEXTS, WORDS, context=1).describe() == (
        "After “I” the model says: “am” 73%, “hungry” 27%, “I” 0%."
    )


def test_the_picture_has_a_bar_for_each_word():
    svg = ET.fromstring(NextWord(CONTEXTS, WORDS).picture())  # noqa: S314
    texts = [part.text for part in svg if part.tag.endswith("text")]
    assert texts == ["I", "50.0%", "am", "40.0%", "hungry", "10.0%"]
    widths = [float(part.get("width")) for part in list(svg)[1:] if part.tag.endswith("rect")]
    assert [width / widths[0] for width in widths] == pytest.approx([1, 0.8, 0.2], abs=0.01)


def test_of_many_words_twelve_are_drawn():
    many = NextWord({"x": np.zeros(40)}, [f"<{i}>" for i in range(40)])
    assert many.picture().count("&lt;") == 12
    assert many.heights[0] > NextWord(CONTEXTS, WORDS).heights[0]


@pytest.mark.parametrize(
    ("contexts", "said"),
    [
        ({}, "contexts: there is none; give at least one text and its logits"),
        ({"x": [0.0]}, "contexts: the logits of 'x' have shape (1,); give one for each of the 3"),
        (
            {"x": [0.0, math.nan, 1.0]},
            "contexts: the largest logit of 'x' is nan; it must be finite",
        ),
        (
            {"x": [0.0, math.inf, 1.0]},
            "contexts: the largest logit of 'x' is inf; it must be finite",
        ),
        ({"x": [-math.inf] * 3}, "contexts: the largest logit of 'x' is -inf; it must be finite"),
    ],
)
def test_what_is_no_distribution_is_refused(contexts, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        NextWord(contexts, WORDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 3.1),
        ("k", 13),
        ("p", 0.0),
        ("p", 1.1),
        ("draws", 1001),
        ("context", 2),
    ],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        NextWord(CONTEXTS, WORDS, **{name: value})
