"""How to say in English what the annotations of a dialogue say: intents, slots and their values.

Nothing here is about one service: the names of intents and slots are enough, such as
`ReserveRestaurant` and `party_size`, so that services which nobody has seen read the same way.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_PAST = {
    "Buy": "bought",
    "Find": "found",
    "Get": "got",
    "Make": "made",
    "Transfer": "transferred",
    "Play": "played",
}
_NOUNS = {
    "car available": "rental car",
    "car": "rental car",
    "oneway flight": "one-way flight",
    "roundtrip flight": "round-trip flight",
    "media": "song",
    "music": "song",
    "time for movie": "the show times",
    "event date": "the dates",
    "weather": "the weather",
    "balance": "the balance",
    "available time": "free time",
}
_UNCOUNTED = re.compile(r"^(the |free |one$)|(weather|money|information)$")

# Where a phrase stands in a sentence: lower numbers first.
_FROM, _TO, _IN, _AT, _WITH, _WHO, _BEGIN, _TIME, _END, _AFTER, _PRICE = range(11)

# Slots whose value stands before the noun, in this order.
_BEFORE = [
    "price_range",
    "star_rating",
    "airlines",
    "seating_class",
    "flight_class",
    "fare_type",
    "show_type",
    "ride_type",
    "car_type",
    "cuisine",
    "genre",
    "subcategory",
    "category",
    "event_type",
    "type",
]
_PEOPLE = re.compile(r"passengers|travelers|group_size|party_size|number_of_(adults|riders|seats)")
_COUNTED = re.compile(_PEOPLE.pattern + "|number_of_tickets")
_NAME = re.compile(r"(?<!theater)(?<!station)(?<!airport)(?<!alarm)(?<!car)_name$|^title$")
_AMOUNT = re.compile(r"(transfer_)?amount")
_RELATIVE = re.compile(r"later |today|tomorrow|this |next |(the )?day after", re.IGNORECASE)
_QUESTIONS = (
    (r"\w*address\w*", "the address"),
    ("price_range", "the price range"),
    (r"\w*(fare|cost|rent|price\w*)", "the price"),
    (r"(has|have)_(?P<x>\w+)", "whether it has {x}"),
    (r"is_(?P<x>\w+)", "whether it is {x}"),
    (r"(?P<x>furnished|refundable|good_for_kids|shared)(_ride)?", "whether it is {x}"),
    ("arrives_next_day", "whether it arrives the next day"),
    (r"(?P<x>(offers|serves)_\w+)", "whether it {x}"),
    (r"(?P<x>\w+)_(?P<y>allowed|welcome)", "whether {x} is {y}"),
    (r"free_(?P<x>\w+)", "whether {x} is free"),
    (r"number_(of_)?(?P<x>\w+)", "the number of {x}"),
    (r"(?P<x>transfers|passengers)", "the number of {x}"),
    ("to_station", "the arrival station"),
    ("from_station", "the departure station"),
    ("directed_by", "the director"),
    ("starring", "the actors"),
    (r"(approximate_|outbound_)?(?P<x>\w+?)(_name)?", "the {x}"),
)
_SIMPLE = re.compile(r"(is_)?(?!redeye|subtitles)(?P<x>[a-z]+)(_ride)?")
_PHRASES = (
    ("recipient_account_type", _IN, "into a {} account"),
    (r"recipient\w*name", _TO, "to {}"),
    ("account_type", _FROM, "from the {} account"),
    (r"from_location|origin(_city)?", _FROM, "from {}"),
    (r"to_location|destination(_city)?", _TO, "to {}"),
    (r"(pickup_)?city|location|area|where_to|city_of_event", _IN, "in {}"),
    (r"pickup_location|theater_name|event_location|venue", _AT, "at {}"),
    ("artist", _AT, "by {}"),
    ("album", _AT, "from the album {}"),
    ("year", _AT, "from {}"),
    (r"director|directed_by", _AT, "directed by {}"),
    (r"actors|starring", _AT, "starring {}"),
    ("subtitle_language", _WITH, "with {} subtitles"),
    (r"\w*rating", _WITH, "with a rating of {}"),
    (r"number_of_beds", _WITH, "with {} bedroom/s"),
    (r"number_of_baths", _WITH, "with {} bathroom/s"),
    ("number_checked_bags", _WITH, "with {} checked bag/s"),
    ("number_stops", _WITH, "with {} stop/s"),
    (r"transfers", _WITH, "with {} transfer/s"),
    (r"number_of_rooms", _WITH, "with {} room/s"),
    (r"number_of_days|stay_length", _AFTER, "for {} day/s"),
    (_PEOPLE.pattern, _WHO, "for {} person/people"),
    (r"(pickup|check_in)_date", _BEGIN, "from {date}"),
    (r"(dropoff|check_out)_date", _END, "to {date}"),
    (r"return_date", _END, "returning {on date}"),
    (r"\w*date", _BEGIN, "{on date}"),
    (r"available_start_time", _BEGIN, "from {time}"),
    (r"available_end_time", _END, "to {time}"),
    (r"inbound_departure_time", _END, "returning at {time}"),
    (r"\w*time", _TIME, "at {time}"),
    (r"\w*alarm_name", _WITH, "named {}"),
    ("playback_device", _AFTER, "on the {}"),
    (r"(\w+_)?(price|fare|rent|cost)(_\w+)?", _PRICE, "for {}"),
    ("temperature", _AT, "{} degrees"),
    ("precipitation", _WITH, "with {a} percent chance of rain"),
    (r"(account_)?balance", _WITH, "{}"),
)
_YES_NO = (  # phrases for True and False
    (r"(has|have)_(?P<x>\w+)", "with {}", "without {}"),
    (r"(?P<x>(offers|serves|allows|accepts)_\w+)", "that {}", "that does not {}"),
    (r"(?P<x>\w+)_(allowed|welcome)", "with {} allowed", "with no {} allowed"),
    (r"(?P<x>good_for_\w+)", "that is {}", "that is not {}"),
    (r"(?P<x>free_\w+|subtitles)", "with {}", "without {}"),
    (r"(is_)?(?P<x>\w+?)(_ride)?", "that is {}", "that is not {}"),
)


@dataclass(frozen=True)
class Wording:
    """An intent in words.

    Attributes:
        verb: such as "reserve".
        past: such as "reserved".
        noun: such as "restaurant".
    """

    verb: str
    past: str
    noun: str


def wording(intent: str) -> Wording:
    """Put the name of an intent, such as FindRestaurants, into words."""
    verb, *nouns = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", intent) or [intent]
    noun = " ".join(_singular(word.lower()) for word in nouns)
    low = verb.lower()
    past = _PAST.get(verb) or low + ("d" if low.endswith("e") else "ed")
    return Wording(low, past, _NOUNS.get(noun, noun or "something"))


def _singular(word: str) -> str:
    return word[:-1] if re.search(r"[^su]s$", word) else word


def article(words: str) -> str:
    """Put *a* or *an* before words, unless they have an article or are not to be counted."""
    if _UNCOUNTED.search(words):
        return words
    vowel = re.match(r"(?!one|uni|use|eu)[aeiou]|8|1[18]\b", words, re.IGNORECASE)
    return f"{'an' if vowel else 'a'} {words}"


def listed(words: Sequence[str]) -> str:
    """Join words with commas and *and*."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def name_of(values: Mapping[str, str]) -> str:
    """The slot among these whose value is the thing's name, such as restaurant_name, or ""."""
    named = [slot for slot in values if _NAME.search(slot) and not slot.startswith("recipient")]
    return named[0] if named else ""


