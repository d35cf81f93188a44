"""The translator: a Transformer that turns English sentences into German ones."""

from companion.models.translator.ask import Translation, looks, translate
from companion.models.translator.prepare import prepare

__all__ = ["Translation", "looks", "prepare", "translate"]
