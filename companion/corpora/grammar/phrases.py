"""Phrases of `pairs`: people and things, and when, where and with whom.

Every phrase is asked for with the number of words that it is to have in English.
"""

import functools
import itertools
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from companion.corpora.grammar import words
from companion.corpora.grammar.leaves import Leaf, Misfit, Phrase
from companion.corpora.grammar.verbs import Tense, Verbs
from companion.corpora.grammar.words import DATIVE, GENDERS, NOMINATIVE, PLURAL, THIRD

T = TypeVar("T")

# English word, German forms, the endings of adjectives after them, and whether the noun is plural.
_DETERMINERS = {
    "the": ("the", words.DEFINITE, words.AFTER_DEFINITE, False),
    "the many": ("the", words.DEFINITE, words.AFTER_DEFINITE, True),
    "a": ("a", words.INDEFINITE, words.AFTER_INDEFINITE, False),
    "my": ("my", words.MINE, words.AFTER_INDEFINITE, False),
    "my many": ("my", words.MINE, words.AFTER_INDEFINITE, True),
    "no": ("no", words.NONE, words.AFTER_INDEFINITE, False),
    "": ("", None, words.BARE_PLURAL, True),
}
_DETERMINERS |= {
    english: (english, [[german] * 4] * 3, words.BARE_PLURAL, True)
    for english, german in words.NUMBERS
}
_USUAL = ("the", "the", "the", "a", "a", "the many", "two", "three")
_MINE = ("my", "my many")
_ADJUNCT_SIZES = {
    "time": (1, 2, 3),
    "place": (3, 4),
    "station": (3, 4),
    "city": (2,),
    "with": (2, 3, 4),
    "for": (2, 3, 4),
}
_WHERE = ("place", "station", "city")  # one of them is enough
Filling = tuple[tuple[str, int], ...]


@functools.cache
def fillings(kinds: words.Words) -> dict[int, list[Filling]]:
    """Return what adjuncts of these kinds can fill: by the number of words, which kinds in which sizes."""
    found: dict[int, list[Filling]] = {}
    for chosen in itertools.product(*((0, *_ADJUNCT_SIZES[kind]) for kind in kinds)):
        filling = tuple((k, size) for k, size in zip(kinds, chosen, strict=True) if size)
        if sum(kind in _WHERE for kind, _ in filling) < 2:
            found.setdefault(sum(chosen), []).append(filling)
    return found


