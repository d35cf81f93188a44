"""What the widget `DialogueReader` shows before the model is there: questions answered in advance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from companion.bert import SpanReader
from companion.corpora.questions import Question
from companion.models.bert.pieces import CLS, SEP, names
from companion.models.reader.ask import read
from companion.models.reader.recipe import LONGEST, example, logits


def prepare(
    model: SpanReader, dialogues: Mapping[str, tuple[str, Sequence[str]]]
) -> dict[str, Any]:
    """Answer questions in advance.

    Args:
        model: the reader.
        dialogues: by title, the text, a turn on each line, and the questions to ask about it.

    Returns:
        The arguments of `DialogueReader` besides the model.

    Raises:
        ValueError: If there are no dialogues, or one cannot be read.
    """
    if not dialogues:
        raise ValueError("dialogues is empty: there must be at least one")
    rows, examples = [], []
    for title, (text, questions) in dialogues.items():
        answers = [read(model, text, question).answer.text for question in questions]
        found = [_logits(model, text, question) for question in questions]
        rows += found
        examples.append(
            {
                "title": title,
                "text": text,
                "questions": list(questions),
                "lengths": [row.shape[1] for row in found],
                "answers": answers,
            }
        )
    both = np.zeros((len(rows), 2, max(row.shape[1] for row in rows)), np.float32)
    for number, row in enumerate(rows):
        both[number, :, : row.shape[1]] = row
    return {
        "vocabulary": names(),
        "examples": examples,
        "logits": both,
        "sizes": {"special": {"cls": CLS, "sep": SEP}, "longest": LONGEST},
    }


def _logits(model: SpanReader, text: str, question: str) -> np.ndarray:
    """The logits of start and end, (2, tokens)."""
    with torch.no_grad():
        _, start, end = logits(model, [example(Question(text, question, "", ()))])
    return torch.cat([start, end]).numpy()
