"""The translator's widget in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets

from companion.models.graph import Live
from companion.widgets import CaptionTranslator

FOUND = {"ids": [2, 3], "total": -1.5, "score": -0.5, "ended": True, "text": "Ein <Hund>."}
EXAMPLE = {"text": "A <dog>.", "ids": [2, 3, 2], "found": [FOUND, FOUND | {"text": "Hund."}]}
LOOKS = np.zeros((1, 2, 2, 4), np.float32)
SIZES = {"layers": 1, "heads": 1, "d_k": 2, "end": 0, "width": 5, "alpha": 1.0}


def widget(**changed):
    state = {
        "examples": [EXAMPLE],
        "looks": LOOKS,
        "names": ["<end>", "<pad>", "a", "b"],
        "sizes": SIZES,
    }
    return CaptionTranslator(Live("translator", dict), **state | changed)


def test_it_says_and_draws_the_caption_and_its_translations():
    made = widget()
    assert "A <dog>." in made.describe()
    assert "Ein <Hund>." in made.describe()
    text = "".join(ET.fromstring(made.picture()).itertext())  # noqa: S314
    for line in ("A <dog>.", "1. Ein <Hund>.", "2. Hund."):
        assert line in text


def test_longer_captions_take_more_room():
    longer = EXAMPLE | {"text": "A dog and a cat and a horse."}
    short, long = widget().heights, widget(examples=[longer]).heights
    assert all(a < b for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": []}, ValueError, "examples: the list is empty"),
        (
            {"looks": LOOKS[:, :1]},
            ValueError,
            r"looks: shape \(1, 1, 2, 4\) does not fit; \(1, 2, 2, 4\) would",
        ),
        ({"example": 1}, traitlets.TraitError, "example: 1 was given, there are 1"),
        ({"width": 6}, traitlets.TraitError, "width"),
        ({"alpha": -1.0}, traitlets.TraitError, "alpha"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
