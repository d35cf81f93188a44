"""What other implementations of LSH attention get wrong, and whether ours does."""

import math
from collections.abc import Callable, Iterator
from importlib import import_module

import torch
from attentions import CHUNK, D_K, D_MODEL, HEADS, Given, transformers_layer
from peers import WRONG, Finding, error
from torch import Tensor

from companion.attention import attention_weights, causal_mask
from companion.hashing import angular_hash, random_rotations
from companion.lsh import unit
from companion.lsh_fast import lsh_attention

LENGTH, SEEDS = 1024, 10

Attend = Callable[[Tensor, Tensor], Tensor]  # (HEADS, length, D_K) twice to the same


def lucidrains(_: int, chunk: int, rounds: int, **options: object) -> Attend:
    """reformer-pytorch's LSHAttention."""
    layer = import_module("reformer_pytorch").LSHAttention(
        bucket_size=chunk, n_hashes=rounds, **options
    )
    return lambda query, value: layer(query, value)[0]


def transformers(length: int, chunk: int, rounds: int, *, causal: bool = False) -> Attend:
    """The LSHSelfAttention of transformers, its projections left out."""
    layer = transformers_layer(length, rounds, (length // chunk,))
    layer.chunk_length, layer.is_decoder = chunk, causal

    def attend(query: Tensor, value: Tensor) -> Tensor:
        flat = (x.transpose(0, 1).reshape(1, length, D_MODEL) for x in (query, value))
        layer.query_key, layer.value = map(Given, flat)
        mixed = layer(torch.empty(1).expand(1, length, D_MODEL)).hidden_states
        return mixed.view(length, HEADS, D_K).transpose(0, 1)

    return attend


def ours(length: int, chunk: int, rounds: int, **options: object) -> Attend:
    """`companion.lsh_fast`."""

    def attend(query: Tensor, value: Tensor) -> Tensor:
        rotations = random_rotations(D_K, max(2, length // chunk), rounds)
        return lsh_attention(query, value, angular_hash(query, rotations), chunk, **options)

    return attend


ATTENTIONS = {"lucidrains": lucidrains, "transformers": transformers, "ours": ours}


def example(length: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random queries and values, (HEADS, length, D_K)."""
    torch.manual_seed(seed)
    query, value = torch.randn(2, HEADS, length, D_K)
    return query, value


def full(query: Tensor, value: Tensor, scale: float, *, causal: bool = False) -> Tensor:
    """Full attention with shared queries and keys: to itself only where there is nothing else."""
    length = query.shape[1]
    others = ~torch.eye(length, dtype=torch.bool)
    if causal:
        others &= causal_mask(length)
        others[0, 0] = True
    scores = scale * query @ unit(query).transpose(1, 2)
    return attention_weights(scores, others) @ value


SCALES = {"q·k̂": 1.0, "q·k̂/√d": 1 / math.sqrt(D_K)}


def cover(who: str) -> int:
    """The chunk with which every position meets every other of 256 in one round.

    Two chunks do for the peers, where the first looks back to the last; ours looks back to nothing
    there, so that only one chunk does.
    """
    return 256 if who == "ours" else 128


def temperature(who: str) -> Iterator[Finding]:
    """Which temperature it has, and whether one round that covers everything is full attention."""
    query, value = example(256)
    found = ATTENTIONS[who](256, cover(who), 1)(query, value)
    errors = {name: error(found, full(query, value, scale)) for name, scale in SCALES.items()}
    least = min(errors, key=errors.get)
    text = f"scores are {least}; one round that covers all is full attention to {errors[least]:.0e}"
    yield Finding(who, text, errors[least] > WRONG)


def rounds(who: str) -> Iterator[Finding]:
    """Whether several rounds give full attention with chunks of which one round covers everything.

    In the peers the first chunk of a round looks back to the last chunk of another round, and a key
    that is met in several rounds counts in each.
    """
    query, value = example(256)
    right = full(query, value, SCALES["q·k̂/√d" if who == "lucidrains" else "q·k̂"])
    kinds = {"": {}}
    if who == "lucidrains":
        kinds["with allow_duplicate_attention=False, "] = {"allow_duplicate_attention": False}
    for kind, options in kinds.items():
        errors = [
            error(ATTENTIONS[who](256, cover(who), count, **options)(query, value), right)
            for count in (2, 4, 8)
        ]
        listed = ", ".join(f"{e:.2g}" for e in errors)
        text = f"{kind}chunks that cover all: full attention missed by {listed} at 2, 4, 8 rounds"
        yield Finding(who, text, max(errors) > WRONG)


def causality(who: str) -> Iterator[Finding]:
    """Whether the last token changes outputs of earlier ones, and whether a gradient shows it."""
    kinds = {"": {}}
    if who == "ours":
        kinds = {"cut as in the paper: ": {"cut": "sorted"}, "cut in buckets: ": {"cut": "bucket"}}
    for kind, options in kinds.items():
        for count in (1, 4):
            shares, slope = [], 0.0
            for seed in range(SEEDS):
                query, value = (x.requires_grad_() for x in example(LENGTH, seed))
                attend = ATTENTIONS[who](LENGTH, CHUNK, count, causal=True, **options)
                torch.manual_seed(seed)
                before = attend(query, value)[:, :-1]
                before.square().sum().backward()
                slope = max(slope, *(x.grad[:, -1].abs().max().item() for x in (query, value)))
                with torch.no_grad():
                    query[:, -1], value[:, -1] = torch.randn(2, HEADS, D_K)
                    torch.manual_seed(seed)
                    after = attend(query, value)[:, :-1]
                changed = (after - before).norm(dim=-1) > WRONG * before.norm(dim=-1)
                shares.append(changed.float().mean().item())
            mean = sum(shares) / SEEDS
            text = (
                f"{kind}another last token changes {mean:.1%} of earlier outputs, {count} round(s) "
                f"(gradient with respect to it at most {slope:.0e})"
            )
            yield Finding(who, text, mean > 0)


def precision(who: str) -> Iterator[Finding]:
    """The first token may attend to itself alone, causally: its output is its value."""
    worst = 0.0
    for seed in range(SEEDS):
        query, value = example(LENGTH, seed)
        first = ATTENTIONS[who](LENGTH, CHUNK, 4, causal=True)(query, value)[:, 0]
        worst = max(worst, error(first, value[:, 0]))
    text = (
        f"a token that sees itself alone: its output beside its value off by {worst:.0e}, 4 rounds"
    )
    yield Finding(who, text, worst > WRONG / 10)


CHECKS = (temperature, rounds, causality, precision)
