"""The translators that the book ships to measure the bottleneck: one network, handed three things.

The last state, the sum of all states, or, with attention, all of them. What a sentence's length does to
each is figure 2 of Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, at a size that trains in minutes.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, islice
from pathlib import Path

import torch
from torch import nn

from companion.corpora import pairs as corpus
from companion.corpora.pairs import Pair
from companion.models.bottleneck import recipe
from companion.models.bottleneck.summed import Summed
from companion.models.progress import OnStep
from companion.models.registry import Metric
from companion.seq2seq import Seq2Seq

SUMMARY = "English to German with LSTMs: from the last state, from the sum of all, with attention"
NETWORKS = {
    "last": (None, Seq2Seq),
    "sum": (None, Summed),
    "attention": ("multiplicative", Seq2Seq),
}
SHORT, LONG = range(3, 11), range(11, 51)  # English words
SHARES = ((SHORT, 0.56), ((*SHORT, *SHORT, *SHORT, *LONG), 1.0))
BATCHES = 12_000
STEPS = BATCHES * len(NETWORKS)
WORDS = 100_000
STORED = torch.float16
BUCKETS = (range(3, 7), range(7, 11), *(range(at, at + 10) for at in (11, 21, 31, 41)))
CARD = {
    "data": "pairs of companion/corpora/pairs.py of 3 to 50 English words, generated for the training; "
    "measured on sentences held back from it, and on sentences whose combinations of words are new",
    "licence": "MIT, as the code that makes the data",
    "recipe": f"companion/models/bottleneck/shipped.py, train(): {BATCHES} batches of 32 pairs for each "
    f"network, the same ones, first of {SHORT[0]} to {SHORT[-1]} words, then of {SHORT[0]} to "
    f"{LONG[-1]}; AdamW, .003; weights rounded to 16 bits",
    "tolerance": "BLEU 6 (a processor that adds in another order trains another model)",
    "limits": "the few hundred words and the sentence patterns of the generator, and nothing else; "
    "without attention, long sentences come out wrong: that is what it is there to show",
}
ITEMS = 100  # pairs in each bucket


def build() -> nn.ModuleDict:
    """Return the networks before training, by what the decoder is handed."""
    return nn.ModuleDict({name: recipe.network(*made) for name, made in NETWORKS.items()})


def train(data: Path | None, seed: int, on_step: OnStep | None) -> nn.ModuleDict:
    """Train one network after the other, all on the same batches.

    Raises:
        ValueError: If data is given: the generator is all that they learn from.
    """
    _refuse(data)
    trained = {}
    for n, (name, (attention, kind)) in enumerate(NETWORKS.items()):
        step = on_step and (lambda i, loss, done=n * BATCHES: on_step(done + i, loss))
        trained[name] = recipe.train(
            attention, seed, shares=SHARES, steps=BATCHES, words=WORDS, kind=kind, on_step=step
        )
    return nn.ModuleDict(trained).eval()


def evaluate(model: nn.ModuleDict, data: Path | None) -> list[Metric]:
    """Measure the BLEU of each network by the length of the sentence, on two kinds of new sentences.

    Raises:
        ValueError: If data is given.
    """
    _refuse(data)
    return [
        Metric(f"{name}, {lengths[0]} to {lengths[-1]} words{kind}, BLEU", figure, ITEMS)
        for kind, drawn in {"": fresh, ", new combinations": held_out}.items()
        for name, network in model.items()
        for lengths in BUCKETS
        for figure in [recipe.bleu(network, drawn(lengths, ITEMS))]
    ]


@cache
def fresh(lengths: range, n: int) -> list[Pair]:
    """Return n pairs that training never has, of words that it combines like this.

    Their English has as many words as `lengths` says, each length as often.
    """
    return _mixed(lengths, n, lambda length, each: list(islice(_held_back(length), each)))


@cache
def held_out(lengths: range, n: int) -> list[Pair]:
    """Return n pairs as `fresh` does, but of words that training never combines."""
    return _mixed(lengths, n, lambda length, each: corpus.held_out(each, 10_000 + length, length))


def _mixed(lengths: range, n: int, draw: Callable[[int, int], list[Pair]]) -> list[Pair]:
    each = -(-n // len(lengths))
    drawn = [draw(length, each) for length in lengths]
    return [pair for group in zip(*drawn, strict=True) for pair in group][:n]


def _held_back(length: int) -> Iterator[Pair]:
    seen = set()
    for seed in count(10_000 + length, step=100):
        for pair in corpus.generate(25, seed, length):
            if recipe.held_back(pair) and pair.source not in seen:
                seen.add(pair.source)
                yield pair


def _refuse(data: Path | None) -> None:
    if data is not None:
        raise ValueError("--data: the bottleneck learns from pairs of its own; leave it out")
