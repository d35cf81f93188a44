"""Dialogues are told apart by whether their services were trained on."""

from companion.corpora.services import seen_and_new
from companion.corpora.sgd import Dialogue

DIALOGUES = [
    Dialogue(f"{i}", services, ())
    for i, services in enumerate(
        [("Buses_1",), ("Alarm_1",), ("Buses_1", "Hotels_1"), ("Buses_1", "Alarm_1")] * 5
    )
]


def test_one_new_service_is_enough_to_be_new():
    seen, new = seen_and_new(DIALOGUES)
    assert {one.id for one in seen} == {str(i) for i in range(20) if i % 2 == 0}
    assert {one.id for one in new} == {str(i) for i in range(20) if i % 2 == 1}


def test_the_order_is_drawn_and_the_list_left_as_it_is():
    before = list(DIALOGUES)
    assert seen_and_new(DIALOGUES, 1) == seen_and_new(DIALOGUES, 1)
    assert seen_and_new(DIALOGUES, 1)[0] != seen_and_new(DIALOGUES, 2)[0]
    assert before == DIALOGUES
