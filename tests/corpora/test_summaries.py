"""Reference summaries: what they say, that it is true, and that inventions are found."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from companion.corpora import dialogues, sgd, summaries, wording
from companion.corpora.sgd import SYSTEM, USER, Action, Call, Dialogue, Frame, State, Turn

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[2] / "data")) / "sgd"
real = pytest.mark.skipif(
    not (DATA / "dev").is_dir(), reason="needs the data set: COMPANION_DATA/sgd/dev"
)


def did(act, slot="", *values):
    return Action(act, slot, values, values)


def user(text, intent, values, *actions, service="S_1"):
    state = State(intent, (), {slot: (each,) for slot, each in values.items()})
    return Turn(USER, text, (Frame(service, actions, state=state),))


def system(text, *actions, call=None, service="S_1"):
    return Turn(SYSTEM, text, (Frame(service, actions, call=call and Call(*call)),))


def summed(*turns, services=("S_1",)):
    return summaries.reference(Dialogue("1", services, turns))


LOOKING = {"city": "Oslo", "cuisine": "Thai"}
FOUND = system(
    "How about Bo?", did("OFFER", "restaurant_name", "Bo"), call=("FindRestaurants", LOOKING)
)
LOOKED = user("Thai food in Oslo?", "FindRestaurants", LOOKING)
BOOKED = LOOKING | {"restaurant_name": "Bo", "party_size": "2", "time": "6 pm"}
TABLE = {"restaurant_name": "Bo", "party_size": "2", "time": "6 pm", "city": "Oslo"}


def tried(act, **changed):
    values = TABLE | changed
    return (
        user(f"For 2 at {values['time']}.", "ReserveRestaurant", BOOKED | changed),
        system("Well?", *(did("CONFIRM", slot, each) for slot, each in values.items())),
        user("Yes.", "ReserveRestaurant", BOOKED | changed, did("AFFIRM")),
        system("So.", did(act), call=("ReserveRestaurant", values)),
    )


def test_a_search_says_what_was_chosen():
    taken = user("Good, Bo.", "FindRestaurants", LOOKING, did("SELECT"))
    assert summed(LOOKED, FOUND, taken) == (
        "The user looked for a Thai restaurant in Oslo and chose Bo."
    )


def test_a_search_says_if_nothing_was_chosen_or_found():
    assert summed(LOOKED, FOUND) == "The user looked for a Thai restaurant in Oslo but chose none."
    nothing = system("Sorry.", did("NOTIFY_FAILURE"), call=("FindRestaurants", LOOKING))
    assert summed(LOOKED, nothing).endswith("in Oslo but found none.")


@pytest.mark.parametrize(
    ("act", "end"),
    [
        ("NOTIFY_SUCCESS", "and reserved a table at Bo for 2 people at 6 pm."),
        (
            "NOTIFY_FAILURE",
            "and tried to reserve a table at Bo for 2 people at 6 pm but could not.",
        ),
    ],
)
def test_a_booking_says_what_came_of_it_and_nothing_twice(act, end):
    told = summed(LOOKED, FOUND, *tried(act))
    assert told == f"The user looked for a Thai restaurant in Oslo {end}"


def test_a_second_try_says_what_was_changed():
    told = summed(*tried("NOTIFY_FAILURE"), *tried("NOTIFY_SUCCESS", time="8 pm"))
    assert told == (
        "The user reserved a table at Bo in Oslo for 2 people at 8 pm, after a try at 6 pm had failed."
    )


def test_what_was_confirmed_but_not_tried_is_no_booking():
    wish, confirm, *_ = tried("NOTIFY_SUCCESS")
    assert summed(wish, confirm) == (
        "The user wanted to reserve a table at Bo in Oslo for 2 people at 6 pm but did not."
    )


def test_answers_and_other_services_and_questions():
    asked = {"city": "Oslo", "date": "March 8th"}
    weather = (
        user("The weather in Oslo on March 8th?", "GetWeather", asked, service="W_1"),
        system(
            "8 degrees, 80 percent.",
            did("OFFER", "temperature", "8"),
            did("OFFER", "precipitation", "80"),
            call=("GetWeather", asked),
            service="W_1",
        ),
    )
    more = user(
        "Is it pricey, has it wifi, where is it, and their number?",
        "FindRestaurants",
        LOOKING,
        *(
            did("REQUEST", slot)
            for slot in ("has_wifi", "phone_number", "street_address", "price_range")
        ),
    )
    assert summed(*weather, LOOKED, FOUND, more, services=("W_1", "S_1")) == (
        "The user asked about the weather in Oslo on March 8th"
        " (8 degrees with an 80 percent chance of rain). They also looked for a Thai restaurant in"
        " Oslo but chose none. They asked for the phone number, the address and whether it has wifi."
    )


def test_a_value_is_said_as_the_dialogue_says_it_last():
    ways = ("Friday next week", "March 8th")
    state = State("GetRide", (), {"date": ways, "destination": ("bo's bar",), "x": ("dontcare",)})
    actions = (did("INFORM", "date", "Friday next week"),)
    turns = (
        Turn(USER, "To Bo's bar, Friday next week", (Frame("S_1", actions, state=state),)),
        system(
            "March 8th?",
            did("CONFIRM", "date", "March 8th"),
            did("CONFIRM", "destination", "bo's bar"),
        ),
    )
    assert summed(*turns) == "The user wanted to get a ride to Bo's bar on March 8th but did not."


def test_a_dialogue_without_an_intent():
    assert summed() == "The user asked for nothing."


@pytest.mark.parametrize(
    ("slot", "value", "words"),
    [
        ("date", "tomorrow", "tomorrow"),
        ("date", "Day after tomorrow", "the day after tomorrow"),
        ("visit_date", "8th of March", "on the 8th of March"),
        ("new_alarm_time", "morning 11:30", "at 11:30 in the morning"),
        ("party_size", "one", "for 1 person"),
        ("number_of_beds", "3", "with 3 bedrooms"),
        ("pets_allowed", "False", "with no pets allowed"),
        ("serves_alcohol", "False", "that does not serve alcohol"),
        ("offers_quiet_rooms", "True", "that offers quiet rooms"),  # no service has this one
        ("has_roof_garden", "False", "without roof garden"),
        ("shoe_size", "42", "with shoe size 42"),
        ("subtitles", "True", "with subtitles"),
    ],
)
def test_slots_in_words(slot, value, words):
    assert wording.phrase(slot, value)[1] == words


@pytest.mark.parametrize(
    ("intent", "past", "noun"),
    [
        ("FindBus", "found", "bus"),
        ("BuyBusTicket", "bought", "bus ticket"),
        ("SearchOnewayFlight", "searched", "one-way flight"),
        ("ReserveHotel", "reserved", "hotel"),
        ("PolishShoes", "polished", "shoe"),
    ],
)
def test_intents_in_words(intent, past, noun):
    words = wording.wording(intent)
    assert (words.past, words.noun) == (past, noun)


def test_what_a_summary_states():
    text = (
        "The user bought 2 tickets for Cats vs Dogs at $1,200.50, with Dr. J. Li of Oslo, on March"
        " 8th at 6:30 pm in a 3-star hotel. They asked for the price."
    )
    assert summaries.stated(text) == [
        "2", "Cats vs Dogs", "$1,200.50", "Dr", "J. Li of Oslo", "March 8th", "6:30 pm", "3",
    ]  # fmt: skip


def test_what_a_summary_invents():
    dialogue = Dialogue("1", ("S_1",), (*tried("NOTIFY_SUCCESS"), LOOKED))
    assert "oslo" in summaries.facts(dialogue)
    true = "The user reserved Bo in Oslo at 6 pm for 2 people."
    assert summaries.invented(true, dialogue) == []
    false = "The user reserved Bob in Oslo at 7 pm for 2 people, Thai Bo, on Friday."
    assert summaries.invented(false, dialogue) == ["Bob", "7 pm", "Friday"]


def test_summaries_of_other_dialogues_are_found_out():
    some = dialogues.generate(200, seed=5)
    told = [(summaries.reference(one), other) for one, other in pairwise(some)]
    found = sum(len(summaries.invented(*each)) for each in told)
    assert found > 0.6 * sum(len(summaries.stated(text)) for text, _ in told)


@real
def test_the_real_data_gets_true_summaries():
    paths = sorted((DATA / "dev").glob("dialogues_*"))
    some = [dialogue for path in paths[::5] for dialogue in sgd.read(path)]
    wrong = 0
    for dialogue in some:
        text = summaries.reference(dialogue)
        assert text == summaries.reference(dialogue)
        assert 8 <= len(text.split()) <= 120
        acts = {a.act for turn in dialogue.turns for f in turn.frames for a in f.actions}
        assert "but could not" not in text or "NOTIFY_FAILURE" in acts
        wrong += bool(summaries.invented(text, dialogue))
    assert wrong <= 0.01 * len(some)
