"""Our attention beside torch's own: seconds and memory, as ratios, in one run.

Ours returns the weights, so it holds an (n, n) matrix a head; torch's fused kernel never does. The table
shows what that costs. Run as `python benchmarks/attention.py`; each measurement has a process of its own.
"""

import resource
import statistics
import subprocess
import sys
import time

import torch

from companion.attention import scaled_dot_product_attention

HEADS, D_K, REPEATS = 8, 64, 7
FUNCTIONS = {
    "ours": scaled_dot_product_attention,
    "torch": torch.nn.functional.scaled_dot_product_attention,
}


def measure(name: str, n: int) -> tuple[float, float]:
    """Median seconds of a call, and the growth of peak memory in MB, in a fresh process."""
    command = [sys.executable, __file__, name, str(n)]
    result = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(result[0]), float(result[1])


def child(name: str, n: int) -> None:
    """Print seconds and MB of one implementation at one length."""
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, HEADS, n, D_K)
    FUNCTIONS[name](*(x[:, :, :8] for x in (query, key, value)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        FUNCTIONS[name](query, key, value)
        times.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(statistics.median(times), (after - before) / 1024)


def main() -> None:
    """Print one line a length."""
    print(
        f"scaled dot-product attention, {HEADS} heads of {D_K}, {torch.get_num_threads()} threads"
    )
    print(f"{'n':>6} {'ours s':>9} {'torch s':>9} {'ratio':>7} {'ours MB':>9} {'torch MB':>9}")
    for n in (256, 1024, 2048, 4096):
        (a, b), (c, d) = measure("ours", n), measure("torch", n)
        print(f"{n:>6} {a:>9.5f} {c:>9.5f} {a / c:>7.2f} {b:>9.1f} {d:>9.1f}")


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
