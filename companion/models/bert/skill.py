"""How an encoder learns to sort texts: all of it, or a layer on top of what it says already.

Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, sections 4.1 and 5.3.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.attention import padding_mask
from companion.bert import Bert, Classifier
from companion.checks import above_zero
from companion.models.bert.pieces import PAD, SIZE, encode, join
from companion.models.progress import OnStep
from companion.models.training import fit

Labelled = tuple[str, int]  # a text and the number of its class


def learn(
    drawn: Sequence[Labelled],
    n_classes: int,
    seed: int = 0,
    *,
    begun: Bert | None = None,
    frozen: bool = False,
    steps: int = 60,
    batch: int = 16,
    learning_rate: float = 5e-4,
    warm_up: int = 6,
    on_step: OnStep | None = None,
    **sizes: float,
) -> Classifier:
    """Train a classifier.

    Args:
        drawn: texts with their classes.
        n_classes: how many classes there are.
        seed: of the first weights and of the order of the texts.
        begun: a pretrained encoder, which stays as it is; None begins anew.
        frozen: leave the encoder's copy as it is too, and learn the last layer alone.
        steps: number of batches.
        batch: texts in a batch, drawn with replacement.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network, if it begins anew; see `companion.bert.Bert`.

    Raises:
        ValueError: If there are no texts, a class is not among `n_classes`, or a number is not above 0.
    """
    above_zero(drawn=len(drawn), batch=batch, steps=steps)
    labels = torch.tensor([label for _, label in drawn])
    if not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(f"drawn: there is a class that is not from 0 to {n_classes - 1}")
    rows = [torch.tensor(join(encode(text)[0])[0]) for text, _ in drawn]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = Bert(SIZE, **sizes) if begun is None else copy.deepcopy(begun)
        model = Classifier(encoder.requires_grad_(not frozen), n_classes)

        def loss() -> Tensor:
            chosen = torch.randint(len(rows), (batch,))
            scores = score(model, [rows[i] for i in chosen])
            return nn.functional.cross_entropy(scores, labels[chosen])

        return fit(
            model,
            loss,
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=on_step,
        )


def score(model: Classifier, rows: Sequence[Tensor]) -> Tensor:
    """Score the classes of texts that are cut into tokens, (rows, n_classes)."""
    tokens = pad_sequence(rows, batch_first=True, padding_value=PAD)  # (rows, n)
    return model(tokens, mask=padding_mask(tokens, PAD))


def accuracy(model: Classifier, texts: Sequence[Labelled], rows: int = 64) -> float:
    """Share of the texts that are sorted rightly.

    Raises:
        ValueError: If there are no texts.
    """
    above_zero(texts=len(texts))
    cut = sorted(
        ((torch.tensor(join(encode(text)[0])[0]), label) for text, label in texts),
        key=lambda pair: len(pair[0]),
    )
    right = 0
    for at in range(0, len(cut), rows):
        chosen = cut[at : at + rows]
        with torch.no_grad():
            named = score(model, [row for row, _ in chosen]).argmax(dim=-1)
        right += sum(int(n) == label for n, (_, label) in zip(named, chosen, strict=True))
    return right / len(cut)