def search(noun: str, values: Mapping[str, str], provider: str = "") -> str:
    """What the user looks for, such as "a cheap restaurant in London".

    Args:
        noun: of the wording of the intent.
        values: the slots that the user has given.
        provider: what to call a "provider", such as "dentist".
    """
    left = _placed(noun, values)
    if noun in ("provider", "attraction"):
        noun = left.pop("type", "") or left.pop("category", "") or provider or noun
    named = left.pop(name_of(left), "")
    return tail(_thing(noun, left) + f", {named}" * bool(named), left)


def about(noun: str, values: Mapping[str, str]) -> str:
    """What the user wants to know, such as "the weather in Paris on March 3rd"."""
    left = dict(values)
    noun = {"event": "their events", "alarm": "their alarms"}.get(noun, noun)
    first, _, rest = noun.partition(" ")
    noun = " ".join([first, *_adjectives(left), *rest.split()])
    named = left.pop(name_of(left), "")
    account = left.pop("account_type", "")
    start = f"{noun} of {named}" if named else noun
    return tail(start + f" in the {account} account" * bool(account), left)


def deal(noun: str, values: Mapping[str, str]) -> str:
    """What the user books, buys or does, such as "2 tickets for Cher in Berkeley"."""
    left = _placed(noun, values)
    amount = next((left.pop(slot) for slot in values if _AMOUNT.fullmatch(slot)), "")
    if amount:
        return tail(amount, left)
    named = left.pop(name_of(left), "")
    if "ticket" in noun:
        count = next((left.pop(slot) for slot in values if _COUNTED.fullmatch(slot)), "")
        bare = "ticket" if named else noun
        several = f"{count} {bare}{'s' * (digits(count) != '1')}" if count else f"{bare}s"
        shown = " ".join([several, *_adjectives(left, bracketed=True)])
        return tail(shown + f" for {named}" * bool(named), left)
    if noun == "hotel" and named:
        rooms = digits(left.pop("number_of_rooms", "1"))
        return tail(f"{'a room' if rooms == '1' else rooms + ' rooms'} at {named}", left)
    if noun in ("song", "movie", "attraction") and named:
        return tail(named, left)
    joined = {
        "restaurant": "a table at",
        "appointment": "an appointment with",
        "visit": "a visit to",
    }
    if noun in joined and named:
        return tail(f"{joined[noun]} {named}", left)
    return tail(_thing(noun, left) + f", {named}," * bool(named), left).rstrip(",")


