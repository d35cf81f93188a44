"""BERT: a Transformer encoder that reads a text in both directions, and small heads that use it.

In shapes, `n` is the number of tokens. Masks are boolean, True where a token may be looked at, as in
`companion.attention`. With the same weights the outputs are those of the library transformers.

Source: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", https://arxiv.org/abs/1810.04805, section 3 and appendix A.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.checks import at_least_one
from companion.transformer import EncoderLayer, LayerNorm


class Bert(nn.Module):
    """The encoder: a vector for each token, made in view of all the others.

    A token's first vector is the sum of three learned ones, for the token, its position, and the
    segment it stands in; then come layers of attention and feed-forward network, post-norm.

    Args:
        n_tokens: How many different tokens there are.
        d_model: Length of the vectors; 768 in BERT-base.
        n_heads: Number of heads; it divides d_model; 12 in BERT-base.
        n_layers: Number of layers; 12 in BERT-base.
        d_ff: Width of the feed-forward networks; 3,072 in BERT-base.
        dropout: Share of the sums and of each sublayer's output that is hidden in training.
        longest: Most tokens of a text, as there is a learned vector for each position.

    Raises:
        ValueError: If a size is not positive, or n_heads does not divide d_model.

    Source: Devlin et al. 2019, section 3, figure 2.
    """

    def __init__(
        self,
        n_tokens: int,
        *,
        d_model: int = 128,
        n_heads: int = 4,
        n_layers: int = 4,
        d_ff: int = 512,
        dropout: float = 0.0,
        longest: int = 512,
    ) -> None:
        super().__init__()
        at_least_one(n_tokens=n_tokens, n_layers=n_layers, longest=longest)
        self.words = nn.Embedding(n_tokens, d_model)
        self.positions = nn.Embedding(longest, d_model)
        self.segments = nn.Embedding(2, d_model)
        self.norm = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(
                d_model, n_heads, d_ff, pre_norm=False, dropout=dropout, activation=functional.gelu
            )
            for _ in range(n_layers)
        )
        self.pooler = nn.Linear(d_model, d_model)
        self.apply(_begin)

    def embed(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """Add up the vectors of token, position and segment: (batch, n) to (batch, n, d_model).

        Raises:
            ValueError: If there are more tokens than positions.
        """
        n, longest = tokens.shape[1], self.positions.num_embeddings
        if n > longest:
            raise ValueError(f"tokens: there are {n}; there are positions for {longest}")
        if segments is None:
            segments = torch.zeros_like(tokens)
        places = self.positions.weight[:n]  # (n, d_model)
        summed = self.words(tokens) + places + self.segments(segments)  # (batch, n, d_model)
        return self.dropout(self.norm(summed))

    def forward(
        self, tokens: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Read texts.

        Args:
            tokens: (batch, n), whole numbers.
            segments: (batch, n), 0 in the first segment and 1 in the second; by default all 0.
            mask: Boolean, broadcastable to (batch, heads, n, n), such as (batch, 1, 1, n) from
                `companion.attention.padding_mask`; by default all may be looked at.

        Returns:
            (batch, n, d_model).

        Raises:
            ValueError: If there are more tokens than positions.
        """
        x = self.embed(tokens, segments)
        for layer in self.layers:
            x = layer(x, mask)  # (batch, n, d_model)
        return x

    def pool(self, states: Tensor) -> Tensor:
        """One vector for a text: tanh(W h + b) of the first token's, (batch, n, d_model) to (batch, d_model)."""
        return torch.tanh(self.pooler(states[:, 0]))


class WordHead(nn.Module):
    """Scores each token of the vocabulary at each position: the head of the masked language model.

    Args:
        bert: The encoder, whose table of words scores them too.

    Source: Devlin et al. 2019, section 3.1, "Masked LM"; the layer in between is in the authors' code.
    """

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        n_tokens, d_model = bert.words.weight.shape
        self.words = bert.words
        self.dense = nn.Linear(d_model, d_model)
        self.norm = LayerNorm(d_model)
        self.bias = nn.Parameter(torch.zeros(n_tokens))
        _begin(self.dense)

    def forward(self, states: Tensor) -> Tensor:
        """Turn vectors, (..., d_model), into logits, (..., n_tokens)."""
        changed = self.norm(functional.gelu(self.dense(states)))  # (..., d_model)
        return functional.linear(changed, self.words.weight, self.bias)


class Pretraining(nn.Module):
    """An encoder with the two heads that it is pretrained with: masked words, and next sentence.

    Args:
        bert: The encoder.

    Source: Devlin et al. 2019, section 3.1.
    """

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert
        self.word_head = WordHead(bert)
        self.next_head = nn.Linear(bert.words.embedding_dim, 2)
        _begin(self.next_head)


class Classifier(nn.Module):
    """An encoder that sorts texts into classes, by the vector of [CLS].

    Args:
        bert: The encoder.
        n_classes: How many classes there are.
        dropout: Share of the pooled vector that is hidden in training.

    Source: Devlin et al. 2019, section 4.1.
    """

    def __init__(self, bert: Bert, n_classes: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        at_least_one(n_classes=n_classes)
        self.bert = bert
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(bert.words.embedding_dim, n_classes)
        _begin(self.head)

    def forward(
        self, tokens: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Score each class of each text, (batch, n_classes). Arguments as for `Bert`."""
        pooled = self.bert.pool(self.bert(tokens, segments, mask))  # (batch, d_model)
        return self.head(self.dropout(pooled))


class SpanReader(nn.Module):
    """An encoder that finds where in a text an answer begins and where it ends.

    Args:
        bert: The encoder.

    Source: Devlin et al. 2019, sections 4.2 and 4.3.
    """

    def __init__(self, bert: Bert) -> None:
        super().__init__()
        self.bert = bert
        self.head = nn.Linear(bert.words.embedding_dim, 2)
        _begin(self.head)

    def forward(
        self, tokens: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Score each token as the first and as the last of the answer: (batch, n) each."""
        start, end = self.head(self.bert(tokens, segments, mask)).unbind(dim=-1)
        return start, end


def _begin(module: nn.Module) -> None:
    """Small random weights, no bias: the authors' code draws them with a standard deviation of .02."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
