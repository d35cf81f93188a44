"""What a chat asks of the Reformer: to read some tokens, and to show what it looked at.

Keys and values go out and come in again, so that a token is read once. That is only right because
buckets are cut by rank: what a token met stays what it met, whatever is said later.
"""

import torch
from torch import Tensor, nn

from companion.attention import causal_mask, join_heads, split_heads
from companion.hashing import nearest_axis, random_rotations
from companion.local import chunk_mask
from companion.lsh import unit
from companion.lsh_masked import MaskedLSHSelfAttention, met_before
from companion.models.chatbot.recipe import LONGEST
from companion.models.graph import Graph
from companion.positional import rotary
from companion.reformer import Reformer
from companion.reformer_layers import LocalSelfAttention

ROUNDS = 4  # the most that can be asked for
ALL_PAIRS = ROUNDS + 1  # asked for instead of a number of rounds
_SEED = 0  # of the rotations, the same for every text


class Reader(nn.Module):
    """A chatbot, one text at a time, with hash rounds as asked for."""

    def __init__(self, model: Reformer) -> None:
        super().__init__()
        self.model = model
        generator = torch.Generator().manual_seed(_SEED)
        for number, block in enumerate(model.stack.blocks):
            layer = block.f
            if isinstance(layer, MaskedLSHSelfAttention):
                drawn = random_rotations(layer.d_k, layer.n_buckets, ROUNDS, generator=generator)
                self.register_buffer(f"rotations_{number}", *drawn)

    def forward(
        self, tokens: Tensor, rounds: Tensor, past_keys: Tensor, past_values: Tensor
    ) -> tuple[Tensor, ...]:
        """Read tokens after those whose keys and values are given.

        Args:
            tokens: (1, n), the new tokens.
            rounds: (1,), the number of hash rounds, 0 to `ROUNDS` (with none, a token meets only
                itself), or `ALL_PAIRS`.
            past_keys: (layers, heads, n_past, d_k), of the tokens before.
            past_values: (layers, heads, n_past, d_k).

        Returns:
            logits: (vocabulary,), what comes next.
            weights: (layers, heads, n_all), how much the last token looks at each.
            keys: (layers, heads, n_all, d_k), of all tokens so far.
            values: (layers, heads, n_all, d_k).
        """
        mean, weights, keys, values = self._read(tokens, rounds, past_keys, past_values)
        return self.model.head(mean[0, -1]), weights, keys, values

    @torch.no_grad()
    def score(self, tokens: Tensor, rounds: int) -> Tensor:
        """Score what comes after each token of a text: (n,), whole numbers, to (n, vocabulary)."""
        mean, *_ = self._read(tokens[None], torch.tensor([rounds]), *self.nothing())
        return self.model.head(mean[0])

    def nothing(self) -> tuple[Tensor, Tensor]:
        """Keys and values of no tokens, (layers, heads, 0, d_k) each."""
        layers, layer = len(self.model.stack.blocks), self.model.stack.blocks[0].f
        empty = torch.zeros(
            layers, layer.n_heads, 0, self.model.words.embedding_dim // layer.n_heads
        )
        return empty, empty

    def _read(
        self, tokens: Tensor, rounds: Tensor, past_keys: Tensor, past_values: Tensor
    ) -> tuple[Tensor, ...]:
        """The mean of both streams, (1, n, d_model), and what `forward` returns but for logits."""
        n, n_past = tokens.shape[1], past_keys.shape[2]
        x = self.model.words(tokens) + self._positions(n_past, n)  # (1, n, d_model)
        x1, x2 = x, x
        weights, keys, values = [], [], []
        for number, block in enumerate(self.model.stack.blocks):
            attend = self._local if isinstance(block.f, LocalSelfAttention) else self._buckets
            looked, key, value = attend(
                number, block.f, x2, rounds, past_keys[number], past_values[number]
            )
            x1 = x1 + block.f.out(join_heads((looked @ value)[None]))
            x2 = x2 + block.g(x1)
            weights.append(looked[:, -1])  # (heads, n_all)
            keys.append(key)
            values.append(value)
        return (x1 + x2) / 2, torch.stack(weights), torch.stack(keys), torch.stack(values)

    def _positions(self, n_past: int, n: int) -> Tensor:
        table = self.model.positions
        position = torch.arange(n_past, n_past + n)
        row = table.row[position // table.n_columns]
        return torch.cat([row, table.column[position % table.n_columns]], dim=-1)  # (n, d_model)

    def _local(
        self,
        number: int,
        layer: LocalSelfAttention,
        x: Tensor,
        rounds: Tensor,
        past_key: Tensor,
        past_value: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (heads, n, n_all), keys and values (heads, n_all, d_k) of local attention."""
        del number, rounds
        n_past, n = past_key.shape[1], x.shape[1]
        position = torch.arange(n_past, n_past + n)
        y = layer.norm(x)
        query, key, value = (
            split_heads(part(y), layer.n_heads)[0] for part in (layer.query, layer.key, layer.value)
        )
        key = torch.cat([past_key, rotary(key, position)], dim=1)  # (heads, n_all, d_k)
        value = torch.cat([past_value, value], dim=1)
        scores = rotary(query, position) @ key.mT / key.shape[-1] ** 0.5
        seen = chunk_mask(n_past + n, layer.chunk)[n_past:]  # (n, n_all)
        return scores.masked_fill(~seen, -torch.inf).softmax(dim=-1), key, value

    def _buckets(
        self,
        number: int,
        layer: MaskedLSHSelfAttention,
        x: Tensor,
        rounds: Tensor,
        past_key: Tensor,
        past_value: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (heads, n, n_all), queries and values (heads, n_all, d_k) of LSH attention."""
        y = layer.norm(x)
        query = split_heads(layer.query_key(y), layer.n_heads)[0]  # (heads, n, d_k)
        value = split_heads(layer.value(y), layer.n_heads)[0]
        whole = torch.cat([past_key, query], dim=1)  # (heads, n_all, d_k)
        value = torch.cat([past_value, value], dim=1)
        scores = query @ unit(whole).mT  # (heads, n, n_all)
        met = self._met(number, layer, whole, x.shape[1], rounds)
        return scores.masked_fill(~met, -torch.inf).softmax(dim=-1), whole, value

    def _met(
        self, number: int, layer: MaskedLSHSelfAttention, whole: Tensor, n: int, rounds: Tensor
    ) -> Tensor:
        """Who meets whom, (heads, n, n_all); for all pairs, everyone whoever came before."""
        rotations = self.get_buffer(f"rotations_{number}")  # (ROUNDS, d_k, n_buckets / 2)
        buckets = nearest_axis(whole[:, None] @ rotations)  # (heads, ROUNDS, n_all)
        met = met_before(buckets, layer.n_buckets, layer.chunk, n, rounds)
        earlier = causal_mask(n, whole.shape[1]).tril(whole.shape[1] - n - 1)
        earlier = earlier | (causal_mask(n, whole.shape[1]) & ~earlier.any(dim=-1, keepdim=True))
        everything = rounds == ALL_PAIRS
        return (everything & earlier) | (~everything & met)


def reader(model: Reformer) -> Graph:
    """Return the graph of a chatbot."""
    chat = Reader(model)
    empty, _ = chat.nothing()
    past = empty.new_zeros(*empty.shape[:2], 3, empty.shape[3])
    return Graph(
        chat,
        {
            "tokens": torch.zeros(1, 5, dtype=torch.int64),
            "rounds": torch.tensor([2]),
            "past_keys": past,
            "past_values": past.clone(),
        },
        {
            "tokens": {1: ("n", 1, LONGEST)},
            "past_keys": {2: ("n_past", 0, LONGEST)},
            "past_values": {2: ("n_past", 0, LONGEST)},
        },
        ("logits", "weights", "keys", "values"),
    )