def _placed(noun: str, values: Mapping[str, str]) -> dict[str, str]:
    # The destination of a hotel is where it is.
    stays = noun in ("hotel", "house", "one")
    return {"location" if s == "destination" and stays else s: v for s, v in values.items()}


def _thing(noun: str, left: dict[str, str]) -> str:
    return article(" ".join([*_adjectives(left), noun]))


def _adjectives(left: dict[str, str], *, bracketed: bool = False) -> list[str]:
    # Takes what stands before the noun out of what is left to say.
    found = {slot: left.pop(slot) for slot in _BEFORE if slot in left}
    if "star_rating" in found:
        found["star_rating"] += "-star"
    if len({"subcategory", "category", "event_type"} & set(found)) > 1:
        found = {slot: value for slot, value in found.items() if value.lower() != "sports"}
    yes = [slot for slot, value in left.items() if value == "True" and _SIMPLE.fullmatch(slot)]
    said = [_words(_SIMPLE.fullmatch(slot)["x"]) for slot in yes] + list(found.values())
    for slot in yes:
        del left[slot]
    return [f"({', '.join(said)})"] if bracketed and said else said


def tail(start: str, values: Mapping[str, str]) -> str:
    """Say of something what its slots say."""
    placed = sorted((phrase(slot, value) for slot, value in values.items()), key=lambda p: p[0])
    phrases: list[str] = []
    features = [text.removeprefix("with ") for _, text in placed if text.startswith("with ")]
    for _, text in placed:
        if not text.startswith("with "):
            phrases.append(text)
        elif features:
            phrases.append("with " + listed(features))
            features = []
    return " ".join([start, *phrases])


def phrase(slot: str, value: str) -> tuple[int, str]:
    """Say what one slot says; the number tells where in the sentence this stands."""
    if value in ("True", "False"):
        return _WITH, _yes_no(slot, yes=value == "True")
    if slot == "subtitle_language" and value == "None":
        return _WITH, "without subtitles"
    for pattern, place, template in _PHRASES:
        if re.fullmatch(pattern, slot):
            return place, _fill(template, value)
    return _WITH, f"with {value}" if _NAME.search(slot) else f"with {_words(slot)} {value}"


def _fill(template: str, value: str) -> str:
    text = template.replace("{on date}", _on(value)).replace("{date}", _date(value))
    text = text.replace("{time}", _time(value)).replace("{a}", article(value))
    if "/" in text:
        before, after = text.split("{} ")
        value, (one, many) = digits(value), after.rsplit("/", 1)
        many = one + many if many == "s" else many
        return f"{before}{value} {one if value == '1' else many}"
    return text.replace("{}", value)


def _yes_no(slot: str, *, yes: bool) -> str:
    for pattern, positive, negative in _YES_NO:
        found = re.fullmatch(pattern, slot)
        if found:
            words = _words(found["x"])
            if not yes and "does not" in negative:
                words = re.sub(r"^(\w+)s\b", r"\1", words)
            return (positive if yes else negative).format(words)
    return _words(slot)


def question(slot: str) -> str:
    """What a user who requests a slot asks for, such as "the phone number" or "whether it has wifi"."""
    for pattern, template in _QUESTIONS:
        found = re.fullmatch(pattern, slot)
        if found:
            words = {name: _words(part) for name, part in found.groupdict().items()}
            return template.format(**words).replace("pets is", "pets are")
    return f"the {_words(slot)}"


def _words(slot: str) -> str:
    known = {"wifi": "wifi", "seating outdoors": "outdoor seating", "redeye": "a redeye"}
    words = slot.replace("_", " ")
    return known.get(words, words)


def digits(value: str) -> str:
    """Write a small number with digits: "two" as "2"."""
    low = value.lower()
    return str(_NUMBERS.index(low) + 1) if low in _NUMBERS else value


def _date(value: str) -> str:
    bare = re.match(r"(\d+(st|nd|rd|th)|day after)\b", value, re.IGNORECASE)
    low = value[0].lower() + value[1:] if _RELATIVE.match(value) else value
    return f"the {low}" if bare else low


def _on(value: str) -> str:
    return _date(value) if _RELATIVE.match(value) else f"on {_date(value)}"


def _time(value: str) -> str:
    found = re.fullmatch(r"(morning|afternoon|evening) (.+)", value, re.IGNORECASE)
    return f"{found[2]} in the {found[1].lower()}" if found else value
