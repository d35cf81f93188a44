"""Which models there are, where their weights lie, and how one is taken into use."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from companion.models.graph import Graph, Live
from companion.models.store import load_card, load_weights

MODELS = {
    "resolver": "companion.models.resolver.shipped",
    "summarizer": "companion.models.summarizer.shipped",
    "copier": "companion.models.copier.shipped",
    "chatbot": "companion.models.chatbot.shipped",
    "translator": "companion.models.translator.shipped",
    "bottleneck": "companion.models.bottleneck.shipped",
    "text_to_text": "companion.models.text_to_text.shipped",
    "bert": "companion.models.bert.shipped",
    "reader": "companion.models.reader.shipped",
}


@dataclass(frozen=True)
class Metric:
    """One figure of an evaluation, such as an accuracy, and on how many items it was measured."""

    name: str
    figure: float
    items: int

    def __str__(self) -> str:
        """Return `METRIC = FIGURE (N items)`."""
        return f"{self.name} = {self.figure:.3f} ({self.items} items)"


def recipe(name: str) -> ModuleType:
    """Return the module that builds, trains, evaluates and exports a model.

    It has `SUMMARY` and `CARD` (what stands in its card before any figure), and the functions
    `build() -> Module`, `train(data, seed, on_step) -> Module` with `STEPS` steps in all,
    `evaluate(model, data) -> list[Metric]`. One that answers widgets has `graph(model) -> Graph`; one
    of those that takes text has `encode(text) -> (ids, pieces)` and `TOKENIZER`, the file that says
    how. One whose weights are stored as other numbers than float32 has `STORED`, their type.
    A model may come back from train with a `history`, figures along the way, for its card.

    Raises:
        ValueError: If there is no model of that name.
    """
    if name not in MODELS:
        raise ValueError(f"name: there is no model {name!r}; there is: {', '.join(MODELS)}")
    return importlib.import_module(MODELS[name])


def folder(name: str) -> Path:
    """Return where a model's weights and card lie."""
    return Path(recipe(name).__file__).parent


def load(name: str) -> nn.Module:
    """Return a model with the weights that came with the package, ready to be asked."""
    return load_weights(recipe(name).build(), folder(name) / "weights.safetensors")


def live_names() -> list[str]:
    """Return which models answer widgets."""
    return [name for name in MODELS if hasattr(recipe(name), "graph")]


def graph(name: str) -> Graph:
    """Return the graph that answers a widget.

    Raises:
        ValueError: If there is no model of that name, or it answers no widget.
    """
    if not hasattr(recipe(name), "graph"):
        raise ValueError(
            f"name: {name} answers no widget, so it has no graph; one that has: "
            f"{', '.join(live_names())}"
        )
    return recipe(name).graph(load(name))


def stored(name: str) -> torch.dtype:
    """Return the type of the numbers that a model's weights are stored as."""
    return getattr(recipe(name), "STORED", torch.float32)


def tokenizer(name: str) -> Path | None:
    """Return the file that says how a model's text is cut into tokens; None if it takes no text."""
    return getattr(recipe(name), "TOKENIZER", None)


def live(name: str) -> Live:
    """Return a model as a widget asks it."""
    return Live(name, graph(name).answer, getattr(recipe(name), "encode", None))


def card(name: str) -> dict:
    """Return a model's card."""
    return load_card(folder(name) / "card.json")
