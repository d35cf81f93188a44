"""What a reader learns from before anybody has marked an answer: questions found in the text itself."""

from collections.abc import Sequence

from companion.corpora import cloze
from companion.corpora.sgd import Dialogue
from companion.models.reader.recipe import Example, examples

# Short stretches teach more for the same work; whole dialogues teach to look far.
TURNS = (4, 8, None)
UNANSWERABLE = 0.15


def unlabelled(talks: Sequence[Dialogue], seed: int) -> list[Example]:
    """Draw questions from what is said in dialogues: names that recur, and questions with their replies.

    Args:
        talks: the dialogues; what is marked in them is not looked at.
        seed: equal seeds give equal questions.

    Sources: see `companion.corpora.cloze`.
    """
    common = cloze.common_words(talks)
    found = []
    for number, turns in enumerate(TURNS):
        cut = {"turns": turns, "unanswerable": UNANSWERABLE}
        found += cloze.ask(talks, common, seed + number, most=3 if turns else 1, **cut)
        found += cloze.replies(talks, common, seed + number, **cut)
    return examples(found)
