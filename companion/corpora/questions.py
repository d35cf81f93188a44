"""Questions about dialogues, whose answers stand in the dialogue, or do not stand there.

The annotations of a dialogue tell where the values of slots are said; a question asks for a slot, in
words of our own. In the same way Rajpurkar et al. 2018, "Know What You Don't Know",
https://arxiv.org/abs/1806.03822, have questions that the text does not answer.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from companion.corpora.sgd import Dialogue
from companion.corpora.transcript import as_text, places

Spans = tuple[tuple[int, int], ...]

# How to ask for a slot. The first pattern that fits the whole name counts.
_WORDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"city|location|area|where_to|city_of_event|pickup_city",
     ("Which city does the user want?", "In which city is it?", "What city is it for?")),
    (r"origin|origin_city|from_location",
     ("Where does the user leave from?", "Where does the trip begin?", "From where?")),
    (r"destination|destination_city|to_location",
     ("Where does the user want to go?", "What is the destination?", "Where to?")),
    (r"from_station|origin_station_name",
     ("Which station does the user leave from?", "What is the departure station?")),
    (r"to_station|destination_station_name",
     ("Which station does the user arrive at?", "What is the arrival station?")),
    (r"origin_airport(_name)?",
     ("Which airport does the user leave from?", "What is the departure airport?")),
    (r"destination_airport(_name)?",
     ("Which airport does the user arrive at?", "What is the arrival airport?")),
    (r"venue|event_location|theater_name",
     ("Where does it take place?", "What is the venue?", "Where is it shown or played?")),
    (r"pickup_location",
     ("Where is the car picked up?", "What is the pick-up location?")),
    (r"\w*address\w*",
     ("What is the address?", "What address is it at?", "In which street is it?")),
    (r"phone_number",
     ("What is the phone number?", "How can one call them?", "Which number can I call?")),
    (r"check_in_date",
     ("When does the user check in?", "What is the check-in date?")),
    (r"check_out_date",
     ("When does the user check out?", "What is the check-out date?")),
    (r"pickup_date",
     ("When is the car picked up?", "On which day does the rental begin?")),
    (r"dropoff_date",
     ("When is the car brought back?", "On which day does the rental end?")),
    (r"return_date",
     ("When does the user come back?", "What is the return date?")),
    (r"departure_date|leaving_date",
     ("On which day does the user leave?", "What is the departure date?")),
    (r"\w*date",
     ("Which day is it for?", "What is the date?", "On which day?")),
    (r"pickup_time",
     ("At what time is the car picked up?", "What is the pick-up time?")),
    (r"(outbound_)?departure_time|leaving_time",
     ("At what time does the user leave?", "What is the departure time?")),
    (r"inbound_departure_time",
     ("At what time does the return trip start?", "When does the flight back leave?")),
    (r"outbound_arrival_time",
     ("At what time does the user arrive?", "When does the flight land?")),
    (r"inbound_arrival_time",
     ("At what time does the return trip end?", "When does the flight back land?")),
    (r"available_start_time",
     ("From what time is the user free?", "When does the free time begin?")),
    (r"available_end_time",
     ("Until what time is the user free?", "When does the free time end?")),
    (r"new_alarm_time",
     ("For what time is the new alarm?", "When does the new alarm ring?")),
    (r"alarm_time",
     ("For what time is the alarm set?", "When does the alarm ring?")),
    (r"(new_)?alarm_name",
     ("What is the alarm called?", "What is the name of the alarm?")),
    (r"wait_time|approximate_ride_duration",
     ("How long does it take?", "How many minutes is it?")),
    (r"transfer_time",
     ("How long does the transfer take?", "When does the money arrive?")),
    (r"\w*time",
     ("At what time is it?", "What time is it for?", "What time?")),
    (r"(number_of_days|stay_length)",
     ("How many days is it for?", "How long is the stay?")),
    (r"restaurant_name",
     ("What is the restaurant called?", "Which restaurant is it?")),
    (r"hotel_name|place_name",
     ("What is the hotel called?", "Where does the user stay?")),
    (r"movie_name|title",
     ("What is the film called?", "Which film is it?")),
    (r"event_name",
     ("What event is it?", "What does the user want to see?")),
    (r"attraction_name",
     ("What is the attraction called?", "Which sight is it?")),
    (r"property_name",
     ("What is the property called?", "Which apartment building is it?")),
    (r"song_name",
     ("What is the song called?", "Which song is it?")),
    (r"artist",
     ("Who sings it?", "Who is the artist?")),
    (r"album",
     ("Which album is it from?", "What is the album?")),
    (r"car_name",
     ("What car is it?", "Which model is the car?")),
    (r"doctor_name|dentist_name|therapist_name",
     ("What is the doctor's name?", "Who is the doctor?", "Who is the appointment with?")),
    (r"stylist_name",
     ("What is the salon called?", "Who cuts the hair?")),
    (r"directed_by|director",
     ("Who directed it?", "Who is the director?")),
    (r"starring|actors",
     ("Who plays in it?", "Which actors are in it?")),
    (r"recipient(_account)?_name",
     ("Who gets the money?", "Who is the money for?")),
    (r"(account_)?balance",
     ("How much money is in the account?", "What is the balance?")),
    (r"(transfer_)?amount",
     ("How much money is sent?", "What amount is transferred?")),
    (r"rent",
     ("How much is the rent?", "What does the apartment cost?")),
    (r"price_per_night",
     ("What does a night cost?", "How much is it per night?")),
    (r"(total_)?price|fare|ride_fare",
     ("How much does it cost?", "What is the price?", "What does it cost?")),
    (r"cuisine",
     ("What kind of food is it?", "Which cuisine does the user want?")),
    (r"genre",
     ("Which genre is it?", "What genre does the user like?")),
    (r"category|subcategory",
     ("What kind is it?", "What type does the user want?")),
    (r"\w*rating",
     ("What is the rating?", "How well is it rated?")),
    (r"temperature",
     ("What is the temperature?", "How warm is it?")),
    (r"precipitation",
     ("How likely is rain?", "What is the chance of rain?")),
    (r"humidity",
     ("How humid is it?", "What is the humidity?")),
    (r"wind",
     ("How strong is the wind?", "What is the wind speed?")),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question about a text.

    Attributes:
        text: the dialogue, a line for each turn.
        question: such as "What is the address?".
        slot: the slot it asks for.
        answers: where the text says it: first character and one past the last, of each place, all of
            which say the same; empty if the text does not say it.
    """

    text: str
    question: str
    slot: str
    answers: Spans

    @property
    def told(self) -> tuple[str, ...]:
        """The answers as the text has them, each once; empty if it has none."""
        return tuple(dict.fromkeys(self.text[start:end] for start, end in self.answers))


