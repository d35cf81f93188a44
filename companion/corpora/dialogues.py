"""Short dialogues of our own in which people book things, annotated as those of `sgd` are.

Every dialogue is made from the lists below and a seed. Some names and cities never occur in those to
train on, and some names only put together from known words in a new way, so that a model which tells
them right in a summary must have copied them from the dialogue.
"""

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from companion.corpora import wording as say
from companion.corpora.sgd import SYSTEM, USER, Action, Call, Dialogue, Frame, Span, State, Turn

SPLITS = ("combinations", "names")
SHORTEST, LONGEST = 4, 10  # turns
Texts = tuple[str, ...]


def _words(text: str) -> Texts:
    return tuple(text.split())


_MONTHS = ("March", "April", "May", "June", "July")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CITIES = _words(
    "Lisbon Oslo Turin Ghent Graz Lyon Porto Bergen Dublin Leeds Cork Malmo Aarhus Basel "
    "Bruges Delft Dresden Gdansk Granada Krakow Leipzig Lucerne Mainz Nantes Nice Padua "
    "Prague Riga Salzburg Siena Split Tartu Trieste Utrecht Verona Vilnius York Zagreb Bath "
    "Bologna Bristol Toulouse Valencia Zurich"
)
_PEOPLE = _words(
    "Amara Boris Chen Dalia Elif Farid Greta Hugo Ines Jonas Kofi Leila Marta Noor Olga Pavel "
    "Quinn Rosa Sven Tara Uma Viktor Wanda Yusuf Zora Anton Bela Clara"
)
_FAMILIES = _words(
    "Abara Berg Castro Dvorak Eriksen Fontaine Grieg Haddad Ito Jansen Keller Lindt Moreau "
    "Novak Okafor Petrov Rossi Santos Tanaka Vogel Weber Young Zola Bauer"
)
_SIGNS = _words(
    "Golden Silver Blue Red Old Royal Little Grand Quiet Happy Green White Copper Velvet "
    "Hidden Lucky Amber Crystal Ivory Scarlet Sunny Wild Humble Noble"
)
_TABLES = _words("Lantern Kitchen Table Olive Fork Oven Garden Spoon Pepper Onion Cellar Terrace")
_INNS = _words("Inn House Palace Lodge Court Harbour Crown Anchor Gate Tower Bridge Park")
_FILMS = _words("River Night Island Letter Winter Mirror Road Storm Secret Journey Comet Orchard")


@dataclass(frozen=True)
class Domain:
    """What one kind of thing to book needs.

    Attributes:
        service: its name in the annotations.
        find: the intent of looking for it; "" where one books at once.
        book: the intent of booking it.
        openings: how a user begins to look for it, with places for slots.
        bookings: how a user begins to book it at once.
        wanted: the slots that looking for it needs.
        name: the slot of its name; "" where it has none.
        needed: the slots that booking it needs besides.
        told: slots the user may ask about, and what the system then says.
    """

    service: str
    find: str
    book: str
    openings: Texts
    bookings: Texts
    wanted: Texts
    name: str
    needed: Texts
    told: Mapping[str, str]


