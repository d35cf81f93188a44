"""The words of `pairs`: tables of forms, English beside German, and which of them go together.

German forms are written out and not made by rules, but for the endings of adjectives, which are
regular. Cases count 0, 1, 2: nominative, accusative, dative. Genders are the letters of `GENDERS`;
the plural has one set of endings for all three and counts as a fourth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

NOMINATIVE, ACCUSATIVE, DATIVE = range(3)
GENDERS = "mfnp"
FIRST, THIRD, PLURAL = range(3)  # who a verb agrees with: I; he, she, it; we, they
Words = tuple[str, ...]
Forms = tuple[Words, ...]
Conjunction = tuple[str, str, str]


def _table(text: str) -> Forms:
    return tuple(tuple(line.split()) for line in text.strip().splitlines())


# What agrees with a noun: a row for each case, a column for each gender.
DEFINITE = _table("der die das die\n den die das die\n dem der dem den")
INDEFINITE = _table("ein eine ein\n einen eine ein\n einem einer einem")
MINE = _table("mein meine mein meine\n meinen meine mein meine\n meinem meiner meinem meinen")
NONE = _table("kein keine kein\n keinen keine kein")
RELATIVE = _table("der die das die\n den die das die\n dem der dem denen")
AFTER_DEFINITE = _table("e e e en\n en e e en\n en en en en")
AFTER_INDEFINITE = _table("er e es en\n en e es en\n en en en en")
BARE_PLURAL = _table("- - - e\n - - - e\n - - - en")
IT = _table("er sie es sie\n ihn sie es sie\n ihm ihr ihm ihnen")


@dataclass(frozen=True)
class Pronoun:
    """A person: what English says as subject and as object, and German in each case."""

    subject: str
    object: str
    german: Words
    agreement: int


PRONOUNS = (
    Pronoun("I", "me", ("ich", "mich", "mir"), FIRST),
    Pronoun("he", "him", ("er", "ihn", "ihm"), THIRD),
    Pronoun("she", "her", ("sie", "sie", "ihr"), THIRD),
    Pronoun("we", "us", ("wir", "uns", "uns"), PLURAL),
    Pronoun("they", "them", ("sie", "sie", "ihnen"), PLURAL),
)
SPEAKERS = ("I", "we")
NAMES = ("Anna", "Ben", "Clara", "Emma", "Felix", "Jonas", "Lena", "Paul")
CITIES = (("Berlin", "Berlin"), ("Cologne", "Köln"), ("Munich", "München"), ("Rome", "Rom"))
CITIES += (("Vienna", "Wien"),)


@dataclass(frozen=True)
class Noun:
    """A noun: English singular and plural, German gender, singular, its other cases, plural, dative plural."""

    english: str
    plural: str
    gender: str
    singular: str
    oblique: str
    many: str
    many_dative: str

    def german(self, case: int, *, many: bool) -> str:
        """Return the form of a case."""
        if many:
            return self.many_dative if case == DATIVE else self.many
        return self.singular if case == NOMINATIVE else self.oblique


def _nouns(text: str) -> dict[str, Noun]:
    return {row[0]: Noun(*row) for row in _table(text)}


PEOPLE = _nouns("""
    guest guests m Gast Gast Gäste Gästen
    friend friends m Freund Freund Freunde Freunden
    waiter waiters m Kellner Kellner Kellner Kellnern
    tourist tourists m Tourist Touristen Touristen Touristen
    colleague colleagues m Kollege Kollegen Kollegen Kollegen
    woman women f Frau Frau Frauen Frauen
    sister sisters f Schwester Schwester Schwestern Schwestern
    child children n Kind Kind Kinder Kindern
