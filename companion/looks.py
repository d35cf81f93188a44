"""Keeps what the attentions of a model compute while it reads: queries, keys and weights.

Explained in chapters/week3-bert-and-t5/looking-inside.ipynb.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from companion.attention import MultiHeadAttention


@dataclass(frozen=True)
class Look:
    """What one attention computed when it was called last.

    Attributes:
        query: (batch, heads, n_q, d_k).
        key: (batch, heads, n_k, d_k).
        weights: (batch, heads, n_q, n_k); each row sums to 1.
    """

    query: Tensor
    key: Tensor
    weights: Tensor


@contextmanager
def keep_looks(model: nn.Module) -> Iterator[dict[str, Look]]:
    """Keep what each `MultiHeadAttention` in a model computes, as long as the context lasts.

    It computes queries and keys a second time, without gradient; the model's own outputs stay what
    they are.

    Args:
        model: any module with a `MultiHeadAttention` in it.

    Yields:
        A dictionary that fills up as the model is called: by the attention's name in the model, such
        as "transformer.encoder_layers.0.attention", in the order of the calls.

    Raises:
        ValueError: If there is no `MultiHeadAttention` in the model.
    """
    found = [(name, m) for name, m in model.named_modules() if isinstance(m, MultiHeadAttention)]
    if not found:
        raise ValueError(
            f"model is a {type(model).__name__} without a companion.attention.MultiHeadAttention: "
            "there is nothing to keep"
        )
    looks: dict[str, Look] = {}

    def keep(
        name: str,
        attention: MultiHeadAttention,
        given: tuple[Any, ...],
        options: dict[str, Any],
        told: tuple[Tensor, Tensor],
    ) -> None:
        sources = dict(zip(("x", "memory", "mask"), given, strict=False)) | options
        sources.pop("mask", None)
        with torch.no_grad():
            query, key, _ = attention.project(**sources)
        looks[name] = Look(query, key, told[1].detach())

    hooks = [m.register_forward_hook(partial(keep, name), with_kwargs=True) for name, m in found]
    try:
        yield looks
    finally:
        for hook in hooks:
            hook.remove()
