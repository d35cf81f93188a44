"""What a model learns from text alone: words hidden and guessed, in five ways.

Each function takes whole numbers, the tokens of one text, and makes what the model sees and what it is
asked for. Explained in chapters/week3-bert-and-t5/reading-with-holes.ipynb.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks import at_least_one

UNASKED = -100  # the label of a position that is not asked for: torch's losses leave it out


@dataclass(frozen=True)
class Recall:
    """What a model sees, and what it is asked for.

    Attributes:
        seen: (n,), the tokens that go in.
        asked: (n,), the token to be named at each position; `UNASKED` where none is.
    """

    seen: Tensor
    asked: Tensor


def mask_words(
    tokens: Tensor,
    mask: int,
    n_tokens: int,
    *,
    rate: float = 0.15,
    keep: Tensor | None = None,
    first: int = 0,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    generator: torch.Generator | None = None,
) -> Recall:
    """Choose tokens at random, and hide most of them: the masked language model of BERT.

    Of the chosen, 8 in 10 become the mask, 1 in 10 some other token, and 1 in 10 stays: so the model
    cannot trust what it sees at any position, and is asked about tokens that look quite ordinary.

    Args:
        tokens: (...), the text, or a batch of texts.
        mask: The number of the token [MASK].
        n_tokens: How many tokens there are, to draw some other one from.
        rate: Share of the tokens that are chosen.
        keep: Boolean, (...), True where a token must not be chosen: [CLS], [SEP], padding.
        first: Numbers below this are special tokens, which are not drawn in place of another.
        shares: Of the chosen: masked, replaced, unchanged; they add up to 1.
        generator: Where the random numbers come from; by default torch's own.

    Returns:
        Both of the shape of tokens.

    Raises:
        ValueError: If rate is not from 0 to 1, or shares are not three that add up to 1.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1 and appendix A.1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}: it must be from 0 to 1")
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"shares is {shares}: they must be three, none below 0, that add up to 1")
    chosen = torch.rand(tokens.shape, generator=generator) < rate
    if keep is not None:
        chosen &= ~keep
    fate = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(first, n_tokens, tokens.shape, generator=generator)
    hidden = chosen & (fate < shares[0])
    replaced = chosen & (fate >= shares[0]) & (fate < shares[0] + shares[1])
    seen = torch.where(hidden, mask, torch.where(replaced, other, tokens))
    return Recall(seen, torch.where(chosen, tokens, UNASKED))


def next_token(tokens: Tensor) -> Recall:
    """Ask at each position for the token after it: the causal language model of GPT.

    Args:
        tokens: (n,), at least 2.

    Returns:
        Both (n - 1,); read with `companion.attention.causal_mask`.

    Raises:
        ValueError: If there are fewer than 2 tokens.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", equation 1.
    """
    _at_least_two(tokens)
    return Recall(tokens[:-1], tokens[1:].clone())


def continue_prefix(tokens: Tensor, prefix: int) -> Recall:
    """Give the beginning of a text, and ask for what follows: the prefix language model.

    Args:
        tokens: (n,), at least 2.
        prefix: How many tokens are given; 1 to n - 1.

    Returns:
        Both (n - 1,); read with `companion.masks.prefix_mask(n - 1, prefix)`. The token after the
        prefix is the first that is asked for.

    Raises:
        ValueError: If prefix is not from 1 to n - 1.

    Source: Raffel et al. 2020, https://arxiv.org/abs/1910.10683, sections 3.2.1 and 3.3.1.
    """
    _at_least_two(tokens)
    if not 1 <= prefix < len(tokens):
        raise ValueError(f"prefix is {prefix}: it must be from 1 to {len(tokens) - 1}")
    asked = tokens[1:].clone()
    asked[: prefix - 1] = UNASKED
    return Recall(tokens[:-1], asked)


def span_corruption(
    tokens: Sequence[int], spans: Sequence[tuple[int, int]], sentinels: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Put one sentinel in place of each span, and ask for the spans, each after its sentinel: T5.

    Thank you [for inviting] me to your party [last] week  becomes
    Thank you <X> me to your party <Y> week  and  <X> for inviting <Y> last <Z>.

    Args:
        tokens: The text.
        spans: First token, and one past the last, of each span; in order, with a token in between.
        sentinels: Numbers of tokens that stand in no text; one more than there are spans.

    Returns:
        What the encoder reads, and what the decoder writes.

    Raises:
        ValueError: If a span is empty, out of order or touches the one before it, or there are too
            few sentinels.

    Source: Raffel et al. 2020, https://arxiv.org/abs/1910.10683, section 3.1.4, figure 2.
    """
    if len(sentinels) <= len(spans):
        raise ValueError(
            f"sentinels: {len(sentinels)} were given; {len(spans)} spans need {len(spans) + 1}"
        )
    seen: list[int] = []
    asked: list[int] = []
    done = 0
    for number, (start, end) in enumerate(spans):
        if not (done if number == 0 else done + 1) <= start < end <= len(tokens):
            raise ValueError(
                f"spans: ({start}, {end}) must hold a token, come after the span before it with "
                f"a token in between, and end at {len(tokens)} or before"
            )
        seen += [*tokens[done:start], sentinels[number]]
        asked += [sentinels[number], *tokens[start:end]]
        done = end
    return [*seen, *tokens[done:]], [*asked, sentinels[len(spans)]]


def draw_spans(
    n: int,
    *,
    rate: float = 0.15,
    mean_length: float = 3.0,
    generator: torch.Generator | None = None,
) -> list[tuple[int, int]]:
    """Draw which spans of a text are hidden, so that a given share of the tokens is.

    The hidden tokens are cut at random into so many spans that these have the mean length, and so are
    the others; the two kinds take turns: the text begins with a token that is not hidden, and ends
    with one that is.

    Args:
        n: Number of tokens.
        rate: Share of the tokens to hide.
        mean_length: Mean number of tokens in a span.
        generator: Where the random numbers come from; by default torch's own.

    Returns:
        First token, and one past the last, of each span, in order.

    Raises:
        ValueError: If n is below 2, rate not between 0 and 1, or mean_length below 1.

    Source: Raffel et al. 2020, section 3.3.4; the way to draw is that of the authors' code.
    """
    if n < 2:
        raise ValueError(f"n is {n}: there must be at least 2 tokens, one of which stays")
    if not 0 < rate < 1:
        raise ValueError(f"rate is {rate}: it must be between 0 and 1")
    if mean_length < 1:
        raise ValueError(f"mean_length is {mean_length}: it must be at least 1")
    hidden = min(max(round(n * rate), 1), n - 1)
    count = min(max(round(hidden / mean_length), 1), n - hidden)
    shown_parts = _cut(n - hidden, count, generator)
    spans, at = [], 0
    for shown, length in zip(shown_parts, _cut(hidden, count, generator), strict=True):
        spans.append((at + shown, at + shown + length))
        at += shown + length
    return spans


def _cut(total: int, parts: int, generator: torch.Generator | None) -> list[int]:
    """Cut a number into so many parts of at least 1, all ways being equally likely."""
    at_least_one(total=total, parts=parts)
    places = torch.randperm(total - 1, generator=generator)[: parts - 1].sort().values + 1
    ends = [0, *places.tolist(), total]
    return [after - before for before, after in itertools.pairwise(ends)]


def _at_least_two(tokens: Tensor) -> None:
    if tokens.dim() != 1 or len(tokens) < 2:
        raise ValueError(f"tokens has shape {tuple(tokens.shape)}: it must be (n,), n at least 2")
