"""The bench for BLEU: what Python says of it, and what it refuses. (What the browser counts: tests/browser.)"""

import json
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from companion.bleu import clipped_counts
from companion.widgets import BleuBench

HUNGRY = ["Younes said I am hungry", "He said I am hungry"]
PAIRS = {"toy": ("I I am I", HUNGRY), "other": ("a b", ["a c"])}
SVG = "{http://www.w3.org/2000/svg}"


def test_the_first_pair_is_shown():
    widget = BleuBench(PAIRS)
    assert (widget.candidate, widget.references) == PAIRS["toy"]
    assert (widget.labels, widget.candidates) == (["toy", "other"], ["I I am I", "a b"])
    assert widget.reference_lists == [HUNGRY, ["a c"]]
    assert (widget.order, widget.lowercase, widget.smooth) == (1, False, True)


def test_a_state_of_one_s_own():
    widget = BleuBench(PAIRS, candidate="a", references=["b"], order=3, smooth=False)
    assert (widget.candidate, widget.references, widget.order) == ("a", ["b"], 3)


def test_it_says_what_is_compared():
    assert BleuBench(PAIRS).describe() == (
        "The candidate “I I am I” beside “Younes said I am hungry”, “He said I am hungry”: 2 of its 4 words "
        "count; runs of up to 4 words make its BLEU score."
    )


def underlined(widget):
    """The words of the picture that have a line below them."""
    svg = ET.fromstring(widget.picture())  # noqa: S314
    parts = list(svg)
    return [
        text.text
        for text, line in pairwise(parts)
        if text.tag == f"{SVG}text" and line.tag == f"{SVG}rect"
    ]


def test_the_picture_underlines_the_words_that_count():
    assert underlined(BleuBench(PAIRS)) == ["I", "am"]
    assert underlined(BleuBench(PAIRS, candidate="b I hungry I hungry")) == ["I", "hungry"]


WORDS = st.lists(st.sampled_from("abc"), max_size=8)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_as_many_are_underlined_as_count(candidate, references):
    widget = BleuBench(
        PAIRS, candidate=" ".join(candidate), references=[" ".join(each) for each in references]
    )
    assert len(underlined(widget)) == clipped_counts(candidate, references, 1).total()


@pytest.mark.parametrize("text", ["<b>&", "\x00\x0b", "a\nb", "</script>"])
def test_any_text_is_drawn_and_inlined(text):
    widget = BleuBench({text: (text, [text])})
    ET.fromstring(widget.picture())  # noqa: S314
    state = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    assert json.loads(state)["candidate"] == text


def test_longer_texts_and_more_references_take_more_room():
    usual = BleuBench(PAIRS).heights
    longer = BleuBench(PAIRS, candidate="word " * 60).heights
    fewer = BleuBench(PAIRS, references=HUNGRY[:1]).heights
    assert all(
        a < b < c and b > 300 for a, b, c in zip(fewer, usual, longer, strict=True)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ({}, "examples: there is none"),
        ({"x": "a b"}, "examples: 'x' has 'a b'; give a candidate and a list of references"),
        ({"x": ("a", "b")}, "examples: 'x' has .*; give a candidate and a list of references"),
        ({"x": (["a"], ["b"])}, "examples: 'x' has .*; give a candidate and a list of references"),
        ({"ok": ("a", ["b"]), "x": ("a", [])}, "examples: 'x' has 0 references; give 1 to 3"),
        ({"x": ("a", ["b"] * 4)}, "examples: 'x' has 4 references; give 1 to 3"),
    ],
)
def test_what_is_no_pair_is_refused(examples, message):
    with pytest.raises(ValueError, match=message):
        BleuBench(examples)


@pytest.mark.parametrize(
    ("name", "value"),
    [("order", 0), ("order", 5), ("references", []), ("references", ["a"] * 4), ("candidate", 3)],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        BleuBench(PAIRS, **{name: value})
