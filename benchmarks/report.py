"""What was measured, as tables, ratios, fitted exponents, drawings and rows of a file."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots


@dataclass(frozen=True)
class Measurement:
    """One implementation at one size.

    Attributes:
        name: Of the comparison.
        implementation: As its table calls it.
        length: Positions in the sequence.
        rounds: Hash rounds, 0 where there are none.
        depth: Layers, 0 where it is one function.
        seconds, peak_bytes: Of one forward and one backward pass.
    """

    name: str
    implementation: str
    length: int
    rounds: int
    depth: int
    seconds: float
    peak_bytes: int

    def row(self) -> dict:
        """What the file of rows holds: a depth is told with the implementation."""
        depth = f", depth {self.depth}" if self.depth else ""
        return {
            "name": self.name,
            "implementation": self.implementation + depth,
            "length": self.length,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "peak_bytes": self.peak_bytes,
        }


@dataclass(frozen=True)
class Goal:
    """A ratio that is aimed at."""

    text: str
    ratio: float
    limit: float

    def __str__(self) -> str:
        verdict = "met" if self.ratio <= self.limit else "MISSED"
        return f"{verdict:>6}  {self.text}: {self.ratio:.2f} (at most {self.limit})"


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The b of cost = a · size^b, by least squares of the logarithms; nan for fewer than two sizes."""
    if len(sizes) < 2:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def table(measured: Sequence[Measurement], implementations: Sequence[str]) -> str:
    """Seconds and MB, a line for each size; `–` where nothing was measured."""
    found = {(m.length, m.rounds, m.depth, m.implementation): m for m in measured}
    has_rounds = any(m.rounds for m in measured)
    sizes = sorted({(m.length, m.rounds, m.depth) for m in measured if m.rounds or not has_rounds})
    wide = [max(16, len(name)) for name in implementations]
    names = [f"{name:>{n}}" for name, n in zip(implementations, wide, strict=True)]
    lines = [f"{'length':>7} {'rounds':>6} {'depth':>5} {'  '.join(names)}   (seconds / MB)"]
    for length, rounds, depth in sizes:
        cells = []
        for name, n in zip(implementations, wide, strict=True):
            m = found.get((length, rounds, depth, name)) or found.get((length, 0, depth, name))
            text = f"{m.seconds:.3f} / {m.peak_bytes / 1e6:.0f}" if m else "–"
            cells.append(f"{text:>{n}}")
        counts = (str(count) if count else "–" for count in (rounds, depth))
        lines.append("{:>7} {:>6} {:>5} ".format(length, *counts) + "  ".join(cells))
    return "\n".join(lines)


def ratios(
    measured: Sequence[Measurement], what: str, ours: str, others: Sequence[str]
) -> dict[tuple[int, int, int], float]:
    """Seconds or peak_bytes of ours, divided by the least of the others, by length, rounds, depth."""
    result = {}
    for m in measured:
        least = min(
            (
                getattr(other, what)
                for other in measured
                if other.implementation in others
                and (other.length, other.depth) == (m.length, m.depth)
                and other.rounds in (0, m.rounds)
            ),
            default=None,
        )
        if m.implementation == ours and least:
            result[m.length, m.rounds, m.depth] = getattr(m, what) / least
    return result


def keep(path: Path, measured: Sequence[Measurement]) -> None:
    """Write rows; those of other comparisons that the file holds stay."""
    old = json.loads(path.read_text()) if path.exists() else []
    names = {m.name for m in measured}
    rows = [row for row in old if row["name"] not in names] + [m.row() for m in measured]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n")


def draw(path: Path, measured: Sequence[Measurement], title: str) -> None:
    """Draw seconds and MB against length or depth, on logarithmic scales, as an HTML file."""
    figure = make_subplots(cols=2, subplot_titles=("seconds", "peak MB"))
    colours = go.Figure().layout.template.layout.colorway or ["#636efa", "#ef553b", "#00cc96"]
    dashes = {0: "solid", 1: "solid", 2: "dash", 4: "dot"}
    implementations = list(dict.fromkeys(m.implementation for m in measured))
    lines = dict.fromkeys((m.implementation, m.rounds) for m in measured)
    for implementation, rounds in lines:
        here = [m for m in measured if (m.implementation, m.rounds) == (implementation, rounds)]
        colour = colours[implementations.index(implementation) % len(colours)]
        name = f"{implementation}, {rounds} rounds" if rounds else implementation
        for column, costs in enumerate(
            ([m.seconds for m in here], [m.peak_bytes / 1e6 for m in here]), start=1
        ):
            line = go.Scatter(
                x=[m.depth or m.length for m in here],
                y=costs,
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": colour, "dash": dashes[rounds]},
            )
            figure.add_trace(line, row=1, col=column)
    figure.update_xaxes(type="log", title="depth" if measured[0].depth else "length")
    figure.update_yaxes(type="log")
    figure.update_layout(title=title, template="plotly_white", height=520)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path)
