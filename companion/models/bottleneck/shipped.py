"""The two translators that the book ships: the same network, without attention and with it.

What a sentence's length does to each is figure 2 of Bahdanau et al. 2015,
https://arxiv.org/abs/1409.0473, at a size that trains in minutes.
"""

from functools import cache
from pathlib import Path

from torch import nn

from companion.corpora import pairs as corpus
from companion.corpora.pairs import Pair
from companion.models.bottleneck import recipe
from companion.models.progress import OnStep
from companion.models.registry import Metric

SUMMARY = "English to German with LSTMs, without attention and with it: one vector, or all of them"
ATTENTION = {"without": None, "with": "multiplicative"}
SHORT, LONG = range(3, 11), range(11, 51)  # English words
SHARES = ((SHORT, 0.56), ((*SHORT, *SHORT, *SHORT, *LONG), 1.0))
BATCHES = {"without": 12_000, "with": 4000}  # the one with attention learns sooner
STEPS = sum(BATCHES.values())
BUCKETS = (range(3, 11), range(11, 21), range(21, 31), range(31, 41), range(41, 51))
CARD = {
    "data": "pairs of companion/corpora/pairs.py of 3 to 50 English words, generated for the training; "
    "measured on pairs whose combinations of words are new",
    "licence": "MIT, as the code that makes the data",
    "recipe": f"companion/models/bottleneck/shipped.py, train(): batches of 32 pairs, first of {SHORT[0]} "
    f"to {SHORT[-1]} words, then of {SHORT[0]} to {LONG[-1]}; {BATCHES['without']} without attention, "
    f"{BATCHES['with']} with it; AdamW, .003",
    "tolerance": "BLEU 6 (a processor that adds in another order trains another model)",
    "limits": "the few hundred words and the sentence patterns of the generator, and nothing else; "
    "without attention, long sentences come out wrong: that is what it is there to show",
}
ITEMS = 100  # pairs in each bucket


def build() -> nn.ModuleDict:
    """Return the networks before training, "without" attention and "with"."""
    return nn.ModuleDict({name: recipe.network(kind) for name, kind in ATTENTION.items()})


def train(data: Path | None, seed: int, on_step: OnStep | None) -> nn.ModuleDict:
    """Train one network after the other.

    Raises:
        ValueError: If data is given: the generator is all that they learn from.
    """
    _refuse(data)
    trained, done = {}, 0
    for name, kind in ATTENTION.items():
        step = on_step and (lambda i, loss, done=done: on_step(done + i, loss))
        trained[name] = recipe.train(kind, seed, shares=SHARES, steps=BATCHES[name], on_step=step)
        done += BATCHES[name]
    return nn.ModuleDict(trained).eval()


def evaluate(model: nn.ModuleDict, data: Path | None) -> list[Metric]:
    """Measure the BLEU of each network by the length of the sentence.

    Raises:
        ValueError: If data is given.
    """
    _refuse(data)
    return [
        Metric(f"{name} attention, {lengths[0]} to {lengths[-1]} words, BLEU", figure, ITEMS)
        for name, network in model.items()
        for lengths in BUCKETS
        for figure in [recipe.bleu(network, held_out(lengths, ITEMS))]
    ]


@cache
def held_out(lengths: range, n: int) -> list[Pair]:
    """Return n pairs whose English has as many words as `lengths` says, each length as often."""
    each = -(-n // len(lengths))
    drawn = [corpus.held_out(each, 10_000 + length, length) for length in lengths]
    return [pair for group in zip(*drawn, strict=True) for pair in group][:n]


def _refuse(data: Path | None) -> None:
    if data is not None:
        raise ValueError("--data: the bottleneck learns from pairs of its own; leave it out")
