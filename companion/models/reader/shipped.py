"""The reader that the book ships: the book's BERT, taught to find answers in two steps.

First by questions that nobody wrote, found in what people say, then by questions about marked slots.
"""

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
from companion.models.reader import lessons, recipe
from companion.models.reader.graph import reader

__all__ = ["CARD", "STEPS", "STORED", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate"]
__all__ += ["graph", "prepared", "train"]

SUMMARY = "where does the dialogue say it? An encoder that marks the answer to a question"
PREPARING = 6000
STEPS = PREPARING + 3000
GENERATED = 2000
STORED = torch.float16  # half the download; what is measured is what is stored
CARD = {
    "data": "questions of companion/corpora/questions.py about the training dialogues of "
    "Schema-Guided Dialogue (Rastogi et al. 2020), whose annotations say where the answers are, and "
    f"about {GENERATED} of companion/corpora/dialogues.py",
    "licence": "data: CC BY-SA 4.0; weights: the same",
    "recipe": f"companion/models/reader/recipe.py, train() from the weights of `bert`: {PREPARING} "
    "steps on questions without labels (lessons.py), learning rate .001, then "
    f"{STEPS - PREPARING} on labelled ones, .0005; steps of about 4096 tokens, matrices multiplied in "
    "bfloat16; weights rounded to 16 bits",
    "tolerance": "F1 and exact match .03 (a processor that adds in another order trains another model)",
    "limits": "English, a user and an agent who book things; questions in the manner of those it was "
    "trained on. It marks a span of the text, so it can say nothing that does not stand there",
}
_ITEMS = 300  # dialogues of each kind to measure on


def build() -> SpanReader:
    """Return the network before training."""
    return SpanReader(Bert(SIZE))


def prepared(data: Path, seed: int, on_step: OnStep | None = None) -> Bert:
    """Teach the book's BERT to find answers, with no label: see `lessons.unlabelled`.

    Args:
        data: the folder that has `train`.
        seed: of what is asked.
        on_step: hears the step, from 1, and its loss.

    Raises:
        ValueError: If data is no folder that has dialogues.
    """
    drawn = lessons.unlabelled(_talks(data, seed), seed)
    return recipe.train(
        drawn,
        seed,
        begun=registry.load("bert").bert,
        steps=PREPARING,
        learning_rate=1e-3,
        warm_up=200,
        half=True,
        on_step=on_step,
    ).bert


def train(data: Path | None, seed: int, on_step: OnStep | None) -> SpanReader:
    """Teach the book's BERT by questions without labels, then by labelled ones.

    Both are about the dialogues in the folder `train` of the data set, and generated ones.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: the reader learns from Schema-Guided Dialogue; give the folder that has its "
            "`train` and `dev`"
        )
    return taught(prepared(data, seed, on_step), data, seed, on_step)


def taught(begun: Bert, data: Path, seed: int, on_step: OnStep | None = None) -> SpanReader:
    """Fine-tune an encoder on labelled questions; arguments as for `prepared`."""
    model = recipe.train(
        recipe.examples(questions.ask(_talks(data, seed), seed)),
        seed,
        begun=begun,
        steps=STEPS - PREPARING,
        warm_up=100,
        half=True,
        on_step=on_step and (lambda step, loss: on_step(PREPARING + step, loss)),
    )
    return model.to(STORED).float()


def _talks(data: Path, seed: int) -> list[sgd.Dialogue]:
    return [*sgd.read(data / "train"), *dialogues.generate(GENERATED, seed)]


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