_PHONE = {"phone_number": "The phone number is {}.", "street_address": "It is at {}."}
DOMAINS = (
    Domain(
        service="Tables_1",
        find="FindRestaurants",
        book="ReserveRestaurant",
        openings=(
            "I'd like to eat {cuisine} food in {city}.",
            "Can you find me a {cuisine} restaurant in {city}?",
            "I'm hungry. Is there anything {cuisine} around?",
            "Find me somewhere to eat in {city}, please.",
            "We want to go out for dinner.",
        ),
        bookings=(
            "Please reserve a table at {restaurant_name} in {city}.",
            "I need a table at {restaurant_name} in {city} {time}.",
            "Can I get a table for {party_size} at {restaurant_name} in {city}?",
        ),
        wanted=("cuisine", "city"),
        name="restaurant_name",
        needed=("party_size", "date", "time"),
        told=_PHONE | {"has_live_music": "", "has_outdoor_seating": ""},
    ),
    Domain(
        service="Rooms_1",
        find="SearchHotel",
        book="ReserveHotel",
        openings=(
            "I need a hotel in {city}.",
            "Could you look for a {star_rating} star hotel in {city}?",
            "I'm going to {city} and need a place to stay.",
            "I want a hotel with {star_rating} stars.",
        ),
        bookings=(
            "Book me a room at {hotel_name} in {city}.",
            "I'd like to stay at {hotel_name} in {city} for {number_of_days} days.",
        ),
        wanted=("city",),
        name="hotel_name",
        needed=("check_in_date", "number_of_days"),
        told=_PHONE
        | {"price_per_night": "It costs {} a night.", "has_wifi": "", "pets_allowed": ""},
    ),
    Domain(
        service="Trains_1",
        find="",
        book="BuyTrainTicket",
        openings=(),
        bookings=(
            "I need a train from {origin} to {destination}.",
            "I have to get to {destination} {departure_date}. Is there a train?",
            "Buy me {number_of_tickets} train tickets to {destination}, please.",
            "Can you book a train from {origin} to {destination} {departure_date}?",
        ),
        wanted=(),
        name="",
        needed=("origin", "destination", "departure_date", "departure_time", "number_of_tickets"),
        told={"fare": "It costs {}.", "number_of_stops": "It has {}."},
    ),
    Domain(
        service="Buses_1",
        find="",
        book="BuyBusTicket",
        openings=(),
        bookings=(
            "I want to take the bus from {origin} to {destination}.",
            "We are {number_of_tickets} people and need a bus to {destination}.",
            "Get me a bus ticket to {destination} for {departure_date}.",
        ),
        wanted=(),
        name="",
        needed=("origin", "destination", "departure_date", "departure_time", "number_of_tickets"),
        told={"fare": "It costs {}."},
    ),
    Domain(
        service="Dentists_1",
        find="FindProvider",
        book="BookAppointment",
        openings=(
            "My tooth hurts. Do you know a dentist in {city}?",
            "I'm looking for a dentist in {city}.",
            "I need to see a dentist.",
        ),
        bookings=(
            "Make an appointment with the dentist {dentist_name}, please.",
            "I'd like to see the dentist {dentist_name} {appointment_date}.",
        ),
        wanted=("city",),
        name="dentist_name",
        needed=("appointment_date", "appointment_time"),
        told=_PHONE,
    ),
    Domain(
        service="Cinemas_1",
        find="FindMovies",
        book="BuyMovieTickets",
        openings=(
            "What {genre} movies are on in {city}?",
            "I'd like to see a movie in {city}.",
            "I feel like a {genre} movie tonight.",
        ),
        bookings=(
            "I want {number_of_tickets} tickets for {movie_name} in {city}.",
            "Can you get me into {movie_name} in {city} {show_date}?",
        ),
        wanted=("genre", "city"),
        name="movie_name",
        needed=("show_date", "show_time", "number_of_tickets"),
        told={"director": "It is by {}.", "price": "A ticket costs {}."},
    ),
)
_NAMES = {
    "restaurant_name": (_SIGNS, _TABLES, "{} {}"),
    "hotel_name": (_SIGNS, _INNS, "{} {}"),
    "movie_name": (_SIGNS, _FILMS, "The {} {}"),
    "dentist_name": (_PEOPLE, _FAMILIES, "Dr. {} {}"),
    "director": (_PEOPLE, _FAMILIES, "{} {}"),
}
_CLOSED = {  # slots with few values, which a turn need not say as they are annotated
    "cuisine": ("Italian", "Indian", "Greek", "Thai", "Mexican", "French", "Turkish", "Korean"),
    "genre": ("comedy", "drama", "horror", "science fiction", "romance", "adventure"),
    "star_rating": ("2", "3", "4", "5"),
    "party_size": ("2", "3", "4", "5", "6"),
    "number_of_tickets": ("2", "3", "4", "5", "6"),
    "number_of_days": ("2", "3", "4", "5", "6", "7"),
    "number_of_stops": ("no stops", "1 stop", "2 stops"),
}
_NUMBERED = ("party_size", "number_of_tickets", "number_of_days")
_SPELT = {"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven"}
_ASKED = {  # what the system asks for
    "cuisine": "what kind of food",
    "city": "which city",
    "party_size": "for how many people",
    "number_of_tickets": "how many tickets",
    "number_of_days": "for how many days",
    "genre": "what genre",
    "origin": "from where",
    "destination": "to which city",
}
_CHANGED = ("date", "time", "size", "tickets", "days")  # what people change their mind about


