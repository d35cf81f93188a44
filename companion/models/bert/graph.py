"""What a widget asks of BERT: which piece stands at each place of some texts of one length."""

import torch
from torch import Tensor, nn

from companion.bert import Pretraining
from companion.models.graph import Graph

LONGEST = 64  # tokens of a text, [CLS] and [SEP] included
MOST_TEXTS = 8


class Guesser(nn.Module):
    """An encoder and its head for hidden words."""

    def __init__(self, model: Pretraining) -> None:
        super().__init__()
        self.bert, self.head = model.bert, model.word_head

    def forward(self, tokens: Tensor, segments: Tensor) -> tuple[Tensor]:
        """Score every piece at every place.

        Args:
            tokens: (texts, n), no padding among them.
            segments: (texts, n), 0 in the first segment and 1 in the second.

        Returns:
            logits: (texts, n, vocabulary).
        """
        return (self.head(self.bert(tokens, segments)),)


def reader(model: Pretraining) -> Graph:
    """Return the graph of a pretrained encoder."""
    axes = {0: ("texts", 1, MOST_TEXTS), 1: ("n", 2, LONGEST)}
    example = torch.tensor([[2, 9, 8, 7, 3]] * 3)
    return Graph(
        Guesser(model),
        {"tokens": example, "segments": torch.zeros_like(example)},
        {"tokens": axes, "segments": axes},
        ("logits",),
    )
