"""Reformers side by side, in one run: seconds and memory of one forward and one backward pass, as ratios.

    python benchmarks/reformer.py [--quick] [--threads 2] [--only NAME]

NAME is lsh-attention, reversible-stack or growth.

Compared are ours, lucidrains' reformer-pytorch (`pip install -r requirements-peers.txt`) and transformers; what each
computes is told in `attentions.py` and `stacks.py`, and how it is measured in `fresh.py`. Tables are printed,
drawings go to `_build/bench-NAME.html`, rows to `_build/bench.json`.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from attentions import GROWTH, LSH
from fresh import available_bytes, in_fresh_process, measure
from peers import MODULES, installed, missing, versions
from report import Goal, Measurement, draw, exponent, keep, ratios, table
from stacks import DEPTHS, LENGTH, STACKS

BUILD = Path(__file__).parents[1] / "_build"
PARTS = {"lsh-attention": LSH, "reversible-stack": STACKS, "growth": GROWTH}
LENGTHS = [1024 * 2**i for i in range(7)]
MOST_SECONDS, MOST_OF_MEMORY = 60, 0.6

Case = tuple[str, int, int, int]  # implementation, length, rounds, depth


def child(name: str, implementation: str, length: int, count: int) -> None:
    """Measure one case in this process, and print it."""
    prepare = PARTS[name][implementation]
    seconds, peak = measure(lambda n: prepare(n, count), length, warm_up=256)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


def cases(name: str, *, quick: bool) -> Iterator[Case]:
    """What a comparison consists of; implementations that are compared run next to each other."""
    present = [implementation for implementation in PARTS[name] if installed(implementation)]
    if name == "reversible-stack":
        for depth in DEPTHS[:3] if quick else DEPTHS:
            for implementation in present:
                yield implementation, 1024 if quick else LENGTH, 0, depth
        return
    most = {"lsh-attention": 7, "growth": 5}[name]
    rounds = {"lsh-attention": (1, 2, 4), "growth": (1,)}[name]
    for length in LENGTHS[: 3 if quick else most]:
        for each in rounds:
            for implementation in present:
                hashes = implementation not in ("sdpa", "local", "full, fused", "full, textbook")
                if hashes or each == 1:
                    yield implementation, length, each if hashes else 0, 0


def too_much(before: list[Measurement], length: int) -> str | None:
    """Why a case is left out, judging from the same at smaller lengths; None if it may run."""
    if not before:
        return None
    last = before[-1]
    bytes_, seconds = last.peak_bytes, last.seconds
    factor = length / last.length
    more_seconds = more_bytes = factor
    if len(before) > 1:
        more_seconds = max(factor, seconds / before[-2].seconds)
        more_bytes = max(factor, bytes_ / max(1, before[-2].peak_bytes))
    if seconds * more_seconds > MOST_SECONDS:
        return f"it would take about {seconds * more_seconds:.0f} s"
    if bytes_ * more_bytes > MOST_OF_MEMORY * available_bytes():
        return f"it would need about {bytes_ * more_bytes / 1e9:.0f} GB"
    return None


def run(name: str, *, quick: bool, threads: int) -> list[Measurement]:
    """Measure all cases of a comparison."""
    measured: list[Measurement] = []
    ended = set()
    for implementation, length, rounds, depth in cases(name, quick=quick):
        line = implementation, rounds, depth
        before = [m for m in measured if (m.implementation, m.rounds, m.depth) == line]
        reason = too_much(before, length)
        if line in ended or reason:
            if reason:
                say(f"left out: {implementation}, length {length}, {rounds} rounds: {reason}")
            ended.add(line)
            continue
        count = str(depth or rounds)
        arguments = ["--child", name, implementation, str(length), count]
        found = in_fresh_process(__file__, arguments, threads)
        if found is None:
            say(f"killed, for want of memory: {implementation}, length {length}, {rounds} rounds")
            ended.add(line)
            continue
        measured.append(Measurement(name, *(implementation, length, rounds, depth), **found))
        say(
            f"{implementation}, length {length}, {rounds or '–'} rounds, depth {depth or '–'}: {found}"
        )
    return measured


def say(text: str) -> None:
    """Tell how far it is, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def goals_of_attention(measured: list[Measurement]) -> Iterator[Goal]:
    """What was aimed at with LSH attention."""
    for what, word, limit in (("seconds", "time", 0.5), ("peak_bytes", "memory", 0.4)):
        for ours in ("ours", "ours, no correction", "ours, causal buckets"):
            found = ratios(measured, what, ours, list(MODULES))
            for (length, rounds, _), ratio in found.items():
                if length == 16384:
                    text = f"{ours}: {word} beside the better peer, {rounds} rounds, {length}"
                    yield Goal(text, ratio, limit)
    for (length, rounds, _), ratio in ratios(measured, "seconds", "ours", ["sdpa"]).items():
        if rounds == 1 and length >= 4096:
            yield Goal(f"ours: time beside SDPA, 1 round, {length}", ratio, 1.0)
    for (length, rounds, _), ratio in ratios(measured, "peak_bytes", "ours", ["sdpa"]).items():
        if length == 16384:
            limit = 1.6 if rounds == 4 else 1.3
            yield Goal(f"ours: memory beside SDPA, {rounds} rounds, {length}", ratio, limit)


