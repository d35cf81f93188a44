"""What a model says behind every beginning that beams of some widths come through.

Which beginnings a beam keeps depends on the model and on its width alone: a length penalty ranks what
has ended, and decides when to stop. So a table of all of them is enough to repeat any of these
searches, where no model is at hand. Explained in chapters/week1-translation/choosing-words.ipynb.
"""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from companion.beam import beam_search
from companion.checks import at_least_one
from companion.decoding import largest, log_probabilities
from companion.steps import State, Step, check_search


@dataclass(frozen=True)
class Beginnings:
    """Beginnings of one text, and what may come next.

    Attributes:
        texts: the beginnings, the empty one first, each after all that are shorter.
        tokens: (beginnings, n), the likeliest next tokens of each, likeliest first.
        log_probabilities: of these, (beginnings, n).
        ends: the tokens that end a text.
        longest: the largest number of tokens of a text, the end among them.
    """

    texts: list[tuple[int, ...]]
    tokens: Tensor
    log_probabilities: Tensor
    ends: list[int]
    longest: int


def beginnings(
    step: Step,
    start: Tensor,
    state: State = None,
    *,
    end: int | list[int],
    width: int,
    longest: int,
) -> Beginnings:
    """Find all beginnings that beams of width 1 to `width` come through, to the very end.

    Args:
        step: asks the model, see `companion.steps`.
        start: (1,), the first token that is fed: one sentence.
        state: what `step` is first given.
        end: the token that ends a text, or several.
        width: of the widest beam.
        longest: the largest number of tokens, the end among them.

    Raises:
        ValueError: If start is not one token, or another argument is not as for `beam_search`.
    """
    ends = check_search(start, end, longest)
    at_least_one(width=width)
    if len(start) != 1:
        raise ValueError(f"start has {len(start)} tokens: it must be one, of a single sentence")
    most = width * (len(ends) + 1)  # as many as a beam looks at
    known: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}

    def ask(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        inner, text = state
        text = torch.cat([text, tokens[:, None]], dim=1)  # (rows, n)
        logits, inner = step(tokens, inner)  # (rows, vocabulary)
        _, likeliest = largest(logits, most)  # (rows, most)
        odds = log_probabilities(logits, likeliest)
        for row, begun in enumerate(text[:, 1:].tolist()):
            known.setdefault(tuple(begun), (likeliest[row], odds[row]))
        return logits, (inner, text)

    nothing = start.new_zeros(1, 0)
    for beams in range(1, width + 1):
        # As all that has room to go on could still score 0, no beam stops before.
        beam_search(
            ask,
            start,
            (state, nothing),
            end=ends.tolist(),
            width=beams,
            longest=longest,
            penalty=lambda length, _: inf if length == longest else 1.0,
        )
    texts = sorted(known, key=len)
    tokens, odds = (torch.stack([known[text][i] for text in texts]) for i in (0, 1))
    return Beginnings(texts, tokens, odds, ends.tolist(), longest)
