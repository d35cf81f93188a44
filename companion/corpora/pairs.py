"""English sentences and their German translations, of our own: people booking things by chat.

Every pair is made from one plan in both languages, so that it is known which words belong together.
The languages order their words differently, as they do in earnest: the German verb stands second in a
main clause, whatever comes first ("Tomorrow we take the train": "Morgen nehmen wir den Zug") and last
in a subordinate one ("that she booked the hotel": "dass sie das Hotel gebucht hat"); prefixes are
parted from their verbs ("calls up": "ruft … an"); articles and adjectives agree in gender, number and
case. A sentence has 3 to 50 English words, as many as asked for: long ones are made of clauses.

Some nouns are never the object of some verbs, nor have some adjectives, among the pairs to train on.
"""

import hashlib
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from companion.corpora.grammar import words
from companion.corpora.grammar.leaves import Leaves, Misfit
from companion.corpora.grammar.sentences import Sentences
from companion.corpora.grammar.vocabulary import english, german

PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
SHORTEST, LONGEST = 3, 50  # English words, punctuation not counted
Words = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages.

    Attributes:
        source: English, a word or a punctuation mark an item; only names and *I* have capitals.
        target: German, likewise, with the capitals of nouns.
        alignment: which words belong together: pairs of positions in source and target. A word may
            belong to several, as *booked* to *hat* and *gebucht*, or to none, as *that* to a comma.
        combinations: a verb and its object, or an adjective and its noun, in English.
    """

    source: Words
    target: Words
    alignment: tuple[tuple[int, int], ...]
    combinations: frozenset[tuple[str, str]]

    @property
    def length(self) -> int:
        """English words, punctuation not counted."""
        return sum(word not in (",", ".") for word in self.source)

    @property
    def english(self) -> str:
        """The source as it is written."""
        return written(self.source)

    @property
    def german(self) -> str:
        """The target as it is written."""
        return written(self.target)


def written(sentence: Words) -> str:
    """Write a sentence: spaces between its words, none before punctuation, a capital at first."""
    text = " ".join(sentence).replace(" ,", ",").replace(" .", ".")
    return text[:1].upper() + text[1:]


def generate(n: int, seed: int, length: int | None = None) -> list[Pair]:
    """Draw n pairs to train on; equal seeds give equal pairs.

    Args:
        n: number of pairs.
        seed: where the drawing begins.
        length: English words of every pair, 3 to 50; by default every length is as likely.

    Raises:
        ValueError: If n is below 1, or length not from 3 to 50.
    """
    return _draw(n, seed, length, new=False)


def held_out(n: int, seed: int, length: int | None = None) -> list[Pair]:
    """Draw n pairs whose combinations are all new to training.

    A combination is a noun with the verb whose object it is, or with an adjective; there is at least
    one in each pair. The words themselves are known. Arguments and errors are those of `generate`.
    """
    return _draw(n, seed, length, new=True)


def vocabulary() -> tuple[list[str], list[str]]:
    """Return every word of either language, sorted, after `<pad>`, `<s>`, `</s>` and `<unk>`: 0 to 3."""
    return tuple([PAD, START, END, UNKNOWN, *sorted(side)] for side in (english(), german()))


def held_back(one: str, noun: str) -> bool:
    """Tell whether training never puts this verb or adjective to this noun, both English."""
    if noun == "child" and one in words.ADJECTIVES:
        return False  # the only neuter among people: "ein müdes Kind" has the only *müdes*
    # Python's own hash of a string changes from run to run; this one is the same everywhere.
    return hashlib.sha256(f"{one} {noun}".encode()).digest()[0] < 256 // 4


def _partners(*, new: bool) -> dict[str, Words]:
    verbs = (*words.WITH_OBJECT, *words.GIVING, words.TELLING, words.ASKING)
    objects = {
        v.english[0]: [n for n in v.objects if held_back(v.english[0], n) == new] for v in verbs
    }
    qualities = {n: [a for a in words.suited(n) if held_back(a, n) == new] for n in words.NOUNS}
    return {word: tuple(others) for word, others in (objects | qualities).items()}


def _draw(n: int, seed: int, length: int | None, *, new: bool) -> list[Pair]:
    if n < 1:
        raise ValueError(f"n is {n}: the number of pairs must be at least 1")
    if length is not None and not SHORTEST <= length <= LONGEST:
        raise ValueError(f"length is {length}: it must be from {SHORTEST} to {LONGEST} words")
    rng = random.Random(seed)  # noqa: S311
    return list(itertools.islice(_endless(rng, length, new=new), n))


def _endless(rng: random.Random, length: int | None, *, new: bool) -> Iterator[Pair]:
    partners = _partners(new=new)
    while True:
        size = length or rng.randint(SHORTEST, LONGEST)
        pair = None
        while pair is None:
            pair = _any(rng, size, partners, new=new)
        yield pair


def _any(rng: random.Random, size: int, partners: dict[str, Words], *, new: bool) -> Pair | None:
    drawn = Sentences(rng, partners)
    try:
        english, german = drawn.sentence(size)
    except Misfit:
        return None
    combinations = drawn.combinations(english)
    if new and not combinations:
        return None
    return Pair(
        tuple(leaf.word for leaf in english),
        tuple(leaf.word for leaf in german),
        _alignment(english, german),
        combinations,
    )


def _alignment(english: Leaves, german: Leaves) -> tuple[tuple[int, int], ...]:
    sources: dict[int, list[int]] = {}
    for i, leaf in enumerate(english):
        for link in leaf.links:
            sources.setdefault(link, []).append(i)
    linked = {
        (i, j)
        for j, leaf in enumerate(german)
        for link in leaf.links
        for i in sources.get(link, ())
    }
    return tuple(sorted(linked))
