"""The chatbot that the book ships: a Reformer trained on real dialogues."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from companion.corpora import acts, dialogues, sgd
from companion.models import registry
from companion.models.chatbot import measure, recipe
from companion.models.chatbot.ask import ROUNDS
from companion.models.chatbot.graph import ALL_PAIRS, Reader, reader
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.summarizer.pieces import FILE as TOKENIZER
from companion.models.summarizer.pieces import encode
from companion.reformer import Reformer

__all__ = ["CARD", "STEPS", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate", "graph", "train"]

SUMMARY = "what comes next in a dialogue? A Reformer with attention in buckets"
STEPS = 1600
GENERATED = 4000
CARD = {
    "data": "Schema-Guided Dialogue (Rastogi et al. 2020), all training dialogues, and "
    f"{GENERATED} made by companion/corpora/dialogues.py",
    "licence": "data: CC BY-SA 4.0; weights: the same",
    "recipe": f"companion/models/chatbot/recipe.py, train() with {STEPS} steps of 4096 tokens",
    "tolerance": "perplexity .3, shares .05 (a processor that adds in another order trains another "
    "model)",
    "limits": "English, errands of the kinds it was trained on. It looks nothing up: names, times and "
    "prices are made up, and nothing is ever booked. It forgets, and says what it likes",
}
BLIND = 50  # held-out dialogues in which it speaks for the assistant
_ITEMS, _GENERATED_ITEMS = 100, 10
_CONTEXTS = (16, 64, 256)
_ATTENTION = {0: "without meeting anyone", ROUNDS: "hashed", ALL_PAIRS: "all pairs"}
_FAR = 4  # turns


def build() -> Reformer:
    """Return the network before training."""
    return recipe.network()


def train(data: Path | None, seed: int, on_step: OnStep | None) -> Reformer:
    """Train on the dialogues in the folder `train` of the data set, and on generated ones.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: the chatbot learns from Schema-Guided Dialogue; give the folder that has its "
            "`train` and `dev`"
        )
    real = recipe.examples(sgd.read(data / "train"))
    drawn = real + recipe.examples(dialogues.generate(GENERATED, seed))
    return recipe.train(drawn, seed, steps=STEPS, warm_up=100, on_step=on_step)


def evaluate(model: Reformer, data: Path | None) -> list[registry.Metric]:
    """Measure on held-out dialogues of our generator, or on some of the data set's `dev`.

    Raises:
        ValueError: If the dialogues cannot be read.
    """
    chat = reader(model).module
    if data is None:
        held_out = dialogues.held_out(_GENERATED_ITEMS, 1)
        judge = acts.Judge(acts.system_turns(dialogues.generate(400, 0)))
        return list(_acts(chat, "generated", held_out, judge))
    judge = acts.Judge(acts.system_turns(sgd.read(data / "train")))
    held_out = measure.drawn(sgd.read(data / "dev"), _ITEMS)
    return [
        *_acts(chat, "real", held_out[:BLIND], judge),
        *_perplexities(chat, held_out),
        *_memories(chat, held_out),
    ]


def graph(model: Reformer) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def _acts(
    chat: Reader, name: str, group: Sequence[sgd.Dialogue], judge: acts.Judge
) -> Iterator[registry.Metric]:
    found = measure.next_acts(chat, group, judge, ROUNDS)
    yield registry.Metric(f"{name}, next act as the assistant's", found.right, found.turns)
    yield registry.Metric(f"{name}, next act, always the commonest", found.majority, found.turns)
    turns = list(acts.system_turns(group))
    agreed = sum(judge(text) == act for text, act in turns) / len(turns)
    yield registry.Metric(f"{name}, the judge is right about people's turns", agreed, len(turns))


def _perplexities(chat: Reader, group: Sequence[sgd.Dialogue]) -> Iterator[registry.Metric]:
    long = measure.with_tokens(group, max(_CONTEXTS))
    for rounds, attention in _ATTENTION.items():
        for context in _CONTEXTS:
            figure = measure.perplexity(chat, long, context, rounds)
            yield registry.Metric(
                f"real, perplexity after {context} tokens, {attention}", figure, len(long)
            )


def _memories(chat: Reader, group: Sequence[sgd.Dialogue]) -> Iterator[registry.Metric]:
    for rounds, attention in _ATTENTION.items():
        every = list(measure.memories(chat, group, rounds))
        for name, some in (
            (f"less than {_FAR} turns ago", [m for m in every if m.turns_ago < _FAR]),
            (f"{_FAR} turns ago or more", [m for m in every if m.turns_ago >= _FAR]),
        ):
            known = sum(memory.known for memory in some) / len(some)
            yield registry.Metric(f"real, values said {name} known, {attention}", known, len(some))
