"""How well a model does a task: each task has a measure of its own, and all read the answer's text."""

from collections.abc import Sequence

import torch

from companion.bleu import corpus_bleu, tokenize_13a
from companion.corpora.tasks import Example
from companion.encoder_decoder import EncoderDecoder
from companion.models.text_to_text.ask import answer
from companion.rouge import rouge_l
from companion.text_to_text import LABELS, NO_SCORE, read_label, read_score


def measure(model: EncoderDecoder, task: str, examples: Sequence[Example]) -> dict[str, float]:
    """Measure a model on examples of one task.

    Args:
        model: the network.
        task: its name.
        examples: at least two of it.

    Returns:
        By name, each from 0 to 100 but Pearson's r, from -1 to 1: `exact`, the share of answers that
        are the right text, and the task's own figure: `BLEU`, `accuracy`, `Pearson`, `ROUGE-L`; none
        for questions.

    Raises:
        ValueError: If there are fewer than two examples.
    """
    if len(examples) < 2:
        raise ValueError(f"examples: {len(examples)} were given; at least 2 are needed")
    told = [one.text for one in answer(model, [one.source for one in examples])]
    return score(task, told, [one.target for one in examples])


def score(task: str, told: Sequence[str], meant: Sequence[str]) -> dict[str, float]:
    """Compare answers with the right ones; see `measure`."""
    pairs = list(zip(told, meant, strict=True))
    figures = {"exact": 100 * sum(one == other for one, other in pairs) / len(pairs)}
    if task == "translate":
        texts = [tokenize_13a(one) for one in told]
        figures["BLEU"] = corpus_bleu(texts, [[tokenize_13a(one)] for one in meant]).score
    elif task == "cola":
        right = sum(read_label(one) == LABELS.index(other) for one, other in pairs)
        figures["accuracy"] = 100 * right / len(pairs)
    elif task == "stsb":
        figures["Pearson"] = pearson([_number(one) for one in told], [float(one) for one in meant])
    elif task == "summarize":
        figures["ROUGE-L"] = 100 * sum(rouge_l(*pair).f1 for pair in pairs) / len(pairs)
    return figures


def pearson(one: Sequence[float], other: Sequence[float]) -> float:
    """Pearson's correlation of two lists of numbers; 0 if all of one are the same."""
    return float(torch.corrcoef(torch.tensor([one, other], dtype=torch.float64))[0, 1].nan_to_num())


def _number(text: str) -> float:
    found = read_score(text)
    return NO_SCORE if found is None else found
