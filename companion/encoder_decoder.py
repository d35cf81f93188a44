"""A Transformer that turns one sequence of tokens into another, such as a sentence into its translation.

In shapes, `n_memory` is the number of tokens of the source, `n` that of the target so far. Masks are
boolean, True where a token may be looked at.

Source: Vaswani et al. 2017, "Attention Is All You Need", https://arxiv.org/abs/1706.03762, section 3;
pre-norm: Xiong et al. 2020, https://arxiv.org/abs/2002.04745.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.attention import (
    MultiHeadAttention,
    join_heads,
    scaled_dot_product_attention,
    split_heads,
)
from companion.checks import at_least_one
from companion.positional import sinusoidal
from companion.transformer import DecoderLayer, Transformer


@dataclass(frozen=True)
class State:
    """What a decoder needs to go on, in every tensor one row for each sequence of the batch.

    Attributes:
        source_mask: (batch, 1, 1, n_memory).
        memory: keys and values of the source, of each layer: (batch, heads, n_memory, d_k) each.
        past: keys and values of the target so far, of each layer: (batch, heads, n, d_k) each.
    """

    source_mask: Tensor
    memory: list[tuple[Tensor, Tensor]]
    past: list[tuple[Tensor, Tensor]]


class EncoderDecoder(nn.Module):
    """An encoder that reads the source, and a decoder that writes the target, token by token.

    One table has the vectors of all tokens, of both languages, and scores the next one too.

    Args:
        n_tokens: How many different tokens there are, in both languages together.
        d_model: Length of the vectors, even.
        n_heads: Number of heads; it divides d_model.
        n_layers: Number of layers of the encoder, and of the decoder.
        d_ff: Width of the feed-forward networks.
        dropout: Share of each sublayer's output that is hidden in training.
        longest: Most tokens of a sequence.

    Raises:
        ValueError: If a size is not positive, n_heads does not divide d_model, or d_model is odd.
    """

    def __init__(
        self,
        n_tokens: int,
        *,
        d_model: int = 128,
        n_heads: int = 4,
        n_layers: int = 4,
        d_ff: int = 256,
        dropout: float = 0.0,
        longest: int = 256,
    ) -> None:
        super().__init__()
        at_least_one(n_tokens=n_tokens, longest=longest)
        self.words = nn.Embedding(n_tokens, d_model)
        nn.init.normal_(self.words.weight, std=d_model**-0.5)
        table = sinusoidal(longest, d_model).to(self.words.weight.dtype)
        self.register_buffer("positions", table, persistent=False)
        self.transformer = Transformer(
            d_model, n_heads, n_layers, d_ff, pre_norm=True, dropout=dropout
        )
        self.dropout = nn.Dropout(dropout)

    def embed(self, tokens: Tensor, first: int = 0) -> Tensor:
        """The vectors of tokens with their positions, (batch, n) to (batch, n, d_model).

        Args:
            tokens: (batch, n), whole numbers.
            first: The position of the first of them.

        Raises:
            ValueError: If there is no position for the last one.
        """
        last, longest = first + tokens.shape[1], len(self.positions)
        if last > longest:
            raise ValueError(f"tokens reach to position {last}; there are positions for {longest}")
        d_model = self.words.embedding_dim
        return self.dropout(
            self.words(tokens) * math.sqrt(d_model) + self.positions[first:last]
        )  # (batch, n, d_model)

    def score(self, hidden: Tensor) -> Tensor:
        """Score each next token: (..., d_model) to (..., n_tokens)."""
        return functional.linear(hidden, self.words.weight)

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Read the source and predict what follows each token of the target, all at once.

        Args:
            source: (batch, n_memory), whole numbers.
            target: (batch, n): the right target, one position late (teacher forcing).
            source_mask: (batch, 1, 1, n_memory), from `companion.attention.padding_mask`.

        Returns:
            The vectors that `score` turns into scores, (batch, n, d_model).
        """
        return self.transformer(self.embed(source), self.embed(target), source_mask)

    def start(self, source: Tensor, source_mask: Tensor | None = None) -> State:
        """Read the source, once; nothing is written yet. Arguments as for `forward`."""
        batch, n_memory = source.shape
        if source_mask is None:
            source_mask = torch.ones(batch, 1, 1, n_memory, dtype=torch.bool)
        memory = self.transformer.encode(self.embed(source), source_mask)
        pairs = [
            _keys_and_values(x.cross_attention, memory) for x in self.transformer.decoder_layers
        ]
        empty = [(key[:, :, :0], value[:, :, :0]) for key, value in pairs]
        return State(source_mask, pairs, empty)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Write one more token of each target.

        Args:
            tokens: (batch,), the tokens written last.
            state: From `start`, or from the step before.

        Returns:
            The scores of what comes next, (batch, n_tokens); how much each head of each layer
            looked at each token of the source, (batch, layers, heads, n_memory); the new state.
        """
        n_past = state.past[0][0].shape[2]
        x = self.embed(tokens[:, None], n_past)  # (batch, 1, d_model)
        looked, past = [], []
        layers = self.transformer.decoder_layers
        for layer, memory, before in zip(layers, state.memory, state.past, strict=True):
            x, weights, so_far = _step(layer, x, memory, before, state.source_mask)
            looked.append(weights[:, :, 0])  # (batch, heads, n_memory)
            past.append(so_far)
        scores = self.score(self.transformer.decoder_norm(x)[:, 0])
        return scores, torch.stack(looked, dim=1), State(state.source_mask, state.memory, past)


def _step(
    layer: DecoderLayer,
    x: Tensor,
    memory: tuple[Tensor, Tensor],
    past: tuple[Tensor, Tensor],
    source_mask: Tensor,
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """One layer for one more token, x (batch, 1, d_model): its vector, weights, keys and values."""
    y = layer.around_attention.norm(x)
    new = _keys_and_values(layer.attention, y)
    past = tuple(torch.cat(pair, dim=2) for pair in zip(past, new, strict=True))
    x = x + _attend(layer.attention, y, past)[0]
    y = layer.around_cross_attention.norm(x)
    looked, weights = _attend(layer.cross_attention, y, memory, source_mask)
    x = layer.around_feed_forward(x + looked, layer.feed_forward)
    return x, weights, past


def _keys_and_values(attention: MultiHeadAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """What is kept of x, (batch, n, d_model), for those who look at it later."""
    return tuple(
        split_heads(make(x), attention.n_heads) for make in (attention.key, attention.value)
    )


def _attend(
    attention: MultiHeadAttention,
    x: Tensor,
    kept: tuple[Tensor, Tensor],
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """What `attention` makes of x, if keys and values are there already."""
    query = split_heads(attention.query(x), attention.n_heads)  # (batch, heads, n, d_k)
    mixed, weights = scaled_dot_product_attention(query, *kept, mask)
    return attention.output(join_heads(mixed)), weights
