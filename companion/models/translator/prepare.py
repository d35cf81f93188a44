"""What the widgets `CaptionTranslator` and `TranslationTree` are made of: tokens, and captions read in advance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from companion.beginnings import Beginnings, beginnings
from companion.encoder_decoder import EncoderDecoder
from companion.models.translator.ask import ALPHA, MORE, WIDTH, Translation, looks, read, translate
from companion.models.translator.pieces import encode, names
from companion.models.translator.recipe import END, LONGEST

LOOKED = 1  # the layer whose heads, on average, tell best which words belong together


def prepare(model: EncoderDecoder, texts: Sequence[str]) -> dict[str, Any]:
    """Translate captions in advance.

    Args:
        model: the translator.
        texts: English captions.

    Returns:
        The arguments of `CaptionTranslator` besides the model.

    Raises:
        ValueError: If there are no texts, or one cannot be translated.
    """
    _check_list(texts)
    found = translate(model, texts)
    examples = [
        {
            "text": text.strip(),
            "ids": encode(text.strip())[0],
            "found": [
                {"ids": one.tokens, "total": one.log_probability, "score": one.score}
                | {"ended": one.ended, "text": one.text}
                for one in each
            ],
        }
        for text, each in zip(texts, found, strict=True)
    ]
    return {
        "names": names(),
        "examples": examples,
        "looks": _all_looks(model, texts, found),
        "sizes": _sizes(model),
    }


def prepare_trees(model: EncoderDecoder, texts: Sequence[str]) -> dict[str, Any]:
    """Ask in advance what comes next, in every beginning of a translation that beams come through.

    Explained in chapters/week1-translation/choosing-words.ipynb.

    Args:
        model: the translator.
        texts: English captions.

    Returns:
        The arguments of `TranslationTree` besides the model.

    Raises:
        ValueError: If there are no texts, or one cannot be translated.
    """
    _check_list(texts)
    rows = [read(number, text) for number, text in enumerate(texts)]
    return {
        "names": names(),
        "examples": {
            text.strip(): _beginnings(model, row) for text, row in zip(texts, rows, strict=True)
        },
        "sizes": _sizes(model),
    }


@torch.no_grad()
def _beginnings(model: EncoderDecoder, row: list[int]) -> Beginnings:
    """What the model says behind the beginnings of one sentence's translations."""
    return beginnings(
        lambda tokens, state: model.step(tokens, state)[::2],
        torch.tensor([END]),
        model.start(torch.tensor([row])),
        end=END,
        width=WIDTH,
        longest=min(LONGEST, len(row) + MORE),
    )


def _check_list(texts: Sequence[str]) -> None:
    if isinstance(texts, str) or not texts:
        raise ValueError(f"texts is {texts!r}: it must be a list of captions, at least one")


def _sizes(model: EncoderDecoder) -> dict[str, int | float]:
    """What the page must know of the model."""
    layer = model.transformer.decoder_layers[0].attention
    return {
        "layers": len(model.transformer.decoder_layers),
        "heads": layer.n_heads,
        "d_k": model.words.embedding_dim // layer.n_heads,
        "looked": LOOKED,
        "end": END,
        "width": WIDTH,
        "alpha": ALPHA,
        "more": MORE,
        "longest": LONGEST,
        "parameters": sum(each.numel() for each in model.parameters()),
    }


def _all_looks(
    model: EncoderDecoder, texts: Sequence[str], found: Sequence[Sequence[Translation]]
) -> np.ndarray:
    """How much each token of each translation looked at each of the source and its end, filled up with 0."""
    told = [
        [looks(model, text, one.tokens)[:-1, LOOKED].mean(dim=1).numpy() for one in each]
        for text, each in zip(texts, found, strict=True)
    ]
    most = max(weights.shape[0] for each in told for weights in each)
    longest = max(weights.shape[1] for each in told for weights in each)
    table = np.zeros((len(texts), max(map(len, told)), most, longest), np.float32)
    for i, each in enumerate(told):
        for j, weights in enumerate(each):
            table[i, j, : weights.shape[0], : weights.shape[1]] = weights
    return table  # (examples, translations, tokens, n_memory)
