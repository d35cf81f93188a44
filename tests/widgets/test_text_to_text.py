"""The text-to-text widget in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import pytest
import traitlets

from companion.models.graph import Live
from companion.text_to_text import TEMPLATES
from companion.widgets import TextToText

EXAMPLE = {"task": "cola", "line": "cola sentence: A <b>.", "ids": [2], "ended": True}
EXAMPLES = [
    EXAMPLE | {"text": "acceptable & <so>"},
    EXAMPLE | {"task": "stsb", "line": "stsb sentence1: a sentence2: b", "text": "3.8"},
]
SIZES = {"layers": 1, "heads": 1, "d_k": 2, "end": 0, "parameters": 1000}


def widget(**changed):
    state = {
        "names": ["<end>", "<pad>", "a"],
        "templates": TEMPLATES,
        "examples": EXAMPLES,
        "sizes": SIZES,
    }
    return TextToText(Live("text_to_text", dict), **state | changed)


def test_it_says_the_line_and_its_answer():
    assert "cola sentence: A <b>." in widget().describe()
    assert "3.8" in widget(example=1).describe()


def test_it_draws_every_line_and_its_answer():
    text = "".join(ET.fromstring(widget().picture()).itertext())  # noqa: S314
    for one in EXAMPLES:
        assert one["line"] in text
        assert f"→ {one['text']}" in text


def test_a_longer_answer_takes_more_room():
    long = [EXAMPLES[0] | {"text": "word " * 60}]
    pairs = zip(widget().heights, widget(examples=long).heights, strict=True)
    assert all(a < b for a, b in pairs)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": []}, ValueError, "examples: the list is empty"),
        (
            {"templates": {"cola": TEMPLATES["cola"]}},
            ValueError,
            "examples: one is of the task 'stsb'; there are templates for cola",
        ),
        ({"example": 2}, traitlets.TraitError, r"example: 2 was given, there are 2 \(0 to 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
