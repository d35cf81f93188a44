"""The summarizer that the book ships, trained on real dialogues."""

from collections.abc import Sequence
from pathlib import Path

from companion.corpora import baselines, dialogues, sgd
from companion.corpora.services import seen_and_new
from companion.corpora.transcript import as_text
from companion.language_model import LanguageModel
from companion.models import registry
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.summarizer import recipe
from companion.models.summarizer.ask import MOST, summarize
from companion.models.summarizer.graph import LONGEST, reader
from companion.models.summarizer.measure import Report, measure
from companion.models.summarizer.pieces import FILE as TOKENIZER
from companion.models.summarizer.pieces import SIZE, encode

__all__ = ["CARD", "STEPS", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate", "graph", "train"]

SUMMARY = "what was agreed in a dialogue? A decoder that goes on with the summary"
REAL_STEPS, MIXED_STEPS = 2600, 800
STEPS = REAL_STEPS + MIXED_STEPS
TOKENS = 8000  # in a batch
GENERATED = 4000
CARD = {
    "data": "Schema-Guided Dialogue (Rastogi et al. 2020), training dialogues of at most 512 tokens "
    "with their summary, and dialogues made by companion/corpora/dialogues.py; the summaries are not people's: companion/corpora/summaries.py writes them "
    "from the annotations",
    "licence": "data: CC BY-SA 4.0; weights: the same",
    "recipe": "companion/models/summarizer/recipe.py, train() with "
    f"{REAL_STEPS} steps of {TOKENS} tokens on the real dialogues, then {MIXED_STEPS} (learning rate "
    f".0015, seed + 1) on these and {GENERATED} of companion/corpora/dialogues.py; tokens by "
    "pieces.learn() from the real dialogues and summaries. The first part was run before the last "
    "corrections to the summaries' wording, the second after them",
    "tolerance": "ROUGE 1.5, share made up .02 (a processor that adds in another order trains "
    "another model)",
    "limits": "English, a user and an agent, errands of the kinds it was trained on; what it says of "
    "others is often wrong, and always in its own few phrases; it may leave out, mix up or make up",
}
_ITEMS = 300  # dialogues of each kind to measure on


def build() -> LanguageModel:
    """Return the network before training."""
    return LanguageModel(SIZE)


def train(data: Path | None, seed: int, on_step: OnStep | None) -> LanguageModel:
    """Train on the dialogues in the folder `train` of the data set, then on generated ones too.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: the summarizer learns from Schema-Guided Dialogue; give the folder that has "
            "its `train` and `dev`"
        )
    real = recipe.examples(sgd.read(data / "train"))
    mixed = real + recipe.examples(dialogues.generate(GENERATED, seed))
    model = recipe.train(real, seed, steps=REAL_STEPS, tokens=TOKENS, on_step=on_step)
    later = on_step and (lambda step, loss: on_step(REAL_STEPS + step, loss))
    return recipe.train(
        mixed,
        seed + 1,
        steps=MIXED_STEPS,
        tokens=TOKENS,
        learning_rate=1.5e-3,
        begun=model,
        on_step=later,
    )


def evaluate(model: LanguageModel, data: Path | None) -> list[registry.Metric]:
    """Measure on held-out dialogues of our generator, or on some of a data set.

    Args:
        model: the network.
        data: the folder of the data set with `dev`, or any folder or file that `sgd.read` reads; up
            to 300 dialogues whose services were all seen in training are drawn, and up to 300 others.

    Raises:
        ValueError: If the dialogues cannot be read.
    """
    if data is None:
        return _figures(model, "generated", dialogues.held_out(_ITEMS, 1))
    seen, others = seen_and_new(sgd.read(data / "dev" if (data / "dev").is_dir() else data))
    return [
        metric
        for name, group in (("seen", seen), ("unseen", others))
        if group
        for metric in _figures(model, f"{name} services", group[:_ITEMS])
    ]


def graph(model: LanguageModel) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def write(model: LanguageModel, dialogue: sgd.Dialogue) -> str:
    """Summarize a dialogue; of one that is too long, its last turns."""
    turns = list(dialogue.turns)
    while True:
        text = as_text(sgd.Dialogue(dialogue.id, dialogue.services, tuple(turns)))
        if len(encode(text)[0]) < LONGEST - MOST:
            return summarize(model, text).text
        turns = turns[1:]


def _figures(
    model: LanguageModel, name: str, group: Sequence[sgd.Dialogue]
) -> list[registry.Metric]:
    told = measure(lambda dialogue: write(model, dialogue), group)
    rivals = {
        "lead": measure(baselines.lead, group),
        "longest turn": measure(baselines.longest_turn, group),
    }
    return [
        *_rouge(name, told),
        registry.Metric(f"{name}, share of values made up", told.made_up, told.values),
        *(
            registry.Metric(f"{name}, {rival}, ROUGE-L", report.rouge_l, report.items)
            for rival, report in rivals.items()
        ),
    ]


def _rouge(name: str, report: Report) -> list[registry.Metric]:
    figures = {"1": report.rouge_1, "2": report.rouge_2, "L": report.rouge_l}
    return [registry.Metric(f"{name}, ROUGE-{n}", x, report.items) for n, x in figures.items()]
