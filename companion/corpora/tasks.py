"""Five tasks of our own as text in and text out, made by the generators of `pairs` and `dialogues`.

| task | what goes in | what should come out |
| --- | --- | --- |
| translate | an English sentence of 3 to 8 words | the German one |
| cola | an English sentence, every other one broken | `acceptable` or `unacceptable` |
| stsb | two sentences, the first with two content words or more | `1.0` to `5.0`: 1 + 4 · F1 of their content words |
| summarize | a dialogue of at most 6 turns | its summary |
| question | a dialogue, and a question about it | the answer, a value of one of its slots |

They bear the names of T5's tasks; but labels and scores are given by these rules, not by people.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.corpora import dialogues, pairs
from companion.corpora.grammar import words
from companion.corpora.sgd import Dialogue
from companion.corpora.summaries import reference
from companion.corpora.transcript import lines
from companion.text_to_text import TEMPLATES, write_input, write_label, write_score

LENGTHS = range(3, 9)  # words of a sentence
TURNS = 6  # of a dialogue, at most
_DETERMINERS = frozenset(["the", "a", "an", "my", "no", "two", "three"])
_SWAPPED = {"am": "are", "is": "are", "are": "is", "was": "were", "were": "was"}
_SWAPPED |= {"does": "do", "do": "does"}
_SWAPPED |= {one: other for v in words.VERBS for one, other in (v.english[:2], v.english[1::-1])}
_QUESTIONS = {
    "city": "Which city?",
    "origin": "From where?",
    "destination": "Where to?",
    "cuisine": "What kind of food?",
    "genre": "What genre?",
    "restaurant_name": "Which restaurant?",
    "hotel_name": "Which hotel?",
    "movie_name": "Which movie?",
    "dentist_name": "Which dentist?",
    "date": "Which day?",
    "check_in_date": "Which day?",
    "departure_date": "Which day?",
    "appointment_date": "Which day?",
    "show_date": "Which day?",
    "time": "What time?",
    "departure_time": "What time?",
    "appointment_time": "What time?",
    "show_time": "What time?",
    "party_size": "How many people?",
    "number_of_tickets": "How many tickets?",
    "number_of_days": "How many days?",
    "star_rating": "How many stars?",
}


@dataclass(frozen=True)
class Example:
    """What goes in, and what should come out."""

    source: str
    target: str


def generate(task: str, n: int, seed: int) -> list[Example]:
    """Draw n examples of a task to train on; equal seeds give equal examples.

    Raises:
        ValueError: If there is no such task, or n is below 1.
    """
    return _draw(task, n, seed, new=False)


def held_out(task: str, n: int, seed: int) -> list[Example]:
    """Draw n examples whose combinations of words are new to training: see `pairs` and `dialogues`.

    Arguments and errors are those of `generate`. The second sentence of a pair for stsb is made from
    the first, or drawn to train on: only the first one is new.
    """
    return _draw(task, n, seed, new=True)


def _draw(task: str, n: int, seed: int, *, new: bool) -> list[Example]:
    if task not in TEMPLATES:
        raise ValueError(f"task is {task!r}: it must be one of {', '.join(TEMPLATES)}")
    if n < 1:
        raise ValueError(f"n is {n}: the number of examples must be at least 1")
    rng = random.Random(f"{task} {seed} {new}")  # noqa: S311
    return _TASKS[task](rng, n, new)


def _sentences(rng: random.Random, n: int, new: bool) -> list[pairs.Pair]:  # noqa: FBT001
    draw = pairs.held_out if new else pairs.generate
    share = -(-n // len(LENGTHS))
    found = [each for length in LENGTHS for each in draw(share, rng.randrange(2**32), length)]
    rng.shuffle(found)
    return found[:n]


def _translate(rng: random.Random, n: int, new: bool) -> list[Example]:  # noqa: FBT001
    return [
        Example(write_input("translate", text=each.english), each.german)
        for each in _sentences(rng, n, new)
    ]


def _cola(rng: random.Random, n: int, new: bool) -> list[Example]:  # noqa: FBT001
    found = []
    for each in _sentences(rng, n, new):
        wrong = broken(each.source, rng) if rng.random() < 1 / 2 else None
        text = pairs.written(wrong or each.source)
        found.append(
            Example(write_input("cola", sentence=text), write_label(acceptable=wrong is None))
        )
    return found


def broken(sentence: Sequence[str], rng: random.Random) -> tuple[str, ...] | None:
    """Break a sentence of the grammar in one place: the order of words, or the form of a verb.

    An article or number changes places with the word behind it (*hotel the*), or a verb no longer agrees (*she
    book*, *to books*). None if the sentence has neither.
    """
    order = [i for i, word in enumerate(sentence[:-2]) if word in _DETERMINERS]
    forms = [i for i, word in enumerate(sentence) if word in _SWAPPED]
    kinds = [kind for kind in (order, forms) if kind]
    if not kinds:
        return None
    kind = rng.choice(kinds)
    i = rng.choice(kind)
    found = list(sentence)
    if kind is order:
        found[i : i + 2] = found[i + 1], found[i]
    else:
        found[i] = _SWAPPED[found[i]]
    return tuple(found)


def _stsb(rng: random.Random, n: int, new: bool) -> list[Example]:  # noqa: FBT001
    found = []
    rich: list[pairs.Pair] = []
    while len(rich) < n:
        some = _sentences(rng, n, new)
        rich += [each for each in some if _content(each.source).total() > 1]
    others = _sentences(rng, n, new=False)
    for each, other in zip(rich[:n], others, strict=True):
        second = reworded(each.source, rng.random(), rng)
        if rng.random() < 1 / 8:
            second = other.source
        source = write_input(
            "stsb", sentence1=pairs.written(each.source), sentence2=pairs.written(second)
        )
        found.append(Example(source, write_score(similarity(each.source, second))))
    return found


def reworded(sentence: Sequence[str], share: float, rng: random.Random) -> tuple[str, ...]:
    """Replace about this share of the content words by others of their kind."""
    return tuple(
        rng.choice(sorted(KINDS[word] - {word})) if word in KINDS and rng.random() < share else word
        for word in sentence
    )


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """Tell how alike two sentences are, from 1 to 5: 1 + 4 · F1 of their content words.

    Sentences without any content word are as alike as can be.
    """
    mine, yours = _content(one), _content(other)
    both = mine.total() + yours.total()
    return 1 + 4 * (2 * (mine & yours).total() / both if both else 1)


def _content(sentence: Sequence[str]) -> Counter[str]:
    return Counter(word for word in sentence if word in KINDS)


def _kinds() -> dict[str, frozenset[str]]:
    """The words that may stand in for each content word."""
    nouns = (words.PEOPLE.values(), words.THINGS.values())
    groups = [{n.english for n in side} for side in nouns]
    groups += [{n.plural for n in side} for side in nouns]
    groups += [set(words.NAMES), {english for english, _ in words.CITIES}]
    groups += [{"Monday", "Friday", "Sunday"}, {"two", "three"}]
    groups += [
        {adjective for adjective in words.ADJECTIVES if (adjective[0] in "aeiou") == vowel}
        for vowel in (False, True)
    ]
    plain = [verb.english for verb in words.WITH_OBJECT if not verb.particle]
    for verbs in (plain, [verb.english for verb in words.GIVING]):
        groups += [set(forms) for forms in list(zip(*verbs, strict=True))[:3]]
    return {word: frozenset(group) for group in groups for word in group}


KINDS = _kinds()


def _summarize(rng: random.Random, n: int, new: bool) -> list[Example]:  # noqa: FBT001
    return [
        Example(write_input("summarize", text=told(each)), reference(each))
        for each in _short(rng, n, new)
    ]


def _question(rng: random.Random, n: int, new: bool) -> list[Example]:  # noqa: FBT001
    found = []
    for each in _short(rng, n, new):
        values = answers(each)
        question = rng.choice(sorted(values))
        source = write_input("question", question=question, context=told(each))
        found.append(Example(source, values[question]))
    return found


def _short(rng: random.Random, n: int, new: bool) -> list[Dialogue]:  # noqa: FBT001
    draw = dialogues.held_out if new else dialogues.generate
    found: list[Dialogue] = []
    while len(found) < n:
        some = draw(n, rng.randrange(2**32))
        found += [each for each in some if len(each.turns) <= TURNS and answers(each)]
    return found[:n]


def told(dialogue: Dialogue) -> str:
    """Write a dialogue in one line."""
    return " ".join(lines(dialogue))


def answers(dialogue: Dialogue) -> dict[str, str]:
    """The questions that can be asked of a dialogue, and their answers: the last value of each slot."""
    values: dict[str, str] = {}
    for turn in dialogue.turns:
        for frame in turn.frames:
            if frame.state:
                values |= {slot: told[0] for slot, told in frame.state.values.items()}
    return {_QUESTIONS[slot]: value for slot, value in values.items() if slot in _QUESTIONS}


_TASKS: dict[str, Callable[[random.Random, int, bool], list[Example]]] = {
    "translate": _translate,
    "cola": _cola,
    "stsb": _stsb,
    "summarize": _summarize,
    "question": _question,
}
