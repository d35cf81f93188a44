"""The translator that the book ships: its card is true, and its commands do what they say."""

import os
import re
from pathlib import Path

import pytest
import torch

from companion.models import card, load, registry, store
from companion.models.__main__ import main
from companion.models.translator import pieces, shipped
from companion.models.translator.ask import translate

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[3] / "data")) / "multi30k"
LIMIT = 6_000_000  # bytes of weights
ENGLISH = "A dog runs.\nTwo women eat.\nA man is reading a book.\n"
GERMAN = "Ein Hund läuft.\nZwei Frauen essen.\nEin Mann liest ein Buch.\n"


def agrees(found, told):
    assert [metric.name for metric in found] == [figure["name"] for figure in told]
    for metric, figure in zip(found, told, strict=True):
        assert metric.figure == pytest.approx(figure["figure"], abs=0.5)
        assert metric.items == figure["items"]


def figures(split):
    return [f for f in card("translator")["figures"] if f["name"].startswith(split)]


def test_the_card_says_what_is_measured_on_our_captions():
    agrees(shipped.evaluate(load("translator"), None), figures("our captions"))


@pytest.mark.skipif(
    not (DATA / "val.en.gz").is_file(), reason="needs the data set: COMPANION_DATA/multi30k"
)
def test_the_card_says_what_is_measured_on_the_data_set():
    agrees(shipped.evaluate(load("translator"), DATA), figures("val"))


def test_figures_tell_how_they_were_measured():
    for figure in card("translator")["figures"]:
        assert "BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:" in figure["name"]


def test_it_is_small_enough_to_travel():
    assert (registry.folder("translator") / "weights.safetensors").stat().st_size < LIMIT
    assert card("translator")["parameters"] <= 3_000_000


def test_weights_are_what_16_bits_hold():
    for parameter in load("translator").parameters():
        assert torch.equal(parameter, parameter.half().float())


def test_there_are_as_many_pieces_as_the_model_has_rows():
    assert len(pieces.names()) == pieces.SIZE == len(load("translator").words.weight)
    assert pieces.names()[:2] == ["<end>", "<pad>"]


def test_it_translates():
    (best, *_), *_ = translate(load("translator"), ["Two dogs are running on the beach."])
    assert best.text in {"Zwei Hunde laufen am Strand.", "Zwei Hunde rennen am Strand."}
    assert best.ended


# The commands, on a small data set.


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "STEPS", 2)
    for name, text in (("train", ENGLISH), ("other", ENGLISH)):
        (tmp_path / f"{name}.en").write_text(text, "utf-8")
        (tmp_path / f"{name}.de").write_text(GERMAN, "utf-8")
    return tmp_path


def test_it_is_trained_from_a_folder(folder, capsys):
    (folder / "to").mkdir()
    main(["train", "translator", "--data", str(folder), "--to", str(folder / "to")])
    told = store.load_card(folder / "to" / "card.json")
    assert set(card("translator")) - set(told) <= {"history"}
    assert [f["name"].split(",")[0] for f in told["figures"]] == ["our captions"] * 2 + [
        "other"
    ] * 2
    trained = store.load_weights(shipped.build(), folder / "to" / "weights.safetensors")
    assert not torch.equal(trained.words.weight, load("translator").words.weight)
    assert capsys.readouterr().out.startswith("our captions, greedy, BLEU nrefs:1")


def test_it_scores_any_pair_of_files_but_what_it_learned_from(folder, capsys):
    main(["evaluate", "translator", "--data", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["other", "other"]
    assert all(line.endswith("(3 items)") for line in lines)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.de", GERMAN + "Ein Satz.\n", "line 4 of .*other.de has no translation"),
        ("other.en", ENGLISH.replace("Two women eat.", ""), "other.en', line 2 is empty"),
        ("other.de", GERMAN.encode("latin-1"), "other.de', line 1: byte 11 is 0xe4"),
    ],
)
def test_what_is_malformed_is_told_with_its_line(folder, capsys, name, content, message):
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "translator", "--data", str(folder)])
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("\n") == 1
    assert re.search(message, told.err)


def test_a_folder_without_pairs(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "translator", "--data", str(tmp_path)])
    assert "has no two files such as val.en and val.de" in capsys.readouterr().err


def test_without_data_it_is_not_trained(capsys):
    with pytest.raises(SystemExit):
        main(["train", "translator"])
    assert "the translator learns from Multi30k" in capsys.readouterr().err
