"""The summarizer: what was asked for in a dialogue, and what came of it."""

from companion.models.summarizer.ask import Summary, summarize
from companion.models.summarizer.measure import Report, measure
from companion.models.summarizer.prepare import prepare
from companion.models.summarizer.recipe import as_text, example, examples, train

__all__ = [
    "Report",
    "Summary",
    "as_text",
    "example",
    "examples",
    "measure",
    "prepare",
    "summarize",
    "train",
]
