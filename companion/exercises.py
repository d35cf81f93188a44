"""Checks of the functions that a reader writes, with hints.

`check("attention", my_function)` calls the reader's function on small random inputs, the same ones
every time, and prints one line. A wrong result is compared with the results that common mistakes
would give, so that the hint can be about the mistake made.
"""

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from companion.attention import attention_scores, attention_weights, causal_mask
from companion.attention import scaled_dot_product_attention as reference

# Wide enough for the rounding of any correct way to compute float32, and far below the difference
# that a mistake makes on inputs of size 1.
TOLERANCE = 1e-4


class _WrongAnswerError(Exception):
    """What is wrong with a reader's function, and a hint."""

    def __init__(self, found: str, hint: str) -> None:
        super().__init__(f"{found} Hint: {hint}")


@dataclass(frozen=True)
class _Mistake:
    """A common mistake: the result it gives, what to say of it, and a hint."""

    result: Callable[..., Tensor]
    found: str
    hint: str


@dataclass(frozen=True)
class _Case:
    """Inputs for the exercise "attention", the mistakes to look for, and a hint for an error."""

    query: Tensor  # (..., n_q, d_k)
    key: Tensor  # (..., n_k, d_k)
    value: Tensor  # (..., n_k, d_v)
    mask: Tensor | None  # (n_q, n_k)
    mistakes: Iterable[_Mistake]
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


def check(name: str, function: Callable[..., Tensor]) -> None:
    """Try a reader's function and print whether it is right, or what is wrong and a hint.

    A wrong function raises nothing: the reader learns more from the hint than from a traceback.

    Args:
        name: Which exercise, a key of `EXERCISES`.
        function: The reader's function.

    Raises:
        ValueError: If there is no such exercise.
    """
    if name not in EXERCISES:
        raise ValueError(f"name is {name!r}: it must be one of {', '.join(sorted(EXERCISES))}")
    try:
        n_properties = EXERCISES[name](function)
    except _WrongAnswerError as wrong:
        print(f"✗ {name}: {wrong}")  # noqa: T201
    else:
        print(f"✓ {name}: all {n_properties} properties hold.")  # noqa: T201


def _call(function: Callable[..., Tensor], arguments: tuple, on: str, hint: str) -> Tensor:
    """Call the reader's function; anything but a tensor is a wrong answer."""
    if not callable(function):
        raise _WrongAnswerError(
            f"got {_type_name(function)}, not a function.",
            "Hand over the name of your function, without parentheses behind it.",
        )
    try:
        # A warning would stand in front of the line that says what is wrong.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*arguments)
    except Exception as error:  # noqa: BLE001
        if isinstance(error, TypeError) and "argument" in str(error):
            hint = "Compare the arguments that your function takes with those that the task names."
        said = " ".join(str(error).split()).rstrip(".")
        message = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise _WrongAnswerError(f"raised {message}, on {on}.", hint) from None
    if result is None:
        raise _WrongAnswerError("returned None: does it end with `return`?", "Hand back a result.")
    if isinstance(result, (tuple, list)):
        raise _WrongAnswerError(
            f"returned {_type_name(result)} of {len(result)}, where one tensor is expected.",
            "Return one result alone.",
        )
    if not isinstance(result, Tensor):
        raise _WrongAnswerError(
            f"returned {_type_name(result)}, where a torch.Tensor is expected.",
            "Stay with torch's functions from the inputs to the result.",
        )
    return result.detach()


def _type_name(thing: object) -> str:
    module = type(thing).__module__
    name = type(thing).__qualname__
    return name if module == "builtins" else f"{module}.{name}"


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and _difference(one, other) <= TOLERANCE


def _difference(one: Tensor, other: Tensor) -> float:
    return (one.double() - other.double()).abs().max().item()


# "attention" ------------------------------------------------------------------------------------


