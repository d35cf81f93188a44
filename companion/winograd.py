"""A small encoder that finds out what a pronoun stands for, and shows where it looked.

The task is that of Levesque, Davis and Morgenstern 2012, "The Winograd Schema Challenge" (KR); the
layers are those of Vaswani et al. 2017, "Attention Is All You Need",
https://arxiv.org/abs/1706.03762, with the normalization before each sublayer (Xiong et al. 2020,
https://arxiv.org/abs/2002.04745). No mask hides what comes later: in the sentence of the notes, the
word that decides comes after the pronoun.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from companion.attention import MultiHeadAttention, padding_mask


@dataclass(frozen=True)
class LayerTrace:
    """What one layer's attention does to one sentence of n words.

    Attributes:
        x: (n, d_model), what queries and keys are made from.
        values_from: (n, d_model), what values are made from: x, or the words' own embeddings.
        query: (heads, n, d_k).
        key: (heads, n, d_k).
        value: (heads, n, d_k).
        weights: (heads, n, n); row i says how much word i looks at each word.
    """

    x: Tensor
    values_from: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Trace:
    """One sentence on its way through a `Resolver`.

    Attributes:
        layers: what each layer's attention does, the first layer first.
        logits: (n, vocabulary), the same as `Resolver.forward` gives.
    """

    layers: list[LayerTrace]
    logits: Tensor


class Layer(nn.Module):
    """Self-attention and a feed-forward network, each added to what it reads.

    Args:
        d_model: length of the vectors.
        n_heads: number of heads; it divides d_model.
        d_ff: width of the feed-forward network.
    """

    def __init__(self, d_model: int, n_heads: int, d_ff: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        # Without bias, as in the paper: a query is exactly x times a matrix.
        self.attention = MultiHeadAttention(d_model, n_heads, bias=False)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(d_model), nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model)
        )

    def forward(self, x: Tensor, mask: Tensor, values_from: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give the layer's output, (batch, n, d_model), and its weights, (batch, heads, n, n)."""
        read = self.norm(x)
        seen, weights = self.attention(read, mask=mask, values_from=values_from)
        x = x + seen  # (batch, n, d_model)
        return x + self.feed_forward(x), weights  # (batch, n, d_model)


class Resolver(nn.Module):
    """Reads a sentence and names, at each position, a word: at a pronoun, what it stands for.

    A weight of the last layer says "this word was looked at" only if the word's own meaning is what
    arrives. After a layer of attention a position holds more than its own word, and the answer can
    arrive from anywhere. Hence `word_values`: the last layer's queries and keys are made from what
    the first layers understood, its values from the words' embeddings alone.

    Args:
        vocabulary_size: number of words, `<pad>` included.
        d_model: length of the vectors.
        n_heads: number of heads; it divides d_model.
        n_layers: number of layers; one is not enough, as the pronoun must learn of the deciding
            word before it can look for the right noun.
        d_ff: width of the feed-forward networks.
        max_words: the longest sentence.
        pad: the word that fills up shorter sentences.
        word_values: whether the last layer's values are made from the words' embeddings.

    Raises:
        ValueError: If a size is not positive, or n_heads does not divide d_model.
    """

    def __init__(  # noqa: PLR0913
        self,
        vocabulary_size: int,
        *,
        d_model: int = 512,
        n_heads: int = 8,
        n_layers: int = 2,
        d_ff: int = 128,
        max_words: int = 32,
        pad: int = 0,
        word_values: bool = True,
    ) -> None:
        super().__init__()
        sizes = {"vocabulary_size": vocabulary_size, "n_layers": n_layers, "d_ff": d_ff}
        for name, size in (sizes | {"max_words": max_words}).items():
            if size < 1:
                raise ValueError(f"{name} is {size}: it must be at least 1")
        self.pad = pad
        self.word_values = word_values
        self.layers = nn.ModuleList(Layer(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.words = nn.Embedding(vocabulary_size, d_model)
        self.positions = nn.Embedding(max_words, d_model)
        self.norm = nn.LayerNorm(d_model)
        # The words' vectors are also the output's: with torch's standard deviation of 1 the first
        # logits would be of the size of sqrt(d_model), far from "I do not know yet".
        for embedding in (self.words, self.positions):
            nn.init.normal_(embedding.weight, std=0.05)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score every word of the vocabulary at every position.

        Args:
            tokens: (batch, n), numbers of words; `pad` fills up shorter sentences.

        Returns:
            Logits, (batch, n, vocabulary).

        Raises:
            ValueError: If tokens does not have two axes, or has more words than max_words.
        """
        words, x, mask = self._embed(tokens)
        for layer in self.layers:
            x, _ = layer(x, mask, self._values_from(layer, words))  # (batch, n, d_model)
        return self._logits(x)  # (batch, n, vocabulary)

    @torch.no_grad()
    def trace(self, tokens: Tensor) -> Trace:
        """Keep everything that attention computes on one sentence.

        Args:
            tokens: (n,), numbers of words.

        Raises:
            ValueError: If tokens does not have one axis, or has more words than max_words.
        """
        if tokens.dim() != 1:
            raise ValueError(
                f"tokens has shape {tuple(tokens.shape)}: it must be (n,), one sentence"
            )
        words, x, mask = self._embed(tokens[None])
        layers = []
        for layer in self.layers:
            read = layer.norm(x)  # (1, n, d_model)
            values_from = self._values_from(layer, words)
            projected = layer.attention.project(read, values_from=values_from)
            x, weights = layer(x, mask, values_from)
            source = read if values_from is None else values_from
            layers.append(LayerTrace(*(t[0] for t in (read, source, *projected, weights))))
        return Trace(layers, self._logits(x)[0])

    def _embed(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mask = padding_mask(tokens, self.pad)  # (batch, 1, 1, n)
        n, longest = tokens.shape[1], self.positions.num_embeddings
        if n > longest:
            raise ValueError(f"tokens has {n} words: there are positions for at most {longest}")
        words = self.words(tokens)  # (batch, n, d_model)
        return words, words + self.positions.weight[:n], mask

    def _values_from(self, layer: nn.Module, words: Tensor) -> Tensor | None:
        return words if self.word_values and layer is self.layers[-1] else None

    def _logits(self, x: Tensor) -> Tensor:
        return self.norm(x) @ self.words.weight.T  # (..., vocabulary)
