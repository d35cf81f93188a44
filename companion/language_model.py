"""A decoder-only Transformer: a language model that predicts each next token from those before it.

The block is the encoder's with a causal mask, as in GPT-2 (Radford et al. 2019, "Language Models are
Unsupervised Multitask Learners", section 2.3), with rotary positions (Su et al. 2021,
https://arxiv.org/abs/2104.09864). In shapes, `n` is the number of tokens that come in, `n_past` that
of those read before, whose keys and values are kept in a cache, and `n_all` = n_past + n.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention as fused_attention

from companion.attention import (
    MultiHeadAttention,
    causal_mask,
    join_heads,
    scaled_dot_product_attention,
)
from companion.checks import at_least_one
from companion.positional import one_back, rotary
from companion.transformer import FeedForward, LayerNorm, Residual

Cache = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Reading:
    """What a model computes of n tokens.

    Attributes:
        logits: (batch, n, vocabulary), scores of what comes after each.
        weights: (batch, layers, heads, n, n_all), how much each looks at each.
        states: (batch, 2 layers + 1, n, d_model), each token's vector at first, and after each
            sublayer: attention, feed-forward, attention, …
        cache: keys and values of each layer, (batch, heads, n_all, d_k) each.
    """

    logits: Tensor
    weights: Tensor
    states: Tensor
    cache: Cache


def loss_mask(tokens: Tensor, separator: int, end: int) -> Tensor:
    """Tell which predictions count: those of what stands after the separator, up to the end.

    At each position a language model predicts the next token. What is given, such as the text to be
    summarized, need not be learned; nor what fills up a batch after the end.

    Args:
        tokens: (batch, n); each row a given text, the separator, what is to be written, the end,
            and anything after it.
        separator: The number of the token after the given text; only its first one counts.
        end: The number of the token after what is to be written; others of it may follow.

    Returns:
        Boolean, (batch, n - 1): True where the prediction of the next token counts.

    Raises:
        ValueError: If tokens does not have two axes.
    """
    if tokens.dim() != 2:
        raise ValueError(f"tokens has shape {tuple(tokens.shape)}: it must be (batch, n)")
    written = (tokens == separator).cumsum(dim=1) > 0  # (batch, n): from the separator on
    ended = ((tokens == end) & written).cumsum(dim=1) > 0  # (batch, n): from the end on
    return (written & ~ended)[:, :-1]  # (batch, n - 1)


class Layer(nn.Module):
    """Causal self-attention, then a feed-forward network, both pre-norm.

    With `positions`, queries and keys are turned by where they stand; without, they meet by what
    they mean alone, however far apart.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        dropout: float = 0.0,
        positions: bool = True,
    ) -> None:
        super().__init__()
        self.positions = positions
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff, dropout=dropout)
        self.around_attention = Residual(d_model, dropout=dropout)
        self.around_feed_forward = Residual(d_model, dropout=dropout)

    def project(
        self, x: Tensor, values_from: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make queries, (batch, heads, n, d_k), and the keys and values of all tokens so far.

        Args:
            x: (batch, n, d_model), normalized.
            values_from: (batch, n, d_model), what values are made from; None means x.
            past: keys and values of the tokens before, (batch, heads, n_past, d_k) each, or None.
        """
        query, key, value = self.attention.project(x, values_from=values_from)
        if self.positions:
            n_past = 0 if past is None else past[0].shape[-2]
            at = torch.arange(n_past, n_past + x.shape[1])  # (n,)
            query, key = rotary(query, at), rotary(key, at)
        if past is not None:
            key = torch.cat([past[0], key], dim=-2)  # (batch, heads, n_all, d_k)
            value = torch.cat([past[1], value], dim=-2)
        return query, key, value


class LanguageModel(nn.Module):
    """Predicts the next token of a text.

    With `word_values`, the last layer's values are made from the tokens' embeddings alone, while its
    queries and keys come from all that the layers below have found out, and not from where a token
    stands: what that layer hands on is then a word of the text, and its weights say which one. That
    makes it quick to learn to copy, and honest about what it copied.

    Args:
        vocabulary_size: Number of tokens.
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        n_layers: Number of layers.
        d_ff: Width of the feed-forward networks.
        dropout: Share of each sublayer's output that is hidden in training.
        word_values: Whether the last layer's values are made from the tokens' embeddings, and its
            attention knows no positions.

    Raises:
        ValueError: If a size is not positive, n_heads does not divide d_model into even pieces, or
            dropout is not from 0 to 1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        d_model: int = 128,
        n_heads: int = 4,
        n_layers: int = 4,
        d_ff: int = 512,
        dropout: float = 0.0,
        word_values: bool = True,
    ) -> None:
        super().__init__()
        at_least_one(vocabulary_size=vocabulary_size, n_layers=n_layers, n_heads=n_heads)
        if d_model % (2 * n_heads):
            raise ValueError(
                f"d_model is {d_model} and n_heads is {n_heads}: rotary positions turn pairs of "
                "numbers, so d_model must be a multiple of 2 n_heads"
            )
        self.word_values = word_values
        self.words = nn.Embedding(vocabulary_size, d_model)
        nn.init.normal_(self.words.weight, std=d_model**-0.5)
        self.layers = nn.ModuleList(
            Layer(
                d_model,
                n_heads,
                d_ff,
                dropout=dropout,
                positions=not (word_values and number == n_layers - 1),
            )
            for number in range(n_layers)
        )
        self.norm = LayerNorm(d_model)
        if word_values:
            self._start_copying()

    @torch.no_grad()
    def _start_copying(self) -> None:
        """Begin near what copying takes, which a network else finds only after millions of tokens.

        To go on with a text that stands above, a token must find where it stood before, and take
        what came next: one head tells each token what came before it, another looks for the token
        itself among those ("induction", Olsson et al. 2022, https://arxiv.org/abs/2209.11895).
        """
        last = self.layers[-1].attention
        nn.init.eye_(last.value.weight)
        nn.init.eye_(last.output.weight)
        first = self.layers[0].attention
        d_k = first.query.out_features // first.n_heads
        first.query.bias[:d_k], first.key.bias[:d_k] = one_back(d_k)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score what comes after each token; the way of training, where weights are not kept.

        Args:
            tokens: (batch, n). Padding may only follow the text: the causal mask hides it then.

        Returns:
            Logits, (batch, n, vocabulary).
        """
        return self.score(self.hidden(tokens))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Return the vectors after the last layer, (batch, n, d_model), of tokens (batch, n)."""
        words = self.embed(tokens)  # (batch, n, d_model)
        x = words
        for number, layer in enumerate(self.layers):
            source = self._source(number, words)

            def look(y: Tensor, layer: Layer = layer, source: Tensor | None = source) -> Tensor:
                query, key, value = layer.project(y, source, None)
                # The same numbers as companion.attention's, without the weights: half the time.
                mixed = fused_attention(query, key, value, is_causal=True)
                return layer.attention.output(join_heads(mixed))

            x = layer.around_attention(x, look)  # (batch, n, d_model)
            x = layer.around_feed_forward(x, layer.feed_forward)
        return x

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the tokens' own vectors, of entries about 1 in size (Vaswani et al., section 3.4)."""
        return self.words(tokens) * math.sqrt(self.words.embedding_dim)  # (batch, n, d_model)

    def score(self, x: Tensor) -> Tensor:
        """Score every token of the vocabulary by the vectors x, (..., d_model)."""
        return self.norm(x) @ self.words.weight.T  # (..., vocabulary)

    def read(self, tokens: Tensor, cache: Cache | None = None) -> Reading:
        """Score what comes after each token, and keep all that was computed on the way.

        Args:
            tokens: (batch, n), what comes after the tokens of the cache.
            cache: what `read` returned for the tokens before; None if there are none.
        """
        words = self.embed(tokens)  # (batch, n, d_model)
        x, states, weights, kept = words, [words], [], []
        for number, layer in enumerate(self.layers):
            y = layer.around_attention.norm(x)
            past = None if cache is None else cache[number]
            query, key, value = layer.project(y, self._source(number, words), past)
            mask = causal_mask(query.shape[-2], key.shape[-2])  # (n, n_all)
            mixed, looked = scaled_dot_product_attention(query, key, value, mask)
            x = x + layer.attention.output(join_heads(mixed))  # (batch, n, d_model)
            states.append(x)
            x = layer.around_feed_forward(x, layer.feed_forward)
            states.append(x)
            weights.append(looked)
            kept.append((key, value))
        stacked = torch.stack(weights, dim=1)  # (batch, layers, heads, n, n_all)
        return Reading(self.score(x), stacked, torch.stack(states, dim=1), kept)

    def _source(self, number: int, words: Tensor) -> Tensor | None:
        last = number == len(self.layers) - 1
        return words if last and self.word_values else None
