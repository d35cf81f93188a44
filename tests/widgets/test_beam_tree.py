"""The tree of a beam search: what Python says of it, what it sends, and what it refuses."""

import base64
import json
import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets

from companion.beginnings import beginnings
from companion.widgets import BeamTree

WORDS = ["I", "am", "hungry", "<eos>"]
AFTER = torch.tensor(
    [
        [0.1, 0.5, 0.3, 0.1],
        [0.7, 0.05, 0.2, 0.05],
        [0.25, 0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.4, 0.1, 0.0],
    ]
)
TABLE = beginnings(
    lambda tokens, state: (AFTER.log()[tokens], state),
    torch.tensor([4]),
    end=3,
    width=5,
    longest=2,
)
NARROW = beginnings(
    lambda tokens, state: (AFTER[:, :3].log()[tokens], state),
    torch.tensor([4]),
    end=0,
    width=1,
    longest=3,
)
SLIDE = {"slide": ("a source", TABLE, WORDS)}
BOTH = SLIDE | {"other": ("", NARROW, ["x", "y", "z"])}


def state_of(widget):
    found = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    return json.loads(found)


def read(sent):
    data = base64.b64decode(sent["data"]["base64"])
    return np.frombuffer(data, dtype=sent["dtype"]).reshape(sent["shape"])


def test_what_the_browser_gets_is_the_table():
    state = state_of(BeamTree(BOTH))
    rows, tokens, odds = (read(state[name]) for name in ("rows", "tokens", "log_probabilities"))
    words = state["words"]
    for number, (_, table, texts) in enumerate(BOTH.values()):
        first = state["firsts"][number]
        assert [words[i] for i in state["ends"][number]] == [texts[i] for i in table.ends]
        for place, text in enumerate(table.texts):
            row, back = first + place, []
            while row != first:
                back.insert(0, words[int(rows[row][1])])
                row = int(rows[row][0])
            assert back == [texts[token] for token in text]
            n = table.tokens.shape[1]
            assert [words[int(i)] for i in tokens[first + place][:n]] == [
                texts[token] for token in table.tokens[place]
            ]
            np.testing.assert_array_equal(odds[first + place][:n], table.log_probabilities[place])
            assert (odds[first + place][n:] == -math.inf).all()
    assert state["longest"] == [2, 3]
    assert len(rows) == len(TABLE.texts) + len(NARROW.texts)


def test_it_says_what_is_searched():
    assert BeamTree(SLIDE, width=3).describe() == (
        "A beam of width 3 searches for the likeliest text for “a source”: in each step it keeps 3 of the "
        "beginnings, and prunes the others."
    )
    assert "of the example “other”" in BeamTree(BOTH, example=1).describe()


def test_the_picture_shows_the_first_words_and_which_are_kept():
    svg = ET.fromstring(BeamTree(SLIDE, width=1).picture())  # noqa: S314
    texts = [part for part in svg if part.tag.endswith("text")]
    assert [part.text for part in texts] == ["I  0.50", "am  0.40"]
    assert len({part.get("fill") for part in texts}) == 2
    wider = ET.fromstring(BeamTree(SLIDE, width=5).picture())  # noqa: S314
    assert [p.text for p in wider if p.tag.endswith("text")] == [
        "I  0.50",
        "am  0.40",
        "hungry  0.10",
    ]


def test_any_word_is_drawn_and_inlined():
    widget = BeamTree({"<b>": ("</script>", TABLE, ["<b>&", "\x00", "</script>", "\n"])})
    ET.fromstring(widget.picture())  # noqa: S314
    assert state_of(widget)["sources"] == ["</script>"]


def test_a_wider_beam_takes_more_room():
    narrow, wide = (BeamTree(SLIDE, width=width).heights for width in (1, 5))
    assert all(one < other for one, other in zip(narrow, wide, strict=True))


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ({}, "examples: there is none; give at least one"),
        ({"x": (None, TABLE, WORDS)}, "examples: the source of 'x' is None; give a text, or ''"),
        ({"x": ("", TABLE, WORDS[:3])}, "examples: 'x' has the token 3, and words for 3; give one"),
        (
            {"x": ("", replace(TABLE, texts=TABLE.texts[::-1]), WORDS)},
            "examples: 'x' has the beginning (2,), and not () before it; give the empty one first",
        ),
    ],
)
def test_what_is_no_table_is_refused(examples, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        BeamTree(examples)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("width", 6),
        ("alpha", 2.1),
        ("penalty", "none"),
        ("step", -1),
        ("example", 1),
        ("followed", [0, 0, 0]),
    ],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        BeamTree(SLIDE, **{name: value})
