"""The widget of few labels in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets

from companion.widgets import FewLabels

CLASSES = ("asks", "tells <b>")
OFFERED = [("Who is it?", 0), ("It is I & you.", 1), ("What now?", 0)]
HELD_OUT = [("Why?", 0), ("So it is.", 1)]
VECTORS = {"read": torch.eye(5, 4), "random": torch.zeros(5, 4)}


def widget(**changes):
    given = {"classes": CLASSES, "offered": OFFERED, "held_out": HELD_OUT, "vectors": VECTORS}
    return FewLabels(**{**given, **changes})


def test_it_says_what_there_is_to_do():
    assert widget(labels=[(1, 1)]).describe() == (
        "3 texts to label as asks or tells <b>, 1 labelled so far; 2 others are sorted by a classifier "
        "that learns from the labels, on vectors that are read or random."
    )


def test_it_draws_texts_with_their_classes():
    drawn = ET.fromstring(widget().picture())  # noqa: S314
    text = "".join(drawn.itertext())
    assert "It is I & you. – tells <b>" in text
    assert "Why? – ?" in text
    assert int(drawn.get("height")) > 100


def test_vectors_are_held_as_one_compact_array():
    held = widget().vectors
    assert held.shape == (2, 5, 4)
    assert held.dtype == np.float16
    assert held[0].tolist() == np.eye(5, 4).tolist()


def test_it_takes_what_a_page_sends():
    made = widget()
    made.set_state({"labels": [[2, 0], [1, 1]], "at": 0, "kind": 1})
    assert made.labels == [(2, 0), (1, 1)]


def test_longer_texts_take_more_room():
    longer = [(text * 20, number) for text, number in HELD_OUT]
    pairs = zip(widget().heights, widget(held_out=longer).heights, strict=True)
    assert all(a < b for a, b in pairs)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"classes": []}, ValueError, "classes: there is none"),
        ({"offered": []}, ValueError, "offered: there is no text"),
        ({"held_out": [("a", 2)]}, ValueError, "held_out: 'a' has class 2; there are 2"),
        ({"offered": [("a", -1)]}, ValueError, "offered: 'a' has class -1"),
        ({"vectors": {"a": torch.zeros(5, 4)}}, ValueError, "there are 1 kinds of them; give two"),
        (
            {"vectors": {**VECTORS, "read": torch.zeros(4, 4)}},
            ValueError,
            r"'read' has shape \(4, 4\); give one vector for each of the 5 texts",
        ),
        ({"vectors": {**VECTORS, "read": torch.zeros(5, 3)}}, ValueError, "the same size in both"),
        ({"vectors": {**VECTORS, "read": torch.zeros(5)}}, ValueError, r"'read' has shape \(5,\)"),
        ({"labels": [(3, 0)]}, traitlets.TraitError, "labels: text 3 has one, there are 3"),
        ({"labels": [(0, 2)]}, traitlets.TraitError, "labels: 2 was given, there are 2 classes"),
        ({"labels": [(0, 0), (0, 1)]}, traitlets.TraitError, "a text has more than one"),
        ({"at": 3}, traitlets.TraitError, "at is 3: there are 3 texts to label"),
        ({"kind": 2}, traitlets.TraitError, "kind"),
    ],
)
def test_what_does_not_fit_is_refused(changes, error, told):
    with pytest.raises(error, match=told):
        widget(**changes)
