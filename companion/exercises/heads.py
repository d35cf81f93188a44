"""The exercise "heads": split, attend, join.

From the chapter "Many heads".
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from companion.attention import join_heads, scaled_dot_product_attention, split_heads
from companion.exercises.trial import Mistake, WrongAnswerError, call, difference, same


def check_heads(function: Callable[..., Tensor]) -> int:
    """Check `f(query, key, value, W_O, n_heads)`; return the number of properties.

    Args:
        function: takes what the learned matrices made, query, key and value (batch, n, d_model),
            W_O (d_model, d_model), which multiplies from the right, and the number of heads; gives
            the output, (batch, n, d_model).
    """
    drawn = torch.Generator().manual_seed(2017)
    # All sizes differ, so that one taken for another shows; one head is an attention as usual.
    for batch, n, d_model, n_heads in ((2, 5, 12, 3), (1, 3, 8, 4), (3, 4, 6, 1)):
        given = torch.randn(3, batch, n, d_model, generator=drawn)
        matrix = torch.randn(d_model, d_model, generator=drawn) / math.sqrt(d_model)
        inputs = (*given, matrix, n_heads)
        on = f"query {(batch, n, d_model)}, {n_heads} heads"
        hint = (
            "Write the shape beside each line: (batch, n, heads, d_k), then (batch, heads, n, d_k)."
        )
        _check(call(function, inputs, on, hint), inputs, on)
    return 3  # an odd number of heads, an even one, and one head


def _check(output: Tensor, inputs: tuple, on: str) -> None:
    expected = _attended(*inputs)
    if output.shape != expected.shape:
        raise WrongAnswerError(
            f"returned shape {tuple(output.shape)}, expected {tuple(expected.shape)}, on {on}.",
            "The heads are put side by side again, so a row is as long as it was.",
        )
    if same(output, expected):
        return
    for mistake in _MISTAKES:
        if same(output, mistake.result(*inputs)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"differs from the expected output by up to {difference(output, expected):.2g}, on {on}.",
        "Compare the steps one by one: cut, bring the heads to the front, attend, bring them back, "
        "put them side by side, multiply by W_O.",
    )


def _attended(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    matrix: Tensor,
    n_heads: int,
    *,
    split: Callable[[Tensor, int], Tensor] = split_heads,
    join: Callable[[Tensor], Tensor] = join_heads,
    sharpness: float = 1.0,
) -> Tensor:
    pieces = [split(x, n_heads) for x in (query * sharpness, key, value)]  # (batch, heads, n, d_k)
    return join(scaled_dot_product_attention(*pieces)[0]) @ matrix  # (batch, n, d_model)


def _cut_without_transpose(x: Tensor, n_heads: int) -> Tensor:
    batch, n, d_model = x.shape
    return x.reshape(batch, n_heads, n, d_model // n_heads)


def _join_without_transpose(x: Tensor) -> Tensor:
    batch, heads, n, d_k = x.shape
    return x.reshape(batch, n, heads * d_k)


def _one_head(query: Tensor, key: Tensor, value: Tensor, matrix: Tensor, _heads: int) -> Tensor:
    return _attended(query, key, value, matrix, 1)


_MISTAKES = (
    Mistake(
        lambda *x: _attended(*x, split=_cut_without_transpose, join=_join_without_transpose),
        "the heads are cut and joined without a transpose.",
        "view(batch, heads, n, d_k) gives each head all numbers of a few words. Cut each row first, "
        "then exchange the axes of words and heads; and back again.",
    ),
    Mistake(
        lambda *x: _attended(*x, split=_cut_without_transpose),
        "the heads are cut without a transpose.",
        "view(batch, heads, n, d_k) gives each head all numbers of a few words. Cut each row into "
        "(heads, d_k) first, then exchange the axes of words and heads.",
    ),
    Mistake(
        lambda *x: _attended(*x, join=_join_without_transpose),
        "the heads are joined without a transpose.",
        "Bring the axis of heads back behind that of the words before you flatten.",
    ),
    Mistake(
        _one_head,
        "this is the formula of a single head.",
        "One softmax over whole rows: cut queries, keys and values into heads first.",
    ),
    Mistake(
        lambda q, k, v, w, heads: _attended(q, k, v, w, heads, sharpness=1 / math.sqrt(heads)),
        "the scores are divided by sqrt(d_model).",
        "A head's queries have d_k = d_model / heads numbers: that is what the scores grow with.",
    ),
    Mistake(
        lambda q, k, v, w, heads: _attended(
            q, k, v, w, heads, sharpness=math.sqrt(q.shape[-1] / heads)
        ),
        "the scores are not scaled.",
        "Divide them by sqrt(d_k) before the softmax, in every head.",
    ),
    Mistake(
        lambda q, k, v, w, heads: _attended(q, k, v, torch.eye(len(w)), heads),
        "W_O is missing: these are the heads, side by side.",
        "Multiply by W_O at the end; only there do the heads meet.",
    ),
    Mistake(
        lambda q, k, v, w, heads: _attended(q, k, v, w.T, heads),
        "W_O is transposed.",
        "Here it multiplies from the right: the concatenated row times W_O.",
    ),
)
