"""The attention that is compared: for each implementation the same work, and what differs.

All: batch 1, 8 heads of 64, chunks of 64, causal, fp32, inputs of the same seed that need gradients,
length / 64 buckets, hashing and the drawing of rotations included, projections and dropout not.

| | score | itself | a key met in several rounds | first chunk looks back |
|---|---|---|---|---|
| ours | q·k̂ | if nothing else | counts once: exact | to nothing |
| ours, no correction | q·k̂ | if nothing else | counts in each | to nothing |
| ours, causal buckets | q·k̂ | if nothing else | counts once: exact | to nothing; buckets cut for themselves |
| lucidrains | q·k̂ / √d | −5e4 | counts in each | to the last chunk, of another round |
| transformers | q·k̂ | −1e5 | counts in each | to the last chunk, of another round |
| sdpa | q·k / √d | yes | – | all earlier keys, separate k |

lucidrains' `LSHAttention` takes heads as sequences of a batch, and hashes all of them with the same rotations.
It has a switch, `allow_duplicate_attention=False`, that is meant to count keys once; it is off by default,
off here, and tried in `peers_defects.py`. transformers' `LSHSelfAttention` projects its input first: here its
two projections are replaced by modules that hand over q and v, so that neither their time nor their memory
counts. It hashes in factors, as ours does, above 64 buckets.
"""

from collections.abc import Callable
from importlib import import_module  # a process imports the one peer that it measures

import torch
from fresh import Pass
from torch import Tensor, nn
from torch.nn import functional

from companion.attention import causal_mask, scaled_dot_product_attention
from companion.hashing import angular_hash, bucket_factors, random_rotations
from companion.local import local_attention
from companion.lsh_fast import lsh_attention

HEADS, D_K, CHUNK, D_MODEL = 8, 64, 64, 512

Attend = Callable[[], Tensor]


def inputs(length: int, count: int) -> list[Tensor]:
    """Some tensors (1, HEADS, length, D_K) of standard normal numbers that need gradients."""
    torch.manual_seed(0)
    return [torch.randn(1, HEADS, length, D_K).requires_grad_() for _ in range(count)]


def as_pass(attend: Attend, *given: Tensor) -> Pass:
    """A forward and backward pass with a random gradient, laid out as the output is."""
    with torch.no_grad():
        gradient = torch.randn_like(given[0])
    return Pass(lambda: (attend(),), (gradient,), given)


def ours(length: int, rounds: int, **options: object) -> Pass:
    """`companion.lsh_fast`."""
    query, value = inputs(length, 2)

    def attend() -> Tensor:
        rotations = random_rotations(D_K, bucket_factors(length // CHUNK), rounds)
        buckets = angular_hash(query, rotations)
        return lsh_attention(query, value, buckets, CHUNK, causal=True, **options)

    return as_pass(attend, query, value)


def ours_inexact(length: int, rounds: int) -> Pass:
    """Ours as the peers do it: a key that is met in several rounds counts in each."""
    return ours(length, rounds, exact=False)


def ours_causal(length: int, rounds: int) -> Pass:
    """Ours, cut inside each bucket, by rank."""
    return ours(length, rounds, cut="bucket")


def lucidrains(length: int, rounds: int) -> Pass:
    """reformer-pytorch."""
    peer = import_module("reformer_pytorch")
    layer = peer.LSHAttention(bucket_size=CHUNK, n_hashes=rounds, causal=True)
    query, value = (x.detach().flatten(0, 1).requires_grad_() for x in inputs(length, 2))
    return as_pass(lambda: layer(query, value)[0], query, value)


class Given(nn.Module):
    """A projection whose result is given: (1, length, D_MODEL)."""

    def __init__(self, result: Tensor) -> None:
        super().__init__()
        self.result = result

    def forward(self, _: Tensor) -> Tensor:
        """The result, whatever the input."""
        return self.result


def transformers(length: int, rounds: int) -> Pass:
    """transformers, in the layout of its projections, (1, length, D_MODEL)."""
    query, value = (
        x.detach().transpose(1, 2).flatten(2).contiguous().requires_grad_()
        for x in inputs(length, 2)
    )
    layer = transformers_layer(length, rounds, bucket_factors(length // CHUNK))
    layer.query_key, layer.value = Given(query), Given(value)
    hidden = torch.empty(1).expand(1, length, D_MODEL)  # read for its shape alone
    return as_pass(lambda: layer(hidden).hidden_states, query, value)


def transformers_layer(length: int, rounds: int, buckets: tuple[int, ...]) -> nn.Module:
    """Its LSHSelfAttention, causal, without dropout."""
    peer = import_module("transformers.models.reformer.modeling_reformer")
    config = peer.ReformerConfig(
        is_decoder=True,
        hidden_size=D_MODEL,
        num_attention_heads=HEADS,
        attention_head_size=D_K,
        lsh_attn_chunk_length=CHUNK,
        lsh_attention_probs_dropout_prob=0.0,
        num_hashes=rounds,
        num_buckets=list(buckets) if len(buckets) > 1 else buckets[0],
        max_position_embeddings=length,
    )
    return peer.LSHSelfAttention(config, layer_idx=0).train()


def sdpa(length: int, _: int) -> Pass:
    """Fused attention over all earlier keys: linear in memory, on the CPU too."""
    query, key, value = inputs(length, 3)
    attend = lambda: functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return as_pass(attend, query, key, value)


def textbook(length: int, _: int) -> Pass:
    """Attention as the book first writes it: every score lies in memory."""
    query, key, value = inputs(length, 3)

    def attend() -> Tensor:
        mask = causal_mask(length)
        return scaled_dot_product_attention(query, key, value, mask)[0]

    return as_pass(attend, query, key, value)


def local(length: int, _: int) -> Pass:
    """Each chunk attends to itself and to the chunk before, with torch's fused attention."""
    query, key, value = inputs(length, 3)
    return as_pass(lambda: local_attention(query, key, value, CHUNK), query, key, value)


LSH = {
    "ours": ours,
    "ours, no correction": ours_inexact,
    "ours, causal buckets": ours_causal,
    "lucidrains": lucidrains,
    "transformers": transformers,
    "sdpa": sdpa,
}
GROWTH = {"full, fused": sdpa, "full, textbook": textbook, "local": local, "LSH": ours}
