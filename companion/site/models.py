"""Puts each model into the book as ONNX, and lists them for live.js with their sizes."""

import hashlib
import json
import shutil
from pathlib import Path

from companion.models import graph, registry


def publish_models(static: Path, version: str) -> None:
    """Write `models/NAME-DIGEST.onnx` of those that answer widgets, their tokenizers, and `live.json`.

    A model that has not changed is not exported again.

    Browsers keep what they have fetched for good, so another model, and another version of the
    runtime, has another address.
    """
    models = static / "models"
    models.mkdir(exist_ok=True)
    kept = static.parent.parent / "onnx"
    kept.mkdir(exist_ok=True)
    listed = {}
    for name in registry.live_names():
        built = kept / f"{name}-{_digest(name)}.onnx"
        if not built.is_file():
            for old in kept.glob(f"{name}-*.onnx"):
                old.unlink()
            graph.export(registry.graph(name), built, registry.stored(name))
        shutil.copyfile(built, models / built.name)
        listed[name] = _entry(models / built.name, static)
        tokenizer = registry.tokenizer(name)
        if tokenizer:
            copy = (models / built.name).with_suffix(".json")
            shutil.copyfile(tokenizer, copy)
            listed[name]["tokenizer"] = _entry(copy, static)
    wanted = {Path(entry["url"]).stem for entry in listed.values()}
    for path in models.iterdir():
        if path.stem not in wanted:
            path.unlink()
    runtime = _entry(static / "vendor" / "ort.wasm", static)
    runtime["url"] += f"?{version}"
    contents = {"runtime": runtime, "models": listed}
    (static / "live.json").write_text(json.dumps(contents), "utf-8")


def _entry(path: Path, static: Path) -> dict:
    return {"url": path.relative_to(static).as_posix(), "bytes": path.stat().st_size}


def _digest(name: str) -> str:
    """Of the weights, and of the code that the graph is made by."""
    package = Path(registry.__file__).parents[1]
    own = registry.folder(name)
    code = [
        *package.glob("*.py"),
        *own.glob("*.py"),
        Path(graph.__file__),
    ]
    if tokenizer := registry.tokenizer(name):
        code.append(tokenizer)
    total = hashlib.sha256((own / "weights.safetensors").read_bytes())
    for path in sorted(code):
        total.update(path.read_bytes())
    return total.hexdigest()[:12]