""")
OWN = ("guest", "friend", "colleague", "sister", "child")  # people that one calls *my*
THINGS = _nouns("""
    hotel hotels n Hotel Hotel Hotels Hotels
    restaurant restaurants n Restaurant Restaurant Restaurants Restaurants
    museum museums n Museum Museum Museen Museen
    room rooms n Zimmer Zimmer Zimmer Zimmern
    table tables m Tisch Tisch Tische Tischen
    seat seats m Platz Platz Plätze Plätzen
    ticket tickets f Karte Karte Karten Karten
    flight flights m Flug Flug Flüge Flügen
    trip trips f Reise Reise Reisen Reisen
    taxi taxis n Taxi Taxi Taxis Taxis
    train trains m Zug Zug Züge Zügen
    bus buses m Bus Bus Busse Bussen
    key keys m Schlüssel Schlüssel Schlüssel Schlüsseln
    suitcase suitcases m Koffer Koffer Koffer Koffern
    bill bills f Rechnung Rechnung Rechnungen Rechnungen
    soup soups f Suppe Suppe Suppen Suppen
    cake cakes m Kuchen Kuchen Kuchen Kuchen
    picture pictures n Bild Bild Bilder Bildern
    letter letters m Brief Brief Briefe Briefen
    gift gifts n Geschenk Geschenk Geschenke Geschenken
""")
STATIONS = _nouns("""
    station stations m Bahnhof Bahnhof Bahnhöfe Bahnhöfen
    airport airports m Flughafen Flughafen Flughäfen Flughäfen
