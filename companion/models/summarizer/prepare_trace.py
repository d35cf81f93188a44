"""What the widget `TokenTrace` shows before the model is there: texts read in advance."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from companion.language_model import LanguageModel
from companion.models.summarizer.pieces import END, SEPARATOR, SIZE, decode, encode

LIKELIEST = 5  # next tokens to tell of


def cut(text: str) -> tuple[list[int], list[str], int]:
    """Cut a dialogue, and the beginning of its summary behind `<summary>`, into tokens.

    Returns:
        The numbers of the tokens, the text of each, and where the separator is: the model is
        trained to go on from there, not before.
    """
    separator = decode([SEPARATOR])
    dialogue, _, summary = text.partition(separator)
    given, heard = encode(f"{dialogue.strip()}\n")
    written, said = encode(summary.strip())
    return [*given, SEPARATOR, *written], [*heard, separator, *said], len(given)


def prepare_trace(model: LanguageModel, texts: Sequence[str]) -> dict[str, Any]:
    """Read texts in advance.

    Args:
        model: the summarizer.
        texts: a dialogue each, then `<summary>`, and the beginning of a summary.

    Returns:
        The arguments of `TokenTrace` besides the model.
    """
    return {
        "vocabulary": [decode([number]) for number in range(SIZE)],
        "examples": examples(model, texts, cut),
        "separator": decode([SEPARATOR]),
        "end": decode([END]),
    }


def examples(
    model: LanguageModel,
    texts: Sequence[str],
    cut: Callable[[str], tuple[list[int], list[str], int]],
) -> list[dict[str, Any]]:
    """Read texts for `TokenTrace` with any model and any way to cut them into tokens.

    Raises:
        ValueError: If no token of a text can be followed.
    """
    return [_read(model, *cut(text)) for text in texts]


def _read(model: LanguageModel, ids: list[int], pieces: list[str], begin: int) -> dict[str, Any]:
    if begin >= len(ids):
        raise ValueError(f"texts: of {''.join(pieces)!r} no token can be followed")
    with torch.no_grad():
        reading = model.read(torch.tensor([ids]))
        states = reading.states[0, :, begin:]  # (2 layers + 1, m, d_model)
        weights = reading.weights[0, :, :, begin:]  # (layers, heads, m, n)
        # What it would say if it stopped at a stage: the last norm and the output layer, at once.
        odds = model.score(states).softmax(dim=-1)  # (2 layers + 1, m, vocabulary)
        likeliest, best = odds.topk(min(LIKELIEST, odds.shape[-1]))  # (2 layers + 1, m, 5)
    arrays = {"states": states, "weights": weights, "best": best, "odds": likeliest}
    return {"pieces": pieces, "begin": begin} | {k: array.numpy() for k, array in arrays.items()}
