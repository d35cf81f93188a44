"""The reader's widget in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets

from companion.models.graph import Live
from companion.widgets import DialogueReader

EXAMPLE = {
    "title": "a table",
    "text": "User: A table in <Rome>, please.\nAgent: It is booked.\n",
    "questions": ["Where?", "When?"],
    "lengths": [20, 20],
    "answers": ["<Rome>", ""],
}
LOGITS = np.zeros((2, 2, 20), np.float32)
SIZES = {"special": {"cls": 2, "sep": 3}, "longest": 384}


def widget(**changed):
    state = {"examples": [EXAMPLE], "logits": LOGITS, "vocabulary": ["[UNK]"], "sizes": SIZES}
    return DialogueReader(Live("reader", dict), **state | changed)


def test_it_begins_with_the_first_question():
    assert widget().question == "Where?"
    assert widget(question="Why?").question == "Why?"


def test_it_says_and_draws_the_question_and_its_answer():
    made = widget()
    assert made.describe() == (
        "A dialogue and a question about it, “Where?”: the answer found: “<Rome>”."
    )
    text = "".join(ET.fromstring(made.picture()).itertext())  # noqa: S314
    for part in ("User: A table in <Rome>, please.", "Where?", "<Rome>"):
        assert part in text
    made.question = "When?"
    assert made.describe().endswith("“When?”: the dialogue does not say.")
    assert "The dialogue does not say." in made.picture()


def test_longer_dialogues_take_more_room():
    longer = EXAMPLE | {"text": EXAMPLE["text"] * 5}
    short, long = widget().heights, widget(examples=[longer]).heights
    assert all(a < b for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": []}, ValueError, "examples: the list is empty"),
        ({"examples": [EXAMPLE | {"questions": []}]}, ValueError, "'a table' has no question"),
        (
            {"logits": LOGITS[:1]},
            ValueError,
            r"logits: shape \(1, 2, 20\) does not fit; \(2 questions, 2, 20 tokens\)",
        ),
        ({"example": 1}, traitlets.TraitError, "example: 1 was given, there are 1"),
        ({"word": -2}, traitlets.TraitError, "word"),
        ({"caution": 41}, traitlets.TraitError, "caution"),
    ],
)
def test_what_does_not_fit_is_named(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
