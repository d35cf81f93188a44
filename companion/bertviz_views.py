"""The three views of BertViz, for weights of any model, each in a frame of its own.

Explained in chapters/week3-bert-and-t5/looking-inside.ipynb.

Source: Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model",
https://arxiv.org/abs/1906.05714; the code: https://github.com/jessevig/bertviz.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from bertviz import head_view as bertviz_head_view
from bertviz import model_view as bertviz_model_view
from bertviz.neuron_view import show as bertviz_neuron_view
from bertviz.util import format_special_chars
from torch import Tensor

from companion.attention import attention_scores, attention_weights
from companion.bertviz_frame import View

_DIGITS = 4  # decimals: more than can be drawn


def head_view(
    attention: Sequence[Tensor] | None = None,
    tokens: Sequence[str] | None = None,
    *,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    **two_texts: Sequence[Tensor] | Sequence[str],
) -> View:
    """Draw one layer at a time: a line from each token to each token that it looks at, a colour a head.

    Args:
        attention: weights of each layer, (1, heads, n, n).
        tokens: the n tokens.
        layer: which is shown first, from 0.
        heads: which are shown first, from 0; by default all.
        two_texts: instead of attention and tokens, of an encoder-decoder: any of `encoder_attention`
            (1, heads, n_memory, n_memory), `decoder_attention` (1, heads, n, n) and `cross_attention`
            (1, heads, n, n_memory) of each layer, with `encoder_tokens` and `decoder_tokens`.

    Raises:
        ValueError: If there are no weights, they are not as above, tokens are as many as no weights
            are of, or there is no such layer or head.
    """
    data = _rounded(attention, tokens, two_texts)
    _check_choice(data, layer or 0, *(heads or ()))
    html = bertviz_head_view(**data, layer=layer, heads=heads, html_action="return")
    return View("head view", _label(data), html.data, width=340, height=22.5 * _longest(data) + 30)


def model_view(
    attention: Sequence[Tensor] | None = None,
    tokens: Sequence[str] | None = None,
    **two_texts: Sequence[Tensor] | Sequence[str],
) -> View:
    """Draw all layers and heads at once, as small pictures; a click enlarges one.

    Args:
        attention: as for `head_view`.
        tokens: as for `head_view`.
        two_texts: as for `head_view`.

    Raises:
        ValueError: As for `head_view`.
    """
    data = _rounded(attention, tokens, two_texts)
    html = bertviz_model_view(**data, display_mode="light", html_action="return")
    n = _longest(data)
    layers, heads = _sizes(data)
    # BertViz's own numbers: a row of a picture has 84 / heads pixels, one of the enlarged picture 18.
    height = max(layers * (84 / heads * n + 10) + 38, 18 * n + 55)
    return View("model view", _label(data), html.data, width=970, height=height)


def neuron_view(
    query: Sequence[Tensor],
    key: Sequence[Tensor],
    weights: Sequence[Tensor],
    tokens: Sequence[str],
    *,
    layer: int = 0,
    head: int = 0,
) -> View:
    """Draw how one token's query meets every key, number by number, and what the softmax makes of it.

    BertViz asks a model of its own for these; it gets a stand-in that hands over what was computed.

    Args:
        query: of each layer, (1, heads, n, d_k).
        key: of each layer, (1, heads, n, d_k).
        weights: of each layer, (1, heads, n, n). If no token looks at what comes after it, what comes
            after it is not drawn.
        tokens: the n tokens.
        layer: which is shown first, from 0.
        head: which is shown first, from 0.

    Raises:
        ValueError: If weights are not the softmax of q·k/√d_k, as where something is added to the
            scores: the view would draw a computation that did not happen. Or if there is no such
            layer or head, tokens are too many or too few, or shapes differ.
    """
    data = _rounded(weights, tokens, {})
    _check_choice(data, layer, head)
    _check_computation(query, key, weights)
    if len(tokens) != weights[0].shape[-1]:
        raise ValueError(f"tokens: there are {len(tokens)}, weights are of {weights[0].shape[-1]}")
    seen = [
        {
            "attn": w,
            "queries": q.double().round(decimals=_DIGITS),
            "keys": k.double().round(decimals=_DIGITS),
        }
        for w, q, k in zip(data["attention"], query, key, strict=True)
    ]
    html = bertviz_neuron_view(
        _Model(seen),
        "gpt2",  # the one kind of model of which BertViz takes the tokens as they are
        _Tokenizer(data["tokens"]),
        "what the stand-ins have read",
        display_mode="light",
        layer=layer,
        head=head,
        html_action="return",
    ).data
    if any(w.triu(diagonal=1).any() for w in weights):
        html = html.replace('"bidirectional": false', '"bidirectional": true', 1)
    return View("neuron view", _label(data), html, width=1010, height=26 * len(tokens) + 100)


class _Model:
    """What BertViz asks of a model: to compute. It was done already."""

    def __init__(self, seen: list[dict[str, Tensor]]) -> None:
        self._seen = seen

    def eval(self) -> None:
        """Nothing to do."""

    def __call__(self, _tokens: Tensor) -> tuple[list[dict[str, Tensor]]]:
        return (self._seen,)


class _Tokenizer:
    """What BertViz asks of a tokenizer: the tokens of a text, and a number for each."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def tokenize(self, _text: str) -> list[str]:
        return self._tokens

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        return list(range(len(tokens)))


