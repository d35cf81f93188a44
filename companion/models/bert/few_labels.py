"""What the widget `FewLabels` is made of: turns to label, turns to be tested on, and vectors of both."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.bert import Bert
from companion.corpora import turns
from companion.corpora.acts import ACTS
from companion.few_labels import standardize
from companion.models.bert.pieces import SIZE, encode, join

OFFERED = 8  # turns of each act to label
_SPEAKER = "Agent: "  # all that the shipped model has read begins with who speaks


def untrained(seed: int = 0) -> Bert:
    """Return an encoder of the shipped one's size that has read nothing: random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Bert(SIZE)


def vectors(encoder: Bert, texts: Sequence[str]) -> Tensor:
    """One vector for each turn of an assistant: the mean over its tokens and over all layers.

    Of the means and first vectors of single layers and of all, this one did best with few labels, on turns
    that are there to learn from.

    Returns:
        (texts, d_model).

    Raises:
        ValueError: If there are no texts.
    """
    if not texts:
        raise ValueError("texts is empty: there must be at least one")
    return torch.stack([_mean_state(encoder, text) for text in texts])


@torch.no_grad()
def _mean_state(encoder: Bert, text: str) -> Tensor:
    state = encoder.embed(torch.tensor([join(encode(_SPEAKER + text)[0])[0]]))  # (1, n, d_model)
    layers = []
    for layer in encoder.layers:
        state = layer(state, None)  # a text alone has no [PAD] to hide
        layers.append(state)
    return torch.cat(layers).mean(dim=(0, 1))  # (d_model,)


def prepare(encoders: Mapping[str, Bert], each: int = OFFERED, seed: int = 0) -> dict[str, Any]:
    """Make vectors of the book's turns in advance.

    Args:
        encoders: two, by the names that the widget shows.
        each: turns of each act to label; all others are left out.
        seed: of the order in which they are offered.

    Returns:
        The arguments of `FewLabels`.

    Raises:
        ValueError: If there are not so many turns.
    """
    offered, held_out = turns.train(each), turns.held_out()
    random.Random(seed).shuffle(offered)  # noqa: S311
    made = {name: _standardized(encoder, offered, held_out) for name, encoder in encoders.items()}
    return {"classes": ACTS, "offered": offered, "held_out": held_out, "vectors": made}


def _standardized(
    encoder: Bert, offered: list[turns.Labelled], held_out: list[turns.Labelled]
) -> Tensor:
    raw = vectors(encoder, [text for text, _ in [*offered, *held_out]])
    return standardize(raw, raw[: len(offered)])
