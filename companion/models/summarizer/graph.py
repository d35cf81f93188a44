"""What a widget asks of a language model: to read some tokens, and to show what it computed."""

import torch
from torch import Tensor, nn

from companion.language_model import LanguageModel
from companion.models.graph import Graph

LONGEST = 900  # tokens of a dialogue and its summary


class Reader(nn.Module):
    """A language model, one text at a time, whose keys and values go out and come in again."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, tokens: Tensor, at: Tensor, past_keys: Tensor, past_values: Tensor
    ) -> tuple[Tensor, ...]:
        """Read tokens after those whose keys and values are given.

        Args:
            tokens: (1, n), the new tokens.
            at: (k,), the positions among them to tell of.
            past_keys: (layers, heads, n_past, d_k), of the tokens before.
            past_values: (layers, heads, n_past, d_k).

        Returns:
            logits: (2 layers + 1, k, vocabulary), what the model would say next if it stopped at
                each stage; the last is what it says.
            states: (2 layers + 1, k, d_model), the vector at first and after each sublayer.
            weights: (layers, heads, k, n_past + n), how much the position looks at each.
            keys: (layers, heads, n_past + n, d_k), of all tokens so far.
            values: (layers, heads, n_past + n, d_k).
        """
        cache = [(k[None], v[None]) for k, v in zip(past_keys, past_values, strict=True)]
        reading = self.model.read(tokens, cache)
        states = reading.states[0, :, at]  # (2 layers + 1, k, d_model)
        weights = reading.weights[0, :, :, at]  # (layers, heads, k, n_all)
        keys, values = (torch.cat(each) for each in zip(*reading.cache, strict=True))
        return self.model.score(states), states, weights, keys, values


def reader(model: LanguageModel) -> Graph:
    """Return the graph of a language model."""
    heads = model.layers[0].attention.n_heads
    past = torch.zeros(len(model.layers), heads, 3, model.words.embedding_dim // heads)
    return Graph(
        Reader(model),
        {
            "tokens": torch.zeros(1, 5, dtype=torch.int64),
            "at": torch.tensor([2, 4]),
            "past_keys": past,
            "past_values": past.clone(),
        },
        {
            "tokens": {1: ("n", 1, LONGEST)},
            "at": {0: ("k", 1, LONGEST)},
            "past_keys": {2: ("n_past", 0, LONGEST)},
            "past_values": {2: ("n_past", 0, LONGEST)},
        },
        ("logits", "states", "weights", "keys", "values"),
    )
