"""What an assistant's turn does: told by the annotation, or by a judge that reads its words."""

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from companion.corpora.sgd import SYSTEM, Dialogue, Turn

ACTS = ("informed", "asked", "confirmed", "offered", "said goodbye")
# A turn that does several things counts as the first of these that it does.
_NAMES = {
    "GOODBYE": "said goodbye",
    "CONFIRM": "confirmed",
    "OFFER": "offered",
    "OFFER_INTENT": "offered",
    "INFORM": "informed",
    "NOTIFY_SUCCESS": "informed",
    "NOTIFY_FAILURE": "informed",
    "REQUEST": "asked",
    "REQ_MORE": "asked",
}
_WORD = re.compile(r"[a-z']+|\d|[?!.$:]")


def act_of(turn: Turn) -> str | None:
    """Return what an annotated turn of the system does, one of `ACTS`; None if it does none of them."""
    done = {action.act for frame in turn.frames for action in frame.actions}
    return next((name for act, name in _NAMES.items() if act in done), None)


def system_turns(dialogues: Iterable[Dialogue]) -> Iterator[tuple[str, str]]:
    """Yield utterance and act of each turn of the system that does one of `ACTS`."""
    for dialogue in dialogues:
        for turn in dialogue.turns:
            if turn.speaker == SYSTEM and (act := act_of(turn)):
                yield turn.utterance, act


class Judge:
    """Tells from the words of a turn what it does, as the turns it has learned from do (naive Bayes).

    It sees a text and nothing else, so it cannot favour a person's turn over a model's.

    Args:
        turns: utterances and what they do, such as `system_turns` yields.

    Raises:
        ValueError: If there are no turns.

    Source: Manning, Raghavan and Schütze 2008, "Introduction to Information Retrieval", chapter 13,
    https://nlp.stanford.edu/IR-book/.
    """

    def __init__(self, turns: Iterable[tuple[str, str]]) -> None:
        self._met: dict[str, Counter[str]] = defaultdict(Counter)
        self._acts: Counter[str] = Counter()
        for text, act in turns:
            self._acts[act] += 1
            self._met[act].update(_features(text))
        if not self._acts:
            raise ValueError("turns is empty: a judge learns from at least one")
        size = len(set().union(*self._met.values())) + 1
        self._sums = {act: met.total() + size for act, met in self._met.items()}

    def __call__(self, text: str) -> str:
        """Return what a turn most likely does."""
        features = _features(text)

        def log_odds(act: str) -> float:
            met, total = self._met[act], self._sums[act]
            return math.log(self._acts[act]) + sum(
                math.log((met[feature] + 1) / total) for feature in features
            )

        return max(self._acts, key=log_odds)


def _features(text: str) -> set[str]:
    """The words of a text, its pairs of neighbours, and how it begins and ends."""
    words = ["^", *_WORD.findall(text.lower()), "$"]
    return {*words, *(f"{a} {b}" for a, b in itertools.pairwise(words))}
