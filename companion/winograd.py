"""A small encoder that finds out what a pronoun stands for, and shows where it looked.

The task is that of Levesque, Davis and Morgenstern 2012, "The Winograd Schema Challenge" (KR); the
layers are those of Vaswani et al. 2017, "Attention Is All You Need",
https://arxiv.org/abs/1706.03762, with the normalization before each sublayer (Xiong et al. 2020,
https://arxiv.org/abs/2002.04745). Unless the model is `causal`, no mask hides what comes later: in
the sentence of the notes, the word that decides comes after the pronoun.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from companion.attention import MultiHeadAttention, causal_mask, padding_mask
from companion.checks import at_least_one


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


class Look(nn.Module):
    """Normalizes vectors of length d_model, and lets each look at all, with n_heads heads."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        # Without bias, as in the paper: a query is exactly x times a matrix.
        self.attention = MultiHeadAttention(d_model, n_heads, bias=False)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, values_from: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Give what each of x (batch, n_q, d_model) sees in memory, and the weights."""
        return self.attention(self.norm(x), self.norm(memory), mask, values_from=values_from)


class Resolver(nn.Module):
    """Reads a sentence and names, at each position, a word: at a pronoun, what it stands for.

    With `word_values`, the last layer's queries and keys are made from what the sentence means so
    far, but its values from the words' embeddings alone: after a layer of attention any position
    may hold the answer, and a weight would not say which word it came from.

    Without `residual`, what the last layer saw is all that the answer is made from: nothing goes
    around it, and dropout hides most of it in training, so that no few heads can answer for the
    others. So a wide model learns where to look in few steps.

    Args:
        vocabulary_size: number of words, `<pad>` included.
        d_model: length of the vectors.
        n_heads: number of heads; it divides d_model.
        n_layers: number of layers; one is too few, as a pronoun must hear of the deciding word
            before it can look for the right noun.
        d_ff: width of the feed-forward networks.
        dropout: share of what the last layer saw that is hidden in training.
        max_words: the longest sentence.
        pad: the word that fills up shorter sentences.
        word_values: whether the last layer's values are made from the words' embeddings.
        residual: whether the last layer adds to what was there, and has a feed-forward network
            after it, as every other layer.
        causal: whether each word looks only at itself and at what comes before it.

    Raises:
        ValueError: If a size is not positive, n_heads does not divide d_model, or dropout is not
            from 0 to 1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        d_ff: int = 128,
        dropout: float = 0.0,
        max_words: int = 32,
        pad: int = 0,
        word_values: bool = True,
        residual: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        at_least_one(
            vocabulary_size=vocabulary_size, n_layers=n_layers, d_ff=d_ff, max_words=max_words
        )
        self.pad, self.causal = pad, causal
        self.word_values, self.residual = word_values, residual
        self.looks = nn.ModuleList(Look(d_model, n_heads) for _ in range(n_layers))
        forwards = n_layers if residual else n_layers - 1
        self.feed_forwards = nn.ModuleList(_feed_forward(d_model, d_ff) for _ in range(forwards))
        self.words = nn.Embedding(vocabulary_size, d_model)
        self.positions = nn.Embedding(max_words, d_model)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(d_model)
        self._start()

    def _start(self) -> None:
        # Small beside what attention adds to them: so a pronoun soon hears of the other words. (And
        # the words' vectors are also the output's: larger ones would begin with wild guesses.)
        std = 0.05 if self.residual else 0.025
        nn.init.normal_(self.words.weight, std=std)
        nn.init.normal_(self.positions.weight, std=std)
        if self.residual:
            return
        # A head that begins by handing on its share of the word it looks at has only to learn where
        # to look.
        for look in self.looks:
            nn.init.eye_(look.attention.value.weight)
            nn.init.eye_(look.attention.output.weight)

    def forward(self, tokens: Tensor, at: Tensor | None = None) -> Tensor:
        """Score every word of the vocabulary at every position, or at some of each sentence.

        Args:
            tokens: (batch, n), numbers of words; `pad` fills up shorter sentences.
            at: (batch, k), the positions to answer for, which is less work; None means all.

        Returns:
            Logits, (batch, n, vocabulary), or (batch, k, vocabulary) with `at`.

        Raises:
            ValueError: If tokens does not have two axes, or has more words than max_words.
        """
        words, x, mask = self._embed(tokens)
        for number, look in enumerate(self.looks[:-1]):
            x = self._add(number, x, look(x, x, mask)[0])  # (batch, n, d_model)
        asking = x
        if at is not None:
            sentence = torch.arange(len(x))[:, None]  # (batch, 1)
            asking = x[sentence, at]  # (batch, k, d_model)
            if self.causal:
                mask = mask[sentence, :, at].transpose(1, 2)  # (batch, 1, k, n)
        seen, _ = self.looks[-1](asking, x, mask, words if self.word_values else None)
        return self._answer(asking, seen)  # (batch, n or k, vocabulary)

    def logits_and_weights(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Score as `forward` does, and give the weights of all layers and heads.

        Args:
            tokens: (batch, n), as for `forward`.

        Returns:
            Logits, (batch, n, vocabulary), and weights, (batch, layers, heads, n, n).
        """
        words, x, mask = self._embed(tokens)
        weights = []
        for number, look in enumerate(self.looks):
            last = number == len(self.looks) - 1
            seen, looked = look(x, x, mask, words if last and self.word_values else None)
            weights.append(looked)
            x = self._answer(x, seen) if last else self._add(number, x, seen)
        return x, torch.stack(weights, dim=1)

    @torch.no_grad()
    def trace(self, tokens: Tensor) -> Trace:
        """Keep what attention computes on one sentence, without dropout.

        Args:
            tokens: (n,), numbers of words.

        Raises:
            ValueError: If tokens does not have one axis, or has more words than max_words.
        """
        if tokens.dim() != 1:
            raise ValueError(f"tokens has shape {tuple(tokens.shape)}: it must be (n,)")
        was_training = self.training
        self.eval()
        words, x, mask = self._embed(tokens[None])
        layers = []
        for number, look in enumerate(self.looks):
            last = number == len(self.looks) - 1
            read = look.norm(x)  # (1, n, d_model)
            source = words if last and self.word_values else None
            projected = look.attention.project(read, values_from=source)
            seen, weights = look.attention(read, mask=mask, values_from=source)
            source = read if source is None else source
            layers.append(LayerTrace(*(t[0] for t in (read, source, *projected, weights))))
            x = self._answer(x, seen) if last else self._add(number, x, seen)
        self.train(was_training)
        return Trace(layers, x[0])

    def _embed(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mask = padding_mask(tokens, self.pad)  # (batch, 1, 1, n)
        n, longest = tokens.shape[1], self.positions.num_embeddings
        if n > longest:
            raise ValueError(f"tokens has {n} words: it must have at most {longest}")
        if self.causal:
            mask = mask & causal_mask(n)  # (batch, 1, n, n)
        words = self.words(tokens)  # (batch, n, d_model)
        return words, words + self.positions.weight[:n], mask

    def _add(self, number: int, x: Tensor, seen: Tensor) -> Tensor:
        x = x + seen
        return x + self.feed_forwards[number](x)  # (batch, n, d_model)

    def _answer(self, x: Tensor, seen: Tensor) -> Tensor:
        seen = self.dropout(seen)
        if self.residual:
            seen = self._add(len(self.looks) - 1, x, seen)
        return self.norm(seen) @ self.words.weight.T  # (..., vocabulary)


def _feed_forward(d_model: int, d_ff: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(d_model), nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model)
    )
