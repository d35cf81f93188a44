"""Arrays as widgets send them."""

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.widgets.arrays import Array, to_numpy


class Holder(traitlets.HasTraits):
    values = Array()


def encoded(array):
    holder = Holder(values=array)
    return holder.trait_metadata("values", "to_json")(holder.values, holder)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_dtype_shape_and_bytes_are_sent(dtype):
    array = np.arange(6, dtype=dtype).reshape(2, 3)
    sent = encoded(array)
    assert sent == {"dtype": dtype, "shape": [2, 3], "data": array.tobytes()}


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_bytes_are_little_endian_whatever_the_array_is(dtype):
    values = [1.0, -2.5]
    sent = encoded(np.array(values, dtype=f">{dtype}"))
    assert sent["data"] == np.array(values, dtype=f"<{dtype}").tobytes()
    assert sent["dtype"] in ("float16", "float32")


def test_bytes_are_in_row_order_whatever_the_array_is():
    array = np.arange(6, dtype="float32").reshape(2, 3).T
    assert encoded(array)["data"] == np.array([0, 3, 1, 4, 2, 5], "<f4").tobytes()


def test_none_is_sent_as_none():
    assert encoded(None) is None


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool", "complex64", "U1"])
def test_what_the_browser_cannot_read_is_refused(dtype):
    with pytest.raises(
        traitlets.TraitError,
        match=f"values: an array of float16 or float32 is needed, not .*{dtype}",
    ):
        Holder(values=np.ones(2, dtype=dtype))


def test_a_list_is_refused():
    with pytest.raises(traitlets.TraitError, match="values"):
        Holder(values=[1.0])


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.lists(st.floats(width=16), min_size=1, max_size=8))
def test_values_survive(values):
    for dtype in ("float16", "float32"):
        sent = encoded(np.array(values, dtype=dtype))
        np.testing.assert_array_equal(np.frombuffer(sent["data"], sent["dtype"]), values)


@pytest.mark.parametrize(
    "values",
    [
        torch.tensor([[1.0, 2.0]], requires_grad=True),
        torch.tensor([[1.0, 2.0]], requires_grad=True) * 1,
        torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16),
        torch.tensor([[1.0, 2.0]], dtype=torch.float16),
        torch.tensor([[1.0, 2.0]], dtype=torch.float64),
        torch.tensor([[1, 2]]),
        [[1, 2]],
        ((1.0, 2.0),),
        [torch.tensor([1.0, 2.0])],
        np.array([[1, 2]]),
        np.array([[1.0, 2.0]], dtype="float16"),
    ],
    ids=str,
)
def test_to_numpy_takes_tensors_arrays_and_lists(values):
    array = to_numpy(values)
    assert array.dtype == np.float32
    assert array.tolist() == [[1, 2]]
