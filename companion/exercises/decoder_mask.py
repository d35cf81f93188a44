"""The exercise "decoder mask": join the causal mask and the padding mask of a batch.

From the chapter "Three kinds of attention, two masks".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.attention import causal_mask, padding_mask
from companion.exercises.trial import Mistake, WrongAnswerError, call

# Padding in the middle first: only there do hidden rows, hidden columns and both differ.
_TRIES = (
    ([[5, 9, 4, 1], [9, 2, 0, 3]], 9),
    ([[5, 3, 7, 0, 0], [4, 0, 0, 0, 0], [2, 9, 4, 6, 8]], 0),
    ([[3]], 0),
)


def check_decoder_mask(function: Callable[..., Tensor]) -> int:
    """Check `f(tokens, pad)`; return the number of properties.

    Args:
        function: takes tokens (batch, n), the numbers of the tokens, and pad, the number that stands for
            padding; gives the mask of a decoder, boolean (batch, 1, n, n).
    """
    for numbers, pad in _TRIES:
        tokens = torch.tensor(numbers)  # (batch, n)
        before = tokens.clone()
        on = f"tokens {tuple(tokens.shape)}, pad {pad}"
        hint = "Make both masks first, (n, n) and (batch, 1, 1, n); they broadcast when joined."
        mask = call(function, (tokens, pad), on, hint)
        if not torch.equal(tokens, before):
            raise WrongAnswerError(
                "changes its input `tokens`.", "Write into a new tensor, not in place."
            )
        _check_form(mask, tokens, on)
        _check_entries(mask, tokens, pad, on)
    return 5  # shape, dtype, no future, no padding, all else


def _check_form(mask: Tensor, tokens: Tensor, on: str) -> None:
    batch, n = tokens.shape
    expected = (batch, 1, n, n)
    if mask.shape != expected:
        raise WrongAnswerError(
            f"returned shape {tuple(mask.shape)}, expected {expected}, on {on}.",
            "The causal mask is (n, n); which of the words are padding differs from sentence to "
            "sentence, (batch, 1, 1, n). Joined, they broadcast to (batch, 1, n, n).",
        )
    if mask.dtype != torch.bool:
        raise WrongAnswerError(
            f"returned {mask.dtype}, expected torch.bool.",
            "Join boolean masks with `&`: what comes out is boolean, and `minimum`, `maximum` and "
            "`*` of numbers need not be thought about.",
        )


def _check_entries(mask: Tensor, tokens: Tensor, pad: int, on: str) -> None:
    expected = causal_mask(tokens.shape[1]) & padding_mask(tokens, pad)  # (batch, 1, n, n)
    if torch.equal(mask, expected):
        return
    for mistake in _MISTAKES:
        if torch.equal(mask, mistake.result(tokens, pad).expand(expected.shape)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    sentence, _, query, key = (mask != expected).nonzero()[0].tolist()
    sees, should = (
        ("sees", "must not") if mask[sentence, 0, query, key] else ("does not see", "must")
    )
    raise WrongAnswerError(
        f"on {on}: in sentence {sentence}, position {query} {sees} position {key}, but {should}.",
        "A key may be looked at if it is not later than the query and is not padding.",
    )


def _causal(tokens: Tensor) -> Tensor:
    return causal_mask(tokens.shape[1])


_MISTAKES = (
    Mistake(
        lambda tokens, pad: _causal(tokens) | padding_mask(tokens, pad),
        "a key is open if *either* mask opens it, as `|` and `maximum` do.",
        "Each mask names a reason to hide a key. One reason is enough: both must say `may look`.",
    ),
    Mistake(
        lambda tokens, pad: ~(_causal(tokens) & padding_mask(tokens, pad)),
        "the mask is the wrong way round.",
        "Here True means that a query may look.",
    ),
    Mistake(
        lambda tokens, _: _causal(tokens),
        "padding is not hidden.",
        "Compare the tokens with `pad`, and join what you find with the causal mask.",
    ),
    Mistake(
        padding_mask,
        "the future is not hidden.",
        "No position may look at what comes after it.",
    ),
    Mistake(
        lambda tokens, pad: _causal(tokens) & padding_mask(tokens, pad).transpose(-2, -1),
        "the rows of padding are hidden, not its columns.",
        "A column belongs to a key: no query may look at padding. Put the axes of length 1 "
        "before the last one: [:, None, None, :].",
    ),
    Mistake(
        lambda tokens, pad: (
            _causal(tokens)
            & padding_mask(tokens, pad)
            & padding_mask(tokens, pad).transpose(-2, -1)
        ),
        "padding may look at nothing: its rows are hidden, too.",
        "Only keys are hidden. What padding itself looks at does not matter, and a row without any "
        "open key is NaN in code that does not take care.",
    ),
    Mistake(
        lambda tokens, pad: _causal(tokens).T & padding_mask(tokens, pad),
        "each position sees itself and its future.",
        "A row belongs to a query: the first row has one open key, the last row all.",
    ),
    Mistake(
        lambda tokens, pad: _causal(tokens).tril(diagonal=-1) & padding_mask(tokens, pad),
        "a position does not see itself.",
        "The token at a position is known when the next one is predicted.",
    ),
    Mistake(
        lambda tokens, _: _causal(tokens) & padding_mask(tokens, 0),
        "padding is taken to be 0 whatever `pad` says.",
        "Compare with `pad`: in another vocabulary padding has another number.",
    ),
)
