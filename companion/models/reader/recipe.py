"""How a reader is trained: fine-tune a pretrained encoder on questions and where they are answered.

Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, sections 4.2 and 4.3.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from companion.attention import padding_mask
from companion.bert import Bert, SpanReader
from companion.checks import above_zero
from companion.corpora.questions import Question
from companion.models.bert.pieces import PAD, SIZE, encode, join, offsets
from companion.models.progress import OnStep
from companion.models.training import fit
from companion.question_answering import (
    NO_ANSWER,
    answer_f1,
    best_span,
    exact_match,
    span_loss,
)

LONGEST = 384  # tokens of question and dialogue together
_POOL = 256  # examples among which those of like length are put into one batch


@dataclass(frozen=True)
class Example:
    """A question and its dialogue as tokens: [CLS] question [SEP] dialogue [SEP].

    Attributes:
        tokens: numbers.
        segments: 0 in the question, 1 in the dialogue.
        offsets: of each token of the dialogue, its characters; (0, 0) for all others.
        starts: positions where an answer begins; that of [CLS] if there is none.
        ends: positions where one ends.
    """

    tokens: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]
    starts: list[int]
    ends: list[int]


@dataclass(frozen=True)
class Answer:
    """What a reader answers.

    Attributes:
        text: the answer, in the characters of the dialogue; "" if it says that there is none.
        start: its first character.
        end: one past its last.
        score: how much more the span scores than no answer does.
    """

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Score:
    """How well questions are answered, from 0 to 1.

    Attributes:
        f1: mean over all questions.
        exact: share of exact matches.
        answered: mean F1 over those that have an answer.
        refused: share of those without one to which it said so.
        items: number of questions.
    """

    f1: float
    exact: float
    answered: float
    refused: float
    items: int


def example(question: Question) -> Example:
    """Cut a question and its dialogue into tokens, and find the tokens of the answers."""
    asked, _ = encode(question.question)
    told, _ = encode(question.text)
    tokens, segments = join(asked, told)
    begin = len(asked) + 2
    places = [(0, 0)] * begin + offsets(question.text) + [(0, 0)]
    starts, ends = [], []
    for first, last in question.answers:
        inside = [i for i, (a, b) in enumerate(places) if a < last and b > first]
        starts.append(inside[0])
        ends.append(inside[-1])
    return Example(tokens, segments, places, starts or [NO_ANSWER], ends or [NO_ANSWER])


def examples(questions: Sequence[Question], longest: int = LONGEST) -> list[Example]:
    """Make an example of each question; leave out those with more tokens than `longest`."""
    return [one for _, one in _fitting(questions, longest)]


def _fitting(questions: Sequence[Question], longest: int) -> list[tuple[Question, Example]]:
    both = [(question, example(question)) for question in questions]
    return [(question, one) for question, one in both if len(one.tokens) <= longest]


def train(
    drawn: Sequence[Example],
    seed: int = 0,
    *,
    begun: Bert | None = None,
    steps: int = 200,
    tokens: int = 4096,
    learning_rate: float = 5e-4,
    warm_up: int = 20,
    half: bool = False,
    on_step: OnStep | None = None,
    **sizes: float,
) -> SpanReader:
    """Train a reader.

    Args:
        drawn: what to learn from, as `examples` makes it.
        seed: of the first weights and of the order of the examples.
        begun: a pretrained encoder, which stays as it is; None begins anew.
        steps: number of batches.
        tokens: about how many tokens a batch has, padding included.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        half: multiply matrices in bfloat16, which a processor that can do so does in half the time.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network, if it begins anew; see `companion.bert.Bert`.

    Raises:
        ValueError: If there are no examples, or a number is not above 0.
    """
    above_zero(drawn=len(drawn), tokens=tokens)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SpanReader(Bert(SIZE, **sizes) if begun is None else copy.deepcopy(begun))

        def drawn_loss() -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                return loss(model, batch(drawn, tokens))

        return fit(
            model,
            drawn_loss,
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=on_step,
        )


def batch(drawn: Sequence[Example], tokens: int) -> list[Example]:
    """Draw examples of like length, so that little is padding, of about so many tokens in all."""
    chosen = torch.randint(len(drawn), (min(_POOL, len(drawn)),)).tolist()
    pool = sorted((drawn[i] for i in chosen), key=lambda one: len(one.tokens))
    last = int(torch.randint(len(pool), ()))
    count = max(1, tokens // len(pool[last].tokens))
    return pool[max(0, last + 1 - count) : last + 1]


def loss(model: SpanReader, chosen: Sequence[Example]) -> Tensor:
    """Cross-entropy of where the answers begin and end; see `span_loss`."""
    tokens, start, end = logits(model, chosen)
    starts, ends = torch.zeros_like(tokens, dtype=torch.bool), torch.zeros_like(tokens).bool()
    for row, one in enumerate(chosen):
        starts[row, one.starts] = True
        ends[row, one.ends] = True
    return span_loss(start.float(), end.float(), starts, ends)


def logits(model: SpanReader, chosen: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Read examples: their tokens, and the logits of start and end, (batch, n) each."""
    tokens = pad_sequence([torch.tensor(one.tokens) for one in chosen], True, PAD)  # noqa: FBT003
    segments = pad_sequence([torch.tensor(one.segments) for one in chosen], True)  # noqa: FBT003
    mask = padding_mask(tokens, PAD)  # (batch, 1, 1, n)
    start, end = model(tokens, segments, mask)
    empty = ~mask[:, 0, 0]  # (batch, n)
    return tokens, start.masked_fill(empty, -torch.inf), end.masked_fill(empty, -torch.inf)


