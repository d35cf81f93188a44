"""Weights and cards on disk: what is read is what was written, and a bad file is named."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from companion.models import store

CARD = {"name": "small", "licence": "“MIT”", "figures": [{"name": "accuracy", "figure": 0.5}]}


def small(size=3):
    torch.manual_seed(size)
    return nn.Sequential(nn.Linear(2, size), nn.Dropout(0.5))


def test_weights_come_back(tmp_path):
    model, other = small(), small()
    with torch.no_grad():
        other[0].weight.zero_()
    store.save_weights(model, tmp_path / "weights")
    loaded = store.load_weights(other.train(), tmp_path / "weights")
    assert loaded is other
    assert not loaded.training
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)


def test_weights_of_16_bits_take_half_the_room_and_come_back_rounded(tmp_path):
    model = small(400)
    for name, dtype in (("whole", torch.float32), ("half", torch.float16)):
        store.save_weights(model, tmp_path / name, dtype)
    sizes = [(tmp_path / name).stat().st_size for name in ("whole", "half")]
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.05)
    loaded = store.load_weights(small(400), tmp_path / "half")
    assert loaded[0].weight.dtype == torch.float32
    assert torch.equal(loaded[0].weight, model[0].weight.half().float())


def test_weights_that_are_not_contiguous_come_back(tmp_path):
    model = small()
    model[0].weight = nn.Parameter(torch.arange(6.0).reshape(2, 3).T)
    store.save_weights(model, tmp_path / "weights")
    loaded = store.load_weights(small(), tmp_path / "weights")
    assert torch.equal(loaded[0].weight, model[0].weight)


def test_a_card_comes_back(tmp_path):
    store.save_card(CARD, tmp_path / "card.json")
    assert store.load_card(tmp_path / "card.json") == CARD
    text = (tmp_path / "card.json").read_text("utf-8")
    assert "“MIT”" in text
    assert text.endswith("}\n")


def test_whoever_may_read_the_card_may_read_the_weights(tmp_path):
    store.save_card(CARD, tmp_path / "card.json")
    store.save_weights(small(), tmp_path / "weights")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


# Interruptions.


def half_written(monkeypatch, error):
    """Let every writing stop after half of what was to be written."""
    for name in ("write_bytes", "write_text"):
        real = getattr(Path, name)

        def write(path, data, *rest, real=real):
            real(path, data[: len(data) // 2], *rest)
            raise error

        monkeypatch.setattr(Path, name, write)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interruption_leaves_the_old_file_whole(tmp_path, monkeypatch, error):
    weights, card = tmp_path / "weights", tmp_path / "card.json"
    store.save_weights(small(), weights)
    store.save_card(CARD, card)
    before = weights.read_bytes(), card.read_bytes()
    with monkeypatch.context() as patch:
        half_written(patch, error)
        with pytest.raises(type(error)):
            store.save_weights(small(50), weights)
        with pytest.raises(type(error)):
            store.save_card({"name": "another"}, card)
    assert (weights.read_bytes(), card.read_bytes()) == before
    store.save_weights(small(50), weights)
    store.load_weights(small(50), weights)
    store.save_card({"name": "another"}, card)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "weights"]


def test_an_interruption_of_a_first_write_leaves_no_file(tmp_path, monkeypatch):
    half_written(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.save_weights(small(), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


# Files that do not do.


def test_no_weights(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ValueError, match=r"path: there are no weights at .*; train the model"):
            store.load_weights(small(), path)


@pytest.mark.parametrize("part", [0, 4, 60, -1])
def test_damaged_weights(tmp_path, part):
    path = tmp_path / "weights"
    store.save_weights(small(), path)
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(
        ValueError, match=r"path: .*weights does not hold this model's weights"
    ) as e:
        store.load_weights(small(), path)
    assert "\n" not in str(e.value)


def test_something_else_than_weights(tmp_path):
    (tmp_path / "weights").write_text(json.dumps(CARD) * 100, "utf-8")
    with pytest.raises(ValueError, match=r"path: .*weights does not hold this model's weights"):
        store.load_weights(small(), tmp_path / "weights")


@pytest.mark.parametrize("other", [small(4), nn.Linear(2, 3), nn.Sequential()])
def test_weights_of_another_model(tmp_path, other):
    store.save_weights(other, tmp_path / "weights")
    message = r"weights does not hold this model's weights \(.*(size mismatch|Missing key)"
    with pytest.raises(ValueError, match=message) as told:
        store.load_weights(small(), tmp_path / "weights")
    assert "\n" not in str(told.value)


def test_no_card(tmp_path):
    with pytest.raises(ValueError, match=r"path: there is no card at .*; train the model first"):
        store.load_card(tmp_path / "card.json")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe"])
def test_a_damaged_card(tmp_path, data):
    (tmp_path / "card.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"path: .*card\.json is no card \("):
        store.load_card(tmp_path / "card.json")


def test_a_weight_with_two_names_is_written_once(tmp_path):
    def network():
        model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5))
        model[1].weight = model[0].weight
        return model

    model, path = network(), tmp_path / "weights.safetensors"
    store.save_weights(model, path)
    assert set(load_file(path)) == {"0.weight", "1.bias"}
    other = store.load_weights(network(), path)
    assert other[1].weight is other[0].weight
    assert torch.equal(other[0].weight, model[0].weight)
