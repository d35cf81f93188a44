"""The recipe of the pronoun resolver: train it, ask it, measure it.

Source: the task is that of Levesque, Davis and Morgenstern 2012, "The Winograd Schema Challenge"
(KR); the warm-up is that of Vaswani et al. 2017, section 5.3, and the optimizer that of Loshchilov
and Hutter 2019, https://arxiv.org/abs/1711.05101.
"""

import difflib
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.corpora import winograd as corpus
from companion.winograd import Resolver, Trace

OnStep = Callable[[int, float], None]
STEPS = 180


@dataclass(frozen=True)
class Resolution:
    """What a model makes of one sentence.

    Attributes:
        words: the sentence as the model read it.
        pronoun: position of the pronoun.
        probabilities: for each candidate noun, its share among all words of the vocabulary.
        choice: the likeliest candidate.
        trace: what attention computed.
    """

    words: tuple[str, ...]
    pronoun: int
    probabilities: dict[str, float]
    choice: str
    trace: Trace


@dataclass(frozen=True)
class Evaluation:
    """How a model does on many sentences.

    Attributes:
        accuracy: how often the right noun is likelier than the wrong one; chance is a half.
        right: weight from the pronoun on the right noun, last layer, mean over heads and sentences.
        wrong: the same on the wrong noun.
    """

    accuracy: float
    right: float
    wrong: float


def encode(words: Sequence[str], vocabulary: Sequence[str]) -> Tensor:
    """Number the words, (n,).

    Raises:
        ValueError: If a word is not in the vocabulary; the message lists words that look like it.
    """
    number = {word: i for i, word in enumerate(vocabulary)}
    for word in words:
        if word not in number:
            close = ", ".join(difflib.get_close_matches(word, vocabulary)) or "one of vocabulary()"
            raise ValueError(f"word {word!r} is not in the vocabulary: try {close}")
    return torch.tensor([number[word] for word in words], dtype=torch.long)


def train(
    *,
    steps: int = STEPS,
    batch: int = 32,
    sentences: int = 6000,
    learning_rate: float = 1e-3,
    seed: int = 0,
    on_step: OnStep | None = None,
    **sizes: Any,  # noqa: ANN401
) -> tuple[Resolver, list[float]]:
    """Train a resolver to name, at the pronoun, what it stands for.

    torch's global random numbers and number of threads are left as they were found.

    Args:
        steps: number of updates.
        batch: sentences in an update.
        sentences: number of sentences generated.
        learning_rate: at its highest, after a warm-up and before a cosine down to nothing.
        seed: of the sentences, the first weights, the batches and the dropout.
        on_step: called after each update with its number, from 1, and its loss; `bar` makes one.
        **sizes: those of `Resolver`, by name: d_model, n_heads, n_layers, d_ff, dropout, ...

    Returns:
        The model, ready to be asked, and the loss of each update.

    Raises:
        ValueError: If a number is out of its range.
    """
    _check_positive(steps=steps, batch=batch, sentences=sentences, learning_rate=learning_rate)
    tokens, pronoun, answer = _tensors(corpus.generate(sentences, seed))
    losses = []
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        model = Resolver(len(corpus.vocabulary()), **sizes)
        optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), fused=True)
        for step in range(1, steps + 1):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * _schedule(step, steps)
            drawn = torch.randint(sentences, (batch,))
            logits = model(tokens[drawn], pronoun[drawn])[:, 0]  # (batch, vocabulary)
            loss = nn.functional.cross_entropy(logits, answer[drawn])
            _update(model, optimizer, loss)
            losses.append(loss.item())
            if on_step:
                on_step(step, losses[-1])
    return model.eval(), losses


def bar(steps: int = STEPS) -> OnStep:
    """Make an `on_step` that draws a progress bar with the loss, on one line of the terminal."""

    def draw(step: int, loss: float) -> None:
        done = 30 * step // steps
        end = "\n" if step == steps else ""
        sys.stderr.write(f"\r[{'#' * done:<30}] {step}/{steps}  loss {loss:.3f}{end}")
        sys.stderr.flush()

    return draw


def resolve(model: Resolver, sentence: str) -> Resolution:
    """Ask a model what the pronoun of a sentence, *it* or *they*, stands for.

    The candidates are the sentence's nouns that the corpus knows; capitals and punctuation do
    not matter.

    Raises:
        ValueError: If a word is unknown, there is no pronoun, or there are fewer than two nouns.
    """
    words = tuple(re.findall(r"\w+(?:'\w+)?", sentence.lower().replace("’", "'")))
    tokens = encode(words, corpus.vocabulary())
    found = [i for i, word in enumerate(words) if word in {"it", "they"}]
    nouns = [word for word in words if word in corpus.nouns()]
    if len(found) != 1 or len(set(nouns)) < 2:
        known = ", ".join(sorted(corpus.nouns()))
        raise ValueError(f"sentence {sentence!r} must have one it or they, and two of: {known}")
    trace = model.trace(tokens)
    share = trace.logits[found[0]].softmax(dim=-1)  # (vocabulary,)
    probabilities = {noun: share[tokens[words.index(noun)]].item() for noun in nouns}
    choice = max(probabilities, key=probabilities.__getitem__)
    return Resolution(words, found[0], probabilities, choice, trace)


def evaluate(model: Resolver, schemas: Sequence[corpus.Schema]) -> Evaluation:
    """Measure a model's answers and where its pronouns look.

    Raises:
        ValueError: If there are no schemas.
    """
    _check_positive(schemas=len(schemas))
    rows = []
    for s in schemas:
        tokens = encode(s.words, corpus.vocabulary())
        trace = model.trace(tokens)
        looks = trace.layers[-1].weights[:, s.pronoun].mean(dim=0)  # (n,)
        right, wrong = trace.logits[s.pronoun, tokens[[s.antecedent, s.distractor]]]
        rows.append([right > wrong, looks[s.antecedent], looks[s.distractor]])
    return Evaluation(*torch.tensor(rows).mean(dim=0).tolist())


def _tensors(schemas: Sequence[corpus.Schema]) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers of words, (sentences, n); positions of pronouns and answers, (sentences,)."""
    vocabulary = corpus.vocabulary()
    encoded = [encode(s.words, vocabulary) for s in schemas]
    pronoun = torch.tensor([s.pronoun for s in schemas])
    answer = torch.stack([e[s.antecedent] for e, s in zip(encoded, schemas, strict=True)])
    return pad_sequence(encoded, batch_first=True), pronoun, answer


def _schedule(step: int, steps: int, warm_up: int = 20) -> float:
    return min(1, step / warm_up) * (1 + math.cos(math.pi * (step - 1) / steps)) / 2


@contextmanager
def _one_thread() -> Iterator[None]:
    # On idle cores a second thread saves a quarter of the time; on busy ones it costs many times
    # as much, as each thread waits for the other at every product of these small matrices.
    found = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(found)


def _update(model: Resolver, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def _check_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"{name} is {number}: it must be above 0")
