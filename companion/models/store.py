"""Weights and cards on disk: written whole or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save
from torch import nn


def save_weights(model: nn.Module, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model's weights as numbers of this type; an interruption leaves what was at `path` as it was."""
    tensors, seen = {}, set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if tensor not in seen:  # a weight with two names is written once
            tensors[name] = tensor.detach().to(dtype).contiguous()
            seen.add(tensor)
    # Not save_file, whose file nobody but its owner may read.
    _replace(path, lambda partial: partial.write_bytes(save(tensors)))


def load_weights(model: nn.Module, path: Path) -> nn.Module:
    """Fill a model with the weights at `path`, ready to be asked.

    Raises:
        ValueError: If the file is missing, is none of safetensors, or does not fit the model.
    """
    if not path.is_file():
        raise ValueError(f"path: there are no weights at {path}; train the model first")
    try:
        load_model(model, path)
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(" ".join(str(error).splitlines()[:2]).split())
        raise ValueError(f"path: {path} does not hold this model's weights ({reason})") from error
    return model.eval()


def save_card(card: dict[str, Any], path: Path) -> None:
    """Write a model's card as JSON."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    _replace(path, lambda partial: partial.write_text(text, "utf-8"))


def load_card(path: Path) -> dict[str, Any]:
    """Read a model's card.

    Raises:
        ValueError: If there is none, or the file is no JSON.
    """
    if not path.is_file():
        raise ValueError(f"path: there is no card at {path}; train the model first")
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"path: {path} is no card ({error})") from error


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    write(partial)
    os.replace(partial, path)  # noqa: PTH105
