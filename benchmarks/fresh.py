"""Seconds and peak memory of one forward and one backward pass, in a process of their own.

What makes the memory honest: every process has the same allocator settings (below); the passes are warmed
up at a small size, so that libraries and thread pools are there; before each measured run freed memory is
given back to the kernel and its high-water mark is reset; what is reported is that mark less where it stood,
the largest of the runs. Inputs and the gradient of the output lie in memory before; the output and the
gradients of the inputs count. Parameters lie in memory before and their gradients do not count.
"""

import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

# glibc: an allocation from 1 MiB on is a mapping of its own, given back when freed, so that the resident
# size does not measure fragmentation. torch: huge pages for large tensors, which page-fault less.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(2**20), "THP_MEM_ALLOC_ENABLE": "1"}
MOST_RUNS, SECONDS_OF_RUNS = 5, 8.0


@dataclass(frozen=True)
class Pass:
    """What is measured.

    Attributes:
        forward: Computes the outputs.
        gradients: Of the outputs, in their shapes.
        inputs, parameters: Tensors that get gradients.
    """

    forward: Callable[[], Sequence[Tensor]]
    gradients: Sequence[Tensor]
    inputs: Sequence[Tensor]
    parameters: Sequence[Tensor] = field(default_factory=list)

    def forget(self) -> None:
        """Drop all gradients."""
        for tensor in (*self.inputs, *self.parameters):
            tensor.grad = None


def measure(prepare: Callable[[int], Pass], length: int, warm_up: int) -> tuple[float, int]:
    """Median seconds and largest peak of bytes over some runs of `prepare(length)`."""
    for _ in range(2):
        _run(prepare(warm_up))
    work = prepare(length)
    seconds, peaks = [], []
    while not seconds or (len(seconds) < MOST_RUNS and sum(seconds) < SECONDS_OF_RUNS):
        took, peak = _run(work)
        seconds.append(took)
        peaks.append(peak)
    return statistics.median(seconds), max(peaks)


def _run(work: Pass) -> tuple[float, int]:
    """Seconds and peak bytes of one forward and one backward pass."""
    work.forget()
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark is where the process stands
    before = _high_water()
    start = time.perf_counter()
    outputs = work.forward()
    after_forward = _high_water()
    torch.autograd.backward(outputs, work.gradients)
    seconds = time.perf_counter() - start
    of_parameters = sum(x.grad.nbytes for x in work.parameters if x.grad is not None)
    missing = [x for x in (*work.inputs, *work.parameters) if x.grad is None]
    if missing:
        raise RuntimeError(f"{len(missing)} tensors got no gradient: not the work that is measured")
    return seconds, max(after_forward, _high_water() - of_parameters) - before


def _high_water() -> int:
    """The largest resident size so far, in bytes, by the kernel's own account."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def in_fresh_process(script: str, arguments: Sequence[str], threads: int) -> dict | None:
    """Run a script that prints one JSON object; None if it was killed, as it is for want of memory."""
    environment = os.environ | ALLOCATOR | {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, script, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode < 0:
        return None
    if result.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def available_bytes() -> int:
    """Memory that can be had without swapping."""
    text = Path("/proc/meminfo").read_text()
    return 1024 * int(text.split("MemAvailable:")[1].split()[0])
