"""The tree of a translation in Python: what is said and drawn of it, what it sends, and what it refuses."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import torch
import traitlets

from companion.beginnings import beginnings
from companion.models.graph import Live
from companion.models.translator.pieces import decode, names
from companion.widgets import TranslationTree
from companion.widgets.byte_pieces import join

NAMES = ["<end>", "<pad>", "Ein", "ĠHund", "Ã¼b"]
LOGITS = torch.tensor([-2.0, -9.0, 1.0, 0.0, -1.0])
TABLE = beginnings(
    lambda tokens, state: (LOGITS.expand(len(tokens), 5), state),
    torch.tensor([0]),
    end=0,
    width=2,
    longest=4,
)
OTHER = beginnings(
    lambda tokens, state: (LOGITS.flip(0).expand(len(tokens), 5), state),
    torch.tensor([0]),
    end=0,
    width=1,
    longest=3,
)
EXAMPLES = {"A <dog>.": TABLE, "A cat.": OTHER}


def widget(**changed):
    state = {"examples": EXAMPLES, "names": NAMES, "sizes": {"end": 0}}
    return TranslationTree(Live("translator", dict), **state | changed)


def test_it_says_what_is_searched():
    assert widget(width=2).describe() == (
        "A beam of width 2 searches for the likeliest German text for “A <dog>.”: in each step it keeps 2 of "
        "the beginnings, and prunes the others."
    )
    assert "“A cat.”" in widget(example=1).describe()


def test_the_picture_shows_the_first_pieces_as_text():
    svg = ET.fromstring(widget(width=2).picture())  # noqa: S314
    texts = [part.text for part in svg if part.tag.endswith("text")]
    odds = LOGITS.softmax(0)
    assert texts == [
        f"{text}  {odds[i]:.2f}" for text, i in (("Ein", 2), (" Hund", 3), ("üb", 4), ("(end)", 0))
    ]


def test_pieces_are_joined_as_the_tokenizer_does():
    for number, name in enumerate(names()[2:], start=2):
        assert join([name]) == decode([number])
    assert join([names()[i] for i in (300, 318)]) == decode([300, 318])


def test_tokens_keep_their_numbers_and_tables_stand_below_each_other():
    made = widget()
    assert made.captions == list(EXAMPLES)
    assert made.ends == [[0], [0]]
    assert made.longest == [4, 3]
    assert made.firsts == [0, len(TABLE.texts)]
    assert made.tokens[0].tolist() == TABLE.tokens[0].tolist()
    assert made.tokens[made.firsts[1], :2].tolist() == OTHER.tokens[0].tolist()
    assert made.rows[made.firsts[1]].tolist() == [-1, -1]


def test_a_wider_beam_and_longer_captions_take_more_room():
    longer = {"A dog and a cat and a horse and a cow are sleeping in a green meadow.": TABLE}
    for more in ({"width": 5}, {"examples": longer | EXAMPLES}):
        assert all(a < b for a, b in zip(widget().heights, widget(**more).heights, strict=True))


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"examples": {}}, ValueError, "examples: there is none; give at least one caption"),
        ({"examples": {" ": TABLE}}, ValueError, "examples: ' ' is empty; give a caption"),
        (
            {"names": NAMES[:3]},
            ValueError,
            "examples: 'A <dog>.' has the token 3, and words for 3; give one for each",
        ),
        (
            {"examples": {"A dog.": replace(TABLE, texts=TABLE.texts[::-1])}},
            ValueError,
            "before it; give the empty one first",
        ),
        ({"example": 2}, traitlets.TraitError, "example is 2: there are 2"),
        ({"width": 6}, traitlets.TraitError, "width"),
        ({"alpha": -1.0}, traitlets.TraitError, "alpha"),
        ({"penalty": "none"}, traitlets.TraitError, "penalty"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, told):
    with pytest.raises(error, match=re.escape(told)):
        widget(**changed)
