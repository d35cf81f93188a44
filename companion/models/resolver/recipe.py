"""The recipe of the pronoun resolver: train it and measure it.

Sources: Levesque, Davis and Morgenstern 2012, "The Winograd Schema Challenge" (KR), the task;
Devlin et al. 2019, https://arxiv.org/abs/1810.04805, masked words; Loshchilov and Hutter 2019,
https://arxiv.org/abs/1711.05101, the optimizer.
"""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.checks import above_zero
from companion.corpora import winograd as corpus
from companion.models.progress import OnStep
from companion.models.resolver.words import encode
from companion.winograd import Resolver

STEPS = 1000
# For a model of the paper's width: 512 numbers for a word, 8 heads of 64, trained in under a minute.
WIDE = {
    "d_model": 512,
    "n_heads": 8,
    "residual": False,
    "dropout": 0.8,
    "steps": 200,
    "batch": 32,
    "sentences": 6000,
    "learning_rate": 1e-3,
    "warm_up": 20,
    "masked": 0.2,
}


@dataclass(frozen=True)
class Evaluation:
    """How a model does on many sentences.

    Attributes:
        accuracy: how often the right noun is likelier than the wrong one at the pronoun; chance is
            a half.
        masked: the same where the pronoun is replaced by *the* and a masked word.
        right: weight from the pronoun on the right noun, last layer, mean over heads and sentences.
        wrong: the same on the wrong noun.
    """

    accuracy: float
    masked: float
    right: float
    wrong: float


@dataclass(frozen=True)
class Examples:
    """Sentences to train on, as tensors; n is the length of the longest.

    Attributes:
        tokens: (sentences, n).
        pronoun: (sentences, 1), its position.
        names: (sentences, n), what each word names: itself, or the antecedent.
        named: (sentences, n + 1), the sentences with the antecedent in place of the pronoun.
        facts: (facts, n + 1).
    """

    tokens: Tensor
    pronoun: Tensor
    names: Tensor
    named: Tensor
    facts: Tensor


