"""Decoding: choose the next token, then the next, until a text is there.

A model scores every token that may come next (its *logits*). `temper`, `top_k` and `top_p` change
what can be drawn, `choose` draws, `greedy` and `sample` write whole texts; `companion.beam` searches
for the likeliest one. In shapes, `rows` is the number of texts that are written at the same time.

How they ask a model is told in `companion.steps`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from companion.checks import at_least_one
from companion.steps import (
    Hypothesis,
    State,
    Step,
    check_logits,
    check_search,
    check_step,
    reorder,
)

# Probabilities made from float32 logits are no more exact than this.
_ROUNDING = 1e-6


def temper(logits: Tensor, temperature: float) -> Tensor:
    """Divide logits by a temperature: below 1 the likely gets likelier, above 1 all come closer.

    Args:
        logits: (..., vocabulary).
        temperature: at least 0. With 0, the limit, only the likeliest token stays, the first of
            several.

    Returns:
        (..., vocabulary): the logits less their maximum, divided; -inf for what cannot be drawn.

    Raises:
        ValueError: If temperature is negative or not finite, or a row's largest logit is not finite.

    Source: Holtzman et al. 2020, https://arxiv.org/abs/1904.09751, section 3.3.
    """
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: it must be at least 0, and finite")
    check_logits(logits)
    # Below the smallest normal number a temperature is 0 to the tensor, and 0 / 0 is no number.
    if temperature < torch.finfo(logits.dtype).tiny:
        return _keep_only(logits, logits.argmax(dim=-1, keepdim=True))
    return (logits - logits.amax(dim=-1, keepdim=True)) / temperature


def top_k(logits: Tensor, k: int) -> Tensor:
    """Let only the k likeliest tokens be drawn; of equals, the one with the lower number.

    (transformers keeps all that are as likely as the k-th, so that it can be more than k.)

    Args:
        logits: (..., vocabulary).
        k: at least 1; with the vocabulary's size or more, all stay.

    Returns:
        (..., vocabulary): the same logits, -inf for the tokens that are left out.

    Raises:
        ValueError: If k is below 1, or a row's largest logit is not finite.

    Source: Fan, Lewis and Dauphin 2018, https://arxiv.org/abs/1805.04833, section 5.4.
    """
    at_least_one(k=k)
    check_logits(logits)
    return _keep_only(logits, largest(logits, k)[1])


def top_p(logits: Tensor, p: float) -> Tensor:
    """Let only the nucleus be drawn: the smallest set of tokens whose mass reaches p.

    The likeliest tokens make the smallest set; of equals, those with lower numbers. There is always
    one at least. Mass within 1e-6 of p reaches it, so that rounding adds no token.

    Args:
        logits: (..., vocabulary).
        p: above 0, at most 1; with 1, all stay.

    Returns:
        (..., vocabulary): the same logits, -inf for the tokens that are left out.

    Raises:
        ValueError: If p is not in (0, 1], or a row's largest logit is not finite.

    Source: Holtzman et al. 2020, https://arxiv.org/abs/1904.09751, section 3.1, equation 2.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p is {p}: it must be above 0 and at most 1")
    check_logits(logits)
    if p == 1:
        return logits
    ordered, tokens = logits.sort(dim=-1, descending=True, stable=True)
    odds = ordered.double().softmax(dim=-1)  # (..., vocabulary)
    likelier = odds.cumsum(dim=-1) - odds  # the mass of the tokens before each
    left_out = likelier >= p - _ROUNDING
    left_out[..., 0] = False
    return logits.masked_fill(left_out.scatter(-1, tokens, left_out), float("-inf"))


