"""The chatbot: a Reformer that goes on with a dialogue."""

from companion.models.chatbot.ask import Reply, reply
from companion.models.chatbot.measure import (
    memories,
    next_acts,
    perplexity,
    repeated,
    talk_to_itself,
    with_tokens,
)
from companion.models.chatbot.prepare import prepare
from companion.models.chatbot.recipe import examples, train

__all__ = [
    "Reply",
    "examples",
    "memories",
    "next_acts",
    "perplexity",
    "prepare",
    "repeated",
    "reply",
    "talk_to_itself",
    "train",
    "with_tokens",
]
