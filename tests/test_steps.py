"""The state of a step: it follows its rows."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch

from companion.steps import reorder


class Pair(NamedTuple):
    h: torch.Tensor
    cell: torch.Tensor


@dataclass(frozen=True)
class Kept:
    mask: torch.Tensor
    past: list


def test_a_state_is_put_in_order_however_deep():
    x = torch.arange(6).view(3, 2)
    rows = torch.tensor([2, 0, 0, 1])
    state = {"a": [(x, None), Pair(x, -x)], "b": None, "c": Kept(x, [(x, 2 * x)])}
    found = reorder(state, rows)
    assert torch.equal(found["a"][0][0], x[rows])
    assert found["a"][0][1] is found["b"] is None
    assert isinstance(found["a"][1], Pair)
    assert torch.equal(found["a"][1].cell, -x[rows])
    assert isinstance(found["c"], Kept)
    assert torch.equal(found["c"].mask, x[rows])
    assert torch.equal(found["c"].past[0][1], 2 * x[rows])
    with pytest.raises(TypeError, match="state holds int: it may hold tensors, lists"):
        reorder([x, 3], rows)
