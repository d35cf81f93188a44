"""The chat's widget in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import pytest
import traitlets

from companion.models.graph import Live
from companion.widgets import DialogueChat

ASKED = {"speaker": "User:", "text": "A table for <2>, please.", "length": 9}
SAID = {
    "speaker": "Agent:",
    "text": "It is booked.",
    "length": 6,
    "ids": [2, 3],
    "odds": [0.5, 0.25],
    "likely": [[[2, 0.5]], [[3, 0.25]]],
    "looks": [[0.5], [0.25]],
    "ended": True,
}
SIZES = {"layers": 1, "heads": 1, "rounds": [0, 1, 2, 4, 5], "most": 9, "longest": 99}


def widget(**changed):
    state = {
        "turns": [ASKED, SAID],
        "names": ["<end>", "<summary>", "a", "b"],
        "openings": ["Hello!"],
        "sizes": SIZES,
    }
    return DialogueChat(Live("chatbot", dict), **state | changed)


def test_it_says_the_last_turn():
    assert widget().describe().endswith("Model: “It is booked.”")
    assert widget(turns=[ASKED]).describe().endswith("You: “A table for <2>, please.”")
    assert "not begun" in widget(turns=[]).describe()


def test_it_draws_the_conversation():
    text = " ".join(ET.fromstring(widget().picture()).itertext())  # noqa: S314
    assert "You: A table for <2>, please." in text
    assert "Model: It is booked." in text
    ET.fromstring(widget(turns=[]).picture())  # noqa: S314


def test_a_long_talk_takes_no_more_room():
    assert widget().heights == widget(turns=[ASKED, SAID] * 20).heights


def test_the_kernel_reads_and_sets_what_was_said():
    made = widget()
    made.turns = [*made.turns, ASKED]
    assert [turn["text"] for turn in made.turns][-1] == ASKED["text"]
    assert (made.temperature, made.rounds, made.word) == (0, 2, [])


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"openings": []}, ValueError, "openings: the list is empty"),
        ({"turns": [{"text": "a"}]}, traitlets.TraitError, "turns: number 0 is {'text': 'a'}"),
        (
            {"turns": [ASKED | {"speaker": "Me"}]},
            traitlets.TraitError,
            "it must be like {'speaker': 'User:'",
        ),
        (
            {"turns": [ASKED, SAID | {"odds": [1.0]}]},
            traitlets.TraitError,
            "number 1 has 2 ids, so odds must have as many entries, not 1",
        ),
        ({"rounds": 3}, traitlets.TraitError, r"rounds: 3 was given; it is one of \[0, 1, 2, 4, 5"),
        ({"temperature": 1.6}, traitlets.TraitError, "temperature"),
        ({"word": [1]}, traitlets.TraitError, r"word: \[1\] was given; it must be empty"),
        ({"word": [-1, 0]}, traitlets.TraitError, "word"),
    ],
)
def test_what_does_not_fit_is_named(changed, error, told):
    with pytest.raises(error, match=told):
        widget(**changed)
