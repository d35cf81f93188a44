"""The exercise "rnn": read a sentence word by word with a plain recurrent network.

From the chapter "RNN or Transformer?".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from companion.exercises.trial import Mistake, WrongAnswerError, call, same

_SIZES = ((5, 3, 4), (1, 2, 3), (7, 4, 4))  # n, d_in, d


def check_rnn(function: Callable[..., Tensor]) -> int:
    """Check `rnn(x, w_x, w_h, b)`; return the number of properties.

    Args:
        function: takes x (n, d_in), w_x (d, d_in), w_h (d, d) and b (d,); gives the state after each
            word, (n, d). The state before the first word is zero.
    """
    drawn = torch.Generator().manual_seed(0)
    for n, d_in, d in _SIZES:
        arguments = tuple(
            torch.randn(shape, generator=drawn) for shape in ((n, d_in), (d, d_in), (d, d), (d,))
        )
        on = f"{n} word{'s' if n > 1 else ''} of {d_in} numbers, a state of {d}"
        hint = "w_x (d, d_in) times a word (d_in,) and w_h (d, d) times the state (d,): w_x @ x[t]."
        kept = tuple(argument.clone() for argument in arguments)
        _check_states(call(function, arguments, on, hint), kept, on)
        if not all(torch.equal(a, b) for a, b in zip(arguments, kept, strict=True)):
            raise WrongAnswerError(
                "changes the tensors it is given.",
                "Make new tensors: no `+=` on the inputs, nor into them.",
            )
    return 5  # shape, first word, the state is passed on, word by word, inputs unharmed


def _check_states(result: Tensor, arguments: tuple[Tensor, ...], on: str) -> None:
    n, d = len(arguments[0]), len(arguments[3])
    if result.shape != (n, d):
        last = "This is the last state alone: keep the state after each word and stack them."
        raise WrongAnswerError(
            f"returned shape {tuple(result.shape)}, expected {(n, d)}, on {on}.",
            last if result.shape == (d,) else "One state for each word: torch.stack of n vectors.",
        )
    if same(result, _read(*arguments)):
        return
    for mistake in _MISTAKES:
        if same(result, mistake.result(*arguments)):
            raise WrongAnswerError(mistake.found, mistake.hint)
    raise WrongAnswerError(
        f"gives other states, on {on}.",
        "Begin with zeros; then for each word: state = tanh(w_x @ word + w_h @ state + b).",
    )


def _read(
    x: Tensor,
    w_x: Tensor,
    w_h: Tensor,
    b: Tensor,
    *,
    squash: Callable[[Tensor], Tensor] = torch.tanh,
    backwards: bool = False,
    begin: float = 0.0,
) -> Tensor:
    state = torch.full_like(b, begin)  # (d,)
    states = []
    for word in x.flip(0) if backwards else x:  # (d_in,)
        state = squash(w_x @ word + w_h @ state + b)  # (d,)
        states.append(state)
    return torch.stack(states[::-1] if backwards else states)  # (n, d)


_MISTAKES = (
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, torch.zeros_like(w_h), b),
        "no word knows of the words before it.",
        "Hand the state on: what the loop computes for one word goes into the next.",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h, b, squash=lambda z: z),
        "the tanh is missing.",
        "Without it the network is linear, and the state can grow without bound.",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h, b, squash=torch.sigmoid),
        "the states are squashed to between 0 and 1.",
        "That is a sigmoid; tanh lies between -1 and 1.",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h.T, b),
        "w_h is transposed.",
        "w_h @ state: each row of w_h makes one number of the new state. `state @ w_h` is another product.",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h, torch.zeros_like(b)),
        "the bias b is missing.",
        "Add b before the tanh.",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h, b, backwards=True),
        "the sentence is read from its end.",
        "Begin with the first word, x[0].",
    ),
    Mistake(
        lambda x, w_x, w_h, b: _read(x, w_x, w_h, b, begin=1.0),
        "the state begins with ones.",
        "Before the first word there is nothing to remember: zeros.",
    ),
)
