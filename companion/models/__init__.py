"""What is trained: recipe, card and weights of each model, and its way to the reader's browser."""

from companion.models.registry import card, live, load

__all__ = ["card", "live", "load"]
