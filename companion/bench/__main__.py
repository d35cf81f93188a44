"""The command line: `python -m companion.bench million | modes | labels`."""

import argparse
import sys
from pathlib import Path

from companion.bench import labels, million, modes
from companion.memory_sizes import Shape


def main() -> int:
    """Run what the command line asks for; 0 if it went well, 2 if it was asked wrongly."""
    parser = argparse.ArgumentParser(prog="python -m companion.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    step = commands.add_parser("million", help=million.__doc__.splitlines()[0])
    step.add_argument("--tokens", type=_positive, default=1_048_576)
    step.add_argument("--layers", type=_positive, default=12)
    step.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    step.add_argument("--limit", type=float, default=16.0, help="GB that end it, if it takes more")
    step.add_argument("--record", type=Path, help="a file to write the record to, as JSON")
    step.add_argument("--skip-after", action="store_true", help="leave out the loss after the step")
    each = commands.add_parser("modes", help=modes.__doc__.splitlines()[0])
    each.add_argument("--tokens", type=_positive, default=8192)
    each.add_argument("--layers", type=_positive, default=6)
    each.add_argument("--record", type=Path, help="a file to write the record to, as JSON")
    few = commands.add_parser("labels", help=labels.__doc__.splitlines()[0])
    few.add_argument("--data", type=Path, required=True, help="Schema-Guided Dialogue's folder")
    few.add_argument("--record", type=Path, help="a file to write the record to, as JSON")
    options = vars(parser.parse_args())
    command = options.pop("command")
    if command == "labels":
        return labels.run(**options)
    if command == "million":
        return million.run(**options)
    shape = Shape(options["tokens"], n_layers=options["layers"], **million.SIZES)
    return modes.run(shape=shape, record=options["record"])


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
