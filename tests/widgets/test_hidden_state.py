"""The widget of the hidden state: what Python says of it, and what it refuses."""

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from companion.widgets import HiddenState
from companion.widgets.hidden_state import _found

ONE = {
    "label": "short",
    "words": ["he", "sleeps", ",", "and", "she", "reads"],
    "stops": [2, 6],
    "right": [["er", "schläft", "."], ["er", "schläft", ",", "und", "sie", "liest", "."]],
    "written": [
        [["er", "schläft", "."], ["er", "liest", "."]],
        [["er", "schläft", "."], ["er", "schläft", ",", "und", "sie", "liest", "."]],
    ],
}
LEFT = np.array([[0.9 ** (t - i) if i <= t else 0 for i in range(6)] for t in range(6)])
OUTPUTS = np.linspace(-1, 1, 6 * 4).reshape(6, 4)


def widget(**changed):
    given = {"sentences": [ONE], "left": [LEFT], "outputs": [OUTPUTS]} | changed
    return HiddenState(given.pop("sentences"), **given)


def test_it_begins_at_the_first_stop():
    assert (widget().sentence, widget().read, widget().stop) == (0, 2, 0)


def test_it_says_what_is_left_and_what_is_written():
    assert widget(read=6).describe() == (
        "6 of 6 words and commas are read. Of the first, “he”, 59 % is left in the state. If the "
        "sentence ends after word 6, the network without attention finds 3 of 7 words, with attention 7."
    )
    assert widget(read=1).describe().endswith("“he”, 100 % is left in the state.")


def test_a_shorter_sentence_is_filled_up():
    other = {**ONE, "words": ["she", "reads"], "stops": [2]}
    other |= {"right": [ONE["right"][0]], "written": [side[:1] for side in ONE["written"]]}
    both = widget(sentences=[ONE, other], left=[LEFT, LEFT[:2, :2]], outputs=[OUTPUTS, OUTPUTS[:2]])
    assert both.left.shape == (2, 6, 6)
    both.sentence, both.read = 1, 6
    assert both.describe().startswith("2 of 2 words")


def test_the_picture_has_all_words_and_a_bar_for_each_that_is_read():
    picture = ET.fromstring(widget(read=3).picture())  # noqa: S314
    assert set(ONE["words"]) <= set(picture.itertext())
    bars = [
        float(part.get("width"))
        for part in picture
        if part.tag.endswith("rect") and part.get("width") != "100%"
    ]
    assert len(bars) == 3
    assert bars[2] == max(26, 9)
    assert bars[0] == pytest.approx(0.81 * 26, abs=0.06)


def test_any_text_is_drawn_and_inlined():
    odd = {**ONE, "words": ["<b>&", "</script>", ",", "and", "she", "reads"]}
    shown = widget(sentences=[odd])
    ET.fromstring(shown.picture())  # noqa: S314
    state = re.search(r'<script type="application/json">(.*?)</script>', shown.to_html())[1]
    assert json.loads(state)["sentences"][0]["words"] == odd["words"]


WORDS = st.lists(st.sampled_from("abcd"), max_size=7)


@given(WORDS, WORDS)
def test_what_is_found_stands_in_both_in_the_same_order(words, right):
    found = [word for word, one in zip(words, _found(words, right), strict=True) if one]
    rest = iter(right)
    assert all(word in rest for word in found)
    assert len(found) >= max(min(words.count(x), right.count(x)) for x in "abcd")


@given(WORDS)
def test_all_is_found_in_itself(words):
    assert all(_found(words, words))
    assert not any(_found(words, []))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sentences": []}, "sentences: the list is empty"),
        (
            {"sentences": [{"label": "x"}]},
            "sentences: number 0 has no right, stops, words, written",
        ),
        ({"sentences": [{**ONE, "stops": [6, 2]}]}, r"number 0 has stops \[6, 2\]; .*from 1 to 6"),
        ({"sentences": [{**ONE, "stops": []}]}, "number 0 has stops"),
        ({"sentences": [{**ONE, "stops": [2, 7]}]}, "number 0 has stops"),
        ({"sentences": [{**ONE, "right": ONE["right"][:1]}]}, "2 stops; give as many translations"),
        ({"left": [LEFT[:5]]}, r"left: shapes \[\(5, 6\)\]"),
        ({"left": [LEFT[:, :5]]}, r"left: shape \(6, 5\)"),
        ({"left": [-LEFT]}, "left: .*at least 0"),
        ({"left": [LEFT, LEFT]}, "left: shapes"),
        ({"outputs": [OUTPUTS[0]]}, "outputs: shapes"),
        ({"outputs": [OUTPUTS * np.nan]}, "outputs: shapes"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        widget(**changed)


def test_states_of_several_sizes_are_refused():
    with pytest.raises(ValueError, match="outputs: states of several sizes"):
        widget(sentences=[ONE, ONE], left=[LEFT, LEFT], outputs=[OUTPUTS, OUTPUTS[:, :3]])


@pytest.mark.parametrize("state", [{"sentence": 1}, {"read": 7}, {"read": 0}])
def test_a_choice_that_there_is_not(state):
    with pytest.raises(traitlets.TraitError):
        widget(**state)
