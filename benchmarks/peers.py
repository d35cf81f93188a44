"""The other implementations: which are installed, and what is found of them."""

import importlib.util
from dataclasses import dataclass
from importlib.metadata import version

from torch import Tensor

MODULES = {"lucidrains": "reformer_pytorch", "transformers": "transformers"}
PACKAGES = {"lucidrains": "reformer-pytorch", "transformers": "transformers"}
WRONG = 1e-3  # a relative error from which on a result is no longer rounding


def installed(who: str) -> bool:
    """Whether an implementation can be imported; ours, and torch's, always."""
    return who not in MODULES or importlib.util.find_spec(MODULES[who]) is not None


def versions() -> dict[str, str]:
    """The names of the installed peers, and their packages with versions."""
    return {who: f"{name} {version(name)}" for who, name in PACKAGES.items() if installed(who)}


def missing() -> list[str]:
    """A line for each peer that is not installed."""
    install = "pip install -r requirements-peers.txt"
    return [f"{who} is left out, not installed: {install}" for who in MODULES if not installed(who)]


@dataclass(frozen=True)
class Finding:
    """A figure of one implementation.

    Attributes:
        who: The implementation.
        text: What was found.
        wrong: Whether that is a defect.
    """

    who: str
    text: str
    wrong: bool


def error(found: Tensor, right: Tensor) -> float:
    """The relative error, by Euclidean norms."""
    return ((found - right).norm() / right.norm()).item()
