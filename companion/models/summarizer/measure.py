"""How good summaries are: agreement with the references, and what they make up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.corpora.sgd import Dialogue
from companion.corpora.summaries import invented, reference, stated
from companion.rouge import rouge_l, rouge_n


@dataclass(frozen=True)
class Report:
    """Figures of the summaries of some dialogues, each the mean over them but for `made_up`.

    Attributes:
        rouge_1: F1 of the words, in percent.
        rouge_2: F1 of the pairs of neighbouring words, in percent.
        rouge_l: F1 of the longest common subsequence, in percent.
        values: number of slot values that the summaries state.
        made_up: share of these that the dialogue does not have.
        items: number of dialogues.
    """

    rouge_1: float
    rouge_2: float
    rouge_l: float
    values: int
    made_up: float
    items: int


def measure(write: Callable[[Dialogue], str], dialogues: Sequence[Dialogue]) -> Report:
    """Compare the summaries that `write` gives with the references.

    Raises:
        ValueError: If there are no dialogues.
    """
    if not dialogues:
        raise ValueError("dialogues is empty: there must be at least one")
    pairs = [(write(dialogue), reference(dialogue)) for dialogue in dialogues]

    def mean(score: Callable[[str, str], float]) -> float:
        return 100 * sum(score(told, expected) for told, expected in pairs) / len(pairs)

    values = sum(len(stated(told)) for told, _ in pairs)
    lies = sum(len(invented(t, d)) for (t, _), d in zip(pairs, dialogues, strict=True))
    return Report(
        rouge_1=mean(lambda told, expected: rouge_n(told, expected, 1).f1),
        rouge_2=mean(lambda told, expected: rouge_n(told, expected, 2).f1),
        rouge_l=mean(lambda told, expected: rouge_l(told, expected).f1),
        values=values,
        made_up=lies / values if values else 0.0,
        items=len(pairs),
    )
