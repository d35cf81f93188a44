"""The copiers that the book ships: one network, trained with four kinds of attention.

Which kind of attention a network was trained with, and which it is evaluated with, makes a matrix:
table 2 of Kitaev et al. 2020, "Reformer", https://arxiv.org/abs/2001.04451, at a size that trains
in minutes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from companion.corpora.copying import ASKED_NOTHING, copying
from companion.models.progress import OnStep
from companion.models.registry import Metric
from companion.reformer import Reformer

SUMMARY = "0 w 0 w: one layer that copies, trained with full attention, and with 4, 2 and 1 rounds"
LENGTH, N_SYMBOLS = 63, 127  # of w
POSITIONS = 2 * (LENGTH + 1)
CHUNK = 8
# Chunk and hash rounds. With one chunk, a position looks at all that came before: full attention.
ATTENTION = {
    "full": (POSITIONS, 1),
    "LSH-8": (CHUNK, 8),
    "LSH-4": (CHUNK, 4),
    "LSH-2": (CHUNK, 2),
    "LSH-1": (CHUNK, 1),
}
TRAINED = ("full", "LSH-4", "LSH-2", "LSH-1")
SIZES = {"d_model": 64, "n_heads": 4, "n_layers": 1, "d_ff": 64}
STEPS_EACH, WARM_UP, LEARNING_RATE, BATCH = 400, 50, 3e-3, 32
STEPS = len(TRAINED) * STEPS_EACH
CARD = {
    "data": "made by companion/corpora/copying.py while training: no sequence comes twice",
    "licence": "MIT, as the code that makes the data",
    "recipe": f"companion/models/copier/shipped.py, train(): {STEPS_EACH} steps of {BATCH} sequences "
    f"for each of {', '.join(TRAINED)}; Adam, {LEARNING_RATE}, after {WARM_UP} steps of warm-up",
    "tolerance": ".05 (a processor that adds in another order trains another model)",
    "limits": f"copies {LENGTH} symbols of {N_SYMBOLS}, from position 0, and nothing else",
}
_ITEMS = 64


def build() -> nn.ModuleDict:
    """Return the networks before training, by the attention that they will be trained with."""
    return nn.ModuleDict({name: _network() for name in TRAINED})


def _network() -> Reformer:
    """One network. Two short tables of positions cannot say "half the sequence back", a long one can."""
    n_buckets = 2 * POSITIONS // CHUNK
    return Reformer(1 + N_SYMBOLS, POSITIONS, n_buckets=n_buckets, axial=False, **SIZES)


def train(data: Path | None, seed: int, on_step: OnStep | None) -> nn.ModuleDict:
    """Train the networks one after the other, on the same sequences.

    Raises:
        ValueError: If data is given: the task is all that they learn from.
    """
    if data is not None:
        raise ValueError("--data: the copier learns from sequences of its own; leave it out")
    trained = {}
    for number, name in enumerate(TRAINED):
        before = number * STEPS_EACH
        step = on_step and (lambda i, loss, before=before: on_step(before + i, loss))
        trained[name] = train_one(name, seed, step)
    return nn.ModuleDict(trained).eval()


def train_one(name: str, seed: int, on_step: OnStep | None = None) -> Reformer:
    """Train one network with one of `ATTENTION`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(seed)
        network = _network()
        adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        warm_up = torch.optim.lr_scheduler.LambdaLR(adam, lambda i: min(1.0, (i + 1) / WARM_UP))
        generator = torch.Generator().manual_seed(seed)
        with attending(network, name):
            for i in range(1, STEPS_EACH + 1):
                tokens, targets = copying(BATCH, LENGTH, N_SYMBOLS, generator=generator)
                loss = network.loss(tokens, targets)
                adam.zero_grad()
                loss.backward()
                adam.step()
                warm_up.step()
                if on_step:
                    on_step(i, loss.item())
    finally:
        torch.set_num_threads(threads)
    return network.eval()


@contextmanager
def attending(network: Reformer, name: str) -> Iterator[None]:
    """Let a network attend as one of `ATTENTION` says, and then as before."""
    layers = [block.f for block in network.stack.blocks]
    before = [(layer.chunk, layer.rounds) for layer in layers]
    for layer in layers:
        layer.chunk, layer.rounds = ATTENTION[name]
    try:
        yield
    finally:
        for layer, settings in zip(layers, before, strict=True):
            layer.chunk, layer.rounds = settings


@torch.no_grad()
def accuracy(network: Reformer, name: str) -> float:
    """Share of right next symbols, with one of `ATTENTION`, on sequences that are always the same."""
    tokens, targets = copying(
        _ITEMS, LENGTH, N_SYMBOLS, generator=torch.Generator().manual_seed(2**31)
    )
    with attending(network, name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of the rotations
        said = network(tokens).argmax(dim=-1)
    asked = targets != ASKED_NOTHING
    return (said == targets)[asked].float().mean().item()


def evaluate(model: nn.ModuleDict, data: Path | None) -> list[Metric]:
    """Measure each network with each kind of attention: the matrix.

    Raises:
        ValueError: If data is given.
    """
    if data is not None:
        raise ValueError("--data: the copier is measured on sequences of its own; leave it out")
    return [
        Metric(f"trained {trained}, evaluated {name}", accuracy(network, name), _ITEMS)
        for trained, network in model.items()
        for name in ATTENTION
    ]
