"""The exercise "best span": find the answer's first and last token.

From the chapter "Lab: answer questions about a dialogue".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.question_answering import best_span

_DRAWS = 60


def check_best_span(function: Callable[..., Tensor]) -> int:
    """Check `f(start, end, allowed)`; return the number of properties.

    Args:
        function: takes logits (n,) and (n,) and booleans (n,); gives the first and the last position
            of the best span, whole numbers, (2,).
    """
    hint = "start[:, None] + end[None, :] has the score of every pair at once."
    drawn = torch.Generator().manual_seed(0)
    trials = [_drawn(drawn) for _ in range(_DRAWS)]
    results = [call(function, trial, _on(trial), hint) for trial in trials]
    for trial, result in zip(trials, results, strict=True):
        if result.shape != (2,):
            raise WrongAnswerError(
                f"returned shape {tuple(result.shape)}, expected (2,), on {_on(trial)}.",
                "Return torch.tensor([first, last]).",
            )
        if result.is_floating_point() or result.is_complex() or result.dtype == torch.bool:
            raise WrongAnswerError(
                f"returned {result.dtype}, expected whole numbers.",
                "Positions are counted, not measured: torch.tensor([first, last]) of two ints.",
            )
    _compare(trials, results)
    return 5  # shape, dtype, order, allowed, highest sum


def _drawn(drawn: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    n = int(torch.randint(4, 9, (), generator=drawn))
    start, end = (3 * torch.randn(n, generator=drawn) for _ in range(2))
    allowed = torch.rand(n, generator=drawn) < 3 / 4
    allowed[1 + int(torch.randint(n - 1, (), generator=drawn))] = True
    allowed[0] = False
    return start, end, allowed


def _on(trial: tuple[Tensor, ...]) -> str:
    return f"{len(trial[0])} tokens"


def _compare(trials: list[tuple[Tensor, ...]], results: list[Tensor]) -> None:
    given = [result.tolist() for result in results]
    if given == [_right(*trial) for trial in trials]:
        return
    for mistake in _MISTAKES:
        if given == [mistake.result(*trial) for trial in trials]:
            raise WrongAnswerError(mistake.found, mistake.hint)
    number = next(i for i, trial in enumerate(trials) if given[i] != _right(*trial))
    (start, end, allowed), (first, last) = trials[number], given[number]
    told = (
        f"start {_rounded(start)}, end {_rounded(end)} and allowed {allowed.int().tolist()}: "
        f"returned {[first, last]}"
    )
    if not all(0 <= place < len(start) for place in (first, last)):
        raise WrongAnswerError(
            f"{told}, which is not in the text.", "Positions are from 0 to n - 1."
        )
    if last < first:
        raise WrongAnswerError(
            f"{told}, which ends before it begins.", "Leave out pairs below the diagonal."
        )
    if not (allowed[first] and allowed[last]):
        raise WrongAnswerError(
            f"{told}, which is not allowed.", "Give what is not allowed -inf before you choose."
        )
    right = _right(*trials[number])
    raise WrongAnswerError(
        f"{told}, whose logits add up to {float(start[first] + end[last]):.2f}; those of {right} to "
        f"{float(start[right[0]] + end[right[1]]):.2f}.",
        "Compare the sums of all pairs that are spans.",
    )


def _rounded(logits: Tensor) -> list[float]:
    return [round(x, 1) for x in logits.tolist()]


def _right(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    found = best_span(start, end, allowed, len(start))
    return [found.first, found.last]


def _apart(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    return [int(each.masked_fill(~allowed, -torch.inf).argmax()) for each in (start, end)]


def _apart_anywhere(start: Tensor, end: Tensor, _allowed: Tensor) -> list[int]:
    return [int(start.argmax()), int(end.argmax())]


def _swapped(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    return sorted(_apart(start, end, allowed))


def _end_after_start(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    first = int(start.masked_fill(~allowed, -torch.inf).argmax())
    later = allowed & (torch.arange(len(end)) >= first)
    return [first, int(end.masked_fill(~later, -torch.inf).argmax())]


def _anywhere(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    return _right(start, end, torch.ones_like(allowed))


def _longer(start: Tensor, end: Tensor, allowed: Tensor) -> list[int]:
    scores = start[:, None] + end[None, :]
    fits = allowed[:, None] & allowed & torch.ones_like(scores).triu(1).bool()
    return list(divmod(int(scores.masked_fill(~fits, -torch.inf).argmax()), len(start)))


_MISTAKES = (
    Mistake(
        _apart,
        "the best start and the best end were chosen apart, and some ends come before their start.",
        "Compare pairs: only those with first <= last are spans.",
    ),
    Mistake(
        _apart_anywhere,
        "the best start and the best end were chosen apart, and anywhere.",
        "Compare pairs with first <= last, at places that are allowed.",
    ),
    Mistake(
        _swapped,
        "where the best end came before the best start, the two were swapped.",
        "A good end need not be a good start: compare the sums of the pairs that are spans.",
    ),
    Mistake(
        _end_after_start,
        "the best start was kept, and the best end after it taken.",
        "A start that is a little worse may have a far better end: compare all pairs.",
    ),
    Mistake(
        _anywhere,
        "spans of places that are not allowed were chosen.",
        "The question, [CLS] and [SEP] cannot be the answer: give them -inf before you choose.",
    ),
    Mistake(
        _longer,
        "no span of one token was ever chosen.",
        "first == last is a span too: .triu() keeps the diagonal, .triu(1) does not.",
    ),
)
