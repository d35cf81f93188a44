"""The chatbot that the book ships: its card is true, and its commands do what they say."""

import os
from pathlib import Path

import pytest

from companion.models import card, load, registry
from companion.models.__main__ import main
from companion.models.chatbot import reply, shipped
from companion.models.chatbot.graph import reader

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[3] / "data")) / "sgd"
LIMIT = 6_000_000  # bytes of weights
TARGET = 0.6


def told(start):
    return {f["name"]: f for f in card("chatbot")["figures"] if f["name"].startswith(start)}


def agrees(found, figures):
    assert [metric.name for metric in found] == list(figures)
    for metric in found:
        figure = figures[metric.name]
        near = 0.1 if "perplexity" in metric.name else 0.03
        assert metric.figure == pytest.approx(figure["figure"], abs=near)
        assert metric.items == figure["items"]


def test_the_card_says_what_is_measured_on_generated_dialogues():
    agrees(shipped.evaluate(load("chatbot"), None), told("generated"))


@pytest.mark.skipif(
    not DATA.is_dir(),
    reason="Schema-Guided Dialogue is not there: set COMPANION_DATA to its folder",
)
def test_the_card_says_what_is_measured_on_real_dialogues():
    agrees(shipped.evaluate(load("chatbot"), DATA), told("real"))


def test_it_does_what_the_assistant_does_three_times_in_five():
    figures = told("real, next act")
    ours = figures["real, next act as the assistant's"]["figure"]
    assert ours >= TARGET
    assert ours > figures["real, next act, always the commonest"]["figure"] + 0.2


def test_it_is_small_enough_to_travel():
    assert (registry.folder("chatbot") / "weights.safetensors").stat().st_size < LIMIT


def test_it_answers():
    chat = reader(load("chatbot")).module
    answer = reply(chat, ["User: Thank you, that is all. Goodbye!"])
    assert answer.ended
    assert len(answer.text) > 3
    asked = reply(chat, ["User: I would like to find a place to eat."])
    assert asked.text.endswith("?")


def test_without_data_it_cannot_be_trained(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "chatbot"])
    assert stop.value.code == 2
    assert "--data: the chatbot learns from Schema-Guided Dialogue" in capsys.readouterr().err
