"""The recipe of the pronoun resolver: train it, ask it, measure it.

Sources: Levesque, Davis and Morgenstern 2012, "The Winograd Schema Challenge" (KR), the task;
Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101, the optimizer.
"""

import difflib
import math
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.corpora import winograd as corpus
from companion.winograd import Resolver, Trace

OnStep = Callable[[int, float], None]
STEPS = 200


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
    """Train a resolver to name what a pronoun stands for and, at any other word, that word.

    torch's global random numbers and number of threads are left as they were found.

    Args:
        steps: number of updates.
        batch: sentences in an update, each with its pronoun and one word drawn from it.
        sentences: number of sentences generated.
        learning_rate: at its highest, after a warm-up and before a cosine down to nothing.
        seed: of the sentences, the first weights, the batches and the dropout.
        on_step: called after each update with its number, from 1, and its loss; `bar` makes one.
        **sizes: those of `Resolver`, by name: d_model, n_heads, n_layers, d_ff, dropout, …

    Returns:
        The model, ready to be asked, and the loss of each update.

    Raises:
        ValueError: If a number is out of its range.
    """
    _check_positive(steps=steps, batch=batch, sentences=sentences, learning_rate=learning_rate)
    tokens, pronoun, names = _tensors(corpus.generate(sentences, seed))
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]), ExitStack() as undo:
        # A second thread saves a quarter of the time on idle cores, and multiplies it on busy ones.
        undo.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        model = Resolver(len(corpus.vocabulary()), **sizes)
        optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), fused=True)
        for step in range(1, steps + 1):
            falling = (1 + math.cos(math.pi * (step - 1) / steps)) / 2
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * falling * min(1, step / 20)
            drawn = torch.randint(sentences, (batch,))
            other = (tokens[drawn] != model.pad).float().multinomial(1)  # (batch, 1)
            at = torch.cat([pronoun[drawn], other], dim=1)  # (batch, 2)
            loss = _loss(model(tokens[drawn], at), names[drawn].gather(1, at))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            if on_step:
                on_step(step, losses[-1])
    return model.eval(), losses


def bar(steps: int = STEPS) -> OnStep:
    """Make an `on_step` that draws a progress bar with the loss, on one line of the terminal."""

    def draw(step: int, loss: float) -> None:
        done = 30 * step // steps
        line = f"\r[{'#' * done:<30}] {step}/{steps}  loss {loss:.3f}"
        sys.stderr.write(line + "\n" * (step == steps))
        sys.stderr.flush()

    return draw


def resolve(model: Resolver, sentence: str) -> Resolution:
    """Ask a model what the pronoun of a sentence, *it* or *they*, stands for.

    Candidates are the nouns that the corpus knows. Capitals and punctuation do not matter.

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
    odds = {noun: share[tokens[words.index(noun)]].item() for noun in nouns}
    return Resolution(words, found[0], odds, max(odds, key=odds.__getitem__), trace)


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
    """Words, (sentences, n); places of pronouns, (sentences, 1); what each word names, like words."""
    vocabulary = corpus.vocabulary()
    tokens = pad_sequence([encode(s.words, vocabulary) for s in schemas], batch_first=True)
    pronoun, antecedent = torch.tensor([[[s.pronoun], [s.antecedent]] for s in schemas]).unbind(1)
    return tokens, pronoun, tokens.scatter(1, pronoun, tokens.gather(1, antecedent))


def _loss(logits: Tensor, names: Tensor) -> Tensor:  # (batch, 2, vocabulary), (batch, 2) -> ()
    # The other word weighs little: to name itself is easy, and would drown the pronoun. Without it,
    # every word would come to look where the pronoun looks.
    of_pronoun = nn.functional.cross_entropy(logits[:, 0], names[:, 0])
    return of_pronoun + 0.15 * nn.functional.cross_entropy(logits[:, 1], names[:, 1])


def _check_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"{name} is {number}: it must be above 0")
