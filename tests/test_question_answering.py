"""Spans and marks: what the decoder may choose, and what SQuAD's own script would say."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.question_answering import (
    answer_f1,
    best_span,
    exact_match,
    normalize_answer,
    span_loss,
    span_scores,
)

logits = st.lists(st.floats(-9, 9, width=32), min_size=2, max_size=12)


@st.composite
def texts(draw):
    start = draw(logits)
    n = len(start)
    end = draw(st.lists(st.floats(-9, 9, width=32), min_size=n, max_size=n))
    allowed = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    return torch.tensor(start), torch.tensor(end), torch.tensor(allowed)


@given(texts(), st.integers(1, 12))
def test_the_best_span_is_the_best_of_all_that_are_spans(text, longest):
    start, end, allowed = text
    n = len(start)
    every = {
        (i, j): float(start[i] + end[j])
        for i in range(n)
        for j in range(i, min(n, i + longest))
        if allowed[i] and allowed[j]
    }
    found = best_span(start, end, allowed, longest)
    assert (found.first, found.last) in every
    assert found.score == max(every.values())
    assert found.none == float(start[0] + end[0])


@given(texts(), st.integers(1, 12))
def test_no_span_ends_before_it_begins(text, longest):
    start, end, allowed = text
    scores = span_scores(start, end, allowed, longest)
    below = torch.ones_like(scores).tril(-1).bool()
    assert torch.isneginf(scores[below]).all()


def test_the_likeliest_start_and_end_apart_can_be_no_span():
    start = torch.tensor([0.0, 1.0, 2.0, 5.0])
    end = torch.tensor([0.0, 4.0, 1.0, 0.5])
    assert end.argmax() < start.argmax()
    found = best_span(start, end, torch.tensor([False, True, True, True]))
    assert (found.first, found.last, found.score) == (3, 3, 5.5)


def test_where_nothing_is_allowed_there_is_no_span():
    with pytest.raises(ValueError, match="allowed: an answer may stand nowhere"):
        best_span(torch.zeros(3), torch.zeros(3), torch.zeros(3, dtype=torch.bool))


def test_a_span_has_at_least_one_token():
    with pytest.raises(ValueError, match="longest is 0"):
        best_span(torch.zeros(3), torch.zeros(3), torch.ones(3, dtype=torch.bool), 0)


def one_hot(place, n=5):
    return torch.arange(n)[None] == place


def test_with_one_place_the_loss_is_the_cross_entropy():
    torch.manual_seed(0)
    start, end = torch.randn(1, 5), torch.randn(1, 5)
    cross = torch.nn.functional.cross_entropy
    wanted = (cross(start, torch.tensor([2])) + cross(end, torch.tensor([3]))) / 2
    torch.testing.assert_close(span_loss(start, end, one_hot(2), one_hot(3)), wanted)


def test_with_several_places_their_probabilities_add_up():
    start = torch.tensor([[1.0, 2.0, 0.0, 2.0, -1.0]])
    both = one_hot(1) | one_hot(3)
    share = float(start.softmax(-1)[both].sum())
    assert float(span_loss(start, start, both, both)) == pytest.approx(-math.log(share))


def test_padding_takes_no_part_in_the_loss():
    torch.manual_seed(0)
    start, end = torch.randn(1, 5), torch.randn(1, 5)
    padded = torch.tensor([[False, False, False, True, True]])
    begins, ends = start.masked_fill(padded, -torch.inf), end.masked_fill(padded, -torch.inf)
    full = span_loss(begins, ends, one_hot(1), one_hot(2))
    cut = span_loss(start[:, :3], end[:, :3], one_hot(1, 3), one_hot(2, 3))
    torch.testing.assert_close(full, cut)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The Golden Lantern!", "golden lantern"),
        ("  an  apple a day ", "apple day"),
        ("Theatre", "theatre"),
        ("5:30 pm", "530 pm"),
        ("", ""),
    ],
)
def test_answers_are_normalized_as_squad_does(text, normal):
    assert normalize_answer(text) == normal


@pytest.mark.parametrize(
    ("answer", "right", "exact", "f1"),
    [
        ("the Golden Lantern", ["Golden Lantern"], 1, 1),
        ("Golden", ["Golden Lantern"], 0, 2 / 3),
        ("Silver Spoon", ["Golden Lantern"], 0, 0),
        ("Lantern", ["Golden Lantern", "lantern"], 1, 1),
        ("", [], 1, 1),
        ("Golden", [], 0, 0),
        ("", ["Golden Lantern"], 0, 0),
        ("to to Rome", ["to Rome"], 0, 0.8),
    ],
)
def test_marks(answer, right, exact, f1):
    assert exact_match(answer, right) == exact
    assert answer_f1(answer, right) == pytest.approx(f1)


@given(st.text(max_size=30), st.text(max_size=30))
def test_marks_are_from_0_to_1_and_an_exact_match_is_a_full_one(answer, right):
    f1, exact = answer_f1(answer, [right]), exact_match(answer, [right])
    assert 0 <= f1 <= 1
    assert f1 == pytest.approx(answer_f1(right, [answer]))
    if exact:
        assert f1 == 1


@given(st.text(max_size=30))
def test_a_normalized_answer_stays_as_it_is(text):
    once = normalize_answer(text)
    assert normalize_answer(once) == once or "İ" in text
