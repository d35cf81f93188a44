"""Buckets, sorted and cut: what Python says of them, what it refuses, and how they are sent."""

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.hashing import angular_hash, random_rotations
from companion.widgets import LSHBuckets
from companion.widgets.arrays import Array

SEEDS = st.integers(0, 10_000)


def material(seed=0, length=16, d_k=2, rounds=4, n_buckets=8):
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(length, d_k, generator=generator)
    return vectors, random_rotations(d_k, n_buckets, rounds, generator=generator)


def state_of(widget):
    found = re.search(r'<script type="application/json">(.*?)</script>', widget.to_html())[1]
    return json.loads(found)


def sent(array):
    """An array as the browser sends it back."""
    array = np.asarray(array, dtype=np.float32)
    return {"dtype": "float32", "shape": list(array.shape), "data": memoryview(array.tobytes())}


@settings(max_examples=40, deadline=None)
@given(
    SEEDS,
    st.integers(4, 24),
    st.sampled_from([2, 3]),
    st.integers(1, 4),
    st.sampled_from([2, 4, 6, 8]),
)
def test_buckets_are_those_of_angular_hash(seed, length, d_k, rounds, n_buckets):
    vectors, rotations = material(seed, length, d_k, rounds)
    widget = LSHBuckets(vectors, rotations, n_buckets=n_buckets, chunk=2)
    used = (rotations[0][:, :, : n_buckets // 2],)
    np.testing.assert_array_equal(widget.buckets, angular_hash(vectors, used))


def test_by_default_all_buckets_and_one_round():
    vectors, rotations = material(n_buckets=6)
    widget = LSHBuckets(vectors, rotations)
    assert (widget.n_buckets, widget.rounds, widget.shown, widget.chunk) == (6, 1, 1, 4)
    assert (widget.causal, widget.cut, widget.look_back, widget.scale) == (False, "sorted", True, 1)


@pytest.mark.parametrize("kind", ["tuple", "tensor", "array", "list"])
def test_rotations_in_any_form(kind):
    vectors, (rotation,) = material()
    given_ = {
        "tuple": (rotation,),
        "tensor": rotation,
        "array": rotation.numpy(),
        "list": rotation.tolist(),
    }[kind]
    np.testing.assert_allclose(LSHBuckets(vectors, given_).rotations, rotation)


def test_vectors_with_gradient_are_taken():
    vectors, rotations = material()
    LSHBuckets(vectors.requires_grad_(), rotations)


def test_the_sentence_names_every_vector_once():
    vectors, rotations = material(length=20)
    widget = LSHBuckets(vectors, rotations, n_buckets=4, shown=3, rounds=3)
    said = widget.describe()
    filled = said.partition("round 3: ")[2].partition(". Sorted")[0]
    for letter, members in (part.split(": ") for part in filled.split("; ")):
        own = np.flatnonzero(widget.buckets[2] == "ABCDEFGH".index(letter))
        assert [int(i) for i in members.split(", ")] == own.tolist()
    assert sorted(map(int, re.findall(r"\d+", filled))) == list(range(20))
    assert "chunks of 4" in said


@pytest.mark.parametrize("d_k", [2, 3])
def test_picture_shows_every_vector_and_its_bucket(d_k):
    vectors, rotations = material(d_k=d_k)
    labels = ["<b>", "&", *"abcdefghijklmn"]
    widget = LSHBuckets(vectors, rotations, labels=labels)
    svg = ET.fromstring(widget.picture())  # noqa: S314
    names = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    for i, bucket in enumerate(widget.buckets[0]):
        assert f"{i}{'ABCDEFGH'[bucket]}" in names
    assert set(labels) <= set(names)
    order = sorted(range(16), key=lambda i: (widget.buckets[0][i], i))
    assert names[16::2] == [labels[i] for i in order]


@pytest.mark.parametrize("shape", [(16,), (16, 4), (3, 2), (25, 2), (16, 2, 1)])
def test_vectors_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"vectors: shape .* was given; give \(length, 2\)"):
        LSHBuckets(torch.ones(shape), material()[1])


def test_vectors_that_point_nowhere_are_refused():
    vectors, rotations = material()
    vectors[5] = 0
    with pytest.raises(ValueError, match="vectors: number 5 has length 0"):
        LSHBuckets(vectors, rotations)
    vectors[5] = torch.nan
    with pytest.raises(ValueError, match="vectors: holds NaN or infinity"):
        LSHBuckets(vectors, rotations)


@pytest.mark.parametrize("shape", [(2, 4), (4, 3, 4), (5, 2, 4), (4, 2, 5), (0, 2, 4)])
def test_rotations_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"rotations: shape .* was given; for vectors of length 2"):
        LSHBuckets(material()[0], torch.ones(shape))


