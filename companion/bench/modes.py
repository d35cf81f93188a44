"""One training step in each mode of the memory plan, at a size that fits: measured beside planned.

Each step runs in a process of its own, as the second one would (Adam's moments are there). Its peak
is read from the kernel's own high-water mark, less what the process held before there was a model of that size.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch

from companion.bench.million import GB, circumstances, peak, resident, write_record
from companion.bench.mode_models import adam_after_a_step, build
from companion.memory import MODES, memory_plan
from companion.memory_sizes import Shape

SEED = 0
# Every tensor of a megabyte gets pages of its own and gives them back: else the peak measures how
# scattered the heap is.
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(2**20), "MALLOC_TRIM_THRESHOLD_": str(2**20)}
_SMALL = 64  # tokens of a step that loads what torch loads when it is first needed


def run(*, shape: Shape, record: Path | None) -> int:
    """Print, for each mode, the planned and the measured peak; write the record.

    Args:
        shape: sizes of the model and the text.
        record: where to write what was measured; None for nowhere.

    Returns:
        0, or 1 if a step failed.
    """
    print(f"one step, {shape.n_layers} layers on {shape.length:,} tokens, {shape.dtype}")
    print(f"{'mode':<14}{'planned, GB':>14}{'measured, GB':>14}{'ratio':>8}")
    measured = {}
    for mode in MODES:
        command = [sys.executable, "-m", "companion.bench.modes", mode, json.dumps(vars(shape))]
        child = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ENVIRONMENT},
        )
        if child.returncode:
            print(f"{mode}: the step ended with {child.returncode}: see above", file=sys.stderr)
            return 1
        plan = memory_plan(shape, mode)
        found = {"plan_bytes": plan.total(plan.peak()), **json.loads(child.stdout)}
        measured[mode] = found
        planned, held = found["plan_bytes"], found["peak_bytes"] - found["program_bytes"]
        print(f"{mode:<14}{planned / GB:>14.3f}{held / GB:>14.3f}{held / planned:>8.2f}")
    if record:
        write_record({**circumstances(), "sizes": vars(shape), "modes": measured}, record)
    return 0


def step(mode: str, shape: Shape) -> dict[str, int]:
    """Take the step, in this process.

    Returns:
        By name, the most bytes that the process held at any moment: `peak_bytes`, and before there was
        a model: `program_bytes`.
    """
    torch.manual_seed(SEED)
    _take(mode, replace(shape, length=_SMALL, rows=_SMALL))
    held = resident()
    _take(mode, shape)
    return {"program_bytes": held, "peak_bytes": peak("cpu")}


def _take(mode: str, shape: Shape) -> None:
    model = build(shape, mode)
    tokens = torch.randint(shape.n_tokens, (shape.batch, shape.length))
    if mode == "inference":
        with torch.no_grad():
            model.loss(tokens, tokens)
    else:
        optimizer = adam_after_a_step(model)
        model.loss(tokens, tokens.clone()).backward()
        optimizer.step()


if __name__ == "__main__":
    print(json.dumps(step(sys.argv[1], Shape(**json.loads(sys.argv[2])))))
