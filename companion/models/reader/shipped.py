"""The reader that the book ships: the book's BERT, fine-tuned on questions about real dialogues."""

from collections.abc import Sequence
from pathlib import Path

import torch

from companion.bert import Bert, SpanReader
from companion.corpora import dialogues, questions, sgd
from companion.corpora.services import seen_and_new
from companion.models import registry
from companion.models.bert.pieces import FILE as TOKENIZER
from companion.models.bert.pieces import SIZE, encode
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.reader import recipe
from companion.models.reader.graph import reader

__all__ = ["CARD", "STEPS", "STORED", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate"]
__all__ += ["graph", "train"]

SUMMARY = "where does the dialogue say it? An encoder that marks the answer to a question"
STEPS = 2000
GENERATED = 2000
STORED = torch.float16  # half the download; what is measured is what is stored
CARD = {
    "data": "questions of companion/corpora/questions.py about the training dialogues of "
    "Schema-Guided Dialogue (Rastogi et al. 2020), whose annotations say where the answers are, and "
    f"about {GENERATED} of companion/corpora/dialogues.py",
    "licence": "data: CC BY-SA 4.0; weights: the same",
    "recipe": "companion/models/reader/recipe.py, train() from the weights of `bert`, with "
    f"{STEPS} steps of about 4096 tokens, learning rate .0005; weights rounded to 16 bits",
    "tolerance": "F1 and exact match .03 (a processor that adds in another order trains another model)",
    "limits": "English, a user and an agent who book things; questions in the manner of those it was "
    "trained on. It marks a span of the text, so it cannot count, compare, or say yes or no",
}
_ITEMS = 300  # dialogues of each kind to measure on


def build() -> SpanReader:
    """Return the network before training."""
    return SpanReader(Bert(SIZE))


def train(data: Path | None, seed: int, on_step: OnStep | None) -> SpanReader:
    """Fine-tune the book's BERT on the dialogues in the folder `train` of the data set, and on generated ones.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: the reader learns from Schema-Guided Dialogue; give the folder that has its "
            "`train` and `dev`"
        )
    talks = [*sgd.read(data / "train"), *dialogues.generate(GENERATED, seed)]
    drawn = recipe.examples(questions.ask(talks, seed))
    begun = registry.load("bert").bert
    model = recipe.train(drawn, seed, begun=begun, steps=STEPS, on_step=on_step)
    return model.to(STORED).float()


def evaluate(model: SpanReader, data: Path | None) -> list[registry.Metric]:
    """Measure on held-out dialogues of our generator, or on some of a data set.

    Args:
        model: the network.
        data: the folder of the data set with `dev`, or any folder or file that `sgd.read` reads;
            dialogues whose services were all seen in training are told apart from others, and up to
            300 of each are asked about.

    Raises:
        ValueError: If the dialogues cannot be read, or no question can be asked about them.
    """
    if data is None:
        return [
            metric
            for split in dialogues.SPLITS
            for metric in _figures(model, f"generated, {split}", dialogues.held_out(150, 1, split))
        ]
    seen, new = seen_and_new(sgd.read(data / "dev" if (data / "dev").is_dir() else data))
    return [
        metric
        for name, group in (("seen services", seen), ("unseen services", new))
        if group
        for metric in _figures(model, name, group[:_ITEMS])
    ]


def graph(model: SpanReader) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def _figures(model: SpanReader, name: str, group: Sequence[sgd.Dialogue]) -> list[registry.Metric]:
    score = recipe.measure(model, questions.ask(group, 1))
    figures = {
        "F1": score.f1,
        "exact match": score.exact,
        "F1 where there is an answer": score.answered,
        "share refused where there is none": score.refused,
    }
    return [registry.Metric(f"{name}, {key}", x, score.items) for key, x in figures.items()]
