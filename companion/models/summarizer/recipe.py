"""How a summarizer is trained: a language model goes on from a dialogue with its summary.

One text is the dialogue, a separator, its summary and an end. The model sees it all, each token only
what comes before it, and the loss counts the summary alone.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.checks import above_zero
from companion.corpora.sgd import Dialogue
from companion.corpora.summaries import reference
from companion.corpora.transcript import as_text
from companion.language_model import LanguageModel, loss_mask
from companion.models.progress import OnStep
from companion.models.summarizer.pieces import END, SEPARATOR, SIZE, encode
from companion.models.training import fit

LONGEST = 512  # tokens of a dialogue and its summary, in training
_POOL = 256  # examples among which those of like length are put into one batch


def example(text: str, summary: str) -> list[int]:
    """Put a dialogue, as `as_text` writes it, and its summary into one line of tokens."""
    return [*encode(text)[0], SEPARATOR, *encode(summary)[0], END]


def examples(dialogues: Sequence[Dialogue], longest: int = LONGEST) -> list[list[int]]:
    """Make an example of each dialogue with its reference summary; leave out the longer ones."""
    every = [example(as_text(dialogue), reference(dialogue)) for dialogue in dialogues]
    return [one for one in every if len(one) <= longest]


def train(
    drawn: Sequence[list[int]],
    seed: int = 0,
    *,
    steps: int = 1000,
    tokens: int = 6000,
    learning_rate: float = 4e-3,
    warm_up: int = 60,
    begun: LanguageModel | None = None,
    on_step: OnStep | None = None,
    **sizes: float,
) -> LanguageModel:
    """Train a summarizer.

    Args:
        drawn: what to learn from, as `examples` makes it.
        seed: of the first weights and of the order of the examples.
        steps: number of batches.
        tokens: about how many tokens a batch has, padding included.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        begun: a model to go on with, which is changed; None begins anew.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network, if it begins anew; see `LanguageModel`.

    Raises:
        ValueError: If there are no examples, or a number is not above 0.
    """
    above_zero(drawn=len(drawn), tokens=tokens)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LanguageModel(SIZE, **sizes) if begun is None else begun
        return fit(
            model,
            lambda: summary_loss(model, batch(drawn, tokens)),
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=on_step,
        )


def summary_loss(model: LanguageModel, batch: Sequence[list[int]]) -> Tensor:
    """Cross-entropy of each token of the summaries, given all before it; dialogues count nothing."""
    rows = [torch.tensor(one) for one in batch]
    tokens = pad_sequence(rows, batch_first=True, padding_value=END)  # (batch, n)
    counts = loss_mask(tokens, SEPARATOR, END)  # (batch, n - 1)
    hidden = model.hidden(tokens[:, :-1])[counts]  # (counted, d_model)
    return nn.functional.cross_entropy(model.score(hidden), tokens[:, 1:][counts])


def batch(drawn: Sequence[list[int]], tokens: int) -> Sequence[list[int]]:
    """Draw examples of like length, so that little is padding, of about so many tokens in all."""
    chosen = torch.randperm(len(drawn))[:_POOL].tolist()
    pool = sorted((drawn[i] for i in chosen), key=len)
    last = int(torch.randint(len(pool), ()))
    count = max(1, tokens // len(pool[last]))
    return pool[max(0, last + 1 - count) : last + 1]
