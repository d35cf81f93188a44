"""One training step of a Reformer on a million tokens, below 16 GB.

The step, loss, backward and Adam's update, all in float32, runs in a process of its own under a hard
limit, which the system itself enforces (on a GPU there is none). Its peak is read from the kernel's
own high-water mark (on a GPU from the allocator); this process looks at its resident memory now and
then, for the record, and ends it above the limit.
"""

import json
import os
import platform
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from companion.corpora import dialogues
from companion.memory import Plan, memory_plan
from companion.memory_sizes import Shape
from companion.reformer import Reformer

GB = 10**9
SIZES = {"d_model": 512, "n_heads": 8, "d_ff": 2048}
SEED = 0
LEARNING_RATE = 1e-3
# Memory that is given back stays given back: with glibc's own setting, the peak measures how
# scattered the heap is.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**27)}


def run(
    *, tokens: int, layers: int, device: str, limit: float, record: Path | None, skip_after: bool
) -> int:
    """Print the plan, take the step, print what was measured, write the record.

    Args:
        tokens: Length of the text.
        layers: Number of reversible blocks.
        device: "cpu" or "cuda".
        limit: GB (10^9 bytes) of memory at which the step is ended.
        record: Where to write what was measured; None for nowhere.
        skip_after: Whether to leave out the loss after the step.

    Returns:
        0, 1 if the step was ended or failed, 2 if there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        print("--device cuda: there is no GPU that torch can use", file=sys.stderr)
        return 2
    print(f"one step of {layers} layers on {tokens:,} tokens, float32, on {device}")
    plan = memory_plan(Shape(tokens, n_layers=layers, **SIZES), "chunked")
    _print_plan(plan)
    command = [sys.executable, "-m", "companion.bench.million", str(tokens), str(layers), device]
    command += [str(limit), "skip" if skip_after else "all"]
    began = time.monotonic()
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT}
    )
    over_time: list[tuple[float, int]] = []
    every = max(0.5, tokens * layers / 2e6)
    watch = threading.Thread(
        target=_watch, args=(child, began, every, limit * GB, over_time), daemon=True
    )
    watch.start()
    measured = {"plan_bytes": plan.total(plan.peak())}
    for line in child.stdout:
        found = json.loads(line)
        measured.update(found)
        print(f"{time.monotonic() - began:8.1f} s  {_told(found)}", flush=True)
    if child.wait():
        print(f"the step ended with {child.returncode}: see above", file=sys.stderr)
        return 1
    watch.join()
    whole = {
        **circumstances(),
        "device": device,
        "tokens": tokens,
        "layers": layers,
        **SIZES,
        "dtype": "float32",
        "rounds": 1,
        "limit_bytes": int(limit * GB),
        **measured,
        "memory_over_time": over_time,
    }
    _print_comparison(whole)
    if record:
        write_record(whole, record)
    return 0


def _print_plan(plan: Plan) -> None:
    """What is in memory at the fullest moment of each kind, in GB."""
    print("the plan, without Python and torch themselves:")
    fullest: dict[str, int] = {}
    for number, name in enumerate(plan.moments):
        kind = re.sub(r" \d+", "", name)
        if kind not in fullest or plan.total(number) > plan.total(fullest[kind]):
            fullest[kind] = number
    for kind, number in fullest.items():
        parts = ((part, held / GB) for part, held in plan.parts(number).items())
        told = ", ".join(f"{part} {held:.2f}" for part, held in parts if held >= 0.005)
        print(f"  {kind:<24}{plan.total(number) / GB:>7.2f} GB  {told}")


def _print_comparison(record: dict) -> None:
    """The measurement beside the plan."""
    outside, planned = record["program_bytes"], record["plan_bytes"]
    print(f"measured: peak {record['peak_bytes'] / GB:.2f} GB, {record['seconds']:.0f} s the step")
    print(
        f"planned:  {planned / GB:.2f} GB, and {outside / GB:.2f} for the program before it began: "
        f"{(planned + outside) / GB:.2f} GB"
    )


def _told(found: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number:,.6g}" for name, number in found.items())


def _watch(
    child: subprocess.Popen, began: float, every: float, limit: float, over_time: list
) -> None:
    """Note the resident memory of a process now and then; end it above the limit."""
    status = Path(f"/proc/{child.pid}/status")
    noted = -every
    while child.poll() is None:
        held, now = _kilobytes(status, "VmRSS") * 1024, time.monotonic() - began
        if now - noted >= every:
            over_time.append((round(now, 1), held))
            noted = now
        if held > limit:
            print(f"ended: {held / GB:.2f} GB are above --limit {limit / GB:g}", file=sys.stderr)
            child.kill()
        time.sleep(0.2)


def _kilobytes(status: Path, name: str) -> int:
    """A line of /proc/PID/status; 0 when the process has gone."""
    try:
        lines = status.read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def write_record(whole: dict, path: Path) -> None:
    """Write what was measured as JSON, a line for each name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in whole.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    print(f"written to {path}")


