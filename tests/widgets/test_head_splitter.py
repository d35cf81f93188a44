"""The head splitter: the same reshapes as companion.attention, and errors that say what to do."""

import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.attention import join_heads, split_heads
from companion.widgets import HeadSplitter

TOKENS = ["we", "book", "a", "table"]
SIZES = [(d, k) for d in (4, 6, 8, 12) for k in range(1, d + 1) if d % k == 0]


@given(st.integers(2, 4), st.sampled_from(SIZES))
@settings(max_examples=40, deadline=None)
def test_the_numbers_move_as_in_companion_attention(n, sizes):
    d_model, heads = sizes
    widget = HeadSplitter(TOKENS, n=n, d_model=d_model, heads=heads)
    flat = torch.arange(n * d_model).reshape(1, n, d_model)
    by_head = split_heads(flat, heads)
    apart = by_head.transpose(1, 2)
    expected = [flat, flat, apart, by_head, None, by_head, apart, join_heads(by_head), flat]
    for stage, tensor in enumerate(expected):
        widget.stage = stage
        if tensor is None:
            assert widget.shape == (1, heads, n, n)
            continue
        assert widget.shape == tuple(tensor.shape)
        assert torch.equal(torch.from_numpy(widget.arrangement().copy()), tensor)


@pytest.mark.parametrize(("d_model", "heads"), SIZES)
def test_the_wrong_reshape_is_a_view_without_transpose(d_model, heads):
    widget = HeadSplitter(TOKENS, d_model=d_model, heads=heads, wrong=True)
    flat = torch.arange(4 * d_model).reshape(1, 4, d_model)
    cut = flat.view(1, heads, 4, d_model // heads)
    for stage in (2, 3, 5):
        widget.stage = stage
        assert torch.equal(torch.from_numpy(widget.arrangement().copy()), cut)
    widget.stage = 7
    joined = torch.from_numpy(widget.arrangement().copy())
    assert torch.equal(joined, join_heads(cut))
    assert torch.equal(joined, flat) == (heads == 1)


def test_the_scores_are_no_numbers_of_the_projection():
    with pytest.raises(ValueError, match="stage: 4, the scores, are made of products"):
        HeadSplitter(TOKENS, stage=4).arrangement()


@pytest.mark.parametrize("tokens", [[], ["one"], list("seven!!")])
def test_too_few_or_too_many_tokens(tokens):
    with pytest.raises(ValueError, match=f"tokens: {len(tokens)} were given; give two to six"):
        HeadSplitter(tokens)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"heads": 3}, "heads: 3 was given; give a divisor of d_model, which is 8"),
        ({"d_model": 5, "heads": 1}, "d_model: 5 was given; give 4, 6, 8 or 12"),
        ({"heads": 0}, "'heads' .* not be less than 1"),
        ({"n": 5}, "n: 5 was given, there are 4 tokens"),
        ({"n": 1}, "'n' .* not be less than 2"),
        ({"stage": 9}, "'stage' .* not be greater than 8"),
        ({"picked": -1}, "'picked' .* not be less than 0"),
    ],
)
def test_a_state_out_of_range_is_refused(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        HeadSplitter(TOKENS, **state)


def test_a_size_that_does_not_divide_is_refused_later_too():
    widget = HeadSplitter(TOKENS, heads=4)
    with pytest.raises(traitlets.TraitError, match="heads: 4 was given; give a divisor"):
        widget.d_model = 6
    assert widget.d_model == 8


def test_the_sentence_and_the_picture_say_what_is_shown():
    widget = HeadSplitter(["a", "<b>"], d_model=6, heads=3, stage=3)
    assert widget.describe() == (
        "Multi-head attention, step 3 of 8, transpose: shape (1, 3, 2, 2), 2 words, 3 heads of 2."
    )
    picture = widget.picture()
    assert "&lt;b&gt;" in picture
    assert all(f">{number}</text>" in picture for number in range(12))


def test_the_height_grows_with_the_sizes():
    small = HeadSplitter(["a", "b"], d_model=4, heads=1).heights
    large = HeadSplitter(list("abcdef"), d_model=12, heads=12).heights
    assert small < large
    assert small[1] < large[1]
