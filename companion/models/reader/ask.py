"""Ask the reader one question."""

from dataclasses import dataclass

import torch

from companion.bert import SpanReader
from companion.corpora.questions import Question
from companion.models.reader.recipe import LONGEST, Answer, answer, example, logits


@dataclass(frozen=True)
class Reading:
    """An answer, and what stands behind it.

    Attributes:
        answer: what the reader says.
        offsets: of each token of the dialogue, its characters in the dialogue, in order.
        start: for each of these tokens, the probability that the answer begins with it.
        end: for each, the probability that the answer ends with it.
        none: the probability of no beginning and that of no end: both of [CLS].
    """

    answer: Answer
    offsets: list[tuple[int, int]]
    start: list[float]
    end: list[float]
    none: tuple[float, float]


def read(model: SpanReader, text: str, question: str) -> Reading:
    """Find the answer to a question in a text.

    Args:
        model: the reader.
        text: a dialogue, a turn on each line.
        question: in English.

    Raises:
        ValueError: If text or question is empty, the text has nothing that can be read, such as
            control characters alone, or they have too many tokens together.
    """
    for name, given in (("text", text), ("question", question)):
        if not given.strip():
            raise ValueError(f"{name} is empty: there must be at least one word")
    one = example(Question(text, question, "", ()))
    if len(one.tokens) > LONGEST:
        raise ValueError(
            f"text and question have {len(one.tokens)} tokens together; at most {LONGEST} can be "
            "read at once: leave out some turns"
        )
    inside = [place for place, (a, b) in enumerate(one.offsets) if b > a]
    if not inside:
        raise ValueError("text has no word that can be read: it must have at least one")
    with torch.no_grad():
        _, start, end = logits(model, [one])
    chances = [each[0].softmax(dim=-1).tolist() for each in (start, end)]
    return Reading(
        answer(text, one, start[0], end[0]),
        [one.offsets[place] for place in inside],
        *([chance[place] for place in inside] for chance in chances),
        (chances[0][0], chances[1][0]),
    )
