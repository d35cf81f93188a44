"""The pronoun resolver: what does *it* refer to?"""

from companion.models.resolver.ask import Resolution, resolve
from companion.models.resolver.prepare import prepare
from companion.models.resolver.recipe import STEPS, WIDE, Evaluation, evaluate, train
from companion.models.resolver.words import encode, tokenize

__all__ = [
    "STEPS",
    "WIDE",
    "Evaluation",
    "Resolution",
    "encode",
    "evaluate",
    "prepare",
    "resolve",
    "tokenize",
    "train",
]
