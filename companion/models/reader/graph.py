"""What a widget asks of the reader: where in a text the answer to a question begins and ends."""

import torch
from torch import Tensor, nn

from companion.bert import SpanReader
from companion.models.graph import Graph
from companion.models.reader.recipe import LONGEST

SHORTEST = 4  # tokens: [CLS], [SEP], a word, [SEP]


class Reader(nn.Module):
    """A span reader, for one text at a time."""

    def __init__(self, model: SpanReader) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Read a question and a text.

        Args:
            tokens: (1, n), [CLS] question [SEP] text [SEP].
            segments: (1, n), 0 up to the first [SEP], then 1.

        Returns:
            start: (n,), logits of each token as the first of the answer.
            end: (n,), logits of each token as its last.
        """
        start, end = self.model(tokens, segments)
        return start[0], end[0]


def reader(model: SpanReader) -> Graph:
    """Return the graph of a reader."""
    many = {1: ("n", SHORTEST, LONGEST)}
    tokens = torch.ones(1, 6, dtype=torch.int64)
    return Graph(
        Reader(model),
        {"tokens": tokens, "segments": torch.zeros_like(tokens)},
        {"tokens": many, "segments": many},
        ("start", "end"),
    )