""")
NOUNS = PEOPLE | THINGS | STATIONS
# Where something happens: English preposition, noun, German preposition.
PLACES = (
    ("in", "hotel", "in"),
    ("in", "restaurant", "in"),
    ("in", "museum", "in"),
    ("at", "station", "an"),
    ("at", "airport", "an"),
)
CONTRACTED = {("in", "dem"): "im", ("an", "dem"): "am", ("zu", "dem"): "zum"}


@dataclass(frozen=True)
class Adjective:
    """An adjective: English, German by itself, and German before an ending."""

    english: str
    german: str
    stem: str


_OF_THINGS = {"cheap": ("billig", "billig"), "new": ("neu", "neu"), "small": ("klein", "klein")}
_OF_THINGS |= {"expensive": ("teuer", "teur"), "beautiful": ("schön", "schön")}
_OF_PEOPLE = {"friendly": ("freundlich", "freundlich"), "tired": ("müde", "müd")}
_OF_PEOPLE |= {"young": ("jung", "jung"), "hungry": ("hungrig", "hungrig")}
_OF_BOTH = {"old": ("alt", "alt")}
ADJECTIVES = {
    english: Adjective(english, *german)
    for english, german in (_OF_THINGS | _OF_PEOPLE | _OF_BOTH).items()
}


def suited(noun: str) -> Words:
    """Return the adjectives that suit a noun."""
    return tuple((_OF_PEOPLE if noun in PEOPLE else _OF_THINGS) | _OF_BOTH)


@dataclass(frozen=True)
class Verb:
    """A verb in both languages.

    Attributes:
        english: infinitive, third person, past, past participle.
        particle: a word that belongs to it, as in *call up*; or a preposition before its object, as
            in *wait for*; or "".
        german: with *ich*, with *er*, with *wir* (the infinitive, but for a prefix), and the participle.
        prefix: what a main clause puts last, as in *ruft … an*; or "".
        goes: whether its perfect is made with *sein* and not with *haben*.
        case: that of its object.
        preposition: before its object in German; or "".
        objects: the nouns that suit it as object.
        adjuncts: what else may be said: where ("place", "station", "city"), "with" whom, "for" whom.
    """

    english: Words
    particle: str
    german: Words
    prefix: str
    goes: bool = False
    case: int = ACCUSATIVE
    preposition: str = ""
    objects: Words = ()
    adjuncts: Words = ()

    @property
    def movable(self) -> bool:
        """Whether the particle may stand after the object."""
        return self.particle == "up"

    @property
    def infinitive(self) -> str:
        """The German infinitive."""
        return self.prefix + self.german[2]


def _verbs(text: str, *, goes: bool = False) -> tuple[Verb, ...]:
    return tuple(_verb([part.split() for part in line.split(":")], goes) for line in _lines(text))


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.strip().splitlines() if line.strip())


def _verb(parts: list[list[str]], goes: bool) -> Verb:  # noqa: FBT001
    english, german, objects, adjuncts = parts
    marks = {"+dative": (DATIVE, ""), "+auf": (ACCUSATIVE, "auf")}
    case, preposition = marks.get(objects[0] if objects else "", (ACCUSATIVE, ""))
    nouns = [noun for each in objects if "+" not in each for noun in _kind(each)]
    return Verb(
        english=tuple(english[:4]),
        particle="".join(english[4:]),
        german=tuple(german[:4]),
        prefix="".join(german[4:]),
        goes=goes,
        case=case,
        preposition=preposition,
        objects=tuple(nouns),
        adjuncts=tuple(adjuncts),
    )


def _kind(word: str) -> Words:
    return tuple(PEOPLE) if word == "people" else (word,)


WITH_OBJECT = _verbs("""
    book books booked booked : buche bucht buchen gebucht : hotel room table seat flight trip taxi : for
    find finds found found : finde findet finden gefunden : hotel restaurant room seat ticket key suitcase : for
    buy buys bought bought : kaufe kauft kaufen gekauft : ticket suitcase cake picture gift soup : for
    pay pays paid paid for : bezahle bezahlt bezahlen bezahlt : taxi room ticket soup cake flight gift :
    lose loses lost lost : verliere verliert verlieren verloren : key ticket suitcase picture letter bill : place
    forget forgets forgot forgotten : vergesse vergisst vergessen vergessen : key ticket suitcase letter gift picture : place
    order orders ordered ordered : bestelle bestellt bestellen bestellt : taxi soup cake : for
    take takes took taken : nehme nimmt nehmen genommen : train bus taxi room seat key ticket :
    look looks looked looked at : sehe sieht sehen angesehen an : hotel room picture letter restaurant bill museum : with
    pick picks picked picked up : hole holt holen abgeholt ab : suitcase ticket key letter gift people : station
    call calls called called up : rufe ruft rufen angerufen an : people hotel restaurant museum :
    invite invites invited invited : lade lädt laden eingeladen ein : people :
    meet meets met met : treffe trifft treffen getroffen : people : place city
    visit visits visited visited : besuche besucht besuchen besucht : people museum restaurant hotel : with
    help helps helped helped : helfe hilft helfen geholfen : +dative people :
    thank thanks thanked thanked : danke dankt danken gedankt : +dative people :
    wait waits waited waited for : warte wartet warten gewartet : +auf people taxi train bus letter bill : place
""")
GIVING = _verbs("""
    give gives gave given : gebe gibt geben gegeben : key ticket gift letter bill picture :
    send sends sent sent : schicke schickt schicken geschickt : ticket picture letter bill gift :
    show shows showed shown : zeige zeigt zeigen gezeigt : room picture letter ticket hotel museum :
    bring brings brought brought : bringe bringt bringen gebracht : key soup cake bill suitcase gift :
""")
ALONE = (
    *_verbs("sleep sleeps slept slept : schlafe schläft schlafen geschlafen : : place"),
    *_verbs(
        """
        arrive arrives arrived arrived : komme kommt kommen angekommen an : : station city with
        stay stays stayed stayed : bleibe bleibt bleiben geblieben : : place city with
        leave leaves left left : fahre fährt fahren abgefahren ab : : with
        """,
        goes=True,
    ),
)
GOING = _verbs(
    """
    go goes went gone : fahre fährt fahren gefahren : : with
    travel travels travelled travelled : reise reist reisen gereist : : with
    """,
    goes=True,
)
SAYING = _verbs("""
    say says said said : sage sagt sagen gesagt : :
    think thinks thought thought : glaube glaubt glauben geglaubt : :
    hope hopes hoped hoped : hoffe hofft hoffen gehofft : :
    write writes wrote written : schreibe schreibt schreiben geschrieben : :
