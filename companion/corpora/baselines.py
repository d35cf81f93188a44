"""Summaries that take no understanding: what a summariser must beat."""

from companion.corpora.sgd import USER, Dialogue


def lead(dialogue: Dialogue, turns: int = 3, words: int | None = None) -> str:
    """Take what the user says first.

    Args:
        dialogue: what to summarise.
        turns: number of turns of the user to take.
        words: how many words of these to keep; all by default.

    Raises:
        ValueError: If turns or words is below 1.
    """
    if turns < 1 or (words is not None and words < 1):
        raise ValueError(f"turns is {turns} and words {words}: both must be at least 1")
    said = [turn.utterance for turn in dialogue.turns if turn.speaker == USER]
    return " ".join(" ".join(said[:turns]).split()[:words])


def longest_turn(dialogue: Dialogue) -> str:
    """Take the turn with the most words; the first of several."""
    said = [turn.utterance for turn in dialogue.turns]
    return max(said, key=lambda text: len(text.split()), default="")
