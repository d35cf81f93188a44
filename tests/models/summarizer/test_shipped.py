"""The summarizer that the book ships: its card is true, and its commands do what they say."""

import gzip
import json
import os
from pathlib import Path

import pytest
import torch

from companion.corpora import dialogues, services, sgd
from companion.corpora.summaries import reference
from companion.models import card, load, registry, store
from companion.models.__main__ import main
from companion.models.summarizer import Report, measure, shipped, summarize

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[3] / "data")) / "sgd"
LIMIT = 6_000_000  # bytes of weights


def figures_of(metrics):
    return {metric.name: metric for metric in metrics}


def agrees(found, told):
    assert [figure["name"] for figure in told] == list(found)
    for figure in told:
        measured = found[figure["name"]]
        share = "share" in figure["name"]
        assert measured.figure == pytest.approx(figure["figure"], abs=0.01 if share else 0.6)
        assert measured.items == pytest.approx(figure["items"], rel=0.02)


def test_the_card_says_what_is_measured_on_generated_dialogues():
    told = [f for f in card("summarizer")["figures"] if f["name"].startswith("generated")]
    agrees(figures_of(shipped.evaluate(load("summarizer"), None)), told)


@pytest.mark.skipif(
    not DATA.is_dir(),
    reason="Schema-Guided Dialogue is not there: set COMPANION_DATA to its folder",
)
def test_the_card_says_what_is_measured_on_real_dialogues():
    told = [f for f in card("summarizer")["figures"] if "services" in f["name"]]
    agrees(figures_of(shipped.evaluate(load("summarizer"), DATA)), told)


@pytest.mark.skipif(
    not DATA.is_dir(),
    reason="Schema-Guided Dialogue is not there: set COMPANION_DATA to its folder",
)
def test_the_services_are_those_of_the_training_dialogues():
    found = {name for dialogue in sgd.read(DATA / "train") for name in dialogue.services}
    assert found == set(services.TRAINED)


def test_it_beats_both_rivals_on_real_dialogues_of_seen_services():
    told = {figure["name"]: figure["figure"] for figure in card("summarizer")["figures"]}
    ours = told["seen services, ROUGE-L"]
    for rival in ("lead", "longest turn"):
        assert ours - told[f"seen services, {rival}, ROUGE-L"] >= 15


def test_it_is_small_enough_to_travel():
    assert (registry.folder("summarizer") / "weights.safetensors").stat().st_size < LIMIT


def test_it_takes_what_was_said_last():
    text = (
        "User: I want to reserve a table at Bella Trattoria in San Jose.\n"
        "Agent: For how many people, on which day and at what time?\n"
        "User: For 4 people on March 9th at 6 pm.\n"
        "Agent: Please confirm: a table for 4 at Bella Trattoria on March 9th at 6 pm.\n"
        "User: No, make it 7:30 pm.\n"
        "Agent: A table for 4 at Bella Trattoria in San Jose on March 9th at 7:30 pm, right?\n"
        "User: Yes, that is right.\n"
        "Agent: Your table is booked.\n"
    )
    told = summarize(load("summarizer"), text)
    assert "Bella Trattoria" in told.text
    assert "7:30 pm" in told.text
    assert " 6 pm" not in told.text
    assert told.ended


# The commands, on a small data set in the layout of the real one.


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A data set of generated dialogues, gzipped; and a training of three steps."""
    for split, drawn in (("train", dialogues.generate(12, 0)), ("dev", dialogues.held_out(6, 1))):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True)
        for number, half in enumerate((drawn[::2], drawn[1::2]), start=1):
            data = json.dumps([sgd.to_json(dialogue) for dialogue in half]).encode()
            (folder / f"dialogues_{number:03d}.json.gz").write_bytes(gzip.compress(data))
    monkeypatch.setattr(shipped, "REAL_STEPS", 3)
    monkeypatch.setattr(shipped, "MIXED_STEPS", 2)
    monkeypatch.setattr(shipped, "STEPS", 5)
    monkeypatch.setattr(shipped, "GENERATED", 5)
    monkeypatch.setattr(shipped, "TOKENS", 500)
    monkeypatch.setattr(shipped, "_ITEMS", 3)
    return tmp_path


def test_it_is_trained_from_a_folder_of_the_data_set(small, capsys):
    (small / "to").mkdir()
    main(["train", "summarizer", "--data", str(small / "data"), "--to", str(small / "to")])
    told = store.load_card(small / "to" / "card.json")
    assert list(told) == list(card("summarizer"))
    names = [figure["name"] for figure in told["figures"]]
    assert names[:4] == [
        "generated, ROUGE-1", "generated, ROUGE-2", "generated, ROUGE-L",
        "generated, share of values made up",
    ]  # fmt: skip
    assert any(name.startswith("unseen services") for name in names)  # services of our own
    trained = store.load_weights(shipped.build(), small / "to" / "weights.safetensors")
    assert not torch.equal(trained.words.weight, load("summarizer").words.weight)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("generated, ROUGE-1 = ")


def test_it_is_evaluated_on_any_folder_or_file(small, capsys):
    for place in (small / "data", small / "data" / "dev", small / "data/dev/dialogues_001.json.gz"):
        main(["evaluate", "summarizer", "--data", str(place)])
        lines = capsys.readouterr().out.splitlines()
        assert any(line.startswith("unseen services, ROUGE-L = ") for line in lines)
        assert all(" = " in line and line.endswith(" items)") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "summarizer"], "--data: the summarizer learns from Schema-Guided Dialogue"),
        (["train", "summarizer", "--data", "nowhere"], "nowhere"),
        (["evaluate", "summarizer", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_is_missing_is_said_in_one_line(capsys, arguments, told):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


# Measuring.


def test_what_agrees_with_the_reference_has_all_points():
    drawn = dialogues.generate(5, 0)
    perfect = measure(reference, drawn)
    assert (perfect.rouge_1, perfect.rouge_2, perfect.rouge_l) == pytest.approx((100, 100, 100))
    assert perfect.made_up == 0
    assert perfect.values > 5
    assert perfect.items == 5


def test_what_is_made_up_is_counted():
    drawn = dialogues.generate(5, 0)
    lies = measure(lambda _: "The user reserved a table at Zanzibar Grill on July 39th.", drawn)
    assert lies.made_up == 1


def test_what_says_nothing_has_none():
    told = measure(lambda _: "", dialogues.generate(2, 0))
    assert told == Report(0, 0, 0, 0, 0.0, 2)


def test_there_must_be_dialogues():
    with pytest.raises(ValueError, match="dialogues is empty"):
        measure(reference, [])


def test_of_a_dialogue_that_is_too_long_the_last_turns_are_read():
    turn = sgd.Turn(sgd.USER, "I want a table for 2 people at 7 pm. " * 20)
    long = sgd.Dialogue("x", (), (turn,) * 8)
    assert (
        shipped.write(load("summarizer"), long)
        == summarize(load("summarizer"), f"User: {turn.utterance}\n" * 2).text
    )