def examples(sentences: int, seed: int) -> Examples:
    """Draw sentences to train on, and a quarter as many facts."""
    schemas = corpus.generate(sentences, seed)
    tokens = _pad([s.words for s in schemas])
    pronoun, antecedent = torch.tensor([[[s.pronoun], [s.antecedent]] for s in schemas]).unbind(1)
    names = tokens.scatter(1, pronoun, tokens.gather(1, antecedent))
    named = _pad([s.named for s in schemas])
    facts = _pad(corpus.facts(max(1, sentences // 4), seed))
    facts = nn.functional.pad(facts, (0, named.shape[1] - facts.shape[1]))
    return Examples(tokens, pronoun, names, named, facts)


def train(
    *,
    steps: int = STEPS,
    batch: int = 128,
    sentences: int = 12_000,
    learning_rate: float = 3e-3,
    warm_up: int = 50,
    masked: float = 0.5,
    seed: int = 0,
    on_step: OnStep | None = None,
    **sizes: Any,  # noqa: ANN401
) -> tuple[Resolver, list[float]]:
    """Train a resolver to name what a pronoun stands for, and what a masked word is.

    torch's global random numbers and number of threads are left as they were found.

    Args:
        steps: number of updates.
        batch: sentences in an update, each with its pronoun and one word drawn from it; half as
            many, and some facts, have a masked word.
        sentences: number of sentences generated.
        learning_rate: at its highest, after a warm-up and before a cosine down to nothing.
        warm_up: number of updates in which the learning rate rises.
        masked: weight of the masked words in the loss; the pronouns weigh 1.
        seed: of the sentences, the first weights, the batches and the dropout.
        on_step: called after each update with its number, from 1, and its loss; see
            `companion.models.progress`.
        **sizes: those of `Resolver`, by name: d_model, n_heads, n_layers, d_ff, word_values, …

    Returns:
        The model, ready to be asked, and the loss of each update.

    Raises:
        ValueError: If a number is out of its range.
    """
    above_zero(steps=steps, sentences=sentences, learning_rate=learning_rate, warm_up=warm_up)
    if batch < 2 or masked < 0:
        raise ValueError(
            f"batch is {batch} and masked {masked}: batch must be at least 2, masked at least 0"
        )
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed is {seed}: it must be from -2**63 to 2**64 - 1")
    drawn = examples(sentences, seed)
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
                group["lr"] = learning_rate * falling * min(1, step / warm_up)
            loss = naming_loss(model, drawn, batch)
            loss = loss + masked * masked_loss(model, drawn, batch // 2)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            if on_step:
                on_step(step, losses[-1])
    return model.eval(), losses


def naming_loss(model: Resolver, drawn: Examples, batch: int) -> Tensor:
    """Cross-entropy of naming the antecedent at the pronoun, and one other word at itself."""
    chosen = torch.randint(len(drawn.tokens), (batch,))
    tokens = drawn.tokens[chosen]  # (batch, n)
    at = torch.cat([drawn.pronoun[chosen], _any_word(tokens)], dim=1)  # (batch, 2)
    logits, names = model(tokens, at), drawn.names[chosen].gather(1, at)
    # The other word weighs little: to name itself is easy, and would drown the pronoun. Without it,
    # every word would come to look where the pronoun looks.
    of_pronoun = nn.functional.cross_entropy(logits[:, 0], names[:, 0])
    return of_pronoun + 0.15 * nn.functional.cross_entropy(logits[:, 1], names[:, 1])


def masked_loss(model: Resolver, drawn: Examples, batch: int) -> Tensor:
    """Cross-entropy of a masked word: mostly the antecedent where it is named again."""
    told = batch // 5  # facts
    chosen = torch.randint(len(drawn.named), (batch - told,))
    named, again = drawn.named[chosen], drawn.pronoun[chosen] + 1  # (…, n + 1), (…, 1)
    at = torch.where(torch.rand(len(named), 1) < 0.7, again, _any_word(named))
    facts = drawn.facts[torch.randint(len(drawn.facts), (told,))]
    tokens = torch.cat([named, facts])  # (batch, n + 1)
    at = torch.cat([at, _any_word(facts)])  # (batch, 1)
    masked = tokens.scatter(1, at, corpus.vocabulary().index(corpus.MASK))
    return nn.functional.cross_entropy(model(masked, at)[:, 0], tokens.gather(1, at)[:, 0])


@torch.no_grad()
def evaluate(model: Resolver, schemas: Sequence[corpus.Schema]) -> Evaluation:
    """Measure a model's answers and where its pronouns look.

    Raises:
        ValueError: If there are no schemas.
    """
    above_zero(schemas=len(schemas))
    every = torch.arange(len(schemas))
    pronoun = torch.tensor([s.pronoun for s in schemas])  # (schemas,)
    nouns = torch.tensor([[s.antecedent, s.distractor] for s in schemas])  # (schemas, 2)
    tokens = _pad([s.words for s in schemas])  # (schemas, n)
    logits, weights = model.logits_and_weights(tokens)
    looks = weights[every, -1, :, pronoun].mean(dim=1).gather(1, nouns)  # (schemas, 2)
    names = tokens.gather(1, nouns)  # (schemas, 2)
    right, wrong = logits[every, pronoun].gather(1, names).unbind(dim=1)
    mask = corpus.vocabulary().index(corpus.MASK)
    masked = _pad([s.named for s in schemas]).scatter(1, pronoun[:, None] + 1, mask)
    guess, other = model(masked, pronoun[:, None] + 1)[:, 0].gather(1, names).unbind(dim=1)
    shares = [right > wrong, guess > other, looks[:, 0], looks[:, 1]]
    return Evaluation(*(share.float().mean().item() for share in shares))


def _any_word(tokens: Tensor) -> Tensor:
    """The position of a word of each sentence, (batch, 1), none of them padding."""
    return (tokens != 0).float().multinomial(1)


def _pad(sentences: Sequence[corpus.Words]) -> Tensor:
    vocabulary = corpus.vocabulary()
    return pad_sequence([encode(words, vocabulary) for words in sentences], batch_first=True)
