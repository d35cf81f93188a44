"""One attention layer that has to look a fixed distance back, told its positions in one of five ways.

The task needs positions and nothing else: at every place, name the token `BACK` places before. A model
that has found out how to do it at one length can be asked at another. Explained in
chapters/week2-transformers/where-am-i.ipynb.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.attention import MultiHeadAttention, attention_scores, join_heads
from companion.positional import relative_positions, rotary, sinusoidal

ENCODINGS = ("none", "sinusoidal", "learned", "relative", "rotary")
BACK = 3
N_TOKENS = 16
_CLIP = 8  # the relative distances told apart, on each side


class LookingBack(nn.Module):
    """One layer of self-attention, without a mask, between an embedding and a linear layer.

    Args:
        encoding: One of `ENCODINGS`: how the layer is told where each token stands.
        longest: How many rows the table of learned positions has.
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.

    Raises:
        ValueError: If encoding is unknown.
    """

    def __init__(
        self, encoding: str, *, longest: int = 96, d_model: int = 32, n_heads: int = 2
    ) -> None:
        super().__init__()
        if encoding not in ENCODINGS:
            raise ValueError(f"encoding is {encoding!r}: it must be one of {', '.join(ENCODINGS)}")
        self.encoding = encoding
        self.embed = nn.Embedding(N_TOKENS, d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.name = nn.Linear(d_model, N_TOKENS)
        if encoding == "learned":
            self.table = nn.Embedding(longest, d_model)
        if encoding == "relative":
            self.distance = nn.Embedding(2 * _CLIP + 1, d_model // n_heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """Name the token `BACK` places before each token.

        Args:
            tokens: (batch, n), whole numbers below `N_TOKENS`.

        Returns:
            Scores of the tokens, (batch, n, N_TOKENS).
        """
        n = tokens.shape[1]
        x = self.embed(tokens)  # (batch, n, d_model)
        if self.encoding == "sinusoidal":
            x = x + sinusoidal(n, x.shape[-1])  # (batch, n, d_model)
        if self.encoding == "learned":
            x = x + self.table(torch.arange(n))  # (batch, n, d_model)
        query, key, value = self.attention.project(x)  # (batch, heads, n, d_k) each
        if self.encoding == "rotary":
            query, key = rotary(query), rotary(key)
        scores = attention_scores(query, key)  # (batch, heads, n, n)
        if self.encoding == "relative":
            scores = scores + self._of_distance(query)
        mixed = join_heads(scores.softmax(dim=-1) @ value)  # (batch, n, d_model)
        return self.name(self.attention.output(mixed))  # (batch, n, N_TOKENS)

    def _of_distance(self, query: Tensor) -> Tensor:
        """Score each distance by a learned vector (Shaw et al. 2018, equation 4, second term)."""
        n, d_k = query.shape[-2:]
        scores = query @ self.distance.weight.T / d_k**0.5  # (batch, heads, n, distances)
        numbers = relative_positions(n, n, _CLIP)  # (n, n)
        return scores.gather(-1, numbers.expand(*scores.shape[:-1], n))  # (batch, heads, n, n)


def train(
    encoding: str, *, n: int = 24, steps: int = 300, batch: int = 16, seed: int = 0
) -> LookingBack:
    """Train a `LookingBack` on random tokens, n at a time.

    Args:
        encoding: One of `ENCODINGS`.
        n: Length of the sequences.
        steps: Number of steps of Adam.
        batch: Number of sequences in a step.
        seed: Of the weights and of the sequences.

    Returns:
        The trained model.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LookingBack(encoding)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(steps):
            tokens = torch.randint(N_TOKENS, (batch, n))  # (batch, n)
            guesses = model(tokens)[:, BACK:]  # (batch, n - BACK, N_TOKENS)
            loss = functional.cross_entropy(guesses.flatten(0, 1), tokens[:, :-BACK].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def right(model: LookingBack, n: int, *, batch: int = 32, seed: int = 1) -> Tensor:
    """Tell, for each place, how often the model names the token `BACK` places before it.

    Args:
        model: What `train` returned.
        n: Length of the sequences, which may differ from that in training.
        batch: Number of sequences.
        seed: Of the sequences.

    Returns:
        (n - BACK,), between 0 and 1; the first is that of position `BACK`.
    """
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(N_TOKENS, (batch, n), generator=generator)  # (batch, n)
    named = model(tokens)[:, BACK:].argmax(dim=-1)  # (batch, n - BACK)
    return (named == tokens[:, :-BACK]).float().mean(dim=0)  # (n - BACK,)
