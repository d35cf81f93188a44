"""The BERT that the book ships, pretrained on real dialogues and some of our own."""

from collections.abc import Sequence
from pathlib import Path

import torch

from companion.bert import Bert, Pretraining
from companion.corpora import dialogues, sgd
from companion.corpora.services import seen_and_new
from companion.models import registry
from companion.models.bert import recipe
from companion.models.bert.graph import reader
from companion.models.bert.pieces import FILE as TOKENIZER
from companion.models.bert.pieces import SIZE, encode
from companion.models.graph import Graph
from companion.models.progress import OnStep

__all__ = [
    "CARD",
    "STEPS",
    "STORED",
    "SUMMARY",
    "TOKENIZER",
    "build",
    "encode",
    "evaluate",
    "graph",
    "train",
]

SUMMARY = "which word is hidden here? An encoder that reads in both directions"
STEPS = 3000
TOKENS = 4096  # in a batch
GENERATED = 2000
STORED = torch.float16  # half the download; what is measured is what is stored
CARD = {
    "data": "Schema-Guided Dialogue (Rastogi et al. 2020), the training dialogues, and "
    f"{GENERATED} of companion/corpora/dialogues.py; their text alone, no annotation",
    "licence": "data: CC BY-SA 4.0; weights: the same",
    "recipe": "companion/models/bert/recipe.py, pretrain() with "
    f"{STEPS} steps of about {TOKENS} tokens, learning rate .0015, 300 steps of warm-up; tokens by "
    "pieces.learn() from the same dialogues (the library numbers them anew each time, so the file is "
    "kept); weights rounded to 16 bits",
    "tolerance": "shares .02 (a processor that adds in another order trains another model)",
    "limits": "English, lower-cased, a user and an agent who book things; what it guesses elsewhere is "
    "what would stand there in such a dialogue. BERT-base has some 85 times its parameters, and has "
    "read more than a thousand times its text",
}
_ITEMS = 300  # dialogues of each kind to measure on


def build() -> Pretraining:
    """Return the network before training."""
    return Pretraining(Bert(SIZE))


def train(data: Path | None, seed: int, on_step: OnStep | None) -> Pretraining:
    """Pretrain on the dialogues in the folder `train` of the data set, and on generated ones.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: BERT is pretrained on Schema-Guided Dialogue; give the folder that has its "
            "`train` and `dev`"
        )
    texts = [*sgd.read(data / "train"), *dialogues.generate(GENERATED, seed)]
    model = recipe.pretrain(
        [recipe.turns(dialogue) for dialogue in texts],
        seed,
        steps=STEPS,
        tokens=TOKENS,
        learning_rate=1.5e-3,
        warm_up=300,
        on_step=on_step,
    )
    return model.to(STORED).float()


def evaluate(model: Pretraining, data: Path | None) -> list[registry.Metric]:
    """Measure on held-out dialogues of our generator, or on some of a data set.

    Args:
        model: the network.
        data: the folder of the data set with `dev`, or any folder or file that `sgd.read` reads;
            dialogues whose services were all seen in training are told apart from others, and up to
            300 of each are read.

    Raises:
        ValueError: If the dialogues cannot be read.
    """
    if data is None:
        return _figures(model, "generated", dialogues.held_out(_ITEMS, 1))
    seen, others = seen_and_new(sgd.read(data / "dev" if (data / "dev").is_dir() else data))
    return [
        metric
        for name, group in (("seen services", seen), ("unseen services", others))
        if len(group) > 1
        for metric in _figures(model, name, group[:_ITEMS])
    ]


def graph(model: Pretraining) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def _figures(model: Pretraining, name: str, group: Sequence[sgd.Dialogue]) -> list[registry.Metric]:
    score = recipe.measure(model, [recipe.turns(dialogue) for dialogue in group], batches=20)
    return [
        registry.Metric(f"{name}, hidden words named", score.words, score.asked),
        registry.Metric(f"{name}, next passage judged", score.follows, score.pairs),
    ]
