"""What a widget asks of the model: what comes next, as the translator is asked; only texts may be longer."""

from dataclasses import replace

from companion.encoder_decoder import EncoderDecoder
from companion.models.graph import Graph
from companion.models.text_to_text.ask import LONGEST
from companion.models.translator.graph import MOST_ROWS
from companion.models.translator.graph import reader as translator


def reader(model: EncoderDecoder) -> Graph:
    """Return the graph; what goes in and comes out is told by `companion.models.translator.graph.Reader`."""
    many = {1: ("rows", 1, MOST_ROWS), 3: ("n_past", 0, LONGEST - 1)}
    axes = {
        "source": {1: ("n_memory", 1, LONGEST)},
        "tokens": {0: ("rows", 1, MOST_ROWS)},
        "past_keys": many,
        "past_values": many,
    }
    return replace(translator(model), axes=axes)
