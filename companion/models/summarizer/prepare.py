"""What the widget `DialogueSummarizer` is made of: the tokens, and summaries written in advance."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from companion.language_model import LanguageModel
from companion.models.summarizer.ask import MOST, summarize
from companion.models.summarizer.graph import LONGEST
from companion.models.summarizer.pieces import END, SEPARATOR, encode, names


def prepare(model: LanguageModel, dialogues: Mapping[str, str]) -> dict[str, Any]:
    """Summarize dialogues in advance.

    Args:
        model: the summarizer.
        dialogues: by title, each with a turn on each line, as `summarize` takes it.

    Returns:
        The arguments of `DialogueSummarizer` besides the model.

    Raises:
        ValueError: If there are no dialogues, or one cannot be summarized.
    """
    if not dialogues:
        raise ValueError("dialogues is empty: there must be at least one")
    told = {title: summarize(model, text) for title, text in dialogues.items()}
    written = names()
    examples = [
        {
            "title": title,
            "text": text,
            "lengths": [len(written[token]) for token in encode(text)[0]],
            "ids": told[title].tokens,
            "summary": told[title].text,
            "ended": told[title].ended,
        }
        for title, text in dialogues.items()
    ]
    most = max(len(one["ids"]) for one in examples)
    longest = max(len(one["lengths"]) for one in examples)
    sources = np.zeros((len(examples), most, longest), np.float32)
    for number, summary in enumerate(told.values()):
        looks = summary.sources[:, :-1].numpy()  # without the separator
        sources[number, : looks.shape[0], : looks.shape[1]] = looks
    heads = model.layers[0].attention.n_heads
    sizes = {
        "layers": len(model.layers),
        "heads": heads,
        "d_k": model.words.embedding_dim // heads,
        "separator": SEPARATOR,
        "end": END,
        "most": MOST,
        "longest": LONGEST,
    }
    return {"names": written, "examples": examples, "sources": sources, "sizes": sizes}
