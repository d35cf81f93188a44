"""The leaves of `pairs`: words with links, in both languages at once.

A word carries the numbers of its links; words of the two languages that share a link belong together.
"""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from companion.corpora.grammar.words import THIRD


class Misfit(Exception):  # noqa: N818
    """There is no phrase of the size that was asked for; another draw may find one."""


class Leaf(NamedTuple):
    """A word and its links."""

    word: str
    links: frozenset[int] = frozenset()


Leaves = list[Leaf]
Sides = tuple[Leaves, Leaves]  # English and German
COMMA = Leaf(",")


@dataclass
class Phrase:
    """The same in both languages.

    Attributes:
        english: its words.
        german: its words.
        tail: a German relative clause that may stand further on.
        agreement: which form of a verb goes with it as subject.
        noun: its noun, if that is one of the tables.
        many: whether there are several.
        pronoun: whether it is a pronoun.
        early: whether German puts it before the time, as pronouns and names.
        definite: whether *nicht* may deny what is said of it; of "a key" one says *kein*.
        speaker: whether it is I, me, we or us.
    """

    english: Leaves
    german: Leaves
    tail: Leaves = field(default_factory=list)
    agreement: int = THIRD
    noun: str = ""
    many: bool = False
    pronoun: bool = False
    early: bool = False
    definite: bool = True
    speaker: bool = False

    @property
    def whole(self) -> Leaves:
        """German with the tail in its place."""
        return self.german + self.tail


class Links:
    """Makes links, and notes which words were put together."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._noted: dict[frozenset[int], tuple[str, str]] = {}

    def link(self) -> frozenset[int]:
        """Return a new link."""
        return frozenset([next(self._count)])

    def joined(self, english: str, german: str) -> Sides:
        """Link every word of the one to every word of the other."""
        link = self.link()
        return tuple([Leaf(word, link) for word in text.split()] for text in (english, german))

    def note(self, leaf: Leaf, word: str, noun: str) -> None:
        """Note that a verb or an adjective, which stands in this leaf, was put to a noun."""
        self._noted[leaf.links] = word, noun

    def combinations(self, english: Leaves) -> frozenset[tuple[str, str]]:
        """Return what was noted of a sentence, and not of phrases that were given up."""
        return frozenset(self._noted[leaf.links] for leaf in english if leaf.links in self._noted)


def tidy(leaves: Leaves) -> Leaves:
    """Leave one comma where clauses end and begin together, and none before a full stop."""
    kept: Leaves = []
    for leaf in leaves:
        before = kept[-1] if kept else Leaf("")
        if leaf.word == "," and before.word == ",":
            kept[-1] = Leaf(",", before.links | leaf.links)
        elif leaf.word == "." and before.word == ",":
            kept[-1] = leaf
        else:
            kept.append(leaf)
    return kept
