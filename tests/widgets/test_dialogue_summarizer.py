"""The summarizer's widget in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets

from companion.models.graph import Live
from companion.widgets import DialogueSummarizer

EXAMPLE = {
    "title": "a table",
    "text": "User: A table for <2>, please.\nAgent: It is booked.\n",
    "lengths": [4, 2, 48],
    "ids": [2, 3],
    "summary": "They booked a table for <2>.",
    "ended": True,
}
SOURCES = np.zeros((1, 2, 3), np.float32)
SIZES = {"layers": 1, "heads": 1, "d_k": 2, "separator": 1, "end": 0, "most": 9, "longest": 99}


def widget(**changed):
    state = {
        "examples": [EXAMPLE],
        "sources": SOURCES,
        "names": ["<end>", "<summary>", "a", "b"],
        "sizes": SIZES,
    }
    return DialogueSummarizer(Live("summarizer", dict), **state | changed)


def test_it_says_and_draws_the_dialogue_and_its_summary():
    made = widget()
    assert EXAMPLE["summary"] in made.describe()
    text = "".join(ET.fromstring(made.picture()).itertext())  # noqa: S314
    assert "User: A table for <2>, please." in text
    assert EXAMPLE["summary"] in text


def test_longer_dialogues_take_more_room():
    longer = EXAMPLE | {"text": EXAMPLE["text"] * 5}
    short, long = widget().heights, widget(examples=[longer]).heights
    assert all(a < b for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": []}, ValueError, "examples: the list is empty"),
        (
            {"sources": SOURCES[:, :1]},
            ValueError,
            r"sources: shape \(1, 1, 3\) does not fit; \(1 examples, 2 tokens",
        ),
        ({"example": 1}, traitlets.TraitError, "example: 1 was given, there are 1"),
        ({"word": -2}, traitlets.TraitError, "word"),
    ],
)
def test_what_does_not_fit_is_named(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
