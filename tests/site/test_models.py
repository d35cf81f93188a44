"""Models on their way into the book: exported once, and again when they changed."""

import json
from pathlib import Path

import pytest

from companion.models import graph, registry
from companion.site import models


@pytest.fixture
def static(tmp_path, monkeypatch):
    """A book's `_static`, where exporting writes a line instead of taking its time."""
    folder = tmp_path / "html" / "_static"
    (folder / "vendor").mkdir(parents=True)
    (folder / "vendor" / "ort.wasm").write_bytes(b"runtime")
    written = []
    monkeypatch.setattr(
        graph,
        "export",
        lambda _, path, _stored: written.append(path.name) or Path(path).write_bytes(b"model"),
    )
    return folder, written


def test_each_model_is_listed_with_its_size(static):
    folder, written = static
    models.publish_models(folder, "1.2.3")
    listed = json.loads((folder / "live.json").read_text())
    assert listed["runtime"] == {"url": "vendor/ort.wasm?1.2.3", "bytes": 7}
    assert set(listed["models"]) == set(registry.live_names())
    for entry in listed["models"].values():
        assert (folder / entry["url"]).stat().st_size == entry["bytes"] == 5
    assert len(written) == len(registry.live_names())


def test_a_model_is_exported_again_only_when_it_changed(static, monkeypatch):
    folder, written = static
    models.publish_models(folder, "1")
    models.publish_models(folder, "1")
    assert len(written) == len(registry.live_names())
    monkeypatch.setattr(models, "_digest", lambda _: "another")
    models.publish_models(folder, "1")
    assert len(written) == 2 * len(registry.live_names())
    names = {path.name for path in (folder / "models").iterdir()}
    cut = ("summarizer", "chatbot", "translator", "text_to_text", "bert", "reader")
    assert names == {f"{name}-another.onnx" for name in registry.live_names()} | {
        f"{name}-another.json" for name in cut
    }


@pytest.mark.parametrize(
    ("name", "whose"),
    [("summarizer", "summarizer"), ("chatbot", "summarizer"), ("translator", "translator")],
)
def test_a_model_that_takes_text_has_its_tokenizer_beside_it(static, name, whose):
    folder, _ = static
    models.publish_models(folder, "1")
    listed = json.loads((folder / "live.json").read_text())["models"]
    assert "tokenizer" not in listed["resolver"]
    told = listed[name]["tokenizer"]
    original = (registry.folder(whose) / "tokenizer.json").read_bytes()
    assert (folder / told["url"]).read_bytes() == original
    assert told["bytes"] == len(original)
    assert told["url"].removesuffix(".json") == listed[name]["url"].removesuffix(".onnx")
