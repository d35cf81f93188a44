"""Prune heads: multiply what a head hands over by 0, before W^O, and see what breaks.

Sources: Michel, Levy and Neubig 2019, "Are sixteen heads really better than one?",
https://arxiv.org/abs/1905.10650, heads masked at test time, and pruned greedily (there by an
estimate of their importance, here by what was measured); Voita et al. 2019,
https://arxiv.org/abs/1905.09418, gates of heads.

A *subset* of the heads of two layers is a number: bit 0 is set where head 1 of layer 1 is kept, and
so on through both layers. Explained in chapters/week2-transformers/many-heads.ipynb.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.attention import join_heads, scaled_dot_product_attention
from companion.winograd import Look, Resolver


@dataclass(frozen=True)
class Pruned:
    """What a network of two layers answers with every subset of its heads.

    Attributes:
        odds: (subsets, batch), logit of the right noun minus that of the wrong one.
        first: (batch, heads, n, n), weights of layer 1, which no pruning changes.
        second: (subsets of layer 1, batch, heads, n, n), weights of layer 2; None unless asked for.
    """

    odds: Tensor
    first: Tensor
    second: Tensor | None

    @property
    def accuracy(self) -> Tensor:
        """Share of sentences answered rightly, (subsets,)."""
        return (self.odds > 0).float().mean(dim=1)


@torch.no_grad()
def every_subset(
    model: Resolver, tokens: Tensor, pronoun: Tensor, nouns: Tensor, *, keep_weights: bool = False
) -> Pruned:
    """Answer sentences with every subset of a resolver's heads.

    Layer 1 is run once, and its heads are put together in every way; layer 2 once for each of these.

    Args:
        model: a resolver of two layers that reads in both directions.
        tokens: (batch, n), as for `Resolver.forward`.
        pronoun: (batch,), its position.
        nouns: (batch, 2), positions of the right and of the wrong noun.
        keep_weights: whether to keep the weights of layer 2.

    Raises:
        ValueError: If the model is causal, or does not have two layers.
    """
    if model.causal or len(model.looks) != 2:
        raise ValueError(
            f"model has {len(model.looks)} layers, causal {model.causal}: it must have two layers, "
            "and read in both directions"
        )
    one, two = model.looks
    heads = one.attention.n_heads
    every = torch.arange(len(tokens))
    names = tokens.gather(1, nouns)  # (batch, 2)
    words, x, mask = model._embed(tokens)  # noqa: SLF001
    of_first, first = _mix(one, x, x, mask)  # (batch, heads, n, d_k), (batch, heads, n, n)
    odds, second = [], []
    for gates in subsets(heads):  # (heads,), of layer 1
        y = model._add(0, x, _join(one, of_first, gates))  # noqa: SLF001
        asking = y if keep_weights else y[every, pronoun][:, None]  # (batch, n or 1, d_model)
        of_second, looked = _mix(two, asking, y, mask, words if model.word_values else None)
        if keep_weights:
            second.append(looked)
            asking, of_second = y[every, pronoun][:, None], of_second[every, :, pronoun][:, :, None]
        gated = _join(
            two, of_second, subsets(heads)[:, None]
        )  # (subsets of layer 2, batch, 1, d_model)
        logits = model._answer(asking, gated)[:, :, 0]  # noqa: SLF001
        right, wrong = logits.gather(2, names.expand(len(logits), -1, -1)).unbind(dim=2)
        odds.append(right - wrong)  # (subsets of layer 2, batch)
    # Subsets of layer 1 are the lower bits: they run fastest.
    odds = torch.stack(odds, dim=1).flatten(end_dim=1)  # (subsets, batch)
    return Pruned(odds, first, torch.stack(second) if keep_weights else None)


def subsets(heads: int) -> Tensor:
    """Every subset of some heads, (2**heads, heads): 1 where a head is kept, 0 where it is not."""
    return (torch.arange(2**heads)[:, None] >> torch.arange(heads) & 1).float()


def single(accuracy: Tensor) -> Tensor:
    """Accuracy with all heads but one, (heads,), from that of every subset."""
    everything = len(accuracy) - 1
    heads = len(accuracy).bit_length() - 1
    return accuracy[[everything ^ (1 << head) for head in range(heads)]]


def greedy(accuracy: Tensor) -> list[int]:
    """Prune, one after the other, the head without which the accuracy stays highest.

    Args:
        accuracy: (2**heads,), of every subset.

    Returns:
        The heads in this order, number 0 being head 1 of layer 1; of equals, the first.
    """
    kept, order = len(accuracy) - 1, []
    while kept:
        left = [head for head in range(kept.bit_length()) if kept >> head & 1]
        order.append(max(left, key=lambda head: accuracy[kept ^ (1 << head)].item()))
        kept ^= 1 << order[-1]
    return order


def best(accuracy: Tensor) -> list[tuple[int, float]]:
    """The best subset of each size from 0 on, and its accuracy; of equals, the smallest number."""
    found = range(len(accuracy))
    sizes = range(len(accuracy).bit_length())
    tops = [max((s for s in found if s.bit_count() == n), key=accuracy.__getitem__) for n in sizes]
    return [(top, accuracy[top].item()) for top in tops]


def _mix(
    look: Look, asking: Tensor, x: Tensor, mask: Tensor, values_from: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What each head of a layer hands over, before W^O, and its weights."""
    projected = look.attention.project(look.norm(asking), look.norm(x), values_from)
    return scaled_dot_product_attention(*projected, mask)


def _join(look: Look, mixed: Tensor, gates: Tensor) -> Tensor:
    """Concatenate heads (batch, heads, n, d_k), each times its gate (..., heads), and apply W^O."""
    gated = mixed * gates[..., None, None]  # (..., batch, heads, n, d_k)
    joined = join_heads(gated.flatten(end_dim=-4)).unflatten(0, gated.shape[:-3])
    return look.attention.output(joined)  # (..., batch, n, d_model)
