"""The measurement by number of labels: what it trains, compares and writes down."""

import json
from pathlib import Path

import pytest
import torch

import companion
from companion.bench import labels
from companion.bert import Bert, Pretraining
from companion.corpora import dialogues, sgd
from companion.models import registry
from companion.models.bert.pieces import SIZE


@pytest.fixture
def data(tmp_path):
    talks = [d for d in dialogues.generate(400, 0) if d.services == ("Buses_1",)]
    for name, part in (("train", talks[:30]), ("dev", talks[30:50])):
        (tmp_path / name).mkdir()
        text = json.dumps([sgd.to_json(talk) for talk in part])
        (tmp_path / name / "dialogues_001.json").write_text(text, "utf-8")
    return tmp_path


TINY = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16}
NAMES = ("words and questions", "words", "nothing")


def encoder(seed):
    torch.manual_seed(seed)
    return Bert(SIZE, **TINY)


KNOWN = {"words and questions": encoder(0), "words": encoder(1)}


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(labels.shipped, "prepared", lambda *_: KNOWN["words and questions"])
    monkeypatch.setattr(registry, "load", lambda _: Pretraining(KNOWN["words"]))


def test_each_number_of_labels_is_measured_in_each_way(data, monkeypatch, capsys):
    monkeypatch.setattr(labels, "PLAN", {2: 1, 200: 2})
    monkeypatch.setattr(labels, "TOKENS", 300)
    monkeypatch.setattr(labels, "_CHOOSING", 3)
    made = []
    train = labels.recipe.train

    def watched(drawn, seed, **options):
        name = next((name for name, one in KNOWN.items() if one is options["begun"]), "nothing")
        made.append((len(drawn), name, options["learning_rate"]))
        return train(drawn, seed, **options, **({} if options["begun"] else TINY))

    monkeypatch.setattr(labels.recipe, "train", watched)
    assert labels.run(data=data, record=data / "record.json") == 0
    record = json.loads((data / "record.json").read_text("utf-8"))
    assert [(row["labels"], row["begun"]) for row in record["measured"]] == [
        (n, name) for n in (2, 200) for name in NAMES
    ]
    assert all(0 <= row["exact"] <= row["f1"] <= 1 for row in record["measured"])
    # For each way the rates are compared first; then it is trained with the best of them.
    tried, final = made[:9], made[9:]
    assert [(name, rate) for _, name, rate in tried] == [
        (name, rate) for name in NAMES for rate in labels.RATES
    ]
    assert [(name, rate) for _, name, rate in final] == [*record["rates"].items()] * 2
    assert "never answering: F1" in capsys.readouterr().out


def test_a_folder_without_dialogues_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match="is a folder without dialogues"):
        labels.run(data=tmp_path, record=None)


RECORD = json.loads(
    (Path(companion.__file__).parent / "records" / "labels.json").read_text("utf-8")
)


def test_the_record_is_of_all_numbers_of_labels_and_all_ways():
    rows = [(row["labels"], row["steps"], row["begun"]) for row in RECORD["measured"]]
    assert rows == [(n, steps, name) for n, steps in labels.PLAN.items() for name in NAMES]
    assert set(RECORD["rates"].values()) <= set(labels.RATES)


def test_with_200_labels_a_pretrained_reader_is_ten_points_ahead_in_the_record():
    f1 = {row["begun"]: row["f1"] for row in RECORD["measured"] if row["labels"] == 200}
    assert f1["words and questions"] > max(f1["nothing"], RECORD["never"]) + 0.1