""")
(TELLING,) = _verbs("tell tells told told : sage sagt sagen gesagt : +dative people :")
(ASKING,) = _verbs("ask asks asked asked : frage fragt fragen gefragt : people :")
TRYING = _verbs("""
    try tries tried tried : versuche versucht versuchen versucht : :
    plan plans planned planned : plane plant planen geplant : :
    forget forgets forgot forgotten : vergesse vergisst vergessen vergessen : :
""")
UNWILLED = ("lose", "forget")
VERBS = (*WITH_OBJECT, *GIVING, *ALONE, *GOING, *SAYING, TELLING, ASKING, *TRYING)

# Auxiliaries, by agreement: English, German.
HAVE = ("habe", "hat", "haben")
HAD = ("hatte", "hatte", "hatten")
BE = {
    "present": (("am", "is", "are"), ("bin", "ist", "sind")),
    "past": (("was", "was", "were"), ("war", "war", "waren")),
}
DO = (("do", "does", "do"), ("did", "did", "did"))
WILL = ("werde", "wird", "werden")
# English words before the infinitive, by agreement, and German.
MODALS = {
    "can": (("can", "can", "can"), ("kann", "kann", "können")),
    "must": (("must", "must", "must"), ("muss", "muss", "müssen")),
    "want": (("want to", "wants to", "want to"), ("will", "will", "wollen")),
    "could": (("could", "could", "could"), ("konnte", "konnte", "konnten")),
    "had to": (("had to", "had to", "had to"), ("musste", "musste", "mussten")),
    "wanted": (("wanted to", "wanted to", "wanted to"), ("wollte", "wollte", "wollten")),
}

# When: English, German, and how the words of one belong to those of the other, as 0-0 1-1.
_DAYS = (("Monday", "Montag"), ("Friday", "Freitag"), ("Sunday", "Sonntag"))
_ANY_TIME = tuple((f"on {english}", f"am {german}", "0-0 1-1") for english, german in _DAYS)
_ANY_TIME += (("in the evening", "am Abend", "0-0 1-0 2-1"), ("today", "heute", "0-0"))
_TO_COME = (("tomorrow", "morgen", "0-0"), ("in two hours", "in zwei Stunden", "0-0 1-1 2-2"))
TIMES = {
    "present": (
        *_ANY_TIME,
        *_TO_COME,
        ("now", "jetzt", "0-0"),
        ("every day", "jeden Tag", "0-0 1-1"),
    ),
    "future": (*_ANY_TIME, *_TO_COME, ("next week", "nächste Woche", "0-0 1-1")),
    "past": (
        *_ANY_TIME,
        ("yesterday", "gestern", "0-0"),
        ("last week", "letzte Woche", "0-0 1-1"),
        ("two days ago", "vor zwei Tagen", "0-1 1-2 2-0"),
    ),
}
NUMBERS = (("two", "zwei"), ("three", "drei"))
# Conjunctions before a subordinate clause: English, German, and the tense they want, if any.
CONJUNCTIONS = {
    "present": (
        ("because", "weil", ""),
        ("although", "obwohl", ""),
        ("while", "während", "present"),
        ("before", "bevor", "present"),
        ("if", "wenn", "present"),
        ("as soon as", "sobald", "present"),
    ),
    "past": (
        ("because", "weil", ""),
        ("although", "obwohl", ""),
        ("while", "während", "past"),
        ("before", "bevor", "past"),
        ("after", "nachdem", "pluperfect"),
    ),
}
REASONS = ("because", "although")
AND, BUT, SO, THEN = ("and", "und"), ("but", "aber"), ("so", "also"), ("then", "dann")
THAT, WHETHER, NOT = ("that", "dass"), ("whether", "ob"), ("not", "nicht")
DEGREES = (("very", "sehr"), ("too", "zu"), NOT)
