"""The exercise "rnn": right ways pass, and each common mistake gets its own hint."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG005

import pytest
import torch
from torch import nn

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("rnn", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_hand(x, w_x, w_h, b, *, squash=torch.tanh, begin=0.0, words=None):
    state, states = torch.full_like(b, begin), []
    for word in x if words is None else words:
        state = squash(w_x @ word + w_h @ state + b)
        states.append(state)
    return torch.stack(states)


def by_torch(x, w_x, w_h, b):
    network = nn.RNN(x.shape[1], len(b))
    with torch.no_grad():
        network.weight_ih_l0.copy_(w_x)
        network.weight_hh_l0.copy_(w_h)
        network.bias_ih_l0.copy_(b)
        network.bias_hh_l0.zero_()
    return network(x)[0]


def into_the_input(x, w_x, w_h, b):
    states = by_hand(x, w_x, w_h, b)
    b += 1
    return states


RIGHT = {
    "by hand": by_hand,
    "torch": by_torch,
    "double": lambda *given: by_hand(*(tensor.double() for tensor in given)),
}


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_right(capsys, function):
    assert said(capsys, function) == "✓ rnn: all 5 properties hold."


WRONG = {
    "no word knows of the words before": lambda x, w_x, w_h, b: torch.tanh(x @ w_x.T + b),
    "the tanh is missing": lambda *given: by_hand(*given, squash=lambda z: z),
    "between 0 and 1": lambda *given: by_hand(*given, squash=torch.sigmoid),
    "w_h is transposed": lambda x, w_x, w_h, b: by_hand(x, w_x, w_h.T, b),
    "the bias b is missing": lambda x, w_x, w_h, b: by_hand(x, w_x, w_h, 0 * b),
    "read from its end": lambda x, w_x, w_h, b: by_hand(x.flip(0), w_x, w_h, b).flip(0),
    "begins with ones": lambda *given: by_hand(*given, begin=1.0),
    "the last state alone": lambda *given: by_hand(*given)[-1],
    "One state for each word": lambda *given: by_hand(*given)[None],
    "gives other states": lambda *given: 2 * by_hand(*given),
    "changes the tensors": into_the_input,
    "returned None": lambda *given: None,
    "raised": lambda x, w_x, w_h, b: x @ w_x,
}


@pytest.mark.parametrize(("hint", "function"), WRONG.items(), ids=WRONG)
def test_wrong(capsys, hint, function):
    line = said(capsys, function)
    assert line.startswith("✗ rnn: ")
    assert hint.lower() in line.lower()
