"""What the widget `CaptionTranslator` is made of: the tokens, and captions translated in advance."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.encoder_decoder import EncoderDecoder
from companion.models.translator.ask import ALPHA, MORE, WIDTH, Translation, looks, translate
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
    if isinstance(texts, str) or not texts:
        raise ValueError(f"texts is {texts!r}: it must be a list of captions, at least one")
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
    layer = model.transformer.decoder_layers[0].attention
    sizes = {
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
    return {
        "names": names(),
        "examples": examples,
        "looks": _all_looks(model, texts, found),
        "sizes": sizes,
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
