"""The tokenizer bench: what Python says of it, and what it refuses. (What the browser learns: tests/browser.)"""

import json
import re
from xml.etree import ElementTree as ET

import pytest
import traitlets

from companion.widgets import TokenizerBench

STATE = {"text": "book a table, book a room", "cut": "bookings", "word": "booking"}


def test_a_state_of_one_s_own():
    widget = TokenizerBench(**STATE, merges=7, alpha=0.5)
    assert {name: getattr(widget, name) for name in STATE} == STATE
    assert (widget.merges, widget.alpha) == (7, 0.5)
    assert (TokenizerBench(**STATE).merges, TokenizerBench(**STATE).alpha) == (0, 1.0)


def test_it_says_what_is_cut():
    assert TokenizerBench(**STATE).describe() == (
        "Tokenizers learned from a text of 25 characters cut “bookings”: words, "
        "characters, byte pairs, word pieces, a unigram model and bytes."
    )


@pytest.mark.parametrize("text", ["<b>&", "\x00\x0b", "a\nb", "</script>", "", "שלום 🙂"])
def test_any_text_is_drawn_and_inlined(text):
    widget = TokenizerBench(text, text, text)
    svg = ET.fromstring(widget.picture())  # noqa: S314
    assert int(svg.get("height")) >= 60
    state = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    assert json.loads(state)["text"] == text


def test_the_picture_shows_both_texts():
    picture = TokenizerBench(**STATE).picture()
    assert STATE["text"] in picture
    assert STATE["cut"] in picture


def test_a_longer_cut_takes_more_room():
    short, long = (TokenizerBench("a", "b" * n, "c").heights for n in (10, 180))
    assert all(300 < a < b for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize(("name", "most"), [("text", 5000), ("cut", 200), ("word", 24)])
def test_too_long_a_text_is_refused(name, most):
    TokenizerBench(**STATE | {name: "a" * most})
    with pytest.raises(
        ValueError, match=f"{name}: it has {most + 1} characters; give at most {most}"
    ):
        TokenizerBench(**STATE | {name: "a" * (most + 1)})


@pytest.mark.parametrize(
    ("name", "value"), [("merges", -1), ("alpha", -0.1), ("alpha", 2.1), ("cut", 3)]
)
def test_a_state_out_of_range_is_refused(name, value):
    widget = TokenizerBench(**STATE)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
