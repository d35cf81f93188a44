"""What the clauses of `pairs` say of someone: does, gives, goes, stays, is."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from companion.corpora.grammar import words
from companion.corpora.grammar.leaves import Leaf, Misfit, Phrase
from companion.corpora.grammar.order import Predicate
from companion.corpora.grammar.phrases import Phrases, fillings
from companion.corpora.grammar.verbs import DENIABLE, Tense, VerbForms, verb_size
from companion.corpora.grammar.words import DATIVE, Verb

_TRIES = 24
_DEEPEST = 3
ROOMY, ROOMIEST = 6, 12  # words of a noun phrase with a relative clause
T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """Where a clause stands.

    Attributes:
        tense: its tense.
        depth: in how many clauses it stands.
        timed: whether it may end in saying when.
        plain: whether it must hold no clause.
        firm: whether it must not be denied.
        lasting: whether it may say how a thing is, which "before" and "if" do not go with.
    """

    tense: Tense
    depth: int = 0
    timed: bool = True
    plain: bool = False
    firm: bool = False
    lasting: bool = True

    def within(self, tense: Tense) -> "Setting":
        """Return the setting of a clause in this one."""
        return Setting(tense, self.depth + 1)

    @property
    def open(self) -> bool:
        """Whether a clause may be put in."""
        return not self.plain and self.depth < _DEEPEST


def tries(attempt: Callable[[], T]) -> T:
    """Try until something fits.

    Raises:
        Misfit: If nothing does in a while.
    """
    for _ in range(_TRIES):
        try:
            return attempt()
        except Misfit:
            pass
    raise Misfit


class Predicates(Phrases, abc.ABC):
    """Draws predicates; arguments as for `Phrases`."""

    antecedent: tuple[str, bool] | None = None  # the thing that *it* or *they* would be

    @abc.abstractmethod
    def with_relative(self, noun: str, size: int, case: int, setting: Setting) -> Phrase:
        """Draw a noun phrase with a relative clause."""

    def chance(self, probability: float) -> bool:
        """Draw whether something is so."""
        return self.rng.random() < probability

    def tense(self, frame: str) -> Tense:
        """Draw a tense of a story that is told of the present, or of the past."""
        modal = {"present": ("can", "must", "want"), "past": ("could", "had to", "wanted")}[frame]
        kinds = {"present": ("present",) * 5 + ("future",) * 2, "past": ("past",) * 7}[frame]
        late = ("pluperfect",) if frame == "past" else ()
        return Tense(self.rng.choice((*kinds, *late, self.rng.choice(modal))), frame)

    def denied(self, setting: Setting) -> bool:
        """Draw whether this clause says *not*."""
        may = setting.tense.kind in DENIABLE and setting.depth < 2 and setting.lasting
        may = may and not setting.firm
        return may and self.chance(0.12)

    def doing(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw a verb with an object."""
        verb = self.rng.choice(words.WITH_OBJECT)
        nouns, denied = self.partners[verb.english[0]], self.denied(setting)
        room = size - verb_size(verb, setting.tense, denied=denied)
        kinds = self.kinds((), setting) if denied else self.kinds(verb.adjuncts, setting)
        if setting.open and ROOMY <= room <= ROOMIEST and self.chance(0.6):
            thing = self.with_relative(self.pick(nouns), room, verb.case, setting)
        else:
            own = self.pick([s for s in (1, 2, 2, 2, 3, 3) if room - s in fillings(kinds)])
            firm = setting.firm or not setting.lasting or setting.tense.kind not in DENIABLE
            thing = self._object(verb, nouns, own, subject, firm=firm)
        if denied and not thing.definite:
            raise Misfit
        forms = self.verb_forms(verb, setting.tense, subject.agreement, denied=denied)
        self.note_object(forms, verb, thing)
        beside = self.beside(room - len(thing.english), kinds, subject, setting)
        return self.said(forms, verb, thing, beside)

    def _object(
        self, verb: Verb, nouns: Sequence[str], size: int, subject: Phrase, *, firm: bool
    ) -> Phrase:
        known = self.antecedent
        if size == 1 and known and known[0] in nouns and self.chance(0.7):
            return self.it(known[0], verb.case, many=known[1])
        noun = self.pick(nouns)
        if noun in words.PEOPLE:
            return self.person(size, verb.case, subject, (noun,))
        self.antecedent = None
        thing = self.noun_phrase(noun, size, verb.case, denied=not firm)
        if thing.english[0].word != "no":
            self.antecedent = noun, thing.many
        return thing

    def note_object(self, forms: VerbForms, verb: Verb, thing: Phrase) -> None:
        """Note a verb and its object."""
        if thing.noun:
            self.note(forms.verb, verb.english[0], thing.noun)

    def kinds(self, adjuncts: words.Words, setting: Setting) -> words.Words:
        """Return the kinds of adjunct that there may be: the time is one, where the clause may end in it."""
        return (*adjuncts, *(("time",) if setting.timed else ()))

    def beside(
        self, room: int, kinds: words.Words, subject: Phrase, setting: Setting
    ) -> dict[str, Phrase]:
        """Draw adjuncts that fill the room."""
        drawn = self.adjuncts(room, kinds, subject, setting.tense)
        if "place" in drawn:
            self.antecedent = None  # "in the hotel because it …" could be either
        return drawn

    def said(
        self, forms: VerbForms, verb: Verb, thing: Phrase | None, beside: Mapping[str, Phrase]
    ) -> Predicate:
        """Put a verb, its object and adjuncts into the order of each language."""
        own = thing or Phrase([], [])
        after = verb.movable and (own.pronoun or (not own.tail and self.chance(0.5)))
        english = own.english + forms.particle if after else forms.particle + own.english
        others = [beside[kind] for kind in ("to", "for", "with", "place") if kind in beside]
        inner = [beside[kind] for kind in ("for", "with", "place", "to") if kind in beside]
        adjuncts = [leaf for phrase in inner for leaf in phrase.german]
        early = own.german if own.early and not verb.preposition else []
        plain = own.german if not own.early and not verb.preposition else []
        late = []
        if verb.preposition and thing:
            late = [Leaf(verb.preposition, forms.particle[0].links), *own.german]
        return Predicate(
            auxiliaries=forms.auxiliaries,
            english=[forms.verb, *english, *(leaf for phrase in others for leaf in phrase.english)],
            finite=forms.finite,
            prefix=forms.prefix,
            early=early,
            middle=plain + forms.denial + adjuncts + late,
            closing=forms.closing,
            tail=own.tail,
            time=beside.get("time"),
        )

    def giving(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw a verb with a thing and a person: *to* the person behind it, or the person first."""
        verb, to = self.rng.choice(words.GIVING), self.chance(0.5)
        room = size - verb_size(verb, setting.tense) - to
        kinds = self.kinds((), setting)
        of_thing = self.rng.choice((1, 2, 3))
        of_whom = self.pick([s for s in (1, 2, 3) if room - of_thing - s in fillings(kinds)])
        thing = self._object(verb, self.partners[verb.english[0]], of_thing, subject, firm=True)
        if thing.pronoun and not to:
            raise Misfit  # "gives him it"
        forms = self.verb_forms(verb, setting.tense, subject.agreement)
        self.note_object(forms, verb, thing)
        whom = self.person(of_whom, DATIVE, subject, tuple(words.PEOPLE))
        beside = self.beside(room - of_thing - of_whom, kinds, subject, setting)
        said = self.said(forms, verb, thing, beside)
        receiver = [Leaf("to", whom.german[0].links), *whom.english] if to else whom.english
        english = thing.english + receiver if to else receiver + thing.english
        said = replace(said, english=[forms.verb, *english])
        if whom.early:
            return replace(said, early=said.early + whom.german)
        return replace(said, middle=whom.german + said.middle)

    def alone(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw a verb without an object."""
        verb, denied = self.rng.choice(words.ALONE), self.denied(setting)
        room = size - verb_size(verb, setting.tense, denied=denied)
        beside = self.beside(room, self.kinds(verb.adjuncts, setting), subject, setting)
        forms = self.verb_forms(verb, setting.tense, subject.agreement, denied=denied)
        return self.said(forms, verb, None, beside)

    def going(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw a verb with a city or a place to go to."""
        to_city, denied = self.chance(0.6), self.denied(setting)
        verb = self.rng.choice(words.GOING) if to_city else words.GOING[0]
        own = 2 if to_city else self.rng.choice((3, 4))
        room = size - verb_size(verb, setting.tense, denied=denied) - own
        beside = self.beside(room, self.kinds(verb.adjuncts, setting), subject, setting)
        if to_city:
            where = self.city("to", "nach")
        else:
            _, noun, _ = self.rng.choice(words.PLACES)
            where = self.behind("to", "zu", self.the(noun, own - 1, DATIVE))
        forms = self.verb_forms(verb, setting.tense, subject.agreement, denied=denied)
        return self.said(forms, verb, None, beside | {"to": where})

    def being(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw what someone or something is."""
        english, german = words.BE[setting.tense.kind]
        kinds = self.kinds((), setting)
        own = self.pick([s for s in (2, 3) if size - s in fillings(kinds) and size - s < 3])
        time = self.beside(size - own, kinds, subject, setting).get("time")
        degrees = words.DEGREES if setting.lasting and not setting.firm else words.DEGREES[:2]
        degree = self.joined(*self.rng.choice(degrees)) if own == 3 else ([], [])
        leaf, adjective = self.adjective(subject.noun)
        link = self.link()
        return Predicate(
            auxiliaries=[],
            english=[Leaf(english[subject.agreement], link), *degree[0], leaf],
            finite=Leaf(german[subject.agreement], link),
            closing=[*degree[1], Leaf(adjective.german, leaf.links)],
            time=time,
        )
