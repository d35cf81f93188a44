"""The alignment explorer: what Python says of it, and what it refuses. (What the browser shows: tests/browser.)"""

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from companion.alignment import soft_look_up
from companion.widgets import Alignment, AlignmentExplorer

SOURCE, TARGET = ["it's", "time", "for", "tea"], ["c'est", "l'heure", "du thé"]
SCORES = torch.tensor([[3.0, 1, 0, 0], [0, 3, 1, 0], [0, 0, 1, 2]])
TEA = Alignment(SOURCE, TARGET, scores=SCORES, note="made up")
HAND = Alignment(["a", "b"], ["B", "A", "!"], weights=[[0, 1], [1, 0], [0.5, 0.5]])
BOTH = {"tea": TEA, "by hand": HAND}
SVG = "{http://www.w3.org/2000/svg}"


def weights(scores, temperature):
    return soft_look_up(scores / temperature, torch.eye(scores.shape[1]))[1].numpy()


def test_the_first_example_is_shown():
    widget = AlignmentExplorer(BOTH)
    assert (widget.labels, widget.notes) == (["tea", "by hand"], ["made up", ""])
    assert widget.sources == [SOURCE, ["a", "b"]]
    assert widget.targets == [TARGET, ["B", "A", "!"]]
    assert (widget.example, widget.row, widget.temperature) == (0, 0, 1.0)
    assert widget.scores.dtype == np.float32
    assert widget.scores.shape == (3 * 4 + 3 * 2,)


def test_a_temperature_matters_only_where_scores_differ():
    masked = Alignment(["a", "b"], ["A"], scores=[[1.0, -np.inf]])
    assert AlignmentExplorer({**BOTH, "masked": masked}).softens == [True, False, False]


@pytest.mark.parametrize("temperature", [0.0625, 0.5, 1.0, 8.0])
def test_weights_are_those_of_our_look_up(temperature):
    widget = AlignmentExplorer(BOTH, temperature=temperature)
    np.testing.assert_allclose(widget.current_weights(), weights(SCORES, temperature), atol=1e-6)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_given_weights_come_back(n_target, n_source, seed):
    drawn = torch.rand(n_target, n_source, generator=torch.Generator().manual_seed(seed))
    drawn = drawn / drawn.sum(-1, keepdim=True)
    example = Alignment(["s"] * n_source, ["t"] * n_target, weights=drawn.requires_grad_())
    widget = AlignmentExplorer({"before": TEA, "x": example}, example=1)
    np.testing.assert_allclose(widget.current_weights(), drawn.detach(), atol=1e-5)


def test_at_temperature_0_the_best_gets_all_and_ties_share():
    widget = AlignmentExplorer(BOTH, temperature=0.0)
    expected = np.eye(4)[[0, 1, 3]]
    np.testing.assert_array_equal(widget.current_weights(), expected)
    widget.example = 1
    np.testing.assert_allclose(widget.current_weights(), [[0, 1], [1, 0], [0.5, 0.5]])


def test_a_hidden_word_gets_nothing():
    hidden = Alignment(["a", "b", "c"], ["A"], scores=[[1.0, -np.inf, 1.0]])
    for temperature in (0.0, 1.0, 8.0):
        widget = AlignmentExplorer({"x": hidden}, temperature=temperature)
        np.testing.assert_allclose(widget.current_weights(), [[0.5, 0, 0.5]])


def test_it_says_where_the_word_looks():
    share = 100 * weights(SCORES, 1)[1].max()
    expected = f"Alignment, tea: “l'heure” looks most at “time” ({share:.0f} %)."
    assert AlignmentExplorer(BOTH, row=1).describe() == expected
    # The row of a longer example, on a shorter one: its last word.
    short = {"tea": TEA, "short": Alignment(["a"], ["A"], weights=[[1.0]])}
    widget = AlignmentExplorer(short, row=2, example=1)
    assert widget.describe() == "Alignment, short: “A” looks most at “a” (100 %)."


def test_the_picture_joins_what_belongs_together():
    svg = ET.fromstring(AlignmentExplorer({"by hand": HAND}).picture())  # noqa: S314
    places = {text.text: float(text.get("y")) - 5 for text in svg.iter(f"{SVG}text")}
    assert list(places) == ["a", "b", "B", "A", "!"]
    joined = set()
    for path in svg.iter(f"{SVG}path"):
        _, start, *_, end = re.findall(r"[\d.]+", path.get("d"))
        joined.add((float(start), float(end)))
    pairs = [("b", "B"), ("a", "A"), ("a", "!"), ("b", "!")]
    assert joined == {(places[one], places[other]) for one, other in pairs}


@pytest.mark.parametrize("text", ["<b>&", "\x00\x0b", "a\nb", "</script>"])
def test_any_text_is_drawn_and_inlined(text):
    widget = AlignmentExplorer({text: Alignment([text], [text], weights=[[1.0]], note=text)})
    ET.fromstring(widget.picture())  # noqa: S314
    state = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    assert json.loads(state)["targets"] == [[text]]


def test_longer_sentences_take_more_room():
    longer = Alignment(["a"] * 9, ["A"] * 9, weights=np.eye(9))
    short, long = AlignmentExplorer({"x": TEA}), AlignmentExplorer({"x": longer})
    assert all(one < other for one, other in zip(short.heights, long.heights, strict=True))


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ("a b", r"'x' has None as its source; give an Alignment"),
        (Alignment("a b", ["A"], weights=[[1]]), "'x' has 'a b' as its source; .* list of words"),
        (Alignment(["a"], [], weights=[[1]]), r"'x' has \[\] as its target"),
        (Alignment(["a"], ["A"]), "'x': give either weights or scores"),
        (Alignment(["a"], ["A"], [[1]], [[1]]), "'x': give either weights or scores"),
        (
            Alignment(["a", "b", "c"], ["A", "B"], weights=np.eye(3)),
            r"'x': weights have shape \(3, 3\); for 2 target and 3 source words it must be \(2, 3\)",
        ),
        (Alignment(["a"], ["A"], scores=[[np.nan]]), "'x': scores hold NaN or infinity"),
        (Alignment(["a"], ["A"], scores=[[np.inf]]), "'x': scores hold NaN or infinity"),
        (
            Alignment(["a", "b"], ["A", "B"], weights=[[0, 1], [0.5, 0.6]]),
            r"'x': row 1 \('B'\) sums to 1.100, not 1; give the weights after the softmax",
        ),
        (
            Alignment(["a", "b"], ["A"], weights=[[-0.5, 1.5]]),
            r"'x': row 0 \('A'\) has a negative weight",
        ),
        (
            Alignment(["a", "b"], ["A"], scores=[[-np.inf, -np.inf]]),
            r"'x': scores of row 0 \('A'\) are all -inf; a word must have somewhere to look",
        ),
    ],
)
def test_what_is_no_alignment_is_refused(example, message):
    with pytest.raises(ValueError, match=message):
        AlignmentExplorer({"tea": TEA, "x": example})


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="examples: there is none; give at least one Alignment"):
        AlignmentExplorer({})


@pytest.mark.parametrize(
    ("name", "value"),
    [("example", 2), ("example", -1), ("row", 3), ("temperature", -0.1), ("temperature", 9.0)],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        AlignmentExplorer(BOTH, **{name: value})
    widget = AlignmentExplorer(BOTH)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
