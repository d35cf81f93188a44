"""What happens to the weights when a pretrained network learns a task: how far they go, and what lies between.

Weights are given as state dicts, name -> tensor. Explained in
chapters/week3-bert-and-t5/from-knowledge-to-skill.ipynb.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


def blend(first: Weights, second: Weights, share: float) -> dict[str, Tensor]:
    """Weights on the straight line from one network to another of the same shape.

    Args:
        first: the weights at share 0.
        second: the weights at share 1.
        share: how far along the line; beyond 0 and 1 it goes on.

    Raises:
        ValueError: If the two do not have the same names and shapes.

    Source: Goodfellow, Vinyals and Saxe 2015, https://arxiv.org/abs/1412.6544, section 2.
    """
    _alike(first, second)
    return {name: torch.lerp(first[name], second[name], share) for name in first}


def distance(first: Weights, second: Weights) -> float:
    """How far two networks are apart: the length of the difference over that of the first.

    Raises:
        ValueError: If the two do not have the same names and shapes.
    """
    _alike(first, second)
    moved = sum(float((second[name] - first[name]).square().sum()) for name in first)
    length = sum(float(first[name].square().sum()) for name in first)
    return math.sqrt(moved / length)


def _alike(first: Weights, second: Weights) -> None:
    if first.keys() != second.keys():
        name = min(first.keys() ^ second.keys())
        raise ValueError(f"second: {name!r} is in one of the two only")
    for name in first:
        if first[name].shape != second[name].shape:
            raise ValueError(
                f"second: {name!r} has shape {tuple(second[name].shape)}, "
                f"in first {tuple(first[name].shape)}"
            )
