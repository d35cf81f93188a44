"""Translate sentences, and tell which words of the source each word of the translation looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.attention import padding_mask
from companion.beam import beam_search, power
from companion.checks import at_least_one
from companion.encoder_decoder import EncoderDecoder
from companion.models.translator.pieces import decode, encode
from companion.models.translator.recipe import END, LONGEST, PAD, fill
from companion.steps import Hypothesis

WIDTH, ALPHA = 5, 1.0  # of the beam; the log-probability is divided by length to the power of ALPHA
MORE = 20  # tokens by which a translation may be longer than its source
_AT_ONCE = 64  # sentences


@dataclass(frozen=True)
class Translation:
    """One translation of a sentence.

    Attributes:
        text: the translation.
        tokens: its tokens; the end is not among them.
        log_probability: of the tokens and the end, in nats.
        score: what it is ranked by, the log-probability over the length penalty.
        ended: whether the model itself came to an end.
    """

    text: str
    tokens: list[int]
    log_probability: float
    score: float
    ended: bool


def translate(
    model: EncoderDecoder, texts: Sequence[str], *, width: int = WIDTH, alpha: float = ALPHA
) -> list[list[Translation]]:
    """Translate each sentence by beam search.

    Args:
        model: from `companion.models.load("translator")`, or trained by `recipe.train`.
        texts: English sentences.
        width: of the beam; 1 takes the likeliest token each time.
        alpha: exponent of the length penalty, see `companion.beam.power`.

    Returns:
        For each sentence up to `width` translations, best first.

    Raises:
        ValueError: If a text is empty or too long, with its number, or width is not positive.
    """
    at_least_one(width=width)
    rows = [read(number, text) for number, text in enumerate(texts)]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: dict[int, list[Translation]] = {}
    for first in range(0, len(order), _AT_ONCE):
        some = order[first : first + _AT_ONCE]
        found |= dict(zip(some, _search(model, [rows[i] for i in some], width, alpha), strict=True))
    return [found[i] for i in range(len(rows))]


@torch.no_grad()
def looks(model: EncoderDecoder, text: str, tokens: Sequence[int]) -> Tensor:
    """How much each head looked at each token of the source when it wrote each token of a translation.

    Args:
        model: the translator.
        text: the source.
        tokens: of the translation, without its end.

    Returns:
        (tokens + 1, layers, heads, n_memory): the last row is of the end.
    """
    state = model.start(torch.tensor([read(0, text)]))
    weights = []
    for token in (END, *tokens):
        _, looked, state = model.step(torch.tensor([token]), state)
        weights.append(looked[0])
    return torch.stack(weights)


def read(number: int, text: str) -> list[int]:
    """Return the tokens of a sentence and its end.

    Raises:
        ValueError: If the text is empty or too long, with its number.
    """
    ids = encode(text.strip())[0]
    if not ids:
        raise ValueError(f"texts[{number}] is empty: it must be a sentence, such as 'A dog runs.'")
    if len(ids) > LONGEST - MORE:
        raise ValueError(
            f"texts[{number}] has {len(ids)} tokens: it must have at most {LONGEST - MORE}"
        )
    return [*ids, END]


@torch.no_grad()
def _search(
    model: EncoderDecoder, rows: list[list[int]], width: int, alpha: float
) -> list[list[Translation]]:
    source = fill(rows)  # (sentences, n_memory)
    found = beam_search(
        lambda tokens, state: model.step(tokens, state)[::2],
        torch.full((len(rows),), END),
        model.start(source, padding_mask(source, PAD)),
        end=END,
        width=width,
        longest=min(LONGEST, source.shape[1] + MORE),
        alpha=alpha,
        penalty=power,
    )
    return [[_told(hypothesis) for hypothesis in each.hypotheses] for each in found]


def _told(found: Hypothesis) -> Translation:
    tokens = found.tokens[:-1] if found.ended else found.tokens
    text = decode(tokens).strip()
    return Translation(text, tokens, found.log_probability, found.score, found.ended)
