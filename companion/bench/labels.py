"""How well a reader answers after so many labelled questions: from scratch, and from what it knew before.

It knew nothing, or had named hidden words (`bert`), or had also answered questions that are found in the
text itself. All have the same network, the same questions in the same number of batches, and the learning
rate that is the best of some for it (chosen on questions that none is measured on).
"""

import random
import time
from pathlib import Path

from companion.bench.million import circumstances, write_record
from companion.bert import Bert
from companion.corpora import questions, sgd
from companion.corpora.services import seen_and_new
from companion.models import registry
from companion.models.reader import recipe, shipped

SEED = 0
PLAN = {50: 100, 200: 150, 1000: 300, 5000: 600}  # labelled questions: batches
RATES = (3e-4, 1e-3, 2e-3)
TOKENS = 3000  # in a batch
_CHOOSING, _HELD_OUT = 60, 150  # dialogues


def run(*, data: Path, record: Path | None) -> int:
    """Print F1 for each number of labels, of questions about dialogues held out; write the record.

    On one core, three quarters of an hour go into questions without labels, half an hour into all others.

    Args:
        data: the folder of Schema-Guided Dialogue that has `train` and `dev`.
        record: where to write what was measured; None for nowhere.

    Returns:
        0.

    Raises:
        ValueError: If the dialogues cannot be read.
    """
    begun = {
        "words and questions": shipped.prepared(data, SEED),
        "words": registry.load("bert").bert,
        "nothing": None,
    }
    drawn = recipe.examples(questions.ask(sgd.read(data / "train"), SEED))
    random.Random(SEED).shuffle(drawn)  # noqa: S311
    seen, _ = seen_and_new(sgd.read(data / "dev"))
    choosing = questions.ask(seen[-_CHOOSING:], SEED + 1)
    held_out = questions.ask(seen[:_HELD_OUT], SEED + 1)
    never = recipe.measure_silence(held_out)
    rates = {name: _best_rate(drawn, choosing, encoder) for name, encoder in begun.items()}
    print(f"never answering: F1 {never:.3f}; learning rates {rates}")
    measured = []
    for labels, steps in PLAN.items():
        for name, encoder in begun.items():
            at = time.perf_counter()
            score = _learn(drawn[:labels], steps, rates[name], encoder, held_out)
            seconds = round(time.perf_counter() - at)
            print(f"{labels:>6} {name:<20} F1 {score.f1:.3f}, exact {score.exact:.3f}, {seconds} s")
            measured.append(
                {
                    "labels": labels,
                    "steps": steps,
                    "begun": name,
                    "f1": round(score.f1, 4),
                    "exact": round(score.exact, 4),
                }
            )
    if record:
        facts = {"items": score.items, "never": round(never, 4), "rates": rates}
        write_record({**circumstances(), **facts, "measured": measured}, record)
    return 0


def _best_rate(
    drawn: list[recipe.Example], choosing: list[questions.Question], encoder: Bert | None
) -> float:
    labels = 200
    scores = {
        rate: _learn(drawn[-labels:], PLAN[labels], rate, encoder, choosing).f1 for rate in RATES
    }
    print({rate: round(f1, 3) for rate, f1 in scores.items()})
    return max(scores, key=scores.__getitem__)


def _learn(
    drawn: list[recipe.Example],
    steps: int,
    rate: float,
    encoder: Bert | None,
    asked: list[questions.Question],
) -> recipe.Score:
    model = recipe.train(
        drawn,
        SEED,
        begun=encoder,
        steps=steps,
        tokens=TOKENS,
        learning_rate=rate,
        warm_up=max(1, steps // 10),
        half=True,
    )
    return recipe.measure(model, asked)
