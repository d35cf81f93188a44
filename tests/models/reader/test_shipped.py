"""The reader that the book ships: its card is true, and its two steps of training follow one another."""

import json
import os
from pathlib import Path

import pytest
import torch

from companion.bert import Bert, Pretraining
from companion.corpora import dialogues, questions, sgd
from companion.models import card, load, registry
from companion.models.bert.pieces import SIZE
from companion.models.reader import ask, shipped

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[3] / "data")) / "sgd"
LIMIT = 6_000_000  # bytes of weights
TOLERANCE = 0.02  # another processor rounds otherwise, and an answer or two change


def agrees(found, told):
    assert [metric.name for metric in found] == [figure["name"] for figure in told]
    for metric, figure in zip(found, told, strict=True):
        assert metric.figure == pytest.approx(figure["figure"], abs=TOLERANCE)
        assert metric.items == figure["items"]


def figures(begin):
    return [f for f in card("reader")["figures"] if f["name"].startswith(begin)]


def test_the_card_says_what_is_measured_on_generated_dialogues():
    agrees(shipped.evaluate(load("reader"), None), figures("generated"))


@pytest.mark.skipif(
    not DATA.is_dir(),
    reason="Schema-Guided Dialogue is not there: set COMPANION_DATA to its folder",
)
def test_the_card_says_what_is_measured_on_real_dialogues():
    found = shipped.evaluate(load("reader"), DATA)
    agrees(found, [*figures("seen"), *figures("unseen")])


def test_it_is_small_enough_to_travel():
    assert (registry.folder("reader") / "weights.safetensors").stat().st_size < LIMIT
    assert card("reader")["parameters"] == sum(p.numel() for p in load("reader").parameters())


def test_weights_are_what_16_bits_hold():
    for parameter in load("reader").parameters():
        assert torch.equal(parameter, parameter.half().float())


def test_it_finds_what_a_dialogue_says_and_what_it_does_not_say():
    text = "User: I need a table in Oslo.\nAgent: For how many people?\nUser: For six people, at 8 pm.\n"
    model = load("reader")
    assert ask.read(model, text, "Which city is it in?").answer.text == "Oslo"
    assert ask.read(model, text, "What time is it for?").answer.text == "8 pm"
    assert ask.read(model, text, "What is the phone number?").answer.text == ""


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A folder of data, with a network and trainings that take a moment."""
    monkeypatch.setattr(shipped, "PREPARING", 2)
    monkeypatch.setattr(shipped, "STEPS", 5)
    monkeypatch.setattr(shipped, "GENERATED", 10)
    torch.manual_seed(0)
    tiny = Pretraining(Bert(SIZE, d_model=16, n_heads=2, n_layers=1, d_ff=16))
    monkeypatch.setattr(registry, "load", lambda _: tiny)
    (tmp_path / "train").mkdir()
    text = json.dumps([sgd.to_json(talk) for talk in dialogues.generate(20, 1)])
    (tmp_path / "train" / "dialogues_001.json").write_text(text, "utf-8")
    return tmp_path


def test_questions_without_labels_come_first_and_labelled_ones_follow(small, monkeypatch):
    drawn, train = [], shipped.recipe.train

    def watched(examples, seed, **options):
        drawn.append((len(examples), options["begun"]))
        model = train(examples, seed, **options)
        drawn[-1] += (model.bert,)
        return model

    monkeypatch.setattr(shipped.recipe, "train", watched)
    heard = []
    model = shipped.train(small, 0, lambda step, _: heard.append(step))
    assert heard == [1, 2, 3, 4, 5]
    (many, first, prepared), (labelled, then, _) = drawn
    assert first is registry.load("bert").bert
    assert then is prepared
    talks = [*dialogues.generate(20, 1), *dialogues.generate(10, 0)]
    assert labelled == len(questions.ask(talks, 0)) != many
    for parameter in model.parameters():
        assert torch.equal(parameter, parameter.half().float())


@pytest.mark.parametrize(
    ("data", "told"), [(None, "--data: the reader learns from"), (Path("nowhere"), "nowhere")]
)
def test_without_the_data_it_says_what_it_needs(data, told):
    with pytest.raises(ValueError, match=told):
        shipped.train(data, 0, None)
