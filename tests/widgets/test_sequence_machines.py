"""The two machines: what Python says of them, what it refuses, and how they are sent."""

import json
import re

import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from companion.recurrent import path_length
from companion.widgets import SequenceMachines

TEXT = "the dogs near the house sleep"


def state_of(widget):
    found = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    return json.loads(found)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True))
def test_the_sentence_tells_both_ways(pair):
    said = SequenceMachines(TEXT, pair=pair).describe()
    first, last = sorted(pair)
    words = TEXT.split()
    length = path_length("recurrent", last - first)
    times = "once" if length == 1 else f"{length} times"
    assert f"hands “{words[first]}” on {times} until it reaches “{words[last]}”" in said


def test_by_default_from_the_first_word_to_the_last():
    assert SequenceMachines("  a  b\nc ").pair == [0, 2]
    assert SequenceMachines("  a  b\nc ").text == "a b c"


def test_picture_shows_the_words_as_text():
    svg = SequenceMachines("a <script> & b").picture()
    assert svg.startswith("<svg")
    assert "&lt;script&gt;" in svg
    assert "<script" not in svg
    assert svg != SequenceMachines("a <script> & b", pair=[0, 1]).picture()


@pytest.mark.parametrize(("text", "count"), [("", 0), ("one", 1), ("x " * 11, 11)])
def test_too_few_or_too_many_words_are_refused(text, count):
    with pytest.raises(ValueError, match=f"text: {count} words were given; give 2 to 10"):
        SequenceMachines(text)


@pytest.mark.parametrize("pair", [[1, 1], [0, 6], [-1, 2], [0], [0, 1, 2]])
def test_a_pair_is_two_different_words(pair):
    with pytest.raises(
        ValueError, match=r"pair: .* was given; give two different positions, 0 to 5"
    ):
        SequenceMachines(TEXT, pair=pair)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mode", "writing"), ("layers", 0), ("layers", 5), ("step", -1), ("length", 9), ("width", 0)],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        SequenceMachines(TEXT, **{name: value})


def test_state_is_small_and_complete():
    state = state_of(SequenceMachines(TEXT, pair=[1, 5], mode="generating", step=3))
    assert len(json.dumps(state)) < 500
    assert state["text"] == TEXT
    assert (state["pair"], state["mode"], state["step"]) == ([1, 5], "generating", 3)


def test_the_height_grows_with_layers_and_words():
    low, high = SequenceMachines(TEXT, layers=1).heights, SequenceMachines(TEXT, layers=4).heights
    assert low[0] < high[0]
    assert low[1] < high[1]
    assert SequenceMachines("elephants " * 10).heights > SequenceMachines("a b").heights
