"""The verbs of `pairs` in their tenses: English words around the verb, German ones at both ends."""

from dataclasses import dataclass, field

from companion.corpora.grammar import words
from companion.corpora.grammar.leaves import Leaf, Leaves, Links
from companion.corpora.grammar.words import THIRD, Verb

Link = frozenset[int]
DENIABLE = ("present", "past", "pluperfect", "future")
_AUXILIARIES = {"present": 0, "past": 0, "want": 2, "had to": 2, "wanted": 2}


@dataclass(frozen=True)
class Tense:
    """A tense, and whether the story is of the past.

    Attributes:
        kind: "present", "past", "pluperfect", "future", "infinitive", or a modal verb.
        frame: "present" or "past".
    """

    kind: str
    frame: str

    @property
    def times(self) -> str:
        """The key of what may be said of when."""
        return "future" if self.kind == "future" else self.frame


@dataclass
class VerbForms:
    """The words of a verb in one tense.

    Attributes:
        verb: the English verb.
        finite: the German word that agrees with the subject; None of an infinitive.
        auxiliaries: English words before the verb.
        particle: its particle or preposition, if it has one.
        prefix: a German prefix that a main clause puts last.
        closing: German participle or infinitive.
        denial: *nicht*, or nothing.
    """

    verb: Leaf
    finite: Leaf | None
    auxiliaries: Leaves = field(default_factory=list)
    particle: Leaves = field(default_factory=list)
    prefix: Leaves = field(default_factory=list)
    closing: Leaves = field(default_factory=list)
    denial: Leaves = field(default_factory=list)


def verb_size(verb: Verb, tense: Tense, *, denied: bool = False) -> int:
    """Count the English words of a verb in a tense, with auxiliaries, *not* and particle."""
    done = denied and tense.kind in ("present", "past")  # "does not", "did not"
    return _AUXILIARIES.get(tense.kind, 1) + 1 + bool(verb.particle) + denied + done


class Verbs(Links):
    """Puts verbs into tenses."""

    def verb_forms(
        self, verb: Verb, tense: Tense, agreement: int, *, denied: bool = False
    ) -> VerbForms:
        """Return a verb in a tense; `denied` puts *not* to it, with *do* where English needs it."""
        own = self.link()
        particle = [Leaf(verb.particle, self.link())] if verb.particle else []
        both = own | particle[0].links if particle and verb.prefix else own
        if tense.kind == "infinitive":
            forms = self._infinitive(verb, own, both)
        elif tense.kind == "present":
            forms = _present(verb, agreement, own, denied=denied)
        elif tense.kind == "past" and not denied:
            helper = (words.BE["present"][1] if verb.goes else words.HAVE)[agreement]
            participle = [Leaf(verb.german[3], both)]
            forms = VerbForms(Leaf(verb.english[2], own), Leaf(helper, own), closing=participle)
        else:
            forms = self._with_auxiliary(verb, tense.kind, agreement, own, both)
        forms.particle = particle
        if verb.prefix and not forms.closing:
            forms.prefix = [Leaf(verb.prefix, particle[0].links if particle else own)]
        if denied:
            english, forms.denial = self.joined(*words.NOT)
            forms.auxiliaries = forms.auxiliaries + english
        return forms

    def _infinitive(self, verb: Verb, own: Link, both: Link) -> VerbForms:
        to = self.link()
        if verb.prefix:
            closing = [Leaf(f"{verb.prefix}zu{verb.german[2]}", to | both)]
        else:
            closing = [Leaf("zu", to), Leaf(verb.infinitive, both)]
        return VerbForms(Leaf(verb.english[0], own), None, [Leaf("to", to)], closing=closing)

    def _with_auxiliary(
        self, verb: Verb, kind: str, agreement: int, own: Link, both: Link
    ) -> VerbForms:
        english, german = _auxiliary(verb, kind)
        perfect = kind in ("past", "pluperfect")
        main = verb.english[3] if kind == "pluperfect" else verb.english[0]
        link = self.link()
        return VerbForms(
            Leaf(main, own),
            Leaf(german[agreement], link),
            [Leaf(word, link) for word in english[agreement].split()],
            closing=[Leaf(verb.german[3] if perfect else verb.infinitive, both)],
        )


def _present(verb: Verb, agreement: int, own: Link, *, denied: bool) -> VerbForms:
    base, third, *_ = verb.english
    main = third if agreement == THIRD and not denied else base
    do = [Leaf(words.DO[0][agreement], own)] if denied else []
    return VerbForms(Leaf(main, own), Leaf(verb.german[agreement], own), do)


def _auxiliary(verb: Verb, kind: str) -> tuple[words.Words, words.Words]:
    if kind == "past":
        return words.DO[1], words.BE["present"][1] if verb.goes else words.HAVE
    if kind == "pluperfect":
        return ("had",) * 3, words.BE["past"][1] if verb.goes else words.HAD
    return (("will",) * 3, words.WILL) if kind == "future" else words.MODALS[kind]
