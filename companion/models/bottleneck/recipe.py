"""The recipe of translators with attention and without, and how they are asked.

Words are numbers of `companion.corpora.pairs.vocabulary`, the same on both sides for `<pad>`, `<s>`
and `</s>`. In shapes, n_source and n are the words of source and target, marks and ends included.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.bleu import corpus_bleu
from companion.checks import above_zero
from companion.corpora import pairs as corpus
from companion.corpora.pairs import Pair
from companion.decoding import greedy
from companion.models.progress import OnStep
from companion.models.training import fit
from companion.seq2seq import Seq2Seq

PAD, START, END = 0, 1, 2
Lengths = Sequence[int]
SIZES = {"d_embedding": 48, "d": 128}
LONGEST = 90  # words of a translation; the longest reference has fewer
_TOGETHER = 100  # sentences that are translated at the same time


def network(attention: str | None, kind: type[Seq2Seq] = Seq2Seq, **sizes: int) -> Seq2Seq:
    """Return a translator before training.

    Its encoder's forget gates begin with a bias of 1, as the decoder's do: so an untrained LSTM keeps
    more (Jozefowicz et al. 2015, section 2.2).
    """
    english, german = corpus.vocabulary()
    model = kind(len(english), len(german), attention=attention, **(SIZES | sizes))
    bias = model.encoder.lstm.bias_ih_l0  # of four gates, the second forgets
    with torch.no_grad():
        bias.chunk(4)[1].fill_(1.0)
    return model


def train(
    attention: str | None,
    seed: int = 0,
    *,
    shares: Sequence[tuple[Lengths, float]],
    steps: int,
    batch: int = 32,
    words: int = 10_000,
    learning_rate: float = 3e-3,
    warm_up: int = 50,
    kind: type[Seq2Seq] = Seq2Seq,
    on_step: OnStep | None = None,
    **sizes: int,
) -> Seq2Seq:
    """Train a translator; torch's global random numbers and number of threads are left as they were.

    Args:
        attention: "additive", "multiplicative", "dot" or None for none.
        seed: of the first weights, the pairs and the batches.
        shares: what to train on, one after the other: lengths in English words, and the share of the
            steps until which each batch has one of these lengths, drawn at random; the last share is 1.
        steps: number of batches.
        batch: pairs in each, all with as many English words.
        words: about how many English words there are to draw from, in pairs of each length.
        learning_rate: the highest.
        warm_up: number of steps in which it rises.
        kind: `Seq2Seq`, or a class that does something in another way.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network, see `Seq2Seq`.

    Raises:
        ValueError: If a number is not above 0, or words too few for a pair of some length.
    """
    above_zero(steps=steps, batch=batch, words=words)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = network(attention, kind, **sizes)
            drawn = batches(seed, shares=shares, steps=steps, batch=batch, words=words)
            return fit(
                model,
                lambda: translation_loss(model, *next(drawn)),
                steps=steps,
                learning_rate=learning_rate,
                warm_up=warm_up,
                on_step=on_step,
            )
    finally:
        torch.set_num_threads(threads)


def batches(
    seed: int, *, shares: Sequence[tuple[Lengths, float]], steps: int, batch: int, words: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw the batches of a training, as `encode` makes them: the same for every network."""
    rng = random.Random(seed)  # noqa: S311
    step = 0
    for lengths, until in shares:
        while step < round(until * steps):
            length = rng.choice(lengths)
            yield encode(rng.choices(_pool(seed, length, words // length), k=batch))
            step += 1


@cache
def _pool(seed: int, length: int, n: int) -> list[Pair]:
    drawn = corpus.generate(n, 100 * seed + length, length) if n else []
    pool = [pair for pair in drawn if not held_back(pair)]
    if not pool:
        raise ValueError(f"words: too few for a pair of {length} words to train on; give more")
    return pool


def held_back(pair: Pair) -> bool:
    """Tell whether training never has this sentence: one in four, the same ones everywhere."""
    return hashlib.sha256(" ".join(pair.source).encode()).digest()[0] < 256 // 4


def encode(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """Write pairs as numbers, filled up with `<pad>`.

    Returns:
        The sources, each with its end, (batch, n_source); and the targets between `<s>` and their end,
        (batch, n).
    """
    english, german = _numbers()
    sources = [[*(english[word] for word in pair.source), END] for pair in pairs]
    targets = [[START, *(german[word] for word in pair.target), END] for pair in pairs]
    return _fill(sources), _fill(targets)


@cache
def _numbers() -> tuple[dict[str, int], dict[str, int]]:
    return tuple({word: i for i, word in enumerate(side)} for side in corpus.vocabulary())


def _fill(rows: list[list[int]]) -> Tensor:
    tensors = [torch.tensor(row) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=PAD)  # (batch, n)


def translation_loss(model: Seq2Seq, source: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each word of the targets, given the right words before it; a scalar, in nats.

    Args:
        model: a translator.
        source: (batch, n_source).
        target: (batch, n), from `<s>` to the end: what is asked for is the same, one word on.
    """
    logits = model(source, target[:, :-1])  # (batch, n - 1, words)
    return nn.functional.cross_entropy(
        logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD
    )


@torch.no_grad()
def translate(model: Seq2Seq, pairs: Sequence[Pair]) -> list[list[str]]:
    """Translate the English of some pairs, always with the likeliest next word."""
    german = corpus.vocabulary()[1]
    written = []
    for at in range(0, len(pairs), _TOGETHER):
        source, _ = encode(pairs[at : at + _TOGETHER])  # (batch, n_source)
        start = torch.full((len(source),), START)
        told = greedy(model.step, start, model.read(source), end=END, longest=LONGEST)
        written += [[german[i] for i in one.tokens if i != END] for one in told]
    return written


def bleu(model: Seq2Seq, pairs: Sequence[Pair]) -> float:
    """Return the BLEU of a network's translations, 0 to 100, marks counted as words."""
    return corpus_bleu(translate(model, pairs), [[pair.target] for pair in pairs]).score