def _rounded(
    attention: Sequence[Tensor] | None, tokens: Sequence[str] | None, two_texts: Mapping[str, Any]
) -> dict[str, Any]:
    """What BertViz is given: weights of few digits, lists of tokens, and nothing that is None."""
    given = {"attention": attention, "tokens": tokens, **two_texts}
    data = {name: list(value) for name, value in given.items() if value is not None}
    weights = [name for name in data if name.endswith("attention")]
    if not weights:
        raise ValueError("attention is missing, and so are the weights of an encoder-decoder")
    for name in weights:
        if not data[name] or any(w is None or w.dim() != 4 or len(w) != 1 for w in data[name]):
            raise ValueError(
                f"{name}: weights of each layer, (1, heads, n, n), are needed; a model of the library "
                'transformers gives them only if it is loaded with attn_implementation="eager"'
            )
        data[name] = [w.detach().double().round(decimals=_DIGITS) for w in data[name]]
    return data


def _check_computation(
    query: Sequence[Tensor], key: Sequence[Tensor], weights: Sequence[Tensor]
) -> None:
    for number, (q, k, w) in enumerate(zip(query, key, weights, strict=True)):
        again = attention_weights(attention_scores(q, k), mask=w > 0)  # (1, heads, n, n)
        if again.shape != w.shape or not torch.allclose(again, w, atol=1e-3):
            raise ValueError(
                f"weights[{number}] are not the softmax of q·k/√d_k: the neuron view can only show "
                "attention that is"
            )


def _check_choice(data: Mapping[str, Any], layer: int, *heads: int) -> None:
    layers, n_heads = _sizes(data)
    for name, given, count in [("layer", layer, layers), *(("head", h, n_heads) for h in heads)]:
        if not 0 <= given < count:
            raise ValueError(f"{name} is {given}: it must be from 0 to {count - 1}")


def _longest(data: Mapping[str, Any]) -> int:
    return max(len(value) for name, value in data.items() if name.endswith("tokens"))


def _sizes(data: Mapping[str, Any]) -> tuple[int, int]:
    """How many layers there are, and how many heads in each."""
    weights = next(value for name, value in data.items() if name.endswith("attention"))
    return len(weights), weights[0].shape[1]


def _label(data: Mapping[str, Any]) -> str:
    layers, heads = _sizes(data)
    texts = [format_special_chars(value) for name, value in data.items() if name.endswith("tokens")]
    said = " and ".join(f"“{' '.join(token.strip() for token in text)}”" for text in texts)
    return f"{layers} layers of {heads} heads on {said}"
