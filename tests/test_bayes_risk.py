"""Minimum Bayes risk, against a slow sum, and the figures of the course's assignment."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from companion.bayes_risk import average_similarities, jaccard, minimum_bayes_risk
from companion.bleu import sentence_bleu
from companion.rouge import rouge_n

TEXTS = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=6), min_size=1, max_size=6)
SAMPLES = [[1, 2, 3], [1, 2, 4], [1, 2, 4, 5]]


def precision(candidate, other):
    """Not symmetric, as BLEU is not."""
    return sum(word in other for word in candidate) / len(candidate)


@st.composite
def weighed(draw):
    texts = draw(TEXTS)
    weights = st.floats(0, 5).filter(lambda w: w == 0 or w > 1e-6)
    return texts, draw(st.lists(weights, min_size=len(texts), max_size=len(texts)))


class TestAgainstTheDefinition:
    @given(weighed(), st.booleans())
    def test_weighted(self, given_, itself):
        texts, weights = given_
        alike = np.array([[precision(one, other) for other in texts] for one in texts])
        counts = np.tile(weights, (len(texts), 1)).astype(float)
        if not itself:
            np.fill_diagonal(counts, 0)
        total = counts.sum(axis=1)
        expected = (alike * counts).sum(axis=1) / np.where(total, total, 1)
        found = average_similarities(texts, precision, weights=weights, itself=itself)
        np.testing.assert_allclose(found, expected)
        taken = minimum_bayes_risk(texts, precision, weights=weights, itself=itself)
        assert found[taken] == max(found)

    @given(TEXTS, st.booleans())
    def test_equal_weights_are_no_weights(self, texts, itself):
        plain = average_similarities(texts, jaccard, itself=itself)
        same = average_similarities(texts, jaccard, weights=[0.3] * len(texts), itself=itself)
        np.testing.assert_allclose(plain, same)

    @given(TEXTS)
    def test_without_weights_oneself_changes_no_choice(self, texts):
        without, within = (average_similarities(texts, jaccard, itself=i) for i in (False, True))
        assume(len(texts) > 1)
        n = len(texts)
        np.testing.assert_allclose(within, (np.array(without) * (n - 1) + 1) / n)

    def test_a_sample_drawn_twice_counts_twice(self):
        texts, weights = [["a"], ["a", "b"], ["c"]], [1, 2, 1]
        drawn = [texts[0], texts[1], texts[1], texts[2]]
        twice = average_similarities(drawn, jaccard, itself=True)
        once = average_similarities(texts, jaccard, weights=weights, itself=True)
        np.testing.assert_allclose([twice[0], twice[1], twice[3]], once)


class TestTheFiguresOfTheAssignment:
    def test_similarities(self):
        assert jaccard([1, 2, 3], [1, 2, 3, 4]) == 0.75
        assert round(rouge_n("1 2 3", "1 2 3 4").f1, 3) == 0.857

    def test_averages(self):
        assert average_similarities(SAMPLES, jaccard) == pytest.approx([0.45, 0.625, 0.575])
        assert minimum_bayes_risk(SAMPLES, jaccard) == 1

    def test_weighted_averages(self):
        weights = [math.exp(x) for x in (0.4, 0.2, 0.5)]  # of "log-probabilities" above 0
        found = average_similarities(SAMPLES, jaccard, weights=weights)
        assert found == pytest.approx([0.4426, 0.6312, 0.5576], abs=5e-5)


class TestEdges:
    def test_of_equals_the_first_is_taken(self):
        assert minimum_bayes_risk([["a"], ["b"], ["b"]], jaccard) == 1
        assert minimum_bayes_risk([["a"], ["b"], ["c"]], jaccard) == 0

    def test_one_candidate_alone(self):
        assert average_similarities([["a"]], jaccard) == [0]
        assert average_similarities([["a"]], jaccard, itself=True) == [1]
        assert minimum_bayes_risk([["a"]], jaccard) == 0

    def test_others_that_count_nothing(self):
        assert average_similarities([["a"], ["a"]], jaccard, weights=[1, 0]) == [0, 1]

    def test_empty_texts(self):
        assert jaccard([], []) == 1
        assert jaccard([], ["a"]) == 0

    def test_the_second_is_the_reference(self):
        def bleu(candidate, other):
            return sentence_bleu(candidate, [other]).brevity_penalty

        short, long = ["a"], ["a", "b"]
        assert average_similarities([short, long], bleu) == [pytest.approx(math.exp(-1)), 1]


class TestRefused:
    def test_no_candidates(self):
        with pytest.raises(ValueError, match="candidates: the list is empty"):
            average_similarities([], jaccard)

    def test_weights_for_others(self):
        with pytest.raises(ValueError, match="weights: 1 were given for 3 candidates"):
            minimum_bayes_risk(SAMPLES, jaccard, weights=[1])

    @pytest.mark.parametrize("weight", [-0.4, math.nan, math.inf])
    def test_weights_that_are_no_probabilities(self, weight):
        with pytest.raises(ValueError, match=r"weights: number 1 is .*; give probabilities"):
            minimum_bayes_risk(SAMPLES, jaccard, weights=[0.5, weight, 0.5])
