"""How decoding asks a model for the next token, whatever the model.

`step(tokens, state) -> (logits, state)`: tokens, (rows,), are the last token of each text that is
written; logits, (rows, vocabulary), score what comes after it; the state holds all that the model
needs to know of each row. It is a tensor whose first axis is the row, or a list, tuple, dict or
dataclass of such, however deep, or None where there is none:

- of an encoder-decoder Transformer: the encoder's output and its mask, keys and values of each layer;
- of an LSTM: its output and its cell; with attention, the encoder's states as well;
- of a language model: keys and values of the text so far; of a prompt, of all but its last token.

Rows end, change their order and multiply between two steps, and their state goes with them
(`reorder`). So a step must keep nothing of a row elsewhere. Without a cache, the state is the text so
far: the step appends the token and reads everything again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from companion.checks import at_least_one

State = Any  # what `reorder` takes
Step = Callable[[Tensor, State], tuple[Tensor, State]]


@dataclass(frozen=True)
class Hypothesis:
    """A text that was written, or as much of it as there was room for.

    Attributes:
        tokens: its tokens, without the start; the end token is the last one, if it ended.
        log_probabilities: of each token, given those before it, by the model itself: at temperature 1,
            nothing filtered.
        score: what hypotheses are ranked by: the log-probability, over a length penalty if there is
            one.
        ended: whether the model came to an end.
    """

    tokens: list[int]
    log_probabilities: list[float]
    score: float
    ended: bool

    @property
    def log_probability(self) -> float:
        """Of the whole text, its end included: the sum over all tokens, not that of the last."""
        return sum(self.log_probabilities)


def reorder(state: State, rows: Tensor) -> State:
    """Make a state of some rows of a state, in a new order; a row may be taken more than once.

    Raises:
        TypeError: If state holds anything but tensors, lists, tuples, dicts, dataclasses and None.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    if isinstance(state, dict):
        return {name: reorder(part, rows) for name, part in state.items()}
    if is_dataclass(state):
        names = [field.name for field in fields(state)]
        return type(state)(**{name: reorder(getattr(state, name), rows) for name in names})
    if isinstance(state, (list, tuple)):
        parts = [reorder(part, rows) for part in state]
        named = hasattr(state, "_fields")  # a named tuple takes its parts one by one
        return type(state)(*parts) if named else type(state)(parts)
    raise TypeError(
        f"state holds {type(state).__name__}: it may hold tensors, lists, tuples, dicts, "
        "dataclasses and None"
    )


def check_search(start: Tensor, end: int | Sequence[int], longest: int) -> Tensor:
    """Check what every method of writing is given; return the end tokens, (n,)."""
    at_least_one(longest=longest)
    if start.dim() != 1 or len(start) == 0 or start.is_floating_point():
        raise ValueError(
            f"start is {start.dtype} of shape {tuple(start.shape)}: it must be whole numbers, (rows,)"
        )
    ends = [end] if isinstance(end, int) else end
    if not ends or not all(isinstance(token, int) and token >= 0 for token in ends):
        raise ValueError(
            f"end is {end!r}: it must be the number of the token that ends a text, or a list of such"
        )
    return torch.tensor(list(ends), device=start.device).unique()


def check_step(logits: Tensor, tokens: Tensor, ends: Tensor) -> None:
    """Check what a step gave: a row for each token, which scores the end tokens too."""
    if logits.dim() != 2 or len(logits) != len(tokens) or logits.shape[1] <= ends.max():
        raise ValueError(
            f"step gives logits of shape {tuple(logits.shape)}: it must be (rows = {len(tokens)}, "
            f"vocabulary), with end ({ends.tolist()}) in the vocabulary"
        )
    check_logits(logits)


def check_logits(logits: Tensor) -> None:
    """Raise ValueError unless each row can be made probabilities."""
    if not logits.is_floating_point() or logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(
            f"logits is {logits.dtype} of shape {tuple(logits.shape)}: "
            "it must be floating point, (..., vocabulary)"
        )
    top = logits.amax(dim=-1)
    if not top.isfinite().all():
        wrong = top[~top.isfinite()][0].item()
        raise ValueError(
            f"logits has a row whose largest number is {wrong}: it must be finite "
            "(-inf is for tokens that cannot come)"
        )
