"""Winograd-type sentences: a pronoun, two nouns, and one word that decides between them.

In "the animal didn't cross the street because it was too tired", the pronoun *it* is the animal;
change *tired* to *wide*, and it is the street. Such pairs were proposed as a test of understanding
by Levesque, Davis and Morgenstern, "The Winograd Schema Challenge" (KR 2012).

Every sentence here is made from the word lists below and a seed. Three things never occur among the
sentences to train on, so that a model which resolves them has learned more than a list of sentences:
some combinations of words (`"composition"`), some frames (`"frames"`), and some nouns, of which only
plain facts are told (`"facts"`: "the camel was tired").
"""

import hashlib
import itertools
import random
from dataclasses import dataclass

PAD, MASK = "<pad>", "<mask>"
SPLITS = ("composition", "frames", "facts")
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

    @property
    def named(self) -> Words:
        """The sentence with *the* and the antecedent in place of the pronoun."""
        return (*self.words[: self.pronoun], "the", self.answer, *self.words[self.pronoun + 1 :])


@dataclass(frozen=True)
class Family:
    """Sentences about two kinds of noun, each with cues that suit it and not the other.

    Attributes:
        pronoun: the pronoun that stands for either kind.
        nouns: the first kind, the second kind.
        cues: what is said of the first kind, of the second kind.
        frames: sentences with places for {first}, {second} and {cue}. Either kind opens half of
            them, so that word order gives nothing away.
        new_frames: frames that training never shows.
        facts: sentences with places for {noun} and {cue}, which tell what suits a noun.
        fact_nouns: of each kind, nouns that training shows in facts alone.
    """

    pronoun: str
    nouns: tuple[Words, Words]
    cues: tuple[Words, Words]
    frames: Words
    new_frames: Words
    facts: Words = ()
    fact_nouns: tuple[Words, Words] = ((), ())


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
    new_frames=(
        "the {first} stopped at the {second} because it was too {cue}",
        "the {second} was avoided by the {first} because it was too {cue}",
    ),
    facts=("the {noun} was too {cue}", "the {noun} was {cue}", "the {cue} {noun}"),
    fact_nouns=(_words("camel goose pony wolf"), _words("avenue swamp canal beach")),
)
FITTING = Family(
    pronoun="it",
    nouns=(
        _words(
            "ball book lamp violin statue vase toy clock piano guitar drum"
            " box bag crate basket chest trunk bucket jar"
        ),
        _words(
            "box bag crate basket chest trunk bucket jar"
            " drawer cupboard van locker closet shelf car wardrobe"
        ),
    ),
    cues=(
        _words("big large tall thick bulky heavy huge"),
        _words("small tiny narrow full tight short shallow cramped"),
    ),
    frames=(
        "the {first} didn't fit in the {second} because it was too {cue}",
        "the {first} couldn't go into the {second} because it was too {cue}",
        "the {first} was not put in the {second} because it was too {cue}",
        "the {second} couldn't hold the {first} because it was too {cue}",
        "the {second} had no room for the {first} because it was too {cue}",
        "the {second} didn't close over the {first} because it was too {cue}",
    ),
    new_frames=(
        "the {first} didn't go in the {second} because it was too {cue}",
        "the {second} was not closed over the {first} because it was too {cue}",
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
    new_frames=(
        "the {first} had the {second} stopped because they {cue} violence",
        "the {second} were refused by the {first} because they {cue} violence",
    ),
    facts=("the {noun} {cue} violence", "the {noun} {cue} unrest", "the {noun} {cue} disorder"),
    fact_nouns=(_words("rulers senators"), _words("radicals strikers")),
)
FAMILIES = (CROSSING, FITTING, PERMIT)
PRONOUNS = frozenset(family.pronoun for family in FAMILIES)


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
        patterns = family.frames + family.new_frames + family.facts
        words.update(word for pattern in patterns for word in pattern.split() if "{" not in word)
    return [PAD, MASK, *sorted(words)]


def held_back(schema: Schema) -> tuple[bool, bool]:
    """Whether training never shows these two nouns together, and never this answer with its cue."""
    nouns_together, answer_and_cue = _pairs(schema)
    return _never(nouns_together), _never(answer_and_cue)


def generate(n: int, seed: int) -> list[Schema]:
    """Draw n sentences to train on; equal seeds give equal sentences."""
    return _draw(n, seed, "train", (False, False))


def held_out(n: int, seed: int, split: str = "composition") -> list[Schema]:
    """Draw n sentences that are new to training in one way.

    Args:
        n: number of sentences.
        seed: equal seeds give equal sentences.
        split: what is new: `"composition"`, the two nouns together, and the answer with its cue;
            `"frames"`, the frame, with a word or two of its own; `"facts"`, both nouns, of which training tells only facts.

    Raises:
        ValueError: If n is below 1, or split is none of these.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} must be one of: {', '.join(SPLITS)}")
    both = split == "composition"
    return _draw(n, seed, split, (both, both))


def facts(n: int, seed: int) -> list[Words]:
    """Draw n facts to train on, such as "the camel was tired"; equal seeds give equal facts."""
    _check(n)
    rng = random.Random(seed)  # noqa: S311
    telling = [family for family in FAMILIES if family.facts]
    endless = (_any_fact(rng, rng.choice(telling)) for _ in itertools.count())
    return list(itertools.islice((fact for fact in endless if fact), n))


def _any_fact(rng: random.Random, family: Family) -> Words | None:
    kind = rng.randrange(2)
    noun, cue = rng.choice(family.nouns[kind]), rng.choice(family.cues[kind])
    told = rng.choice(family.facts).format(noun=noun, cue=cue)
    return None if _never((noun, cue)) else _words(told)


def _draw(n: int, seed: int, split: str, wanted: tuple[bool, bool]) -> list[Schema]:
    _check(n)
    rng = random.Random(seed)  # noqa: S311
    families = [f for f in FAMILIES if split != "facts" or f.facts]
    endless = (_any(rng, rng.choice(families), split) for _ in itertools.count())
    return list(itertools.islice((s for s in endless if s and held_back(s) == wanted), n))


def _any(rng: random.Random, family: Family, split: str) -> Schema | None:
    told = split == "facts"
    pair = tuple(
        rng.choice([noun for noun in nouns if (noun in only_told) == told])
        for nouns, only_told in zip(family.nouns, family.fact_nouns, strict=True)
    )
    kind = rng.randrange(2)
    frame = rng.choice(family.new_frames if split == "frames" else family.frames)
    cue = rng.choice(family.cues[kind])
    return None if pair[0] == pair[1] else _fill(family, frame, pair, kind, cue)


def _check(n: int) -> None:
    if n < 1:
        raise ValueError(f"n is {n}: the number of sentences must be at least 1")


def _pairs(schema: Schema) -> tuple[tuple[str, str], tuple[str, str]]:
    one, other = sorted((schema.answer, schema.words[schema.distractor]))
    return (one, other), (schema.answer, schema.words[schema.cue])


# Pairs of words that the notes' sentences put together: training shall show none of them.
_OF_THE_NOTES = frozenset(pair for twins in NOTES for note in twins for pair in _pairs(note))


def _never(pair: tuple[str, str]) -> bool:
    # Python's own hash of a string changes from run to run; this one is the same everywhere.
    quarter = hashlib.sha256(" ".join(pair).encode()).digest()[0] < 256 // 4
    return pair in _OF_THE_NOTES or quarter
