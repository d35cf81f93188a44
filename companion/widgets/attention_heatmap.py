"""A heat map of attention: tokens × tokens, every layer and head, every step of the formula."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import matrix_svg

_TOLERANCE = 1e-2  # half precision and a head of 10,000 tokens stay well inside
_COMPACT = 16_384  # values above which weights are sent as float16


class AttentionHeatmap(Widget):
    """Who looks at whom: attention weights as a heat map, one row for each query.

    Rows are queries (target tokens), columns are keys (source tokens). Give `weights`, or give `query` and
    `key` as well as what the model did (`causal`, `padding`): then the reader can switch each step on and
    off. Explained in chapters/week2-transformers/attention-step-by-step.ipynb.

    Args:
        tokens: the keys' tokens; also the queries', unless `target_tokens` is given.
        weights: attention weights (layers, heads, n_q, n_k), or without the leading axes; a list of one
            tensor a layer will do. Each row sums to 1.
        target_tokens: the queries' tokens, where they differ (cross-attention).
        query: (layers, heads, n_q, d_k), or without the leading axes.
        key: (layers, heads, n_k, d_k), likewise.
        causal: whether the causal mask is on at first (with `query` and `key`).
        padding: for each key token, whether it is padding; the padding mask then is on at first.
        **state: first values of the synced traits (`layer`, `head`, `row`, `column`, `scaled`, `softmax`,
            `temperature`).

    Raises:
        ValueError: shapes that do not fit, rows that do not sum to 1, NaN, or neither or both of
            `weights` and `query` with `key`.
        TraitError: a layer, head, row, column or temperature out of range.
    """

    tokens = t.List(t.Unicode()).tag(sync=True)
    target_tokens = t.List(t.Unicode()).tag(sync=True)
    scores = Array()
    weights = Array()
    d_k = t.Int(1).tag(sync=True)
    padding = t.List(t.Bool()).tag(sync=True)
    layer = t.Int(0, min=0).tag(sync=True)
    head = t.Int(0, min=0).tag(sync=True)
    row = t.Int(0, min=0).tag(sync=True)
    column = t.Int(-1, min=-1).tag(sync=True)
    scaled = t.Bool(default_value=True).tag(sync=True)
    causal = t.Bool(default_value=False).tag(sync=True)
    padded = t.Bool(default_value=False).tag(sync=True)
    softmax = t.Bool(default_value=True).tag(sync=True)
    temperature = t.Float(1.0, min=0.125, max=8.0).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        weights: Any = None,  # noqa: ANN401
        *,
        target_tokens: Sequence[str] | None = None,
        query: Any = None,  # noqa: ANN401
        key: Any = None,  # noqa: ANN401
        causal: bool = False,
        padding: Sequence[bool] | None = None,
        **state: Any,  # noqa: ANN401
    ) -> None:
        tokens = [str(token) for token in tokens]
        targets = tokens if target_tokens is None else [str(token) for token in target_tokens]
        for name, words in (("tokens", tokens), ("target_tokens", targets)):
            if not words:
                raise ValueError(f"{name}: the list is empty; give at least one token")
        if (weights is None) == (query is None and key is None):
            raise ValueError("give either `weights`, or both `query` and `key`")
        if weights is not None:
            data = {"weights": _checked_weights(_four_axes("weights", weights), tokens, targets)}
        else:
            data = _checked_scores(query, key, tokens, targets)
        if padding is not None and len(padding) != len(tokens):
            raise ValueError(
                f"padding: {len(padding)} flags for {len(tokens)} key tokens; give one for each"
            )
        if causal and len(targets) != len(tokens):
            raise ValueError(
                "causal: a causal mask needs as many queries as keys; this is cross-attention"
            )
        super().__init__(
            tokens=tokens,
            target_tokens=targets,
            causal=causal,
            padding=[bool(flag) for flag in (() if padding is None else padding)],
            padded=padding is not None,
            **data,
            **state,
        )

    @t.validate("layer", "head", "row", "column")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        given = self.scores if self.weights is None else self.weights
        if given is None:
            return proposal["value"]
        size = given.shape[("layer", "head", "row", "column").index(name)]
        if proposal["value"] >= size:
            raise t.TraitError(
                f"{name}: {proposal['value']} was given, there are {size} (0 to {size - 1})"
            )
        return proposal["value"]

    def current_weights(self) -> np.ndarray:
        """Return the weights (n_q, n_k) of the chosen layer and head, as the view shows them."""
        if self.weights is None:
            scores = self.scores[self.layer, self.head]
            scores = scores / (math.sqrt(self.d_k) if self.scaled else 1.0)
        else:
            with np.errstate(divide="ignore"):  # a weight of 0 has the score −inf
                scores = np.log(self.weights[self.layer, self.head].astype(np.float32))
        hidden = np.zeros_like(scores, dtype=bool)
        if self.causal:
            hidden |= np.triu(np.ones_like(hidden), 1)
        if self.padded and self.padding:
            hidden |= np.array(self.padding)
        scores = np.where(hidden, -np.inf, scores / self.temperature)
        powers = np.exp(scores - np.maximum(scores.max(-1, keepdims=True), -1e30))
        return powers / np.maximum(powers.sum(-1, keepdims=True), 1e-30)

    def describe(self) -> str:
        """Return, in a sentence, what the chosen row looks at most."""
        weights = self.current_weights()[self.row]
        best = int(weights.argmax())
        looks = (
            f"looks most at “{self.tokens[best]}” (weight {weights[best]:.2f})"
            if weights[best] > 0
            else "may look at nothing"
        )
        return (
            f"Attention of layer {self.layer + 1}, head {self.head + 1}: "
            f"“{self.target_tokens[self.row]}” {looks}."
        )

    def picture(self) -> str:
        """Return the chosen head's heat map as SVG."""
        return matrix_svg(self.current_weights(), self.target_tokens, self.tokens)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the JavaScript."""
        from_scores = self.weights is None
        layers, heads, n_queries, _ = (self.scores if from_scores else self.weights).shape
        figure = n_queries * min(26, max(3, 416 // n_queries)) + 76
        wide, narrow = (252, 340) if from_scores else (214, 264)  # controls, legend, readout, gaps
        if layers * heads > 1:
            small = heads > 8
            lines = math.ceil(heads / (12 if small else 8))
            wide += 6 + layers * (32 if small else 52)
            narrow += 6 + layers * (23 + lines * (27 if small else 40))
        return (figure + wide, figure + narrow)


def _four_axes(name: str, values: Any) -> np.ndarray:  # noqa: ANN401
    """Return `values` with axes (layers, heads, …, …); a list of (1, heads, …, …) per layer will do."""
    try:
        if isinstance(values, list | tuple) and values and hasattr(values[0], "shape"):
            values = [to_numpy(layer) for layer in values]
            values = np.stack(
                [layer[0] if layer.ndim == 4 and len(layer) == 1 else layer for layer in values]
            )
        array = to_numpy(values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name}: cannot be made one array of numbers ({error}); give a tensor, an array, or a list "
            "of one tensor a layer, all of the same shape"
        ) from error
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"{name}: shape {array.shape} has {array.ndim} axes; give (layers, heads, length, …), "
            "(heads, length, …) or (length, …)"
        )
    return array.reshape((1,) * (4 - array.ndim) + array.shape)


def _checked_weights(weights: np.ndarray, tokens: list[str], targets: list[str]) -> np.ndarray:
    if weights.shape[2:] != (len(targets), len(tokens)):
        raise ValueError(
            f"weights: shape {weights.shape} does not fit {len(targets)} query tokens × "
            f"{len(tokens)} key tokens; the last two axes must be ({len(targets)}, {len(tokens)})"
        )
    if np.isnan(weights).any():
        layer, head, row, _ = np.argwhere(np.isnan(weights))[0]
        raise ValueError(
            f"weights: NaN in layer {layer}, head {head}, row {row} ({targets[row]!r}); was every key of "
            "this row masked? A softmax over nothing but −inf is NaN: make such rows zero"
        )
    sums = weights.sum(-1)
    negative = weights.min(-1) < 0
    wrong = negative | (np.abs(sums - 1) > _TOLERANCE) & (sums != 0)
    if wrong.any():
        layer, head, row = index = tuple(np.argwhere(wrong)[0])
        found = "has a negative entry" if negative[index] else f"sums to {sums[index]:.3f}, not 1"
        raise ValueError(
            f"weights: row {row} of layer {layer}, head {head} {found}; give weights after "
            "the softmax over keys (the last axis), or give query and key"
        )
    return weights.astype(np.float16) if weights.size > _COMPACT else weights


def _checked_scores(query: Any, key: Any, tokens: list[str], targets: list[str]) -> dict:  # noqa: ANN401
    if query is None or key is None:
        raise ValueError(
            f"{'query' if query is None else 'key'}: missing; scores need both query and key"
        )
    query, key = _four_axes("query", query), _four_axes("key", key)
    for name, array, words in (("query", query, targets), ("key", key, tokens)):
        if array.shape[2] != len(words):
            raise ValueError(
                f"{name}: shape {array.shape} holds {array.shape[2]} vectors for {len(words)} tokens"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: holds NaN or infinity")
    if query.shape[:2] != key.shape[:2] or query.shape[3] != key.shape[3] or query.shape[3] == 0:
        raise ValueError(
            f"query {query.shape} and key {key.shape} do not fit: layers, heads and d_k (at least 1) must "
            "be the same"
        )
    return {"scores": query @ key.swapaxes(-1, -2), "d_k": query.shape[-1]}
