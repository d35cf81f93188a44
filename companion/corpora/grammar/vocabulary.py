"""Every word that `pairs` can draw: all forms of its tables that a sentence has a place for."""

from collections.abc import Iterable, Iterator

from companion.corpora.grammar import words

_ENGLISH = (
    "the a an my no do does did not had will is are am was were and but so then that who whether"
)
_ENGLISH += " to with for in at it they them very too two three , ."
_GERMAN = "und aber also dann dass ob zu mit für in auf nach nicht sehr zwei drei im am zum , ."


def english() -> set[str]:
    """Every English word."""
    found = set(_ENGLISH.split())
    found |= {word for p in words.PRONOUNS for word in (p.subject, p.object)}
    found |= {noun.english for noun in words.NOUNS.values()}
    found |= {noun.plural for noun in (words.PEOPLE | words.THINGS).values()}
    found |= {word for v in words.VERBS for word in (*v.english, v.particle)} - {""}
    found |= set(words.ADJECTIVES) | set(words.NAMES) | {city for city, _ in words.CITIES}
    return found | set(_split(side[0] for side in _phrases()))


def german() -> set[str]:
    """Every German word."""
    found = set(_GERMAN.split()) | set(words.NAMES) | {city for _, city in words.CITIES}
    tables = (words.DEFINITE, words.INDEFINITE, words.MINE, words.NONE[1:], words.RELATIVE)
    found |= {word for table in tables for row in table for word in row}
    found |= {word for p in words.PRONOUNS for word in p.german} | {"es"}
    found |= {n.oblique for n in words.STATIONS.values()}
    found |= {word for n in words.THINGS.values() for word in (n.singular, n.many)}
    people = words.PEOPLE.values()
    found |= {word for n in people for word in (n.singular, n.oblique, n.many, n.many_dative)}
    qualities = words.ADJECTIVES.values()
    found |= {a.german for a in qualities}
    found |= {a.stem + ending for a in qualities for ending in ("e", "en", "er", "es")}
    found |= {word for verb in words.VERBS for word in _forms(verb)}
    auxiliaries = (words.HAVE, words.HAD, words.WILL, *(forms for _, forms in words.BE.values()))
    found |= {word for forms in auxiliaries for word in forms}
    return found | set(_split(side[1] for side in _phrases()))


def _phrases() -> Iterator[tuple[str, str]]:
    for times in words.TIMES.values():
        yield from ((english, german) for english, german, _ in times)
    for conjunctions in words.CONJUNCTIONS.values():
        yield from ((english, german) for english, german, _ in conjunctions)
    for english, german in words.MODALS.values():
        yield " ".join(english), " ".join(german)


def _split(texts: Iterable[str]) -> Iterator[str]:
    return (word for text in texts for word in text.split())


def _forms(verb: words.Verb) -> Iterator[str]:
    yield from verb.german
    if verb.prefix:
        yield verb.prefix
        yield from (verb.prefix + form for form in verb.german[:3])
        yield f"{verb.prefix}zu{verb.german[2]}"