def choose(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    k: int | None = None,
    p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Choose a token of each row: temperature, then top-k, then top-p, then a draw.

    This is the order of transformers: the mass that top-p counts is that of what top-k left.

    Args:
        logits: (..., vocabulary).
        temperature: as for `temper`; with 0 nothing is drawn.
        k: as for `top_k`; None keeps all.
        p: as for `top_p`; None keeps all.
        generator: what draws; by default torch's global one.

    Returns:
        The numbers of the tokens, (...).

    Raises:
        ValueError: If an argument is not as above.
    """
    kept = temper(logits, temperature)  # (..., vocabulary)
    kept = kept if k is None else top_k(kept, k)
    kept = kept if p is None else top_p(kept, p)
    if temperature == 0:  # a single token is left: no random number need be spent
        return kept.argmax(dim=-1)  # (...)
    odds = kept.softmax(dim=-1).reshape(-1, logits.shape[-1])  # (rows, vocabulary)
    return odds.multinomial(1, generator=generator).reshape(logits.shape[:-1])  # (...)


def greedy(
    step: Step, start: Tensor, state: State = None, *, end: int | Sequence[int], longest: int
) -> list[Hypothesis]:
    """Write texts by taking the likeliest token each time. Arguments are those of `sample`."""
    return sample(step, start, state, end=end, longest=longest, temperature=0.0)


@torch.no_grad()
def sample(
    step: Step,
    start: Tensor,
    state: State = None,
    *,
    end: int | Sequence[int],
    longest: int,
    temperature: float = 1.0,
    k: int | None = None,
    p: float | None = None,
    generator: torch.Generator | None = None,
) -> list[Hypothesis]:
    """Write texts by drawing each token; a text that has ended takes no more time.

    For several texts of one row, repeat it beforehand:
    `reorder(state, torch.arange(rows).repeat_interleave(n))`, and start alike.

    Args:
        step: asks the model, see `companion.steps`.
        start: (rows,), the first token that is fed; of a language model, the last of the prompt.
        state: what `step` is first given.
        end: the token that ends a text, or several.
        longest: the largest number of tokens, the end among them.
        temperature: as for `temper`; with 0 nothing is drawn.
        k: as for `top_k`; None keeps all.
        p: as for `top_p`; None keeps all.
        generator: what draws; by default torch's global one.

    Returns:
        What was written, one hypothesis a row; its score is its log-probability.

    Raises:
        ValueError: If an argument is not as above, or `step` gives logits of another shape, or a
            row without a finite largest logit.
    """
    ends = check_search(start, end, longest)
    tokens, live = start, torch.arange(len(start), device=start.device)  # (rows,) each
    written: list[list[tuple[int, float]]] = [[] for _ in start]
    for _ in range(longest):
        logits, state = step(tokens, state)  # (rows, vocabulary)
        check_step(logits, tokens, ends)
        tokens = choose(logits, temperature=temperature, k=k, p=p, generator=generator)  # (rows,)
        odds = log_probabilities(logits, tokens[:, None])[:, 0]  # (rows,)
        for row, *chosen in zip(live.tolist(), tokens.tolist(), odds.tolist(), strict=True):
            written[row].append(tuple(chosen))
        going = (~torch.isin(tokens, ends)).nonzero()[:, 0]  # (rows that go on,)
        if len(going) == 0:
            break
        if len(going) < len(live):
            tokens, live, state = tokens[going], live[going], reorder(state, going)
    texts = ([list(column) for column in zip(*row, strict=True)] for row in written)
    stops = set(ends.tolist())
    return [Hypothesis(text, odds, sum(odds), text[-1] in stops) for text, odds in texts]


def largest(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the k largest numbers of the last axis, or all if there are fewer; of equals, the first.

    `torch.topk` may return any of equal numbers.

    Returns:
        The numbers, largest first, and where they stand, (..., k) each.
    """
    if k < x.shape[-1]:
        values, places = x.topk(k + 1, dim=-1)
        # Without a tie on the border there is one such set, and only its order is left to settle.
        if (values[..., k - 1] > values[..., k]).all():
            places = places[..., :k].sort(dim=-1).values
            values, order = x.gather(-1, places).sort(dim=-1, descending=True, stable=True)
            return values, places.gather(-1, order)
    values, places = x.sort(dim=-1, descending=True, stable=True)
    return values[..., :k], places[..., :k]


def log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the log-probabilities of some tokens, (rows, n), by logits (rows, vocabulary)."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits.gather(-1, tokens) - logits.logsumexp(dim=-1, keepdim=True)


def _keep_only(logits: Tensor, tokens: Tensor) -> Tensor:
    """Set all logits but those of some tokens, (..., n), to -inf."""
    left_out = torch.ones_like(logits, dtype=torch.bool).scatter(-1, tokens, value=False)
    return logits.masked_fill(left_out, float("-inf"))
