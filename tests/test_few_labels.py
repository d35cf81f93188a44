"""Softmax regression: it descends, ends where the gradient is zero, and learns what can be learned."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, pad

from companion.few_labels import probabilities, softmax_regression, standardize

MANY = 3000  # steps


def drawn(seed, n=7, d=4, n_classes=3):
    dice = torch.Generator().manual_seed(seed)
    vectors = torch.randn(n, d, generator=dice, dtype=torch.float64) * 3
    return vectors, torch.randint(n_classes, (n,), generator=dice)


def loss(weights, vectors, labels, decay):
    scores = pad(vectors, (0, 1), value=1.0) @ weights.T
    return cross_entropy(scores, labels) + decay / 2 * weights.square().sum()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 2), st.integers(1, 30))
def test_a_step_never_goes_up(seed, decay, steps):
    vectors, labels = drawn(seed)
    before, after = (
        loss(
            softmax_regression(vectors, labels, 3, decay=decay, steps=each), vectors, labels, decay
        )
        for each in (steps, steps + 1)
    )
    assert after <= before + 1e-12


def test_it_ends_where_the_gradient_is_zero():
    vectors, labels = drawn(1)
    weights = softmax_regression(vectors, labels, 3, decay=1.0, steps=MANY).requires_grad_()
    loss(weights, vectors, labels, 1.0).backward()
    assert weights.grad.abs().max() < 1e-9


@given(st.permutations(range(7)))
def test_the_order_of_the_labels_does_not_matter(order):
    vectors, labels = drawn(2)
    torch.testing.assert_close(
        softmax_regression(vectors[order], labels[order], 3),
        softmax_regression(vectors, labels, 3),
    )


def test_it_learns_what_lies_apart():
    vectors = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0.9, 0.1], [0, 0.8], [-1, 0.1]])
    labels = torch.tensor([2, 0, 1, 2, 0, 1])
    found = probabilities(softmax_regression(vectors, labels, 3), vectors)
    assert found.argmax(dim=-1).tolist() == labels.tolist()
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(6))


def test_what_is_known_of_one_class_is_said_of_all():
    vectors, labels = drawn(3)
    found = probabilities(softmax_regression(vectors[:2], labels[:2] * 0 + 1, 3), vectors[:2])
    assert found.argmax(dim=-1).tolist() == [1, 1]


def test_vectors_are_made_comparable():
    vectors, _ = drawn(4, n=50)
    scaled = vectors * torch.tensor([1.0, 1000, 0.001, 1]) + 5
    made = standardize(scaled, scaled)
    torch.testing.assert_close(made, standardize(vectors, vectors))
    torch.testing.assert_close(made.norm(dim=-1), torch.ones(50, dtype=torch.float64))
    one = standardize(scaled[:1], scaled)  # only what may be looked at counts
    torch.testing.assert_close(one, made[:1])


def test_a_dimension_that_says_nothing_does_no_harm():
    vectors = torch.tensor([[1.0, 7], [2, 7], [3, 7]])
    assert standardize(vectors, vectors).isfinite().all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"labels": torch.tensor([], dtype=torch.long)}, "labels is 0: it must be above 0"),
        ({"labels": torch.tensor([0])}, "labels: there are 1, for 2 vectors"),
        ({"labels": torch.tensor([0, 3])}, "one that is not from 0 to 2"),
        ({"labels": torch.tensor([-1, 0])}, "one that is not from 0 to 2"),
        ({"decay": 0.0}, "decay is 0.0: it must be above 0"),
        ({"steps": 0}, "steps is 0: it must be above 0"),
    ],
)
def test_what_cannot_be_learned_is_refused(wrong, told):
    given_ = {"vectors": torch.ones(2, 4), "labels": torch.tensor([0, 1]), "n_classes": 3, **wrong}
    with pytest.raises(ValueError, match=told):
        softmax_regression(**given_)


@pytest.mark.parametrize("reference", [torch.ones(1, 4), torch.ones(3, 5), torch.ones(4)])
def test_a_reference_that_does_not_fit_is_refused(reference):
    with pytest.raises(ValueError, match=r"it must be \(m, 4\), m at least 2"):
        standardize(torch.ones(2, 4), reference)