def generate(n: int, seed: int) -> list[Dialogue]:
    """Draw n dialogues to train on; equal seeds give equal dialogues.

    Raises:
        ValueError: If n is below 1.
    """
    return _draw(n, seed, "train")


def held_out(n: int, seed: int, split: str = "combinations") -> list[Dialogue]:
    """Draw n dialogues that are new to training in one way.

    Args:
        n: number of dialogues.
        seed: equal seeds give equal dialogues.
        split: what is new: `"combinations"`, the names, of which training has both words but never
            together; `"names"`, the first word of every name, and the cities.

    Raises:
        ValueError: If n is below 1, or split is none of these.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} must be one of: {', '.join(SPLITS)}")
    return _draw(n, seed, split)


def _draw(n: int, seed: int, split: str) -> list[Dialogue]:
    if n < 1:
        raise ValueError(f"n is {n}: the number of dialogues must be at least 1")
    rng = random.Random(seed)  # noqa: S311
    endless = (_Writer(rng, split).write(f"{split}_{seed}_{i}") for i in itertools.count())
    fitting = (d for d in endless if SHORTEST <= len(d.turns) <= LONGEST)
    return list(itertools.islice(fitting, n))


# Values.


def _quarter(text: str) -> bool:
    # Python's own hash of a string changes from run to run; this one is the same everywhere.
    return hashlib.sha256(text.encode()).digest()[0] < 256 // 4


class _Values:
    """Draws the values of slots, as a split allows."""

    def __init__(self, rng: random.Random, split: str) -> None:
        self._rng, self._split = rng, split

    def _known(self, words: Sequence[str]) -> list[str]:
        return [word for word in words if _quarter(word) == (self._split == "names")]

    def _joined(self, firsts: Sequence[str], lasts: Sequence[str], pattern: str) -> str:
        pairs = itertools.product(self._known(firsts), lasts)
        names = [pattern.format(first, last) for first, last in pairs]
        new = self._split == "combinations"
        # Of new words, every combination is new.
        fitting = [name for name in names if self._split == "names" or _quarter(name) == new]
        return self._rng.choice(fitting)

    def draw(self, slot: str, taken: Sequence[str] = ()) -> str:
        """Draw a value that is not taken."""
        while True:
            value = self._any(slot)
            if value not in taken:
                return value

    def _any(self, slot: str) -> str:
        rng = self._rng
        if slot in _CLOSED:
            return rng.choice(_CLOSED[slot])
        if slot in ("city", "origin", "destination"):
            return rng.choice(self._known(_CITIES))
        if slot.endswith("date"):
            day = rng.randint(1, 30)
            ends = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}
            dates = [f"{rng.choice(_MONTHS)} {day}{ends.get(day, 'th')}", rng.choice(_DAYS)]
            return rng.choice([*dates, dates[0], f"next {dates[1]}", "tomorrow"])
        if slot.endswith("time"):
            minutes = rng.choice(("", "", ":15", ":30", ":45"))
            hour = rng.randint(8, 21)
            return f"{hour if hour < 13 else hour - 12}{minutes} {'am' if hour < 12 else 'pm'}"
        return self._name(slot)

    def _name(self, slot: str) -> str:
        rng = self._rng
        if slot == "restaurant_name" and rng.random() < 1 / 2:
            return self._joined(_PEOPLE, _TABLES, "{}'s {}")
        if slot in _NAMES:
            return self._joined(*_NAMES[slot])
        if slot == "phone_number":
            return f"{rng.randint(200, 999)}-{rng.randint(1000, 9999)}"
        if slot == "street_address":
            return f"{rng.randint(2, 200)} {rng.choice(_FAMILIES)} Street"
        return f"${rng.randint(8, 240)}"


# Turns.


class _Writer:
    """Writes one dialogue, turn by turn."""

    def __init__(self, rng: random.Random, split: str) -> None:
        self._rng, self._values = rng, _Values(rng, split)
        self._domain = rng.choice(DOMAINS)
        self._known: dict[str, str] = {}
        self._intent = "NONE"
        self._turns: list[Turn] = []

    def write(self, name: str) -> Dialogue:
        """Write the dialogue with this name."""
        domain = self._domain
        booking = True
        if domain.find and self._chance(2 / 3):
            booking = self._find()
        else:
            self._begin(domain.book, domain.bookings, domain.needed)
        if booking:
            self._book()
        return Dialogue(name, (domain.service,), tuple(self._turns))

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _pick(self, *texts: str) -> str:
        return self._rng.choice(texts)

    def _begin(self, intent: str, openings: Texts, needed: Texts) -> None:
        template = self._rng.choice(openings)
        self._user_informs(template, intent=intent)
        self._ask(needed)

    def _ask(self, needed: Texts) -> None:
        missing = [slot for slot in needed if slot not in self._known]
        if missing:
            asked = [_asked(slot) for slot in missing]
            question = say.listed(asked)
            lead = self._pick("", "Sure, ", "Of course: ", "Gladly; ")
            text = _capital(lead + question)
            self._say(SYSTEM, text + "?", [Action("REQUEST", slot) for slot in missing])
            self._user_informs(self._answer(missing))

    def _answer(self, slots: Sequence[str]) -> str:
        places = [_placed(slot) for slot in slots]
        start = self._pick("", "", "Let's say ", "Maybe ")
        return start + ", ".join(places) + self._pick(".", ", please.", ", thanks.")

    def _user_informs(
        self, template: str, *, intent: str = "", first: Sequence[Action] = ()
    ) -> None:
        slots = [slot for slot in _slots(template) if slot not in self._known]
        for slot in slots:
            taken = [self._known.get("origin", ""), self._known.get("destination", "")]
            self._known[slot] = self._values.draw(slot, taken)
        actions = [*first]
        if intent:
            self._intent = intent
            actions.append(Action("INFORM_INTENT", "intent", (intent,), (intent,)))
        actions += [_valued("INFORM", slot, self._known[slot]) for slot in slots]
        self._say(USER, self._filled(template), actions)

    def _filled(self, template: str) -> str:
        text = template
        for slot in _slots(template):
            value = self._known[slot]
            if slot in _NUMBERED and self._chance(1 / 2):
                value = _SPELT[value]
            elif slot.endswith("date") and f"for {{{slot}}}" not in template:
                value = say.phrase("date", value)[1]
            elif slot.endswith("time"):
                value = f"at {value}"
            text = text.replace(f"{{{slot}}}", value)
        return _capital(text)

    def _say(self, speaker: str, text: str, actions: Sequence[Action], *, call: str = "") -> None:
        spans = [
            Span(action.slot, start, start + len(value))
            for action in actions
            for value in action.values
            if action.slot not in (*_CLOSED, "intent") and (start := text.find(value)) >= 0
        ]
        state = None
        if speaker == USER:
            requested = tuple(action.slot for action in actions if action.act == "REQUEST")
            values = {slot: (value,) for slot, value in self._known.items()}
            state = State(self._intent, requested, values)
        frame = Frame(self._domain.service, tuple(actions), tuple(spans), state)
        if call:
            frame = replace(frame, call=Call(call, dict(self._known)))
        self._turns.append(Turn(speaker, text, (frame,)))

    # Looking for something.

    def _find(self) -> bool:
        domain = self._domain
        self._begin(domain.find, domain.openings, domain.wanted)
        name = self._offer("I found {}.", "How about {}?", "{} is a good choice.", call=domain.find)
        if self._chance(1 / 3):
            other = self._pick("Is there anything else?", "Not that one.", "What else is there?")
            self._say(USER, other, [Action("REQUEST_ALTS")])
            name = self._offer("There is also {}.", "What about {}?", but=name)
        if self._chance(1 / 3):
            self._wonder()
        like = self._pick("That sounds good", "Great", "I like that", "Perfect", "Fine")
        if self._chance(1 / 4):
            self._known[domain.name] = name
            text = f"{like}, {self._pick('that is all', 'thank you', 'thanks, bye')}."
            self._say(USER, text, [Action("SELECT"), Action("GOODBYE")])
            self._bye()
            return False
        self._known[domain.name] = name
        told = [slot for slot in domain.needed if self._chance(2 / 3)]
        wish = self._pick("Please book it", "I'd like to book it", "Book it")
        template = f"{like}. {' '.join([wish, *map(_placed, told)])}."
        self._user_informs(template, intent=domain.book, first=[Action("SELECT")])
        self._ask(domain.needed)
        return True

    def _offer(self, *templates: str, call: str = "", but: str = "") -> str:
        name = self._values.draw(self._domain.name, [but])
        text = self._pick(*templates).format(name)
        self._say(SYSTEM, text, [_valued("OFFER", self._domain.name, name)], call=call)
        return name

    def _wonder(self) -> None:
        slot = self._rng.choice(list(self._domain.told))
        asked = say.question(slot)
        if asked.startswith("whether"):
            self._say(USER, f"Do you know {asked}?", [Action("REQUEST", slot)])
            yes = self._chance(1 / 2)
            text = "Yes, it does." if yes else "No, it does not."
            if slot.endswith("allowed"):
                text = "Yes, they are." if yes else "No, they are not."
            self._say(SYSTEM, text, [_valued("INFORM", slot, str(yes))])
        else:
            start = self._pick("What is", "Can you tell me")
            self._say(USER, f"{start} {asked}?", [Action("REQUEST", slot)])
            value = self._values.draw(slot)
            text = self._domain.told[slot].format(value)
            self._say(SYSTEM, text, [_valued("INFORM", slot, value)])

    # Booking it.

    def _book(self) -> None:
        self._confirm()
        if self._chance(1 / 4):
            self._change(Action("NEGATE"), "No, ", "Actually, ", "Wait, ")
            self._confirm()
        if not self._try() and self._chance(2 / 3):
            self._change(Action("NEGATE"), "Then ", "Hm, ", "In that case, ")
            self._notify(worked=self._chance(3 / 4))
        if self._chance(1 / 2):
            text = self._pick("Thanks, bye.", "Thank you.", "That is all.")
            self._say(USER, text, [Action("GOODBYE")])
            self._bye()

    def _booked(self) -> dict[str, str]:
        slots = (self._domain.name, "city", *self._domain.needed)
        return {slot: self._known[slot] for slot in slots if slot in self._known}

    def _confirm(self) -> None:
        booked = self._booked()
        words = say.wording(self._domain.book)
        sure = self._pick("Right?", "Is that correct?", "Shall I?")
        text = f"You want to {words.verb} {say.deal(words.noun, booked)}. {sure}"
        self._say(SYSTEM, text, [_valued("CONFIRM", *pair) for pair in booked.items()])

    def _change(self, action: Action, *starts: str) -> None:
        slots = [slot for slot in self._domain.needed if slot.endswith(_CHANGED)]
        slot = self._rng.choice(slots)
        self._known[slot] = self._values.draw(slot, [self._known[slot]])
        wish = self._pick("make it {}.", "could it be {}?", "let's say {}.")
        text = self._pick(*starts) + wish.format(_placed(slot))
        self._say(USER, self._filled(text), [action, _valued("INFORM", slot, self._known[slot])])

    def _try(self) -> bool:
        actions = [Action("AFFIRM")]
        text = self._pick("Yes.", "Yes, please.", "That is right.", "Exactly.", "Yes, go ahead.")
        self._say(USER, text, actions)
        worked = self._chance(3 / 4)
        self._notify(worked=worked)
        return worked

    def _notify(self, *, worked: bool) -> None:
        well = self._pick("Done!", "It is booked.", "All set.", "Your booking is confirmed.")
        badly = self._pick("Sorry, that did not work.", "I'm afraid it is full.", "That failed.")
        act = Action("NOTIFY_SUCCESS" if worked else "NOTIFY_FAILURE")
        known, self._known = self._known, self._booked()
        self._say(SYSTEM, well if worked else badly, [act], call=self._domain.book)
        self._known = known

    def _bye(self) -> None:
        text = self._pick("Goodbye!", "You're welcome.", "Have a nice day.", "My pleasure.")
        self._say(SYSTEM, text, [Action("GOODBYE")])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _valued(act: str, slot: str, value: str) -> Action:
    return Action(act, slot, (value,), (value,))


def _slots(template: str) -> Iterator[str]:
    return (part.split("}")[0] for part in template.split("{")[1:])


def _placed(slot: str) -> str:
    # A place for a slot's value, as a sentence takes it.
    before = {"city": "in ", "origin": "from ", "destination": "to "}.get(slot, "")
    before = "for " if slot in ("party_size", "number_of_days") else before
    things = {"number_of_tickets": "tickets", "number_of_days": "days", "party_size": "people"}
    after = f" {things[slot]}" if slot in things else " food" * (slot == "cuisine")
    return f"{before}{{{slot}}}{after}"


def _asked(slot: str) -> str:
    return _ASKED.get(slot) or ("which day" if slot.endswith("date") else "what time")
