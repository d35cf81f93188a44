"""What the widget `TextToText` is made of: tokens, and lines that were answered in advance."""

from collections.abc import Mapping, Sequence
from typing import Any

from companion.encoder_decoder import EncoderDecoder
from companion.models.text_to_text.ask import LONGEST, MORE, answer
from companion.models.text_to_text.pieces import names
from companion.models.translator.recipe import END
from companion.text_to_text import TEMPLATES, read_input


def prepare(model: EncoderDecoder, lines: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Answer lines in advance.

    Args:
        model: the network.
        lines: by task, lines with their prefix, at least one.

    Returns:
        The arguments of `TextToText` besides the model.

    Raises:
        ValueError: If a task has no line, a line is not written for its task, or cannot be answered.
    """
    for task, some in lines.items():
        if not some:
            raise ValueError(f"lines: {task} has none; give at least one")
        for line in some:
            if read_input(line)[0] != task:
                raise ValueError(f"lines: {line[:40]!r} is not written for the task {task}")
    flat = [(task, line) for task, some in lines.items() for line in some]
    found = answer(model, [line for _, line in flat])
    layer = model.transformer.decoder_layers[0].attention
    return {
        "names": names(),
        "templates": {task: TEMPLATES[task] for task in lines},
        "examples": [
            {"task": task, "line": line, "ids": one.tokens, "ended": one.ended, "text": one.text}
            for (task, line), one in zip(flat, found, strict=True)
        ],
        "sizes": {
            "layers": len(model.transformer.decoder_layers),
            "heads": layer.n_heads,
            "d_k": model.words.embedding_dim // layer.n_heads,
            "end": END,
            "more": MORE,
            "longest": LONGEST,
            "looked": 0,
            "parameters": sum(each.numel() for each in model.parameters()),
        },
    }
