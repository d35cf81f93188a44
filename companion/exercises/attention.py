"""The exercise "attention": write scaled dot-product attention.

From the chapter "Scaled dot-product attention, step by step".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from companion.attention import scaled_dot_product_attention as reference
from companion.exercises.attention_mistakes import MASK_MISTAKES, MISTAKES
from companion.exercises.trial import TOLERANCE, Mistake, WrongAnswerError, call, difference, same


@dataclass(frozen=True)
class _Case:
    """Inputs for the exercise "attention", the mistakes to look for, and a hint for an error."""

    query: Tensor  # (..., n_q, d_k)
    key: Tensor  # (..., n_k, d_k)
    value: Tensor  # (..., n_k, d_v)
    mask: Tensor | None  # (n_q, n_k)
    mistakes: Iterable[Mistake]
    hint: str

    @property
    def arguments(self) -> tuple[Tensor, ...]:
        """What the reader's function is called with; a mask that is None is left out."""
        inputs = (self.query, self.key, self.value)
        return inputs if self.mask is None else (*inputs, self.mask)

    def __str__(self) -> str:
        names = ("query", "key", "value", "mask")
        shapes = zip(names, self.arguments, strict=False)
        return ", ".join(f"{name} {tuple(x.shape)}" for name, x in shapes)


def check_attention(function: Callable[..., Tensor]) -> int:
    """Check `attention(query, key, value, mask=None)`; return the number of properties."""
    cases = _attention_cases()
    for case in cases:
        _check_case(function, case)
    masked = cases[-1]
    _check_hidden_key(function, masked)
    _check_inputs_unchanged(function, masked)
    return len(cases) + 2


def _attention_cases() -> tuple[_Case, ...]:
    generator = torch.Generator().manual_seed(2017)

    def inputs(*batch: int, n_q: int = 5, n_k: int = 5) -> tuple[Tensor, Tensor, Tensor]:
        # All sizes differ, so that one taken for another shows.
        sizes = ((n_q, 4), (n_k, 4), (n_k, 3))
        query, key, value = (torch.randn(*batch, *size, generator=generator) for size in sizes)
        return query, key, value

    # Every query sees some keys but not all: what is hidden from it and what is not both matter.
    mask = torch.rand(5, 5, generator=generator).argsort(dim=-1) < 3  # (n_q, n_k)
    return (
        _Case(
            *inputs(),
            None,
            MISTAKES,
            "Write the shape behind each line: the scores need a row for each query and a column "
            "for each key. Count axes from the end, as there may or may not be a batch in front.",
        ),
        _Case(
            *inputs(n_q=2, n_k=6),
            None,
            (),
            "With as many keys as queries it runs: look for a place where the number of one "
            "stands for that of the other.",
        ),
        _Case(
            *inputs(2),
            None,
            MISTAKES,
            "Without a batch in front it runs: count the axes from the end, and exchange only the "
            "last two.",
        ),
        _Case(
            *inputs(),
            mask,
            MASK_MISTAKES,
            "Without a mask it runs: look at what you do with the mask, a boolean tensor in the "
            "shape of the scores.",
        ),
    )


def _check_case(function: Callable[..., Tensor], case: _Case) -> None:
    output = _call_on(function, case)
    expected, _ = reference(*case.arguments)
    if same(output, expected):
        return
    for mistake in case.mistakes:
        if same(output, mistake.result(*case.arguments)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    if output.shape != expected.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(output.shape)}, expected {tuple(expected.shape)}, on {case}.",
            "The output has one row for each query, and a row is as long as a value.",
        )
    if output.isnan().any():
        raise WrongAnswerError(
            f"the output holds NaN, on {case}.",
            "Look for a division of zero by zero, or for -inf times zero.",
        )
    _check_rows_sum_to_one(function, case)
    _check_range(output, case)
    if case.mask is not None:
        _check_hidden_key(function, case)
    raise WrongAnswerError(
        f"the output differs from the expected one by up to {difference(output, expected):.2g}, "
        f"on {case}.",
        "Compare your lines with the formula one by one: scores, scale, softmax, average.",
    )


def _call_on(function: Callable[..., Tensor], case: _Case) -> Tensor:
    # Copies, so that a function that writes into its inputs spoils no other call.
    copies = tuple(x.clone() for x in case.arguments)
    return call(function, copies, str(case), case.hint)


def _check_rows_sum_to_one(function: Callable[..., Tensor], case: _Case) -> None:
    """With values that are all 1, the output is the sum of the weights."""
    sums = _call_on(function, replace(case, value=torch.ones_like(case.value)))
    off = difference(sums, torch.ones_like(sums))
    if not off <= TOLERANCE:
        raise WrongAnswerError(
            f"the weights of a query do not sum to 1: the sum is off by up to {off:.2g}.",
            "Look at the softmax: which axis it runs over, and what changes the weights after it.",
        )


def _check_range(output: Tensor, case: _Case) -> None:
    above = output - case.value.amax(dim=-2, keepdim=True)
    below = case.value.amin(dim=-2, keepdim=True) - output
    off = torch.maximum(above, below).max().item()
    if off > TOLERANCE:
        raise WrongAnswerError(
            f"the output leaves the range of the values, by up to {off:.2g}.",
            "An average lies between the smallest and the largest: some weight must be negative.",
        )


def _check_hidden_key(function: Callable[..., Tensor], case: _Case) -> None:
    """Hide the last key from every query: another key and value there must change nothing."""
    mask = torch.ones_like(case.mask)
    mask[..., -1] = False
    key, value = case.key.clone(), case.value.clone()
    key[..., -1, :] *= 10
    value[..., -1, :] += 30
    before = _call_on(function, replace(case, mask=mask))
    after = _call_on(function, replace(case, mask=mask, key=key, value=value))
    off = difference(before, after)
    if not off <= TOLERANCE:
        raise WrongAnswerError(
            f"the output changes by up to {off:.2g} when only a hidden key and its value change.",
            "A hidden key must get no weight at all, however high its score would be.",
        )


def _check_inputs_unchanged(function: Callable[..., Tensor], case: _Case) -> None:
    copies = tuple(x.clone() for x in case.arguments)
    call(function, copies, str(case), case.hint)
    names = ("query", "key", "value", "mask")
    for name, copy, given in zip(names, copies, case.arguments, strict=True):
        if not torch.equal(copy, given):
            raise WrongAnswerError(
                f"the result is right, but your function changes its input `{name}`.",
                "An operation in place (its name ends with _, or it is written as += or /=) "
                "changes what the caller still holds: make a new tensor instead.",
            )
