"""Winograd-type sentences: a pronoun, two nouns, and one word that decides between them.

In "the animal didn't cross the street because it was too tired", the pronoun *it* is the animal;
change *tired* to *wide*, and it is the street. Such pairs were proposed as a test of understanding
by Levesque, Davis and Morgenstern, "The Winograd Schema Challenge" (KR 2012).

Every sentence here is made from the word lists below and a seed. Some combinations of words never
occur in training, so that a model which resolves them has learned more than a list of sentences.
"""

import hashlib
import itertools
import random
from dataclasses import dataclass

PAD = "<pad>"
Words = tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """One sentence and the positions that matter in it.

    Attributes:
        words: the sentence, in lower case, one word an item.
        pronoun: position of *it* or *they*.
        antecedent: position of the noun that the pronoun stands for.
        distractor: position of the other noun.
        cue: position of the word that decides, such as *tired*.
    """

    words: Words
    pronoun: int
    antecedent: int
    distractor: int
    cue: int

    @property
    def sentence(self) -> str:
        """The words with spaces between them."""
        return " ".join(self.words)

    @property
    def answer(self) -> str:
        """The noun that the pronoun stands for."""
        return self.words[self.antecedent]


@dataclass(frozen=True)
class Family:
    """Sentences about two kinds of noun, each with cues that suit it and not the other.

    Attributes:
        pronoun: the pronoun that stands for either kind.
        nouns: the first kind, the second kind.
        cues: what is said of the first kind, of the second kind.
        frames: sentences with places for {first}, {second} and {cue}. Either kind opens half of
            them, so that word order gives nothing away.
    """

    pronoun: str
    nouns: tuple[Words, Words]
    cues: tuple[Words, Words]
    frames: Words


def _words(text: str) -> Words:
    return tuple(text.split())


CROSSING = Family(
    pronoun="it",
    nouns=(
        _words(
            "animal dog cat horse cow sheep goat rabbit fox bear deer donkey camel lion wolf mouse"
            " hen duck goose monkey elephant pony puppy kitten"
        ),
        _words(
            "street road river bridge field valley canal lake desert highway path track avenue"
            " stream meadow forest beach square tunnel yard swamp glacier"
        ),
    ),
    cues=(
        _words("tired scared hungry weak sleepy lazy ill thirsty frightened nervous shy timid"),
        _words("wide flooded icy busy muddy steep long crowded slippery deep dusty rocky"),
    ),
    frames=(
        "the {first} didn't cross the {second} because it was too {cue}",
        "the {first} couldn't cross the {second} because it was too {cue}",
        "the {first} avoided the {second} because it was too {cue}",
        "the {first} refused to enter the {second} because it was too {cue}",
        "the {second} was not crossed by the {first} because it was too {cue}",
        "the {second} was not entered by the {first} because it was too {cue}",
        "the {second} stopped the {first} because it was too {cue}",
        "the {second} held back the {first} because it was too {cue}",
    ),
)
PERMIT = Family(
    pronoun="they",
    nouns=(
        _words("councilmen officials judges governors ministers mayors senators directors rulers"),
        _words("demonstrators protesters marchers strikers activists rebels rioters radicals"),
    ),
    cues=(
        _words("feared dreaded disliked opposed hated condemned"),
        _words("advocated promoted threatened planned praised incited"),
    ),
    frames=(
        "the city {first} refused the {second} a permit because they {cue} violence",
        "the {first} refused the {second} a permit because they {cue} unrest",
        "the {first} denied the {second} a permit because they {cue} riots",
        "the {first} stopped the {second} because they {cue} disorder",
        "the {second} were refused a permit by the {first} because they {cue} violence",
        "the {second} were denied a permit by the {first} because they {cue} unrest",
        "the {second} got no permit from the city {first} because they {cue} riots",
        "the {second} were stopped by the {first} because they {cue} disorder",
    ),
)
FAMILIES = (CROSSING, PERMIT)


def _fill(family: Family, frame: str, pair: tuple[str, str], kind: int, cue: str) -> Schema:
    words = _words(frame.format(first=pair[0], second=pair[1], cue=cue))
    return Schema(
        words=words,
        pronoun=words.index(family.pronoun),
        antecedent=words.index(pair[kind]),
        distractor=words.index(pair[1 - kind]),
        cue=words.index(cue),
    )


def _twins(family: Family, *pair: str) -> tuple[Schema, Schema]:
    frame, cues = family.frames[0], family.cues
    return _fill(family, frame, pair, 0, cues[0][0]), _fill(family, frame, pair, 1, cues[1][0])


# The course notes' own sentences, each beside its twin: only the cue differs, and so the answer.
NOTES = (_twins(CROSSING, "animal", "street"), _twins(PERMIT, "councilmen", "demonstrators"))


def nouns() -> frozenset[str]:
    """Every noun that a pronoun can stand for."""
    return frozenset(noun for family in FAMILIES for kind in family.nouns for noun in kind)


def vocabulary() -> list[str]:
    """Every word of every sentence, sorted, after `<pad>`, which is number 0."""
    words = set(nouns())
    for family in FAMILIES:
        words.update(*family.cues)
        words.update(word for frame in family.frames for word in frame.split() if "{" not in word)
    return [PAD, *sorted(words)]


def held_back(schema: Schema) -> tuple[bool, bool]:
    """Whether training never shows these two nouns together, and never this answer with its cue."""
    nouns_together, answer_and_cue = _pairs(schema)
    return _never(nouns_together), _never(answer_and_cue)


def generate(n: int, seed: int) -> list[Schema]:
    """Draw n sentences to train on; equal seeds give equal sentences."""
    return _draw(n, seed, (False, False))


def held_out(n: int, seed: int) -> list[Schema]:
    """Draw n sentences whose two nouns, and whose answer with its cue, are new to training."""
    return _draw(n, seed, (True, True))


def _draw(n: int, seed: int, wanted: tuple[bool, bool]) -> list[Schema]:
    if n < 1:
        raise ValueError(f"n is {n}: the number of sentences must be at least 1")
    rng = random.Random(seed)  # noqa: S311
    endless = map(_any, itertools.repeat(rng))
    return list(itertools.islice((s for s in endless if held_back(s) == wanted), n))


def _any(rng: random.Random) -> Schema:
    family = rng.choice(FAMILIES)
    pair = (rng.choice(family.nouns[0]), rng.choice(family.nouns[1]))
    kind = rng.randrange(2)
    return _fill(family, rng.choice(family.frames), pair, kind, rng.choice(family.cues[kind]))


def _pairs(schema: Schema) -> tuple[tuple[str, str], tuple[str, str]]:
    one, other = sorted((schema.answer, schema.words[schema.distractor]))
    return (one, other), (schema.answer, schema.words[schema.cue])


# Pairs of words that the notes' sentences put together: training shall show none of them.
_OF_THE_NOTES = frozenset(pair for twins in NOTES for note in twins for pair in _pairs(note))


def _never(pair: tuple[str, str]) -> bool:
    # Python's own hash of a string changes from run to run; this one is the same everywhere.
    quarter = hashlib.sha256(" ".join(pair).encode()).digest()[0] < 256 // 4
    return pair in _OF_THE_NOTES or quarter