def circumstances() -> dict:
    """Where and with what a measurement was made."""
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"processor": model, "cores": os.cpu_count(), "memory_bytes": memory},
        "versions": {"python": platform.python_version(), "torch": version("torch")},
    }


def text(length: int) -> Tensor:
    """A text of `length` bytes, (length,), from generated dialogues, one after the other."""
    said, seed = bytearray(), 0
    while len(said) < length:
        for dialogue in dialogues.generate(500, seed):
            said += "".join(
                f"{turn.speaker}: {turn.utterance}\n" for turn in dialogue.turns
            ).encode()
        seed += 1
    return torch.frombuffer(said[:length], dtype=torch.uint8).long()


def step(tokens: int, layers: int, device: str, *, after: bool, tell: Callable[..., None]) -> None:
    """Take the step, in this process.

    Args:
        tokens: Length of the text.
        layers: Number of reversible blocks.
        device: "cpu" or "cuda".
        after: Whether to compute the loss once more after the step.
        tell: Called with what was measured, by name.
    """
    tell(program_bytes=peak(device))
    torch.manual_seed(SEED)
    said = text(tokens + 1).to(device)
    given, wanted = said[None, :-1], said[None, 1:]
    model = Reformer(256, tokens, n_layers=layers, in_place=True, **SIZES).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, foreach=False)
    tell(parameters=sum(p.numel() for p in model.parameters()))
    clock = _Clock(device)
    torch.manual_seed(SEED)  # the loss after the step is to hash with the same rotations
    loss = model.loss(given, wanted)
    tell(loss_before=loss.item(), forward_seconds=clock.lap(), forward_peak_bytes=peak(device))
    loss.backward()
    tell(backward_seconds=clock.lap())
    adam.step()
    clock.lap()
    tell(seconds=clock.total, peak_bytes=peak(device))
    if after:
        torch.manual_seed(SEED)
        with torch.no_grad():
            tell(loss_after=model.loss(given, wanted).item())


class _Clock:
    def __init__(self, device: str) -> None:
        self.device, self.total = device, 0.0
        self.at = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        seconds, self.at = time.perf_counter() - self.at, time.perf_counter()
        self.total += seconds
        return seconds


def peak(device: str) -> int:
    """Return the most bytes held so far: resident, or on the GPU."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident() -> int:
    """Return the bytes that this process holds in memory now."""
    return _kilobytes(Path("/proc/self/status"), "VmRSS") * 1024


def _child(tokens: str, layers: str, device: str, limit: str, after: str) -> None:
    most = int(float(limit) * GB)
    if device == "cpu":  # the system itself refuses more: data, heap and tensors together
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    torch.set_num_threads(os.cpu_count() or 1)

    def tell(**found: float) -> None:
        print(json.dumps(found), flush=True)

    step(int(tokens), int(layers), device, after=after == "all", tell=tell)


if __name__ == "__main__":
    _child(*sys.argv[1:])
