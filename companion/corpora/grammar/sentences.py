"""Whole sentences of `pairs`, of exactly as many English words as asked for."""

from dataclasses import replace

from companion.corpora.grammar import words
from companion.corpora.grammar.clauses import SMALLEST, Clauses
from companion.corpora.grammar.leaves import Leaf, Misfit, Phrase, Sides, tidy
from companion.corpora.grammar.order import Predicate, main_order
from companion.corpora.grammar.predicates import Setting, tries

# What joins two main clauses: a word between them, and one that opens the second.
_JOINTS = (
    (words.AND, None),
    (words.BUT, None),
    (None, words.SO),
    (words.AND, words.THEN),
)


class Sentences(Clauses):
    """Draws sentences; arguments as for `Phrases`."""

    _joint = None  # as in the last pair of main clauses

    def sentence(self, size: int) -> Sides:
        """Draw a sentence of so many English words, its full stop not counted.

        Raises:
            Misfit: If none was found; another draw may find one.
        """
        frame = self.rng.choice(("present", "past"))
        english, german = self._chain(size, frame)
        stop = Leaf(".", self.link())
        return tidy([*english, stop]), tidy([*german, stop])

    def _chain(self, size: int, frame: str, lead: Phrase | None = None) -> Sides:
        """Join main clauses, with what hangs on them."""
        if size <= 9 or (size <= 24 and self.chance(0.6)):
            return self._block(size, frame, lead)
        self._joint = self.rng.choice([joint for joint in _JOINTS if joint != self._joint])
        between, opening = self._joint
        room = size - sum(map(bool, self._joint))
        first = self.rng.randint(4, min(20, room - 4))
        english, german = self._block(first, frame, lead)
        comma = Leaf(",", self.link())
        middle = self.joined(*between) if between else ([], [])
        lead = Phrase(*self.joined(*opening)) if opening else None
        more = self._chain(room - first, frame, lead)
        return [*english, comma, *middle[0], *more[0]], [*german, comma, *middle[1], *more[1]]

    def _block(self, size: int, frame: str, lead: Phrase | None) -> Sides:
        """Draw a main clause, and perhaps a subordinate one before or after it."""
        setting = Setting(self.tense(frame))
        if size < SMALLEST * 3 or self.chance(0.45):
            return self._main(size, setting, lead)
        conjunction = self.rng.choice(words.CONJUNCTIONS[frame])
        of_main, of_other = self.split(size, conjunction)
        if lead is None and self.chance(0.35):
            english, german = self.adverbial(of_other, conjunction, frame, 0)
            comma = Leaf(",", self.link())
            return self._main(of_main, setting, Phrase([*english, comma], [*german[1:-1], comma]))
        english, german = self._main(of_main, setting, lead)
        more = self.adverbial(of_other, conjunction, frame, 0)
        return english + more[0], german + more[1]

    def _main(self, size: int, setting: Setting, lead: Phrase | None) -> Sides:
        """Draw a main clause; the lead is what comes before its verb instead of the subject."""
        if lead is None and size > SMALLEST and self.chance(0.3):
            lead = tries(lambda: self.time(self.rng.choice((1, 2, 3)), setting.tense))
            size -= len(lead.english)
            if size < SMALLEST - 1:
                raise Misfit

        def order(subject: Phrase, predicates: list[Predicate], joint: Sides = ([], [])) -> Sides:
            return main_order(subject, predicates, joint, lead)

        return self.clause(size, replace(setting, timed=lead is None), order)
