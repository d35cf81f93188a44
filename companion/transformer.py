"""The Transformer: blocks of attention and feed-forward network, stacked into encoder and decoder.

The names are those of the paper: Vaswani et al. 2017, "Attention Is All You Need",
https://arxiv.org/abs/1706.03762, section 3. In shapes, `n` is the number of positions of the sequence
at hand, `n_memory` that of the sequence that the decoder looks at. Masks are boolean, True where a
position may be looked at, as in `companion.attention`.

Each sublayer is wrapped in one of two ways: *post-norm*, norm(x + sublayer(x)), as in the paper; or
*pre-norm*, x + sublayer(norm(x)), as in most models since (Xiong et al. 2020,
https://arxiv.org/abs/2002.04745).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from companion.attention import MultiHeadAttention, causal_mask
from companion.checks import at_least_one


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Give each vector mean 0 and standard deviation 1, then a learned gain and bias.

    Args:
        x: (..., d_model).
        gain: (d_model,).
        bias: (d_model,).
        eps: Keeps a vector of equal numbers from being divided by 0.

    Returns:
        (..., d_model).

    Source: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450, section 3.
    """
    mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)  # (..., 1)
    return (x - mean) / torch.sqrt(variance + eps) * gain + bias


class LayerNorm(nn.Module):
    """`layer_norm` with a gain that begins at 1 and a bias that begins at 0, both (d_model,)."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        at_least_one(d_model=d_model)
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each vector of x, (..., d_model)."""
        return layer_norm(x, self.weight, self.bias, self.eps)


class FeedForward(nn.Module):
    """The same small network at every position: W_2 max(0, W_1 x + b_1) + b_2.

    Args:
        d_model: Length of the vectors that come in and go out.
        d_ff: Length in between; 4 d_model in the paper.
        dropout: Share of the numbers in between that is hidden in training.
        activation: What stands for max(0, ·); BERT takes GELU.

    Raises:
        ValueError: If a size is not positive, or dropout not from 0 to 1.

    Source: Vaswani et al. 2017, section 3.3, equation 2.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        *,
        dropout: float = 0.0,
        activation: Callable[[Tensor], Tensor] = torch.relu,
    ) -> None:
        super().__init__()
        at_least_one(d_model=d_model, d_ff=d_ff)
        self.widen = nn.Linear(d_model, d_ff)
        self.narrow = nn.Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Send each vector of x, (..., d_model), through the network."""
        hidden = self.activation(self.widen(x))  # (..., d_ff)
        return self.narrow(self.dropout(hidden))  # (..., d_model)


