"""The summarizer: what was asked for in a dialogue, and what came of it."""

from companion.corpora.transcript import as_text
from companion.models.summarizer.ask import Summary, summarize
from companion.models.summarizer.measure import Report, measure
from companion.models.summarizer.prepare import prepare
from companion.models.summarizer.recipe import example, examples, train

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
