"""ROUGE, against figures worked out by hand, a slower definition, and rouge-score."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from companion.rouge import Score, longest_common, rouge_l, rouge_n, words

TEXTS = st.lists(st.sampled_from("abc"), max_size=7)


def is_within(some, text):
    rest = iter(text)
    return all(word in rest for word in some)


def test_words_are_small_letters_and_digits():
    assert words("It's 7:30 pm, Café_2!") == ["it", "s", "7", "30", "pm", "caf", "2"]


def test_the_sentences_of_lin():
    # Lin 2004, section 3.1: S1 is the reference; S2 has ROUGE-L 3/4 and S3 2/4.
    reference = "police killed the gunman"
    assert rouge_l("police kill the gunman", reference) == Score(3 / 4, 3 / 4)
    assert rouge_l("the gunman kill police", reference) == Score(2 / 4, 2 / 4)
    assert rouge_n("police kill the gunman", reference, 2).recall == 1 / 3
    assert rouge_n("the gunman kill police", reference, 2).recall == 1 / 3


def test_of_different_lengths():
    score = rouge_l("a c", "a b c d")
    assert score == Score(1, 1 / 2)
    assert score.f1 == pytest.approx(2 / 3)


def test_a_word_counts_as_often_as_both_have_it():
    assert rouge_n("the the the cat", "the cat the") == Score(3 / 4, 1)
    assert rouge_n("the the the", "the cat", 2) == Score(0, 0)


@pytest.mark.parametrize(("one", "other"), [("", "a b"), ("a b", ""), ("", ""), ("a", "b")])
def test_nothing_in_common_is_nought(one, other):
    assert [rouge_n(one, other).f1, rouge_n(one, other, 2).f1, rouge_l(one, other).f1] == [0, 0, 0]


@given(TEXTS, TEXTS)
def test_the_longest_common_is_the_longest_that_is_within_both(one, other):
    lengths = [
        n for n in range(len(one) + 1) if any(is_within(c, other) for c in combinations(one, n))
    ]
    assert longest_common(one, other) == max(lengths)


@given(TEXTS, TEXTS)
def test_swapped_texts_swap_precision_and_recall(one, other):
    here, there = " ".join(one), " ".join(other)
    for measure in (rouge_n, rouge_l):
        forth, back = measure(here, there), measure(there, here)
        assert (forth.precision, forth.recall) == (back.recall, back.precision)
        assert 0 <= forth.f1 <= 1
    if one:
        assert rouge_l(here, here).f1 == 1


LINES = st.one_of(TEXTS.map(" ".join), st.text("aAb ,.'7éß\n", max_size=12), st.text(max_size=6))


@given(LINES, LINES)
def test_it_is_what_rouge_score_says(summary, reference):
    theirs = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(reference, summary)
    ours = {"rouge1": rouge_n(summary, reference), "rouge2": rouge_n(summary, reference, 2)}
    for name, score in {**ours, "rougeL": rouge_l(summary, reference)}.items():
        assert score.precision == pytest.approx(theirs[name].precision, abs=1e-12)
        assert score.recall == pytest.approx(theirs[name].recall, abs=1e-12)
        assert score.f1 == pytest.approx(theirs[name].fmeasure, abs=1e-12)


def test_runs_of_no_words_are_refused():
    with pytest.raises(ValueError, match="n is 0: the words in a run must be at least 1"):
        rouge_n("a", "a", 0)
