"""`python -m companion.models`: list, train, evaluate, export and describe the models."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch

from companion.models import graph, progress, registry, store


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(2, " ".join(f"{self.prog}: {message}".split()) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Run one command; what cannot be done is said in one line, with exit status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        given.run(given)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _parser() -> _Parser:
    parser = _Parser(prog="python -m companion.models", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(
        name: str, run: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if name != "list":
            sub.add_argument("name", metavar="NAME", help=f"one of: {', '.join(registry.MODELS)}")
        return sub

    data = "a file or folder in the data set's own layout, gzipped or not"
    command("list", _list, "list the models")
    train = command("train", _train, "train a model, and replace its weights and card")
    train.add_argument("--data", type=Path, help=data)
    train.add_argument("--seed", type=int, default=0, help="0 unless told")
    train.add_argument("--to", type=Path, help="write into this folder, not into the package")
    evaluate = command("evaluate", _evaluate, "measure a model")
    evaluate.add_argument("--data", type=Path, help=data)
    export = command("export", _export, "write a model as ONNX")
    export.add_argument("--to", type=Path, help="the file; unless told, beside the weights")
    command("card", _card, "print a model's card")
    return parser


def _list(_given: argparse.Namespace) -> None:
    for name in registry.MODELS:
        print(f"{name:<14}{registry.recipe(name).SUMMARY}")


def _train(given: argparse.Namespace) -> None:
    recipe = registry.recipe(given.name)
    folder = given.to or registry.folder(given.name)
    if not folder.is_dir():
        raise ValueError(f"--to: there is no folder {folder}")
    begun = time.perf_counter()
    model = recipe.train(given.data, given.seed, progress.bar(recipe.STEPS))
    seconds = round(time.perf_counter() - begun)
    metrics = recipe.evaluate(model, None)
    if given.data is not None:
        metrics += recipe.evaluate(model, given.data)
    store.save_weights(model, folder / "weights.safetensors", registry.stored(given.name))
    figures = [{"name": m.name, "figure": round(m.figure, 4), "items": m.items} for m in metrics]
    store.save_card(
        {
            "name": given.name,
            "summary": recipe.SUMMARY,
            **recipe.CARD,
            "seed": given.seed,
            "parameters": sum(p.numel() for p in model.parameters()),
            "seconds": seconds,
            "torch": torch.__version__.partition("+")[0],
            "figures": figures,
            **({"history": model.history} if getattr(model, "history", None) else {}),
        },
        folder / "card.json",
    )
    print(*metrics, sep="\n")


def _evaluate(given: argparse.Namespace) -> None:
    recipe = registry.recipe(given.name)
    print(*recipe.evaluate(registry.load(given.name), given.data), sep="\n")


def _export(given: argparse.Namespace) -> None:
    path = given.to or registry.folder(given.name) / "model.onnx"
    graph.export(registry.graph(given.name), path, registry.stored(given.name))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def _card(given: argparse.Namespace) -> None:
    for key, value in registry.card(given.name).items():
        if key == "figures":
            print("figures:")
            print(*(f"  {registry.Metric(**figure)}" for figure in value), sep="\n")
        else:
            print(f"{key}: {value}")


if __name__ == "__main__":
    sys.exit(main())
