"""The order of words in the clauses of `pairs`.

A German main clause has its finite verb second, and what belongs to it (participle, infinitive,
prefix) at the end; a subordinate clause has all of the verb at the end; a relative clause or a *dass*
may follow even then. English keeps subject, verb and object together in all of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from companion.corpora.grammar.leaves import Leaf, Leaves, Phrase, Sides


@dataclass
class Predicate:
    """What a clause says of its subject.

    Attributes:
        auxiliaries: English words before the verb.
        english: the English verb, and what follows it but for the time.
        finite: the German word that agrees with the subject; None of an infinitive.
        prefix: a German prefix that a main clause puts after all else.
        early: objects that come before the time.
        middle: what comes after it.
        closing: participle or infinitive, or what someone is.
        tail: a relative clause or the like, which comes after all of these.
        time: when.
    """

    auxiliaries: Leaves
    english: Leaves
    finite: Leaf | None
    prefix: Leaves = field(default_factory=list)
    early: Leaves = field(default_factory=list)
    middle: Leaves = field(default_factory=list)
    closing: Leaves = field(default_factory=list)
    tail: Leaves = field(default_factory=list)
    time: Phrase | None = None

    @property
    def joined(self) -> Leaf:
        """The finite verb at the end of a clause, where the prefix is joined to it."""
        if not self.prefix:
            return self.finite
        (prefix,) = self.prefix
        return Leaf(prefix.word + self.finite.word, prefix.links | self.finite.links)


def _english(subject: Phrase, predicates: Sequence[Predicate], joint: Leaves) -> Leaves:
    parts = [p.auxiliaries + p.english + (p.time.english if p.time else []) for p in predicates]
    return subject.english + parts[0] + (joint + parts[1] if parts[1:] else [])


def _inside(predicate: Predicate) -> Leaves:
    time = predicate.time.german if predicate.time else []
    return predicate.early + time + predicate.middle


def _shared(predicates: Sequence[Predicate]) -> Leaf | None:
    """The auxiliary that two predicates share: "hat … angerufen und … gebucht"."""
    finite = [p.finite for p in predicates]
    one_word = len({leaf.word for leaf in finite}) == 1
    if len(finite) == 2 and one_word and all(p.closing for p in predicates):
        return Leaf(finite[0].word, finite[0].links | finite[1].links)
    return None


def main_order(
    subject: Phrase, predicates: Sequence[Predicate], joint: Sides, lead: Phrase | None
) -> Sides:
    """Put a main clause in order: the finite verb second, behind the lead or the subject.

    Args:
        subject: who does it.
        predicates: one, or two.
        joint: *and* between these.
        lead: what comes first, if that is not the subject.
    """
    shared = _shared(predicates)
    finite = shared or predicates[0].finite
    german = [*lead.german, finite, *subject.whole] if lead else [*subject.whole, finite]
    for i, p in enumerate(predicates):
        if i:
            german = german + joint[1] + ([] if shared else [p.finite])
        german = german + _inside(p) + p.closing + p.prefix + p.tail
    english = _english(subject, predicates, joint[0])
    return (lead.english if lead else []) + english, german


def subordinate_order(
    subject: Phrase, predicates: Sequence[Predicate], joint: Sides = ([], [])
) -> Sides:
    """Put a subordinate clause in order: the finite verb last; arguments as for `main_order`."""
    shared = _shared(predicates)
    german = subject.whole
    for i, p in enumerate(predicates):
        said_later = shared and i < len(predicates) - 1
        finite = [] if said_later else [shared or p.joined]
        german = german + (joint[1] if i else []) + _inside(p) + p.closing + finite + p.tail
    return _english(subject, predicates, joint[0]), german
