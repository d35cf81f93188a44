"""The masked words in Python: what the widget holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import pytest
import traitlets

from companion.models.graph import Live
from companion.widgets import MaskedWords

NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "<b>", "two", "##s"]
GUESSED = {"best": [[6, 0.75], [5, 0.125]], "own": [0.75, 1]}
HOLE = {"place": 1, "both": GUESSED, "left": GUESSED}
EXAMPLE = {"text": "a <b>s two", "ids": [5, 6, 8, 7], "holes": [HOLE]}
SIZES = {"unknown": 1, "cls": 2, "sep": 3, "mask": 4, "first": 5, "room": 62, "shown": 5}


def widget(**changed):
    state = {"examples": [EXAMPLE], "names": NAMES, "sizes": SIZES | {"parameters": 9}}
    return MaskedWords(Live("bert", dict), **state | changed)


def test_it_begins_with_the_holes_of_the_example():
    assert widget().holes == [[1, 4]]
    other = EXAMPLE | {"holes": []}
    assert widget(examples=[EXAMPLE, other], example=1).holes == []
    assert widget(holes=[[0, 7]]).holes == [[0, 7]]
    assert widget(own="two").holes == []


def test_it_says_and_draws_the_sentence_its_hole_and_the_guesses():
    made = widget()
    assert "“a ____s two”" in made.describe()
    assert "<b> 75%" in made.describe()
    text = "".join(ET.fromstring(made.picture()).itertext())  # noqa: S314
    for line in ("a ____s two", "hole 1: <b> 75%, a 12%"):
        assert line in text
    assert int(ET.fromstring(made.picture()).get("height")) > 100  # noqa: S314


def test_more_holes_and_longer_sentences_take_more_room():
    longer = EXAMPLE | {"text": "a " * 60, "ids": [5] * 60}
    more = EXAMPLE | {"holes": [HOLE, HOLE | {"place": 2}, HOLE | {"place": 3}]}
    for other in (longer, more):
        assert all(
            a < b for a, b in zip(widget().heights, widget(examples=[other]).heights, strict=True)
        )


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": []}, ValueError, "examples: the list is empty"),
        ({"example": 1}, traitlets.TraitError, "example: 1 was given, there are 1"),
        ({"rate": 0.9}, traitlets.TraitError, "rate"),
        ({"holes": [[1]]}, traitlets.TraitError, "holes"),
        ({"holes": [[1, -2]]}, traitlets.TraitError, "holes"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