class Residual(nn.Module):
    """The way around a sublayer, and the normalization on or beside it.

    Args:
        d_model: Length of the vectors.
        pre_norm: x + sublayer(norm(x)) if True, norm(x + sublayer(x)) if False.
        dropout: Share of the sublayer's output that is hidden in training.

    Source: Vaswani et al. 2017, sections 3.1 and 5.4; He et al. 2016, https://arxiv.org/abs/1512.03385.
    """

    def __init__(self, d_model: int, *, pre_norm: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.pre_norm = pre_norm
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """Add to x, (..., d_model), what the sublayer makes of it."""
        if self.pre_norm:
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class EncoderLayer(nn.Module):
    """Two sublayers: every position looks at all, then thinks about what it saw.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        d_ff: Width of the feed-forward network.
        pre_norm: As for `Residual`.
        dropout: As for `Residual` and `FeedForward`.
        activation: As for `FeedForward`.

    Source: Vaswani et al. 2017, section 3.1, "Encoder".
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        pre_norm: bool = True,
        dropout: float = 0.0,
        activation: Callable[[Tensor], Tensor] = torch.relu,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff, dropout=dropout, activation=activation)
        self.around_attention = Residual(d_model, pre_norm=pre_norm, dropout=dropout)
        self.around_feed_forward = Residual(d_model, pre_norm=pre_norm, dropout=dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Take x, (batch, n, d_model), one layer up.

        Args:
            x: (batch, n, d_model).
            mask: Boolean, broadcastable to (batch, heads, n, n).
        """
        x = self.around_attention(x, lambda y: self.attention(y, mask=mask)[0])
        return self.around_feed_forward(x, self.feed_forward)  # (batch, n, d_model)


class DecoderLayer(nn.Module):
    """Three sublayers: a position looks back, then at the memory, then thinks.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        d_ff: Width of the feed-forward network.
        pre_norm: As for `Residual`.
        dropout: As for `Residual` and `FeedForward`.

    Source: Vaswani et al. 2017, section 3.1, "Decoder".
    """

    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, *, pre_norm: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff, dropout=dropout)
        self.around_attention = Residual(d_model, pre_norm=pre_norm, dropout=dropout)
        self.around_cross_attention = Residual(d_model, pre_norm=pre_norm, dropout=dropout)
        self.around_feed_forward = Residual(d_model, pre_norm=pre_norm, dropout=dropout)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Take x, (batch, n, d_model), one layer up.

        Args:
            x: (batch, n, d_model), the target so far.
            memory: (batch, n_memory, d_model), the encoder's output: keys and values of every layer.
            mask: Boolean, broadcastable to (batch, heads, n, n): the causal mask, and padding.
            memory_mask: Boolean, broadcastable to (batch, heads, n, n_memory).
        """
        x = self.around_attention(x, lambda y: self.attention(y, mask=mask)[0])
        x = self.around_cross_attention(
            x, lambda y: self.cross_attention(y, memory, memory_mask)[0]
        )
        return self.around_feed_forward(x, self.feed_forward)  # (batch, n, d_model)


class Transformer(nn.Module):
    """Encoder and decoder, from vectors to vectors; embeddings and output layer are the caller's.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        n_layers: Number of layers of the encoder, and of the decoder.
        d_ff: Width of the feed-forward networks.
        pre_norm: As for `Residual`.
        final_norm: Whether each stack ends in one more normalization; by default if pre_norm, as
            otherwise nothing would keep the sums in bounds. (`torch.nn.Transformer` always has it.)
        dropout: As for `Residual` and `FeedForward`.

    Raises:
        ValueError: If a size is not positive, or n_heads does not divide d_model.

    Source: Vaswani et al. 2017, figure 1.
    """

    def __init__(
        self,
        d_model: int = 512,
        n_heads: int = 8,
        n_layers: int = 6,
        d_ff: int = 2048,
        *,
        pre_norm: bool = False,
        final_norm: bool | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        at_least_one(n_layers=n_layers)
        options = {"pre_norm": pre_norm, "dropout": dropout}
        ends = pre_norm if final_norm is None else final_norm
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, **options) for _ in range(n_layers)
        )
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff, **options) for _ in range(n_layers)
        )
        self.encoder_norm = LayerNorm(d_model) if ends else nn.Identity()
        self.decoder_norm = LayerNorm(d_model) if ends else nn.Identity()

    def encode(self, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """Read the source, (batch, n_memory, d_model), and return the memory, of the same shape.

        Args:
            source: (batch, n_memory, d_model), embeddings with positions.
            mask: Boolean, broadcastable to (batch, heads, n_memory, n_memory): padding.
        """
        x = source
        for layer in self.encoder_layers:
            x = layer(x, mask)  # (batch, n_memory, d_model)
        return self.encoder_norm(x)

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
    ) -> Tensor:
        """Give the vector that predicts what comes after each position of the target.

        Args:
            target: (batch, n, d_model), embeddings with positions of the target so far.
            memory: (batch, n_memory, d_model), from `encode`.
            memory_mask: Boolean, broadcastable to (batch, heads, n, n_memory): padding.
            target_mask: Boolean, broadcastable to (batch, heads, n, n): padding of the target; the
                causal mask is added to it.

        Returns:
            (batch, n, d_model).
        """
        mask = causal_mask(target.shape[1])  # (n, n)
        if target_mask is not None:
            mask = mask & target_mask
        x = target
        for layer in self.decoder_layers:
            x = layer(x, memory, mask, memory_mask)  # (batch, n, d_model)
        return self.decoder_norm(x)

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Read the source, and predict each next position of the target at once.

        Args:
            source: (batch, n_memory, d_model).
            target: (batch, n, d_model), the target that is to be predicted, one position late.
            source_mask: Boolean, broadcastable to (batch, heads, 1, n_memory): padding.

        Returns:
            (batch, n, d_model).
        """
        return self.decode(target, self.encode(source, source_mask), source_mask)
