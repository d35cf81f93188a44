"""A classifier for a handful of labels: softmax regression on vectors that stay as they are.

Explained in chapters/week3-bert-and-t5/from-knowledge-to-skill.ipynb; in the reader's browser,
widgets/lib/few_labels.js computes the same.
"""

import torch
from torch import Tensor
from torch.nn import functional

from companion.checks import above_zero

DECAY = 0.03
STEPS = 40


def standardize(vectors: Tensor, reference: Tensor) -> Tensor:
    """Make vectors comparable: each dimension with mean 0 and deviation 1, then each vector of length 1.

    Args:
        vectors: (n, d).
        reference: (m, d), whose means and standard deviations count: vectors that may be looked at before
            there are labels, and none that is measured on.

    Returns:
        (n, d).

    Raises:
        ValueError: If reference has fewer than two vectors, or vectors of another size.
    """
    if reference.ndim != 2 or len(reference) < 2 or vectors.shape[-1:] != reference.shape[-1:]:
        raise ValueError(
            f"reference has shape {tuple(reference.shape)}: it must be (m, {vectors.shape[-1]}), m at least 2"
        )
    deviation, mean = torch.std_mean(reference, dim=0)  # (d,) each
    return functional.normalize((vectors - mean) / deviation.clamp_min(1e-6), dim=-1)


def softmax_regression(
    vectors: Tensor,
    labels: Tensor,
    n_classes: int,
    *,
    decay: float = DECAY,
    steps: int = STEPS,
) -> Tensor:
    """Learn to sort vectors: gradient descent from zero on the mean cross-entropy, plus decay/2 times |W|².

    The loss is convex, and its curvature at most half the largest squared length of a vector, plus the
    decay: with the inverse of that as its step, descent never overshoots.

    Args:
        vectors: (n, d).
        labels: (n,), whole numbers from 0 to n_classes - 1.
        n_classes: how many classes there are.
        decay: strength of the L2 penalty, on the biases too.
        steps: of descent.

    Returns:
        The weights W, (n_classes, d + 1); the last column are the biases.

    Raises:
        ValueError: If there is not one label for each vector, or none at all, or a label is no class,
            or decay or steps is not above 0.

    Source: Bishop 2006, "Pattern Recognition and Machine Learning", section 4.3.4, equation 4.109 (the
    gradient); Böhning 1992, https://doi.org/10.1007/BF00048682 (the bound on the curvature).
    """
    above_zero(labels=len(labels), decay=decay, steps=steps)
    if len(labels) != len(vectors):
        raise ValueError(f"labels: there are {len(labels)}, for {len(vectors)} vectors")
    if not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(f"labels: there is one that is not from 0 to {n_classes - 1}")
    x = _with_one(vectors)  # (n, d + 1)
    wanted = functional.one_hot(labels, n_classes).to(x)  # (n, n_classes)
    step = 1 / (x.square().sum(dim=-1).max() / 2 + decay)
    weights = x.new_zeros(n_classes, x.shape[-1])
    for _ in range(steps):
        given = torch.softmax(x @ weights.T, dim=-1)  # (n, n_classes)
        gradient = (given - wanted).T @ x / len(x)  # (n_classes, d + 1)
        weights = weights - step * (gradient + decay * weights)
    return weights


def probabilities(weights: Tensor, vectors: Tensor) -> Tensor:
    """How likely each vector, (n, d), is of each class, (n, n_classes), by `softmax_regression`'s weights."""
    return torch.softmax(_with_one(vectors) @ weights.T, dim=-1)


def _with_one(vectors: Tensor) -> Tensor:
    """Append a 1 to each vector, for the bias: (n, d) to (n, d + 1)."""
    return functional.pad(vectors, (0, 1), value=1.0)
