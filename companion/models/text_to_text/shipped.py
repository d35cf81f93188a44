"""The text-to-text model that the book ships, trained on five tasks of the book's own generators."""

from pathlib import Path

import torch

from companion.corpora import tasks
from companion.encoder_decoder import EncoderDecoder
from companion.models import registry
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.text_to_text import recipe
from companion.models.text_to_text.graph import reader
from companion.models.text_to_text.measure import measure
from companion.models.text_to_text.pieces import FILE as TOKENIZER
from companion.models.text_to_text.pieces import SIZE, encode

__all__ = ["CARD", "STEPS", "STORED", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate"]
__all__ += ["graph", "train"]

SUMMARY = "text in, text out: one encoder-decoder for five tasks, told apart by their prefixes"
SIZES = {  # examples of each task to train on
    "translate": 20_000,
    "cola": 30_000,
    "stsb": 40_000,
    "summarize": 7_000,
    "question": 10_000,
}
SHARED = 12_000  # batches of the model for all tasks
ALONE = {  # of a model for one task: as many tokens of it as the other has met
    "translate": 2000,
    "cola": 1300,
    "stsb": 3600,
    "summarize": 2300,
    "question": 2800,
}
STEPS = SHARED + sum(ALONE.values())
STORED = torch.float16
ITEMS = 200  # held-out examples of each task to measure on
CARD = {
    "data": "companion/corpora/tasks.py: "
    + ", ".join(f"{n:,} {task}" for task, n in SIZES.items())
    + ", put together (examples-proportional mixing without a limit); measured on examples whose "
    "combinations of words are new to training",
    "licence": "MIT, as the code that makes the data",
    "recipe": f"companion/models/text_to_text/recipe.py, train() with {SHARED} batches; tokens by "
    "pieces.learn() from 3,000 examples of each task; weights rounded to 16 bits. For "
    "comparison, models of the same size for one task alone, on the same examples, with "
    + ", ".join(f"{n} ({task})" for task, n in ALONE.items())
    + " batches: their figures are in the history",
    "tolerance": "8 of each figure, .08 of Pearson's r (a processor that adds in another order trains "
    "another model)",
    "limits": "the few hundred words and the sentence patterns of the generators, and nothing else; "
    "labels and scores follow rules, not people's judgement; a prefix it has not met gets an answer too",
}


def build() -> EncoderDecoder:
    """Return the network before training."""
    return EncoderDecoder(SIZE, **recipe.NETWORK)


def train(data: Path | None, seed: int, on_step: OnStep | None) -> EncoderDecoder:
    """Train on generated examples; and models for one task alone, whose figures become the history.

    Raises:
        ValueError: If data is given: this model has no use for it.
    """
    if data is not None:
        raise ValueError("--data: this model learns from generated texts alone; leave it away")
    examples = {task: recipe.draw({task: n}, seed) for task, n in SIZES.items()}
    together = [one for some in examples.values() for one in some]
    model = recipe.train(together, seed, steps=SHARED, on_step=on_step)
    done, history = SHARED, []
    for task, steps in ALONE.items():
        later = on_step and (lambda step, loss, done=done: on_step(done + step, loss))
        alone = recipe.train(examples[task], seed, steps=steps, on_step=later)
        history += _figures(alone, task)
        done += steps
    model.history = [{"name": f"alone, {m.name}", "figure": round(m.figure, 4)} for m in history]
    return model.to(STORED).float()


def evaluate(model: EncoderDecoder, data: Path | None) -> list[registry.Metric]:
    """Measure each task on held-out examples.

    Raises:
        ValueError: If data is given: this model has no use for it.
    """
    if data is not None:
        raise ValueError("--data: this model is measured on generated texts alone; leave it away")
    return [metric for task in SIZES for metric in _figures(model, task)]


def graph(model: EncoderDecoder) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def _figures(model: EncoderDecoder, task: str) -> list[registry.Metric]:
    found = measure(model, task, tasks.held_out(task, ITEMS, 1))
    return [registry.Metric(f"{task}, {name}", figure, ITEMS) for name, figure in found.items()]
