"""How often a choice is right, and how sure that figure is."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.corpora import wsc
from companion.models.evaluation import evaluate, wilson

OURS = wsc.collection()


def right(problem):
    return (1.0, 0.0) if problem.correct == 0 else (0.0, 1.0)


def test_all_right_and_all_wrong():
    report = evaluate(right, OURS)
    assert (report.accuracy, report.answered, report.pair_accuracy) == (1, 1, 1)
    assert (report.problems, report.pairs) == (len(OURS), len(OURS) // 2)
    assert report.interval == wilson(1, len(OURS))
    assert evaluate(lambda problem: right(problem)[::-1], OURS).accuracy == 0


@pytest.mark.parametrize(("told", "answered"), [((2.0, 2.0), 1), (None, 0)])
def test_a_tie_and_no_answer_count_one_half(told, answered):
    report = evaluate(lambda _: told, OURS)
    assert (report.accuracy, report.answered, report.pair_accuracy) == (0.5, answered, 0.25)
    mixed = evaluate(lambda problem: told if problem is OURS[0] else right(problem), OURS[:4])
    assert (mixed.accuracy, mixed.pair_accuracy) == (3.5 / 4, 1.5 / 2)


def test_the_same_answer_to_both_twins_gets_no_pair():
    report = evaluate(lambda _: (1.0, 0.0), OURS)
    assert (report.accuracy, report.pair_accuracy) == (0.5, 0)


def test_without_pairs():
    report = evaluate(right, OURS[::2])
    assert (report.pair_accuracy, report.pairs) == (None, 0)


def test_what_cannot_be_evaluated():
    with pytest.raises(ValueError, match="problems is empty"):
        evaluate(right, [])
    with pytest.raises(ValueError, match=r"choose gave \(nan, 0\.0\) for .The animal"):
        evaluate(lambda _: (math.nan, 0.0), OURS)


# Wilson's interval.


@pytest.mark.parametrize(
    ("share", "n", "interval"),
    [(0.5, 10, (0.2366, 0.7634)), (0, 10, (0, 0.2775)), (0.9, 100, (0.8256, 0.9448))],
)
def test_wilson_as_tables_have_it(share, n, interval):
    assert wilson(share, n) == pytest.approx(interval, abs=1e-4)


@settings(deadline=None)
@given(st.integers(1, 10**6), st.floats(0, 1))
def test_wilson_contains_the_share_and_stays_in_bounds(n, share):
    low, high = wilson(share, n)
    assert 0 <= low <= share <= high <= 1


@settings(deadline=None)
@given(st.integers(1, 10**4), st.integers(1, 10**4), st.floats(0, 1))
def test_wilson_narrows_with_n(n, more, share):
    (low, high), (lower, higher) = wilson(share, n + more), wilson(share, n)
    assert high - low < higher - lower


@settings(deadline=None)
@given(st.integers(1, 10**4), st.floats(0.01, 0.99))
def test_wilson_ends_where_the_share_is_too_many_deviations_away(n, share):
    for end in wilson(share, n):
        assert abs(share - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / n))


@pytest.mark.parametrize("wrong", [(1.1, 5), (-0.1, 5), (math.nan, 5), (0.5, 0), (0.5, 5, -1)])
def test_wilson_of_what_is_no_share(wrong):
    with pytest.raises(ValueError, match=r"(share|n) is"):
        wilson(*wrong)
