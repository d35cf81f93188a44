"""The translator: a Transformer that turns English sentences into German ones."""

from companion.models.translator.ask import Translation, looks, translate
from companion.models.translator.prepare import prepare, prepare_trees

__all__ = ["Translation", "looks", "prepare", "prepare_trees", "translate"]
