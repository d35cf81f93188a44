"""Clauses of `pairs`: who does what, and the clauses inside them."""

from collections.abc import Callable
from dataclasses import replace

from companion.corpora.grammar import words
from companion.corpora.grammar.leaves import COMMA, Leaf, Misfit, Phrase, Sides
from companion.corpora.grammar.order import Predicate, subordinate_order
from companion.corpora.grammar.phrases import fillings
from companion.corpora.grammar.predicates import ROOMIEST, ROOMY, Predicates, Setting, tries
from companion.corpora.grammar.verbs import Tense, verb_size
from companion.corpora.grammar.words import GENDERS, NOMINATIVE

SMALLEST = 3  # words of a clause
_FULL = 8  # words of a relative clause about an object, at most


class Clauses(Predicates):
    """Draws clauses; arguments as for `Phrases`."""

    # One clause.

    def clause(self, size: int, setting: Setting, order: Callable[..., Sides]) -> Sides:
        """Draw a clause of so many words, in an order of words.

        Raises:
            Misfit: If none was found.
        """

        def attempt() -> Sides:
            self.antecedent = None
            subject, predicates = self._of_people(size, setting)
            return order(subject, *predicates)

        may_be = setting.lasting and setting.tense.kind in words.BE and 4 <= size <= 7
        if may_be and self.chance(0.1):
            return tries(lambda: order(*self._of_things(size, setting)))
        return tries(attempt)

    def _of_people(self, size: int, setting: Setting) -> tuple[Phrase, tuple]:
        subject = self._subject(size, setting)
        return subject, self._predicates(size - len(subject.english), subject, setting)

    def _of_things(self, size: int, setting: Setting) -> tuple[Phrase, list[Predicate]]:
        self.antecedent = None
        noun = self.rng.choice(tuple(words.THINGS))
        subject = self.noun_phrase(noun, 2 if size == 4 else 3, NOMINATIVE)
        return subject, [self.being(size - len(subject.english), subject, setting)]

    def _subject(self, size: int, setting: Setting) -> Phrase:
        people = tuple(words.PEOPLE)
        if setting.open and size >= ROOMY + 3 and self.chance(0.25):
            own = self.rng.randint(ROOMY, min(size - 2, ROOMIEST))
            return self.with_relative(self.rng.choice(people), own, NOMINATIVE, setting)
        own = self.pick([s for s in (1, 1, 1, 2, 2, 3) if s <= size - 1])
        return self.person(own, NOMINATIVE, None, people)

    def _predicates(
        self, size: int, subject: Phrase, setting: Setting
    ) -> tuple[list[Predicate], Sides]:
        nothing: Sides = [], []
        if size < 6 or not self.chance(0.25):
            return [self._predicate(size, subject, setting)], nothing
        setting = replace(setting, timed=False, firm=True)
        first = self.rng.randint(2, size - 3)
        one = self._predicate(first, subject, replace(setting, plain=True))
        said_once = one.auxiliaries  # "will call up … and book …"
        two = self._predicate(size - 1 - first + len(said_once), subject, setting)
        if two.english[0].word == one.english[0].word:
            raise Misfit  # "finds a key and finds a key"
        if said_once:
            links = one.finite.links | two.finite.links
            two = replace(two, auxiliaries=[], finite=Leaf(two.finite.word, links))
        return [one, two], self.joined(*words.AND)

    def _predicate(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        """Draw what is said of someone, of a kind that can have this size."""
        verb = verb_size(words.ALONE[0], setting.tense)
        if size < verb:
            raise Misfit
        kinds = [self.alone] if size <= 9 else []  # more than that it cannot fill
        if size > verb:
            kinds += [self.doing] * 6
        if verb + 1 < size <= 9:
            kinds += [self.giving] * 2 + [self.going]
        if size > 1 and setting.lasting and setting.tense.kind in words.BE:
            kinds.append(self.being)
        if setting.open and setting.tense.kind != "infinitive" and size >= 5:
            kinds += [self._trying] * 2 + [self._saying] * (6 if size > 9 else 3)
        known = self.antecedent

        def attempt() -> Predicate:
            self.antecedent = known
            return self.rng.choice(kinds)(size, subject, setting)

        return tries(attempt)

    # Subordinate clauses.

    def split(self, size: int, conjunction: words.Conjunction) -> tuple[int, int]:
        """Draw how many words stand before a conjunction, and how many after it."""
        english, *_ = conjunction
        room = size - len(english.split())
        if english in words.REASONS and self.chance(0.6):
            after = self.rng.choice((3, 4))  # "because it is (very) cheap"
        else:
            after = self.rng.randint(SMALLEST, room - SMALLEST)
        return room - after, after

    def adverbial(self, size: int, conjunction: words.Conjunction, frame: str, depth: int) -> Sides:
        """Draw a clause of so many words behind a conjunction."""
        english, german, kind = conjunction
        reason = english in words.REASONS
        opening = self.joined(english, german)
        if reason and self.antecedent and size in (3, 4) and self.chance(0.8):
            inner = self._it_is(size, frame)
        else:
            tense = Tense(kind, frame) if kind else self.tense(frame)
            setting = Setting(tense, depth + 1, timed=reason, lasting=reason)
            inner = self.clause(size, setting, subordinate_order)
        return opening[0] + inner[0], [COMMA, *opening[1], *inner[1], COMMA]

    def _it_is(self, size: int, frame: str) -> Sides:
        noun, many = self.antecedent
        subject = self.it(noun, NOMINATIVE, many=many)
        setting = Setting(Tense(frame, frame), timed=False)
        return subordinate_order(subject, [self.being(size - 1, subject, setting)])

    def _subordinate(self, size: int, frame: str, depth: int) -> Sides:
        setting = Setting(self.tense(frame), depth)
        if size < SMALLEST * 3 or self.chance(0.6):
            return self.clause(size, setting, subordinate_order)
        conjunction = self.rng.choice(words.CONJUNCTIONS[frame])
        first, second = self.split(size, conjunction)
        one = self.clause(first, setting, subordinate_order)
        two = self.adverbial(second, conjunction, frame, depth)
        return one[0] + two[0], one[1] + two[1]

    # Clauses in clauses.

    def _saying(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        verb = self.rng.choice((*words.SAYING, words.TELLING, words.TELLING, words.ASKING))
        denied = self.denied(setting)
        room = size - verb_size(verb, setting.tense, denied=denied) - 1
        forms = self.verb_forms(verb, setting.tense, subject.agreement, denied=denied)
        whom = Phrase([], [])
        if verb.objects:
            nouns = self.partners[verb.english[0]]
            whom = self.person(self.rng.choice((1, 2)), verb.case, subject, nouns)
            self.note_object(forms, verb, whom)
        room -= len(whom.english)
        if room < SMALLEST or (forms.denial and not whom.definite):
            raise Misfit
        that = self.joined(*(words.WHETHER if verb is words.ASKING else words.THAT))
        frame = "past" if self.chance(0.3) else setting.tense.frame
        inner = self._subordinate(room, frame, setting.depth + 1)
        said = self.said(forms, verb, whom if verb.objects else None, {})
        tail = [COMMA, *that[1], *inner[1], COMMA]
        return replace(said, english=said.english + that[0] + inner[0], tail=tail)

    def _trying(self, size: int, subject: Phrase, setting: Setting) -> Predicate:
        verb = self.rng.choice(words.TRYING)
        denied = self.denied(setting)
        room = size - verb_size(verb, setting.tense, denied=denied)
        forms = self.verb_forms(verb, setting.tense, subject.agreement, denied=denied)
        within = setting.within(Tense("infinitive", setting.tense.frame))
        inner = self._predicate(room, subject, replace(within, timed=False, firm=True))
        if inner.english[0].word in words.UNWILLED:
            raise Misfit  # "plans to forget"
        said = self.said(forms, verb, None, {})
        german = inner.early + inner.middle + inner.closing + inner.tail
        english = said.english + inner.auxiliaries + inner.english
        return replace(said, english=english, tail=[COMMA, *german, COMMA])

    def with_relative(self, noun: str, size: int, case: int, setting: Setting) -> Phrase:
        """Draw a noun phrase of so many words, with a relative clause."""
        self.antecedent = None
        phrase = self.noun_phrase(noun, self.rng.choice((2, 2, 3)), case)
        room = size - len(phrase.english) - 1
        frame = "past" if self.chance(0.4) else setting.tense.frame
        tense = Tense(frame, frame) if self.chance(0.6) else self.tense(frame)
        within = setting.within(tense)
        of_subject = noun in words.PEOPLE and (room > _FULL or self.chance(0.6))
        if of_subject:
            gap = replace(phrase, english=[], german=[])
            inner = subordinate_order(gap, *self._predicates(room, gap, within))
            case = NOMINATIVE
        else:
            case, inner = tries(lambda: self._about(noun, room, within))
        self.antecedent = None
        column = GENDERS.index("p" if phrase.many else words.NOUNS[noun].gender)
        link = self.link()
        who = Leaf("who" if of_subject else "that", link)
        der = Leaf(words.RELATIVE[case][column], link)
        tail = [COMMA, der, *inner[1], COMMA]
        return replace(phrase, english=[*phrase.english, who, *inner[0]], tail=tail)

    def _about(self, noun: str, size: int, setting: Setting) -> tuple[int, Sides]:
        """Draw a clause whose object is the noun before it; return the object's case, too."""
        verb = self.pick(
            [
                verb
                for verb in words.WITH_OBJECT
                if noun in self.partners[verb.english[0]] and not verb.preposition
            ]
        )
        kinds = self.kinds(verb.adjuncts, setting)
        room = size - verb_size(verb, setting.tense)
        own = self.pick([s for s in (1, 1, 2, 3) if room - s in fillings(kinds)])
        subject = self.person(own, NOMINATIVE, None, tuple(words.PEOPLE))
        forms = self.verb_forms(verb, setting.tense, subject.agreement)
        beside = self.beside(room - own, kinds, subject, setting)
        self.note(forms.verb, verb.english[0], noun)
        return verb.case, subordinate_order(subject, [self.said(forms, verb, None, beside)])