class Phrases(Verbs):
    """Draws phrases.

    Args:
        rng: where the random numbers come from.
        partners: the nouns that each verb may have as object, and the adjectives that each noun may have.
    """

    def __init__(self, rng: random.Random, partners: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.rng, self.partners = rng, partners
        self._recent: list[str] = []

    def pick(self, options: Sequence[T]) -> T:
        """Draw one, if there is any.

        Raises:
            Misfit: If there is none.
        """
        if not options:
            raise Misfit
        return self.rng.choice(options)

    def adjective(self, noun: str = "") -> tuple[Leaf, words.Adjective]:
        """Draw an adjective that suits a noun, or a person who is not named by one."""
        english = self.pick(self.partners[noun] if noun else words.suited("guest"))
        leaf = Leaf(english, self.link())
        if noun:
            self.note(leaf, english, noun)
        return leaf, words.ADJECTIVES[english]

    # Noun phrases.

    def noun_phrase(self, noun: str, size: int, case: int, *, denied: bool = False) -> Phrase:
        """Draw a noun phrase of 1 to 3 words; `denied` allows *no*."""
        if size == 1:
            return self._determined(noun, case, "", adjective=False)
        mine = () if noun in words.PEOPLE and noun not in words.OWN else _MINE
        usual = _USUAL + mine + (("no",) if denied else ())
        bare = size == 2 and self.rng.random() < 0.1
        determiner = "" if bare else self.rng.choice(usual)
        return self._determined(noun, case, determiner, adjective=bare or size == 3)

    def the(self, noun: str, size: int, case: int) -> Phrase:
        """Draw *the* and a noun, with an adjective between them if the size is 3."""
        return self._determined(noun, case, "the", adjective=size == 3)

    def _determined(self, key: str, case: int, kind: str, *, adjective: bool) -> Phrase:
        noun = words.NOUNS[key]
        article, forms, endings, many = _DETERMINERS[kind]
        column = GENDERS.index("p" if many else noun.gender)
        english, german = [], []
        if forms:
            link = self.link()
            english.append(Leaf(article, link))
            german.append(Leaf(forms[case][column], link))
        if adjective:
            leaf, quality = self.adjective(key)
            english.append(leaf)
            german.append(Leaf(quality.stem + endings[case][column], leaf.links))
        link = self.link()
        english.append(Leaf(noun.plural if many else noun.english, link))
        german.append(Leaf(noun.german(case, many=many), link))
        if article == "a" and english[1].word[0] in "aeiou":
            english[0] = english[0]._replace(word="an")
        return Phrase(
            english,
            german,
            agreement=PLURAL if many else THIRD,
            noun=key,
            many=many,
            definite=article in ("the", "my"),
        )

    def person(self, size: int, case: int, subject: Phrase | None, nouns: Sequence[str]) -> Phrase:
        """Draw a person, 1 to 3 words: a pronoun, names, or one of the nouns.

        Args:
            size: English words.
            case: the German case.
            subject: whoever acts, if this is another than the subject: I do not call me.
            nouns: of which one may be drawn.
        """
        if size == 1 and self.rng.random() < 0.5:
            return self._pronoun(case, subject)
        if size == 1 or (size == 3 and self.rng.random() < 0.3):
            return self._names(size)
        return self.noun_phrase(self.pick(nouns), size, case)

    def _pronoun(self, case: int, subject: Phrase | None) -> Phrase:
        others = [p for p in words.PRONOUNS if not (subject and subject.speaker and _speaks(p))]
        drawn = self.rng.choice(others)
        word = drawn.object if subject else drawn.subject
        english, german = self.joined(word, drawn.german[case])
        return Phrase(
            english,
            german,
            agreement=drawn.agreement,
            pronoun=True,
            early=True,
            speaker=_speaks(drawn),
        )

    def _names(self, size: int) -> Phrase:
        others = [name for name in words.NAMES if name not in self._recent]
        drawn = self.rng.sample(others, 1 if size == 1 else 2)
        self._recent = [*self._recent, *drawn][-4:]
        parts = [self.joined(name, name) for name in drawn]
        if size == 3:
            parts.insert(1, self.joined(*words.AND))
        english, german = ([leaf for part in parts for leaf in part[side]] for side in (0, 1))
        return Phrase(english, german, agreement=THIRD if size == 1 else PLURAL, early=True)

    def it(self, noun: str, case: int, *, many: bool) -> Phrase:
        """Return the pronoun for a thing: German asks for its gender."""
        column = GENDERS.index("p" if many else words.NOUNS[noun].gender)
        plural = "they" if case == NOMINATIVE else "them"
        english, german = self.joined(plural if many else "it", words.IT[case][column])
        agreement = PLURAL if many else THIRD
        return Phrase(english, german, agreement=agreement, noun=noun, pronoun=True, early=True)

    # When, where, with whom.

    def adjuncts(
        self, room: int, kinds: words.Words, subject: Phrase, tense: Tense
    ) -> dict[str, Phrase]:
        """Draw adjuncts that fill the room to the word, if these can."""
        drawn = self.pick(fillings(kinds).get(room, ()))
        return {
            "place" if kind in _WHERE else kind: self._adjunct(kind, size, subject, tense)
            for kind, size in drawn
        }

    def _adjunct(self, kind: str, size: int, subject: Phrase, tense: Tense) -> Phrase:
        if kind == "time":
            return self.time(size, tense)
        if kind == "city":
            return self.city("in", "in")
        if kind in ("with", "for"):
            german, case = {"with": ("mit", DATIVE), "for": ("für", words.ACCUSATIVE)}[kind]
            whom = self.person(size - 1, case, subject, tuple(words.PEOPLE))
            return self.behind(kind, german, whom)
        places = [p for p in words.PLACES if kind == "place" or p[0] == "at"]
        english, noun, german = self.rng.choice(places)
        return self.behind(english, german, self.the(noun, size - 1, DATIVE))

    def time(self, size: int, tense: Tense) -> Phrase:
        """Draw when something happens."""
        times = [time for time in words.TIMES[tense.times] if len(time[0].split()) == size]
        english, german, alignment = self.pick(times)
        en = [Leaf(word, self.link()) for word in english.split()]
        de = [Leaf(word) for word in german.split()]
        for pair in alignment.split():
            one, other = map(int, pair.split("-"))
            de[other] = Leaf(de[other].word, de[other].links | en[one].links)
        return Phrase(en, de)

    def city(self, english: str, german: str) -> Phrase:
        """Draw a city behind a preposition."""
        names = self.joined(*self.rng.choice(words.CITIES))
        return self.behind(english, german, Phrase(*names))

    def behind(self, english: str, german: str, phrase: Phrase) -> Phrase:
        """Put prepositions before a phrase; German draws some together with the article."""
        (en,), (de,) = self.joined(english, german)
        first, *rest = phrase.german
        drawn = words.CONTRACTED.get((german, first.word))
        both = [Leaf(drawn, de.links | first.links)] if drawn else [de, first]
        return Phrase([en, *phrase.english], both + rest)


def _speaks(pronoun: words.Pronoun) -> bool:
    return pronoun.subject in words.SPEAKERS
