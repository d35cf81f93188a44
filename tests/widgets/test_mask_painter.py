"""The mask painter: what Python says of a mask, what it refuses, and how it is sent."""

import json
import re

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.attention import attention_weights, causal_mask
from companion.masks import prefix_mask, window_mask
from companion.widgets import MaskPainter

TOKENS = ["I", "want", "a", "table", "tonight"]
N = len(TOKENS)
SOURCE = ["einen", "Tisch", "bitte"]
CROSS = torch.tensor([[True, False, True]] * N)


def painter(**arguments):
    return MaskPainter(TOKENS, **arguments)


def state_of(widget):
    found = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    return json.loads(found)


@settings(max_examples=30)
@given(st.lists(st.lists(st.booleans(), min_size=N, max_size=N), min_size=N, max_size=N))
def test_weights_are_those_of_companion_attention(rows):
    mask = torch.tensor(rows)
    scores = torch.randn(N, N, generator=torch.Generator().manual_seed(0))
    widget = painter(masks={"mine": mask}, scores=scores)
    np.testing.assert_array_equal(widget.current_mask(), mask)
    np.testing.assert_allclose(widget.current_weights(), attention_weights(scores, mask), atol=1e-6)


def test_without_scores_all_open_cells_weigh_the_same():
    widget = painter(masks={"window": window_mask(N, 2)})
    assert widget.current_weights()[3].tolist() == [0, 0, 0.5, 0.5, 0]


def test_large_scores_do_not_overflow():
    widget = painter(masks={"causal": causal_mask(N)}, scores=np.full((N, N), 1e4))
    assert widget.current_weights()[1].tolist() == [0.5, 0.5, 0, 0, 0]


def test_first_mask_is_shown_and_by_default_everything():
    widget = painter(masks={"prefix": prefix_mask(N, 2), "causal": causal_mask(N)})
    np.testing.assert_array_equal(widget.current_mask(), prefix_mask(N, 2))
    assert painter().names == ["everything", "causal"]
    assert painter().current_mask().all()
    assert painter().presets[1] == ["10000", "11000", "11100", "11110", "11111"]


@pytest.mark.parametrize("kind", [torch.Tensor.tolist, torch.Tensor.int, torch.Tensor.numpy])
def test_masks_may_be_of_any_kind(kind):
    widget = painter(masks={"causal": kind(causal_mask(N))})
    np.testing.assert_array_equal(widget.current_mask(), causal_mask(N))


def test_cross_masks_come_last_and_ignore_the_scores():
    widget = painter(source_tokens=SOURCE, cross_masks={"cross": CROSS}, scores=np.eye(N))
    assert widget.names == ["everything", "causal", "cross"]
    assert widget.crossed == [False, False, True]
    widget.across, widget.rows = True, widget.presets[2]
    assert widget.current_weights()[0].tolist() == [0.5, 0, 0.5]
    assert widget.describe() == "A mask: “I” may look at einen, bitte."


def test_the_sentence_names_what_may_be_looked_at():
    widget = painter(masks={"causal": causal_mask(N)}, row=2)
    assert widget.describe() == "A mask: “a” may look at I, want, a."
    blind = painter(masks={"nothing": torch.zeros(N, N)})
    assert blind.describe() == "A mask: “I” may look at nothing."
    assert not blind.current_weights().any()


def test_picture_is_the_weights():
    svg = painter().picture()
    assert svg.startswith("<svg")
    assert all(f">{word}</text>" in svg for word in TOKENS)
    assert svg != painter(masks={"causal": causal_mask(N)}).picture()


def test_state_is_small_and_complete():
    widget = MaskPainter([f"word-{i}" for i in range(10)], scores=np.eye(10))
    state = state_of(widget)
    assert len(json.dumps(state)) < 3_000
    assert state["rows"] == ["1" * 10] * 10
    assert state["scores"]["shape"] == [10, 10]
    assert (state["layers"], state["row"], state["across"]) == (1, 0, False)


def test_the_height_grows_with_the_words():
    wide, narrow = zip(*(MaskPainter(["x"] * n).heights for n in (2, 5, 8, 10)), strict=True)
    assert list(wide) == sorted(set(wide))
    assert list(narrow) == sorted(set(narrow))


def test_what_the_browser_paints_is_the_mask():
    widget = painter()
    widget.rows = ["10000", "01000", "00100", "00010", "00001"]
    np.testing.assert_array_equal(widget.current_mask(), np.eye(N))


# Errors: each names the argument, what was given and what would do.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens": []}, "tokens: 0 were given; give 1 to 10"),
        ({"tokens": ["x"] * 11}, "tokens: 11 were given; give 1 to 10"),
        ({"masks": {}}, r"masks: there is none; give at least one, as \{'causal': mask\}"),
        (
            {"masks": {"causal": causal_mask(4)}},
            r"masks: 'causal' has shape \(4, 4\); 5 queries and 5 keys need \(5, 5\)",
        ),
        (
            {"masks": {"causal": causal_mask(N)[None]}},
            r"masks: 'causal' has shape \(1, 5, 5\); 5 queries",
        ),
        (
            {"masks": {"added": torch.zeros(N, N) - 1e9}},
            r"masks: 'added' holds -1000000000\.0; give a boolean mask.*`mask == 0`",
        ),
        ({"masks": {"bad": np.full((N, N), np.nan)}}, "masks: 'bad' holds nan; give a boolean"),
        ({"masks": {"bad": [[1], [1, 0]]}}, "masks: 'bad' cannot be made one array .*boolean"),
        ({"source_tokens": SOURCE}, "cross_masks: missing; cross-attention needs both"),
        ({"cross_masks": {"x": CROSS}}, "source_tokens: missing; cross-attention needs both"),
        (
            {"source_tokens": SOURCE, "cross_masks": {"x": CROSS.T}},
            r"cross_masks: 'x' has shape \(3, 5\); 5 queries and 3 keys need \(5, 3\)",
        ),
        (
            {"source_tokens": ["x"] * 11, "cross_masks": {"x": CROSS}},
            "source_tokens: 11 were given",
        ),
        ({"scores": np.eye(4)}, r"scores: shape \(4, 4\) does not fit 5 tokens; give \(5, 5\)"),
        ({"scores": np.full((N, N), -np.inf)}, "scores: holds NaN or infinity; give the scores"),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskPainter(**{"tokens": TOKENS, **arguments})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("row", 5, r"row: 5 was given, there are 5 \(0 to 4\)"),
        ("column", 5, r"column: 5 was given, there are 5 \(0 to 4\)"),
        ("row", -1, "not be less than 0"),
        ("layers", 0, "not be less than 1"),
        ("layers", 7, "not be greater than 6"),
        ("rows", ["1"], "rows: .* was given; give 5 texts of 0 and 1"),
        ("rows", ["12345"] * N, "rows: .* was given; give 5 texts of 0 and 1"),
    ],
)
def test_a_state_out_of_range_is_refused(name, value, message):
    widget = painter()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_a_column_of_a_longer_source_can_be_picked():
    longer = ["w"] * (N + 2)
    widget = painter(source_tokens=longer, cross_masks={"x": np.ones((N, N + 2))})
    widget.column = N + 1
    assert widget.column == N + 1