def _check_attention(function: Callable[..., Tensor]) -> int:
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
            _MISTAKES,
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
            _MISTAKES,
            "Without a batch in front it runs: count the axes from the end, and exchange only the "
            "last two.",
        ),
        _Case(
            *inputs(),
            mask,
            _MASK_MISTAKES,
            "Without a mask it runs: look at what you do with the mask, a boolean tensor in the "
            "shape of the scores.",
        ),
    )


def _check_case(function: Callable[..., Tensor], case: _Case) -> None:
    output = _call_on(function, case)
    expected, _ = reference(*case.arguments)
    if _same(output, expected):
        return
    for mistake in case.mistakes:
        if _same(output, mistake.result(*case.arguments)):
            raise _WrongAnswerError(mistake.found, mistake.hint)
    if output.shape != expected.shape:
        raise _WrongAnswerError(
            f"returned shape {tuple(output.shape)}, expected {tuple(expected.shape)}, on {case}.",
            "The output has one row for each query, and a row is as long as a value.",
        )
    if output.isnan().any():
        raise _WrongAnswerError(
            f"the output holds NaN, on {case}.",
            "Look for a division of zero by zero, or for -inf times zero.",
        )
    _check_rows_sum_to_one(function, case)
    _check_range(output, case)
    if case.mask is not None:
        _check_hidden_key(function, case)
    raise _WrongAnswerError(
        f"the output differs from the expected one by up to {_difference(output, expected):.2g}, "
        f"on {case}.",
        "Compare your lines with the formula one by one: scores, scale, softmax, average.",
    )


def _call_on(function: Callable[..., Tensor], case: _Case) -> Tensor:
    # Copies, so that a function that writes into its inputs spoils no other call.
    copies = tuple(x.clone() for x in case.arguments)
    return _call(function, copies, str(case), case.hint)


def _check_rows_sum_to_one(function: Callable[..., Tensor], case: _Case) -> None:
    """With values that are all 1, the output is the sum of the weights."""
    sums = _call_on(function, replace(case, value=torch.ones_like(case.value)))
    off = _difference(sums, torch.ones_like(sums))
    if not off <= TOLERANCE:
        raise _WrongAnswerError(
            f"the weights of a query do not sum to 1: the sum is off by up to {off:.2g}.",
            "Look at the softmax: which axis it runs over, and what changes the weights after it.",
        )


