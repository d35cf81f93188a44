"""The text-to-text model that the book ships: its card is true, and its commands do what they say."""

import pytest
import torch

from companion.models import card, load, registry
from companion.models.text_to_text import pieces, shipped

LIMIT = 1_000_000  # bytes of weights


def test_the_card_says_what_is_measured():
    found = shipped.evaluate(load("text_to_text"), None)
    told = card("text_to_text")["figures"]
    assert [metric.name for metric in found] == [figure["name"] for figure in told]
    for metric, figure in zip(found, told, strict=True):
        close = 0.02 if "Pearson" in metric.name else 1.6  # three answers of 200
        assert metric.figure == pytest.approx(figure["figure"], abs=close)
        assert metric.items == figure["items"] == shipped.ITEMS


def test_the_history_has_the_same_figures_of_models_for_one_task():
    told = card("text_to_text")
    names = [figure["name"] for figure in told["history"]]
    assert names == [
        f"alone, {figure['name']}"
        for task in shipped.ALONE
        for figure in told["figures"]
        if figure["name"].startswith(f"{task}, ")
    ]


def test_it_is_small_enough_to_travel():
    assert (registry.folder("text_to_text") / "weights.safetensors").stat().st_size < LIMIT
    for parameter in load("text_to_text").parameters():
        assert torch.equal(parameter, parameter.half().float())


def test_there_are_as_many_pieces_as_the_model_has_rows():
    assert len(pieces.names()) == pieces.SIZE == len(load("text_to_text").words.weight)
    assert pieces.names()[:2] == ["<end>", "<pad>"]


def test_a_small_training_goes_through_all_its_steps(monkeypatch):
    monkeypatch.setattr(shipped, "SIZES", {"cola": 20, "translate": 20})
    monkeypatch.setattr(shipped, "SHARED", 3)
    monkeypatch.setattr(shipped, "ALONE", {"cola": 1, "translate": 2})
    monkeypatch.setattr(shipped, "ITEMS", 4)
    heard = []
    model = shipped.train(None, 0, lambda step, _: heard.append(step))
    assert heard == list(range(1, 7))
    assert [each["name"] for each in model.history] == [
        "alone, cola, exact",
        "alone, cola, accuracy",
        "alone, translate, exact",
        "alone, translate, BLEU",
    ]
    assert len(shipped.evaluate(model, None)) == 4


def test_it_has_no_use_for_data(tmp_path):
    with pytest.raises(ValueError, match="--data"):
        shipped.train(tmp_path, 0, None)
    with pytest.raises(ValueError, match="--data"):
        shipped.evaluate(load("text_to_text"), tmp_path)


def test_shares_of_batches_are_those_of_tokens():
    """Each model for one task meets about as many tokens of it as the shared model does."""
    from companion.models.text_to_text import recipe  # noqa: PLC0415

    tokens = {}
    for task, n in shipped.SIZES.items():
        some = recipe.numbered(recipe.draw({task: 60}, 5))
        tokens[task] = n * sum(len(source) + len(target) for source, target in some) / 60
    for task, steps in shipped.ALONE.items():
        share = shipped.SHARED * tokens[task] / sum(tokens.values())
        assert steps == pytest.approx(share, rel=0.12)
