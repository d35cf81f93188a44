"""Which keys are met: against the candidates of attention in buckets."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.lsh import CUTS, candidates
from companion.recall import met, recall


def places(seed, rounds, length, cut):
    torch.manual_seed(seed)
    buckets = torch.randint(0, 4, (rounds, length))
    return torch.stack([CUTS[cut](each, 3) for each in buckets])


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 999),
    rounds=st.integers(1, 3),
    length=st.integers(3, 20),
    cut=st.sampled_from([*CUTS]),
)
def test_met_are_the_candidates(seed, rounds, length, cut):
    place = places(seed, rounds, length, cut)
    expected = torch.zeros(length, length, dtype=torch.bool)
    for each in place:
        for query, keys in enumerate(candidates(each).tolist()):
            expected[query, [key for key in keys if key >= 0]] = True
    assert torch.equal(met(place), expected)


def test_without_look_back_only_the_own_chunk():
    found = met(torch.tensor([[0, 1, 1, 2]]), look_back=False)
    assert found.int().tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def test_more_rounds_meet_no_fewer():
    place = places(0, 4, 20, "sorted")
    assert (met(place) | ~met(place[:2])).all()


def test_recall_is_the_attention_on_keys_that_are_met():
    weights = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    found = torch.tensor([[True, False], [False, True]])
    assert recall(weights, found).item() == pytest.approx((1 + 0.75) / 2)
    assert recall(weights, torch.ones(2, 2, dtype=torch.bool)).item() == 1