def _check_range(output: Tensor, case: _Case) -> None:
    above = output - case.value.amax(dim=-2, keepdim=True)
    below = case.value.amin(dim=-2, keepdim=True) - output
    off = torch.maximum(above, below).max().item()
    if off > TOLERANCE:
        raise _WrongAnswerError(
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
    off = _difference(before, after)
    if not off <= TOLERANCE:
        raise _WrongAnswerError(
            f"the output changes by up to {off:.2g} when only a hidden key and its value change.",
            "A hidden key must get no weight at all, however high its score would be.",
        )


def _check_inputs_unchanged(function: Callable[..., Tensor], case: _Case) -> None:
    copies = tuple(x.clone() for x in case.arguments)
    _call(function, copies, str(case), case.hint)
    names = ("query", "key", "value", "mask")
    for name, copy, given in zip(names, copies, case.arguments, strict=True):
        if not torch.equal(copy, given):
            raise _WrongAnswerError(
                f"the result is right, but your function changes its input `{name}`.",
                "An operation in place (its name ends with _, or it is written as += or /=) "
                "changes what the caller still holds: make a new tensor instead.",
            )


def _scaled_by(factor: Callable[[Tensor, Tensor, Tensor], float]) -> Callable[..., Tensor]:
    """Attention whose scores are Q K^T times a factor of their own."""

    def result(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        wrong_by = factor(query, key, value) * math.sqrt(query.shape[-1])
        return reference(query * wrong_by, key, value)[0]

    return result


def _weights(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    return attention_weights(attention_scores(query, key), mask)


_MISTAKES = (
    _Mistake(
        _scaled_by(lambda _q, _k, _v: 1.0),
        "the scores are not scaled.",
        "A sum of d_k products grows with d_k: divide the scores by what its size grows with "
        "before the softmax.",
    ),
    _Mistake(
        _scaled_by(lambda q, _k, _v: 1 / q.shape[-1]),
        "the scores are divided by d_k.",
        "That is too much: a sum of d_k random products has a standard deviation of sqrt(d_k), "
        "not d_k.",
    ),
    _Mistake(
        _scaled_by(lambda q, _k, _v: math.sqrt(q.shape[-1])),
        "the scores are multiplied by sqrt(d_k).",
        "The scale is there to make the scores smaller, so it goes below the fraction bar.",
    ),
    _Mistake(
        _scaled_by(lambda _q, _k, v: 1 / math.sqrt(v.shape[-1])),
        "the scores are scaled with d_v, the length of a value.",
        "A score is a sum over the entries of a query and a key: their length is what counts.",
    ),
    _Mistake(
        _scaled_by(lambda _q, k, _v: 1 / math.sqrt(k.shape[-2])),
        "the scores are scaled with the number of tokens.",
        "A score is a sum over the entries of one query and one key: take the length of the "
        "vectors, the last axis, not that of the sequence.",
    ),
    _Mistake(
        lambda q, k, v: _weights(q * math.sqrt(q.shape[-1]), k) @ v / math.sqrt(q.shape[-1]),
        "the scale comes after the softmax.",
        "The scale belongs to the scores; applied to the weights, it leaves rows that do not sum "
        "to 1.",
    ),
    _Mistake(
        lambda q, k, v: attention_scores(q, k).softmax(dim=-2) @ v,
        "the softmax runs over the queries.",
        "Each query shares out its attention among the keys, so the weights must sum to 1 over "
        "the keys: that is the last axis, with or without a batch in front.",
    ),
    _Mistake(
        lambda q, k, v: attention_scores(q, k) @ v,
        "there is no softmax.",
        "Scores can be negative and sum to anything; make weights of them before you average.",
    ),
    _Mistake(
        lambda q, k, _v: _weights(q, k),
        "the values are missing: these are the weights.",
        "The weights say how much to take of each value; the average of the values is still to do.",
    ),
    _Mistake(
        lambda q, k, v: reference(k, q, v)[0],
        "queries and keys have changed places.",
        "The scores need a row for each query and a column for each key: yours are transposed.",
    ),
    _Mistake(
        lambda q, k, v: _weights(q, k).transpose(-2, -1) @ v,
        "the weights are transposed.",
        "The row of a query holds its weights for all keys, and meets the column of values.",
    ),
    _Mistake(
        lambda q, k, v: reference(q, k, v, causal_mask(q.shape[-2]))[0],
        "a causal mask is applied, although no mask is given.",
        "Hide only what the argument `mask` hides, and nothing when it is None.",
    ),
)

_MASK_MISTAKES = (
    _Mistake(
        lambda q, k, v, mask: reference(q, k, v, ~mask)[0],
        "the mask is applied the wrong way round.",
        "Here True means that a query may look; your function hides exactly those keys.",
    ),
    _Mistake(
        lambda q, k, v, _mask: reference(q, k, v)[0],
        "the mask changes nothing.",
        "Your function gives the same output with the mask as without. Is the masked tensor the "
        "one that you go on with?",
    ),
    _Mistake(
        lambda q, k, v, mask: (_weights(q, k) * mask) @ v,
        "the mask comes after the softmax.",
        "The hidden keys have had their share of the sum by then, so the rest no longer sums to "
        "1: hide them before the softmax.",
    ),
    _Mistake(
        lambda q, k, v, mask: (attention_scores(q, k) * mask).softmax(dim=-1) @ v,
        "the hidden scores are set to 0.",
        "A score of 0 still gets a weight, as exp(0) is 1: which score gets the weight 0?",
    ),
    _Mistake(
        lambda q, k, v, mask: (attention_scores(q, k) + mask.float()).softmax(dim=-1) @ v,
        "the mask is added to the scores as 0 and 1.",
        "That makes hidden keys only a little less likely; they must get the weight 0.",
    ),
    _Mistake(
        lambda q, k, v, mask: reference(q, k, v, mask.transpose(-2, -1))[0],
        "the mask is transposed.",
        "The mask has a row for each query and a column for each key, as the scores have.",
    ),
)


# "causal" ---------------------------------------------------------------------------------------


def _check_causal(function: Callable[..., Tensor]) -> int:
    """Check `causal_mask(n)`; return the number of properties."""
    for n in (5, 1, 8):
        mask = _call(
            function, (n,), f"n = {n}", "Build a square of n rows and n columns for any n above 0."
        )
        _check_causal_form(mask, n)
        _check_causal_entries(mask, n)
    return 5  # shape, dtype, no future, itself, the whole past


def _check_causal_form(mask: Tensor, n: int) -> None:
    if mask.shape != (n, n):
        raise _WrongAnswerError(
            f"returned shape {tuple(mask.shape)}, expected {(n, n)}, on n = {n}.",
            "There is one row for each query and one column for each key, and no other axis.",
        )
    if mask.dtype != torch.bool:
        additive = mask.is_floating_point() and bool((mask < -1).any())
        raise _WrongAnswerError(
            f"returned {mask.dtype}, expected torch.bool.",
            "A mask to be added to the scores holds 0 and -inf; here the answer to `may this query "
            "look at this key?` is wanted, True or False."
            if additive
            else "Ask of each entry `may this query look at this key?`: the answer is True or "
            "False, not a number.",
        )


def _check_causal_entries(mask: Tensor, n: int) -> None:
    expected = causal_mask(n)  # (n, n)
    if torch.equal(mask, expected):
        return
    for mistake in _CAUSAL_MISTAKES:
        if torch.equal(mask, mistake.result(n)):
            raise _WrongAnswerError(mistake.found, mistake.hint)
    query, key = (mask != expected).nonzero()[0].tolist()
    sees, should = ("sees", "must not") if mask[query, key] else ("does not see", "must")
    raise _WrongAnswerError(
        f"on n = {n}, position {query} {sees} position {key}, but {should}.",
        "Each position looks at itself and at all that comes before it, at nothing else.",
    )


_CAUSAL_MISTAKES = (
    _Mistake(
        lambda n: causal_mask(n).T,
        "this is the upper triangle: each position sees itself and its future.",
        "A row belongs to a query. The first position has nothing before it: how many keys may it "
        "see, and how many may the last one?",
    ),
    _Mistake(
        lambda n: ~causal_mask(n),
        "each position sees its future, and only that.",
        "You have marked what is hidden; here True means that a query may look.",
    ),
    _Mistake(
        lambda n: causal_mask(n).tril(diagonal=-1),
        "the diagonal is missing: a position does not see itself.",
        "The token at a position is known when the next one is predicted, so it may be looked at; "
        "without it the first position would see nothing at all.",
    ),
    _Mistake(
        lambda n: torch.ones(n, n, dtype=torch.bool),
        "every position sees everything.",
        "A position must not see what comes after it.",
    ),
    _Mistake(
        lambda n: torch.zeros(n, n, dtype=torch.bool),
        "no position sees anything.",
        "True means that a query may look: each position sees itself and what comes before it.",
    ),
    _Mistake(
        lambda n: torch.ones(n, n, dtype=torch.bool).tril(diagonal=1),
        "each position sees the one after it.",
        "The triangle is one diagonal too large: the next token is what the model has to predict.",
    ),
    _Mistake(
        lambda n: torch.eye(n, dtype=torch.bool),
        "each position sees itself alone.",
        "What comes before a position may be looked at as well.",
    ),
)


EXERCISES: dict[str, Callable[[Callable[..., Tensor]], int]] = {
    "attention": _check_attention,
    "causal": _check_causal,
}