def wordings(slot: str) -> tuple[str, ...]:
    """Return the ways to ask for a slot; none if there is no question for it."""
    return next((ways for kind, ways in _WORDINGS if re.fullmatch(kind, slot)), ())


def ask(
    dialogues: Iterable[Dialogue], seed: int, *, most: int = 4, unanswerable: float = 1 / 3
) -> list[Question]:
    """Draw questions about dialogues.

    A slot of which a dialogue says two values, as when someone changes their mind, is not asked for,
    and of two slots that are asked for in the same words only one that is alone. A question without an
    answer asks for a slot that other dialogues with the same services speak of.

    Args:
        dialogues: what is asked about.
        seed: equal seeds give equal questions.
        most: most questions about one dialogue.
        unanswerable: chance that a question is drawn from those without an answer; fewer have none in
            the end, as some dialogues speak of every slot.

    Raises:
        ValueError: If most is below 1, or unanswerable not from 0 to 1.
    """
    if most < 1:
        raise ValueError(f"most is {most}: it must be at least 1")
    if not 0 <= unanswerable <= 1:
        raise ValueError(f"unanswerable is {unanswerable}: it must be from 0 to 1")
    rng = random.Random(seed)  # noqa: S311
    every = list(dialogues)
    spoken = _spoken_of(every)
    return [
        question
        for dialogue in every
        for question in _about(dialogue, spoken, rng, most, unanswerable)
    ]


def _about(
    dialogue: Dialogue,
    spoken: dict[str, set[str]],
    rng: random.Random,
    most: int,
    unanswerable: float,
) -> list[Question]:
    text, said = as_text(dialogue), _said(dialogue)
    values = {slot: {text[a:b].lower() for a, b in found} for slot, found in said.items()}
    asked_alike: dict[tuple[str, ...], int] = defaultdict(int)
    for slot in said:
        asked_alike[wordings(slot)] += 1
    clear = [s for s in sorted(said) if len(values[s]) == 1 and asked_alike[wordings(s)] == 1]
    others = set().union(*(spoken[service] for service in dialogue.services))
    open_ = [s for s in sorted(others) if not asked_alike.get(wordings(s))]
    rng.shuffle(clear)
    rng.shuffle(open_)
    questions = []
    for _ in range(most):
        pool = open_ if rng.random() < unanswerable else clear
        if pool:
            slot = pool.pop()
            way = rng.choice(wordings(slot))
            questions.append(Question(text, way, slot, said.get(slot, ())))
    return questions


def _said(dialogue: Dialogue) -> dict[str, Spans]:
    """Where each slot that can be asked for is said, in the characters of `as_text`."""
    found: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for turn, begin in zip(dialogue.turns, places(dialogue), strict=True):
        for span in (span for frame in turn.frames for span in frame.spans):
            if wordings(span.slot):
                found[span.slot].add((begin + span.start, begin + span.end))
    return {slot: tuple(sorted(spans)) for slot, spans in found.items()}


def _spoken_of(dialogues: Sequence[Dialogue]) -> dict[str, set[str]]:
    """The slots that are said in dialogues with a service."""
    slots: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues:
        for frame in (frame for turn in dialogue.turns for frame in turn.frames):
            slots[frame.service] |= {span.slot for span in frame.spans if wordings(span.slot)}
    return slots
