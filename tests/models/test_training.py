"""The loop that trains: rates that rise and fall, bounded gradients, errors that name what is wrong."""

import math

import pytest
import torch
from torch import nn

from companion.models.training import fit


def test_it_finds_a_line():
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    x = torch.randn(64, 2)
    y = x @ torch.tensor([[2.0], [-1.0]]) + 0.5
    heard = []
    fitted = fit(
        model,
        lambda: nn.functional.mse_loss(model(x), y),
        steps=300,
        learning_rate=0.05,
        warm_up=10,
        on_step=lambda step, loss: heard.append((step, loss)),
    )
    assert fitted is model
    assert not model.training
    assert [step for step, _ in heard] == list(range(1, 301))
    assert heard[-1][1] < 1e-3 < heard[0][1]
    torch.testing.assert_close(
        model.weight.detach(), torch.tensor([[2.0, -1.0]]), atol=0.05, rtol=0
    )


def test_the_rate_rises_then_falls_like_a_cosine(monkeypatch):
    rates = []
    real = torch.optim.AdamW.step

    def step(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return real(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    model = nn.Linear(1, 1)
    fit(model, model.weight.sum, steps=20, learning_rate=0.1, warm_up=5)
    for i, rate in enumerate(rates):
        falling = (1 + math.cos(math.pi * i / 20)) / 2
        assert rate == pytest.approx(0.1 * min(1, (i + 1) / 5) * falling)


def test_a_steep_loss_is_not_followed_all_the_way(monkeypatch):
    seen = []
    real = torch.optim.AdamW.step

    def step(self, *arguments):
        seen.append(float(self.param_groups[0]["params"][0].grad.norm()))
        return real(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    model = nn.Linear(3, 1, bias=False)
    fit(model, lambda: 1e6 * model.weight.sum(), steps=2, learning_rate=0.1, warm_up=1)
    assert seen == pytest.approx([1, 1], abs=1e-3)


@pytest.mark.parametrize("name", ["steps", "learning_rate", "warm_up"])
def test_numbers_must_be_above_0(name):
    sizes = {"steps": 1, "learning_rate": 0.1, "warm_up": 1, name: 0}
    with pytest.raises(ValueError, match=f"{name} is 0"):
        fit(nn.Linear(1, 1), lambda: torch.zeros(()), **sizes)
