"""The exercise "loss mask": right answers pass, and each common mistake gets the hint that fits it."""

import pytest
import torch

from companion.exercises import check
from companion.language_model import loss_mask


def by_index(tokens, separator, end):
    mask = torch.zeros(tokens.shape[0], tokens.shape[1] - 1, dtype=torch.bool)
    for row, text in enumerate(tokens.tolist()):
        begin = text.index(separator)
        mask[row, begin : text.index(end, begin)] = True
    return mask


@pytest.mark.parametrize("right", [loss_mask, by_index])
def test_right_answers_pass(right, capsys):
    check("loss mask", right)
    assert capsys.readouterr().out == "✓ loss mask: all 5 properties hold.\n"


WRONG = {
    "every prediction counts": lambda t, _s, _e: torch.ones_like(t[:, 1:], dtype=torch.bool),
    "the dialogue counts": lambda t, s, _e: ((t == s).cumsum(1) == 0)[:, :-1],
    "one position late": lambda t, s, e: torch.nn.functional.pad(
        loss_mask(t, s, e)[:, :-1], (1, 0)
    ),
    "the end of the summary does not count": lambda t, s, e: loss_mask(t, s, e) & (t[:, 1:] != e),
    "padding after the end counts": lambda t, s, _e: ((t == s).cumsum(1) > 0)[:, :-1],
    "returned shape": lambda t, s, _e: (t == s).cumsum(1) > 0,
    "expected torch.bool": lambda t, s, e: loss_mask(t, s, e).float(),
    "must not": lambda t, s, e: loss_mask(t, s, e) | (t[:, :-1] == 7) | (t[:, :-1] == 12),
    "raised": lambda t: t,
}


@pytest.mark.parametrize("told", WRONG)
def test_each_mistake_gets_its_own_hint(told, capsys):
    check("loss mask", WRONG[told])
    said = capsys.readouterr().out
    assert said.startswith("✗ loss mask:")
    assert told in said
    assert "Hint:" in said