def goals_of_stacks(measured: list[Measurement]) -> Iterator[Goal]:
    """What was aimed at with the reversible stack."""
    for name in ("ours", "ours, in place"):
        ours = [m for m in measured if m.implementation == name]
        if ours:
            growth = ours[-1].peak_bytes / ours[0].peak_bytes
            yield Goal(
                f"{name}: memory, depth {ours[-1].depth} beside {ours[0].depth}", growth, 1.05
            )
        best = ratios(measured, "peak_bytes", name, ["checkpoint", "lucidrains"])
        for (_, _, depth), ratio in best.items():
            yield Goal(f"{name}: memory beside the best peer, depth {depth}", ratio, 1.0)
        for (_, _, depth), ratio in ratios(measured, "seconds", name, ["checkpoint"]).items():
            yield Goal(f"{name}: time beside checkpointing, depth {depth}", ratio, 1.0)


def show(name: str, measured: list[Measurement]) -> None:
    """Print the tables of a comparison."""
    print(f"\n{name}\n")
    print(table(measured, list(dict.fromkeys(m.implementation for m in measured))))
    goals = {"lsh-attention": goals_of_attention, "reversible-stack": goals_of_stacks}
    if name in goals:
        print()
        for goal in goals[name](measured):
            print(goal)
    else:
        print("\ncost = a · length^b, fitted over all lengths measured:")
        for implementation in GROWTH:
            here = [m for m in measured if m.implementation == implementation]
            lengths = [m.length for m in here]
            time = exponent(lengths, [m.seconds for m in here])
            memory = exponent(lengths, [m.peak_bytes for m in here])
            span = f"{lengths[0]} to {lengths[-1]}" if lengths else "nothing"
            print(f"{implementation:>16}: time {time:.2f}, memory {memory:.2f} ({span})")


def main() -> None:
    """Compare, print, draw and keep."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="lengths up to 4096, few layers")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=PARTS, help="one comparison")
    options = parser.parse_args()
    for line in missing():
        print(line)
    packages = ", ".join([f"torch {torch.__version__}", *versions().values()])
    machine = f"{platform.machine()}, python {platform.python_version()}"
    print(f"{machine}, {packages}, {options.threads} threads, fp32")
    if os.getloadavg()[0] > 0.5:
        print(
            f"load average {os.getloadavg()[0]:.1f}: others work on this machine, times are noise"
        )
    for name in [options.only] if options.only else PARTS:
        measured = run(name, quick=options.quick, threads=options.threads)
        show(name, measured)
        draw(BUILD / f"bench-{name}.html", measured, name)
        keep(BUILD / "bench.json", measured)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:4], *map(int, sys.argv[4:6]))
    else:
        main()
