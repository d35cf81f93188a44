"""One encoder-decoder for five tasks, which it tells apart by the first words of what it reads."""

from companion.models.text_to_text.ask import Answer, answer
from companion.models.text_to_text.measure import measure
from companion.models.text_to_text.prepare import prepare
from companion.models.text_to_text.recipe import numbered

__all__ = ["Answer", "answer", "measure", "numbered", "prepare"]
