"""The copy task: say again what was said, after a zero. 0 w 0 w, for a random w.

To continue the second half, a network must look exactly half the sequence back, at every step.

Source: Kitaev et al. 2020, "Reformer", section 5, https://arxiv.org/abs/2001.04451.
"""

import torch
from torch import Tensor

from companion.checks import at_least_one

ASKED_NOTHING = -100  # as torch.nn.functional.cross_entropy ignores it


def copying(
    n: int, length: int, n_symbols: int, *, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Make sequences to copy, and what is to follow each position.

    Args:
        n: How many.
        length: Symbols in w; a sequence has 2 · (length + 1).
        n_symbols: How many different symbols w is drawn from: 1 to n_symbols.
        generator: Where the random numbers come from; by default torch's own.

    Returns:
        tokens, (n, 2 · (length + 1)), and targets of the same shape: the next token from the second
        0 on, -100 before it and at the end, where nothing can be known.

    Raises:
        ValueError: If a number is not positive.
    """
    at_least_one(n=n, length=length, n_symbols=n_symbols)
    word = torch.randint(1, n_symbols + 1, (n, length), generator=generator)
    zero = torch.zeros(n, 1, dtype=torch.long)
    tokens = torch.cat([zero, word, zero, word], dim=1)  # (n, 2 · (length + 1))
    targets = tokens.roll(-1, dims=1)
    targets[:, : length + 1] = ASKED_NOTHING
    targets[:, -1] = ASKED_NOTHING
    return tokens, targets
