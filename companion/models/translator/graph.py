"""What a widget asks of the translator: what comes next, in each of some beginnings of a translation."""

import torch
from torch import Tensor, nn

from companion.encoder_decoder import EncoderDecoder, State
from companion.models.graph import Graph
from companion.models.translator.recipe import LONGEST

MOST_ROWS = 16  # beginnings that can be asked for at once


class Reader(nn.Module):
    """A translator, one sentence at a time, whose keys and values of the target go out and come in again.

    The source is read again in each step: it is short, and so one graph is enough.
    """

    def __init__(self, model: EncoderDecoder) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, source: Tensor, tokens: Tensor, past_keys: Tensor, past_values: Tensor
    ) -> tuple[Tensor, ...]:
        """Write one more token of each beginning.

        Args:
            source: (1, n_memory), the tokens of the sentence and its end.
            tokens: (rows,), the last token of each beginning; at first END.
            past_keys: (layers, rows, heads, n_past, d_k), of the tokens before.
            past_values: (layers, rows, heads, n_past, d_k).

        Returns:
            logits: (rows, vocabulary), what comes next.
            weights: (rows, layers, heads, n_memory), how much each head looked at the source.
            keys: (layers, rows, heads, n_past + 1, d_k).
            values: (layers, rows, heads, n_past + 1, d_k).
        """
        begun = self.model.start(source)
        past = list(zip(past_keys, past_values, strict=True))
        state = State(begun.source_mask, begun.memory, past)
        logits, weights, state = self.model.step(tokens, state)
        keys, values = (torch.stack(each) for each in zip(*state.past, strict=True))
        return logits, weights, keys, values


def reader(model: EncoderDecoder) -> Graph:
    """Return the graph of a translator."""
    layer = model.transformer.decoder_layers[0].attention
    heads, d_k = layer.n_heads, model.words.embedding_dim // layer.n_heads
    past = torch.zeros(len(model.transformer.decoder_layers), 2, heads, 3, d_k)
    many = {1: ("rows", 1, MOST_ROWS), 3: ("n_past", 0, LONGEST - 1)}
    return Graph(
        Reader(model),
        {
            "source": torch.ones(1, 5, dtype=torch.int64),
            "tokens": torch.zeros(2, dtype=torch.int64),
            "past_keys": past,
            "past_values": past.clone(),
        },
        {
            "source": {1: ("n_memory", 1, LONGEST)},
            "tokens": {0: ("rows", 1, MOST_ROWS)},
            "past_keys": many,
            "past_values": many,
        },
        ("logits", "weights", "keys", "values"),
    )
