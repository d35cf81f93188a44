"""Lines between networks, and distances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from companion.fine_tuning import blend, distance


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()


FIRST, SECOND = (network(seed).state_dict() for seed in (0, 1))


def test_the_ends_of_the_line_are_the_two_networks():
    for name in FIRST:
        assert torch.equal(blend(FIRST, SECOND, 0)[name], FIRST[name])
        torch.testing.assert_close(blend(FIRST, SECOND, 1)[name], SECOND[name])


@given(st.floats(-1, 2))
def test_a_share_of_the_line_is_that_share_of_the_distance(share):
    there = distance(FIRST, blend(FIRST, SECOND, share))
    assert there == pytest.approx(abs(share) * distance(FIRST, SECOND), abs=1e-9)


def test_distance_is_measured_in_lengths_of_the_first():
    first = {"a": torch.tensor([3.0, 4.0]), "b": torch.zeros(2)}
    second = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([0.0, 5.0])}
    assert distance(first, second) == 1
    assert distance(first, first) == 0


def test_what_is_blended_stays_as_it_was():
    before = {name: tensor.clone() for name, tensor in FIRST.items()}
    blend(FIRST, SECOND, 0.5)["0.weight"].zero_()
    assert all(torch.equal(FIRST[name], before[name]) for name in FIRST)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"a": torch.zeros(2), "b": torch.zeros(1)}, "'b' is in one of the two only"),
        ({"a": torch.zeros(3)}, r"'a' has shape \(3,\), in first \(2,\)"),
    ],
)
def test_networks_of_other_shape_are_refused(second, message):
    for function in (distance, lambda a, b: blend(a, b, 0.5)):
        with pytest.raises(ValueError, match=message):
            function({"a": torch.zeros(2)}, second)
