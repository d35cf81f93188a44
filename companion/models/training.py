"""How a network learns: Adam, a rate that rises and then falls, gradients of bounded length."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from companion.checks import above_zero
from companion.models.progress import OnStep


def fit(
    model: nn.Module,
    loss: Callable[[], Tensor],
    *,
    steps: int,
    learning_rate: float,
    warm_up: int,
    on_step: OnStep | None = None,
) -> nn.Module:
    """Change a model's parameters so that a loss becomes small.

    Args:
        model: changed in place.
        loss: draws a batch and returns the loss on it, a scalar.
        steps: number of batches.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        on_step: hears the step, from 1, and its loss.

    Returns:
        The model, ready to be asked.

    Raises:
        ValueError: If a number is not above 0.

    Sources: AdamW: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101; the cosine:
    Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983.
    """
    above_zero(steps=steps, learning_rate=learning_rate, warm_up=warm_up)
    optimizer = torch.optim.AdamW(
        model.train().parameters(), betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    for step in range(1, steps + 1):
        falling = (1 + math.cos(math.pi * (step - 1) / steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * falling * min(1, step / warm_up)
        value = loss()
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if on_step:
            on_step(step, value.item())
    return model.eval()
