"""Summarize a dialogue, word by word, and tell where each word came from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks import at_least_one
from companion.language_model import LanguageModel
from companion.models.summarizer.graph import LONGEST
from companion.models.summarizer.pieces import END, SEPARATOR, decode, encode

MOST = 120  # tokens of a summary


@dataclass(frozen=True)
class Summary:
    """A summary, and where it came from.

    Attributes:
        text: the summary.
        tokens: its tokens; the end is not among them.
        sources: (tokens, n), how much the last layer's heads, on average, looked at each of the n
            tokens of dialogue and separator when they wrote the token; less than 1 in sum, as they
            also look at the summary so far.
        ended: whether the model itself came to an end.
    """

    text: str
    tokens: list[int]
    sources: Tensor
    ended: bool


@torch.no_grad()
def summarize(model: LanguageModel, text: str, *, most: int = MOST) -> Summary:
    """Go on from a dialogue with the likeliest token, again and again, until the end.

    Args:
        model: from `companion.models.load("summarizer")`, or trained by `recipe.train`.
        text: a turn on each line, beginning with `User: ` or `Agent: `.
        most: the largest number of tokens.

    Raises:
        ValueError: If text is empty, too long, or most is not positive.
    """
    at_least_one(most=most)
    given = [*encode(text)[0], SEPARATOR]
    if len(given) == 1:
        raise ValueError("text is empty: it must have at least one turn, such as 'User: Hello!'")
    if len(given) > LONGEST - most:
        raise ValueError(f"text has {len(given)} tokens: it must have at most {LONGEST - most}")
    reading = model.read(torch.tensor([given]))
    tokens, sources = [], []
    while len(tokens) < most:
        token = int(reading.logits[0, -1].argmax())
        if token == END:
            break
        looks = reading.weights[0, -1, :, -1, : len(given)].mean(dim=0)  # (n,)
        tokens.append(token)
        sources.append(looks)
        reading = model.read(torch.tensor([[token]]), reading.cache)
    looked = torch.stack(sources) if sources else torch.zeros(0, len(given))
    return Summary(decode(tokens).strip(), tokens, looked, len(tokens) < most)