def answer(text: str, one: Example, start: Tensor, end: Tensor, threshold: float = 0.0) -> Answer:
    """Read an answer off the logits, (n,) each; none if it scores no more than none by `threshold`."""
    allowed = torch.tensor([b > a for a, b in one.offsets])
    found = best_span(start[: len(allowed)], end[: len(allowed)], allowed)
    margin = found.score - found.none
    if margin <= threshold:
        return Answer("", 0, 0, margin)
    first, last = one.offsets[found.first][0], one.offsets[found.last][1]
    return Answer(text[first:last], first, last, margin)


def measure(model: SpanReader, questions: Sequence[Question], rows: int = 32) -> Score:
    """Ask a reader many questions, and mark its answers.

    Raises:
        ValueError: If there are no questions of at most `LONGEST` tokens.
    """
    fitting = sorted(_fitting(questions, LONGEST), key=lambda pair: len(pair[1].tokens))
    if not fitting:
        raise ValueError(f"questions: there are none of at most {LONGEST} tokens")
    marks = []
    for at in range(0, len(fitting), rows):
        chosen = fitting[at : at + rows]
        with torch.no_grad():
            _, start, end = logits(model, [one for _, one in chosen])
        for (question, one), begins, ends in zip(chosen, start, end, strict=True):
            said = answer(question.text, one, begins, ends).text
            told = question.told
            marks.append((bool(told), answer_f1(said, told), exact_match(said, told)))
    with_answer = [f1 for has, f1, _ in marks if has]
    without = [f1 for has, f1, _ in marks if not has]
    return Score(
        f1=_mean([f1 for _, f1, _ in marks]),
        exact=_mean([exact for *_, exact in marks]),
        answered=_mean(with_answer),
        refused=_mean(without),
        items=len(marks),
    )


def measure_silence(questions: Sequence[Question]) -> float:
    """Return the F1, on the questions that `measure` asks, of saying each time that there is no answer."""
    return _mean([answer_f1("", question.told) for question, _ in _fitting(questions, LONGEST)])


def _mean(marks: Sequence[float]) -> float:
    return sum(marks) / len(marks) if marks else float("nan")
