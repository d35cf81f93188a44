"""Attention in buckets as all pairs under a mask: the same numbers, the faster way for short texts.

A position must not look at the bucket of one that comes later, so this is `companion.lsh` with
causal attention and every bucket cut for itself: where a token falls then depends on nothing that
comes after it, and what was computed of a text stays true when the text goes on.

In shapes, `length` is the number of positions, `new` that of the last ones, which are asked about,
`d_k` and `d_v` are the lengths of a key and of a value, and `...` is any number of axes in front
(batch, heads).

Source: Kitaev et al. 2020, "Reformer", section 2, https://arxiv.org/abs/2001.04451.
"""

import functools
import operator

import torch
from torch import Tensor
from torch.nn import functional

from companion.hashing import angular_hash
from companion.lsh import unit
from companion.reformer_layers import LSHSelfAttention


def met_before(
    buckets: Tensor, n_buckets: int, chunk: int, new: int, rounds: Tensor | int | None = None
) -> Tensor:
    """Tell which earlier positions the last ones meet, in any hash round.

    A position meets another if both are in one bucket, and there in one chunk or in neighbouring
    ones (`companion.lsh.cut_buckets`).

    Args:
        buckets: (..., rounds, length), whole numbers from 0 to n_buckets - 1.
        n_buckets: How many buckets there are.
        chunk: Positions in a chunk.
        new: How many of the last positions to tell of.
        rounds: How many of the rounds count, from 0; by default all.

    Returns:
        Boolean, (..., new, length), True where a position (row) meets an earlier one (column); a
        position that meets none meets itself.
    """
    inside = functional.one_hot(buckets, n_buckets)  # (..., rounds, length, n_buckets)
    rank = inside.cumsum(dim=-2).gather(-1, buckets[..., None])[..., 0] - 1
    # A gap between buckets; numbers of 32 bits, as comparing them is most of the work.
    place = (buckets * (buckets.shape[-1] + 2) + rank // chunk).int()  # (..., rounds, length)
    rounds = buckets.shape[-2] if rounds is None else rounds
    near = functools.reduce(
        operator.or_,
        (_near(each, new) & (number < rounds) for number, each in enumerate(place.unbind(dim=-2))),
    )  # (..., new, length)
    position = torch.arange(buckets.shape[-1], device=buckets.device)
    row = position[-new:, None]  # (new, 1)
    met = near & (position < row)  # (..., new, length)
    alone = ~met.any(dim=-1, keepdim=True)  # (..., new, 1)
    return met | (alone & (position == row))


def _near(place: Tensor, new: int) -> Tensor:
    """Tell of the last positions which ones are in the same chunk or in the one before, in one round.

    (..., length) to (..., new, length).
    """
    own, other = place[..., -new:, None], place[..., None, :]
    return (own == other) | (own == other + 1)


def masked_lsh_attention(query: Tensor, value: Tensor, met: Tensor) -> Tensor:
    """Attend, shared QK, to what is met.

    Args:
        query: (..., length, d_k); the keys are these at length 1.
        value: (..., length, d_v).
        met: (..., new, length), from `met_before`.

    Returns:
        The output of the last positions, (..., new, d_v).
    """
    asking = query[..., -met.shape[-2] :, :]  # (..., new, d_k)
    return functional.scaled_dot_product_attention(
        asking, unit(query), value, attn_mask=met, scale=1.0
    )


class MaskedLSHSelfAttention(LSHSelfAttention):
    """`LSHSelfAttention`, causal and cut by bucket, as all pairs under a mask.

    Args:
        d_model: Length of the vectors.
        n_heads: Number of heads; it divides d_model.
        n_buckets: Even; the same for every length, so that a text can go on.
        chunk: Positions in a chunk.
        rounds: Number of hash rounds.

    Raises:
        ValueError: As for `LSHSelfAttention`, and if n_buckets is None.
    """

    def __init__(
        self, d_model: int, n_heads: int, *, n_buckets: int | None, chunk: int = 64, rounds: int = 1
    ) -> None:
        if n_buckets is None:
            raise ValueError("n_buckets is None; attention under a mask needs an even number")
        super().__init__(
            d_model, n_heads, chunk=chunk, rounds=rounds, n_buckets=n_buckets, cut="bucket"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (..., length, d_model) to (..., length, d_model)."""
        return self._attend(x, self._meet(x))

    @torch.no_grad()
    def add(self, stream: Tensor, x: Tensor) -> tuple[Tensor]:
        """Add f(x) to stream; returns who meets whom, (..., n_heads, length, length)."""
        met = self._meet(x)
        stream.add_(self._attend(x, met))
        return (met,)

    @torch.no_grad()
    def undo(
        self,
        stream: Tensor,
        x: Tensor,
        memo: tuple[Tensor],
        grad_stream: Tensor,
        grad_x: Tensor,
    ) -> list[Tensor | None]:
        """Subtract f(x) from stream and add what grad_stream gives grad_x, in the same buckets."""
        parameters = [p for p in self.parameters() if p.requires_grad]
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            update = self._attend(leaf, *memo)
        stream.sub_(update.detach())
        of_x, *gradients = torch.autograd.grad(update, [leaf, *parameters], grad_stream)
        grad_x.add_(of_x)
        found = dict(zip(parameters, gradients, strict=True))
        return [found.get(p) for p in self.parameters()]

    @torch.no_grad()
    def _meet(self, x: Tensor) -> Tensor:
        query = self._split(self.query_key(self.norm(x)))  # (..., n_heads, length, d_k)
        buckets = angular_hash(query, self._rotations(query))  # (..., n_heads, rounds, length)
        return met_before(buckets.long(), self.n_buckets, self.chunk, x.shape[-2])

    def _attend(self, x: Tensor, met: Tensor) -> Tensor:
        y = self.norm(x)
        query, value = self._split(self.query_key(y)), self._split(self.value(y))
        heads = masked_lsh_attention(query, value, met)  # (..., n_heads, length, d_k)
        return self.out(heads.transpose(-2, -3).flatten(-2))
