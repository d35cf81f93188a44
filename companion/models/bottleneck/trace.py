"""What the last state still knows of each word, and what is written from it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from companion.checks import at_least_one
from companion.corpora.pairs import Pair
from companion.models.bottleneck import recipe
from companion.seq2seq import Encoder, Seq2Seq


@dataclass(frozen=True)
class Film:
    """A sentence that grows by a clause at a time, as a network without attention reads it.

    Attributes:
        words: all its English words, n of them, the full stop left out.
        stops: where it may end: how many words that is.
        right: for each stop, the German.
        written: for each network and each stop, what is written if the sentence ends there.
        outputs: (n, d), the output after each word.
        left: (n, n), [t, i] is what is left of word i after word t; see `remains`.
    """

    words: list[str]
    stops: list[int]
    right: list[list[str]]
    written: dict[str, list[list[str]]]
    outputs: Tensor
    left: Tensor


def film(networks: Mapping[str, Seq2Seq], clauses: Sequence[Pair]) -> Film:
    """Join clauses with *and*, and see what each network makes of the first, of the first two, and so on.

    Args:
        networks: by name; one of them is called "last" and has no attention.
        clauses: short pairs.
    """
    whole = [_join(clauses[: k + 1]) for k in range(len(clauses))]
    encoder = networks["last"].encoder
    source = recipe.encode(whole[-1:])[0][0, :-2]  # (n,), without full stop and end
    states = _states(encoder, source[None])[0]  # (n, 2 d)
    return Film(
        words=list(whole[-1].source[:-1]),
        stops=[len(pair.source) - 1 for pair in whole],
        right=[list(pair.target) for pair in whole],
        written={name: recipe.translate(model, whole) for name, model in networks.items()},
        outputs=states.chunk(2, dim=-1)[0],
        left=remains(encoder, source),
    )


def _join(clauses: Sequence[Pair]) -> Pair:
    """One pair: all clauses but the last without full stop, and a comma and *and* between them."""
    first, *others = clauses
    source, target = list(first.source), list(first.target)
    for pair in others:
        source[-1:] = [",", "and", *pair.source]
        target[-1:] = [",", "und", *pair.target]
    return replace(first, source=tuple(source), target=tuple(target), alignment=())


@torch.no_grad()
def remains(encoder: Encoder, source: Tensor, *, draws: int = 20, seed: int = 0) -> Tensor:
    """Measure how much of each word is left in the state, after each word that follows.

    Each word is replaced by others, drawn from the whole vocabulary, one at a time. How far the state
    is then from what it was, as a share of how far it was right after that word: 1 there, and 0 once
    the state no longer tells which word it had been. (It may exceed 1 in between.)

    Args:
        encoder: one that reads one way.
        source: (n,), numbers of words, one sentence.
        draws: how many other words are tried in each place; distances are their mean.
        seed: where the drawing begins.

    Returns:
        (n, n): [t, i] is what is left of word i after word t; zeros where i comes later.

    Raises:
        ValueError: If draws is below 1.
    """
    at_least_one(draws=draws)
    rng = random.Random(seed)  # noqa: S311
    n, vocabulary = len(source), range(recipe.END + 2, encoder.embedding.num_embeddings)
    changed = source.expand(n, draws, n).clone()
    for i in range(n):
        others = [word for word in vocabulary if word != source[i]]
        changed[i, :, i] = torch.tensor(rng.sample(others, draws))
    usual = _states(encoder, source[None])  # (1, n, 2 d)
    other = _states(encoder, changed.flatten(0, 1))  # (n · draws, n, 2 d)
    away = (other - usual).norm(dim=-1).unflatten(0, (n, draws)).mean(dim=1)  # (n, n), [i, t]
    return (away / away.diagonal()[:, None]).T.tril()  # (n, n), [t, i]


def _states(encoder: Encoder, source: Tensor) -> Tensor:
    """All that is handed on after each word, output and cell, (batch, n, 2 d); source (batch, n)."""
    state, after = None, []
    for word in encoder.embedding(source).split(1, dim=1):  # (batch, 1, d_embedding)
        _, state = encoder.lstm(word, state)
        after.append(torch.cat(state, dim=-1)[0])  # (batch, 2 d)
    return torch.stack(after, dim=1)