def test_other_things_that_do_not_fit_are_refused():
    vectors, rotations = material()
    with pytest.raises(ValueError, match="rotations: holds NaN"):
        LSHBuckets(vectors, rotations[0] * torch.inf)
    with pytest.raises(ValueError, match="labels: 2 were given for 16 vectors"):
        LSHBuckets(vectors, rotations, labels=["a", "b"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_buckets", 3),
        ("n_buckets", 10),
        ("rounds", 0),
        ("rounds", 3),
        ("shown", 3),
        ("chunk", 1),
        ("chunk", 9),
        ("picked", 16),
        ("picked", -1),
        ("stage", 5),
        ("cut", "chunks"),
        ("scale", -1.0),
    ],
)
def test_a_state_out_of_range_is_refused(name, value):
    with pytest.raises(traitlets.TraitError, match=name):
        LSHBuckets(*material(rounds=2), **{name: value})


def test_a_chunk_is_no_longer_than_the_sequence():
    with pytest.raises(traitlets.TraitError, match="chunk: 6 was given; at most 5 fits"):
        LSHBuckets(*material(length=5), chunk=6)


class TestWhatTheBrowserWrites:
    def test_vectors_and_rotations_come_back(self):
        vectors, rotations = material()
        other, other_rotations = material(1)
        widget = LSHBuckets(vectors, rotations, n_buckets=4)
        widget.set_state({"vectors": sent(other)})
        widget.set_state({"roll": 1, "rotations": sent(other_rotations[0])})
        np.testing.assert_array_equal(widget.vectors, other)
        np.testing.assert_array_equal(widget.given, rotations[0])
        used = (other_rotations[0][:, :, :2],)
        np.testing.assert_array_equal(widget.buckets, angular_hash(other, used))

    def test_what_was_found_comes_back(self):
        widget = LSHBuckets(*material())
        assert (widget.recall, widget.seen) == (None, [])
        widget.set_state({"recall": 0.75, "seen": ["01", "10"]})
        assert (widget.recall, widget.seen) == (0.75, ["01", "10"])

    def test_what_does_not_fit_is_refused(self):
        widget = LSHBuckets(*material())
        with pytest.raises(traitlets.TraitError, match="vectors: number 0 has length 0"):
            widget.set_state({"vectors": sent(np.zeros((16, 2)))})
        with pytest.raises(traitlets.TraitError, match="rotations: shape"):
            widget.rotations = np.ones((4, 3, 4), dtype=np.float32)


def test_state_is_small_and_complete():
    widget = LSHBuckets(*material(length=24, d_k=3), rounds=2, causal=True, picked=7)
    state = state_of(widget)
    assert len(json.dumps(state)) < 3000
    arrays = [name for name in state if isinstance(widget.traits()[name], Array)]
    assert sorted(arrays) == ["given", "rotations", "vectors"]
    assert (state["rounds"], state["causal"], state["picked"], state["roll"]) == (2, True, 7, 0)


def test_the_height_grows_with_tokens_and_labels():
    few, many = LSHBuckets(*material(length=8)).heights, LSHBuckets(*material(length=24)).heights
    assert few[0] < many[0]
    assert few[1] < many[1]
    labels = ["word"] * 8
    assert LSHBuckets(*material(length=8), labels=labels).heights > few
