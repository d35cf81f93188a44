"""What one training step keeps in memory, for sizes to choose: bars for each mode, and a film of the step."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import traitlets as t

from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE

_MODES = {
    "standard": ("standard", "autograd keeps all that backward needs."),
    "checkpointed": (
        "checkpointed",
        "only the input of each layer is kept; backward runs the layer again.",
    ),
    "reversible": (
        "reversible",
        "nothing is kept; backward rebuilds the inputs of a layer from its outputs.",
    ),
    "lsh": ("+ LSH", "reversible, and attention works in buckets, one head at a time."),
    "chunked": (
        "+ chunked",
        "as + LSH, and feed-forward networks and loss take some rows at a time.",
    ),
    "inference": ("inference", "no backward, so nothing is kept from sublayer to sublayer."),
}
_MILLION = {
    "length": 2**20,
    "d_model": 512,
    "n_layers": 12,
    "n_heads": 8,
    "d_ff": 2048,
    "batch": 1,
    "n_tokens": 256,
    "dtype": "float32",
    "rounds": 1,
    "chunk": 64,
    "rows": 1024,
}
_PRESETS = [
    {
        "name": "the notes’ 50 GB",  # a unit of theirs is 2^31 bytes: even in GiB
        "state": {
            "sizes": _MILLION,
            "materialised": False,
            "mode": "standard",
            "unit": "GiB",
            "scale": "all",
        },
    },
    {
        "name": "a million tokens in 16 GB",
        "state": {
            "sizes": _MILLION,
            "materialised": False,
            "mode": "chunked",
            "unit": "GB",
            "scale": "near",
        },
    },
]
_COLOURS = {
    "model": "muted",
    "text": "masked",
    "streams": "first",
    "attention": "accent",
    "feed-forward": "key",
    "loss": "second",
}
_FIELDS = {  # label, least, most
    "length": ("length, tokens", 1, 2**21),
    "d_model": ("width, d_model", 2, 16_384),
    "n_layers": ("layers", 1, 48),
    "n_heads": ("heads", 1, 128),
    "d_ff": ("inner width, d_ff", 1, 65_536),
    "batch": ("batch, texts", 1, 64),
    "n_tokens": ("vocabulary", 1, 1_000_000),
    "rounds": ("hash rounds", 1, 16),
    "chunk": ("chunk of attention", 1, 4096),
    "rows": ("rows at a time", 1, 2**21),
}
_DTYPES = ("float64", "float32", "bfloat16", "float16")
_LIMIT = 16 * 10**9
_MOST = 2**53  # bytes: up to here a page counts exactly


class ReversibleMemory(Widget):
    """Memory of one training step of a language model: by mode, by part, and moment by moment.

    The reader chooses all sizes; the page computes what `companion.memory` computes, to the byte.
    Explained in chapters/week4-reformer/reversible-layers.ipynb.

    Args:
        sizes: The sizes to begin with: `vars(shape)` of a `companion.memory_sizes.Shape`.
        peaks: What a still picture shows: mode → part → bytes at the mode's fullest moment, that is
            `plan.parts(plan.peak())` of each `memory_plan`.
        measured: What was measured, each `{"mode", "sizes", "bytes"}`: the most bytes that were in
            memory; and if it is so `"outside_bytes"` (of these, the program's own before the step),
            `"materialised"` (True), and a `"name"` for the button that leads there.
        **state: First values of the synced traits (`mode`; `materialised`, whether attention writes all
            its weights down; `unit`, "GB" for 10^9 or "GiB" for 2^30 bytes; `scale`, "all" or "near";
            `moment`, None for the fullest; `ghost`, whether standard is drawn beside).

    Raises:
        TypeError: If sizes are no mapping.
        ValueError: If sizes are missing, unknown, out of range or do not fit together, peaks lack a
            mode or hold what is no whole number of bytes, or something measured is incomplete.
        TraitError: If another state is out of range.
    """

    sizes = t.Dict().tag(sync=True)
    fields = t.Dict(_FIELDS, read_only=True).tag(sync=True)
    modes = t.Dict(_MODES, read_only=True).tag(sync=True)
    presets = t.List(t.Dict()).tag(sync=True)
    measured = t.List(t.Dict()).tag(sync=True)
    mode = t.Enum([*_MODES], default_value="reversible").tag(sync=True)
    materialised = t.Bool(default_value=False).tag(sync=True)
    unit = t.Enum(["GB", "GiB"], default_value="GB").tag(sync=True)
    scale = t.Enum(["all", "near"], default_value="all").tag(sync=True)
    moment = t.Int(None, min=0, allow_none=True).tag(sync=True)
    ghost = t.Bool(default_value=False).tag(sync=True)

    def __init__(
        self,
        sizes: Mapping[str, Any],
        peaks: Mapping[str, Mapping[str, int]],
        *,
        measured: Iterable[Mapping[str, Any]] = (),
        **state: Any,  # noqa: ANN401
    ) -> None:
        self._peaks = _checked_peaks(peaks)
        sizes = _checked_sizes("sizes", sizes)
        trials = [_checked_trial(f"measured[{i}]", trial) for i, trial in enumerate(measured)]
        super().__init__(
            sizes=sizes, measured=trials, presets=[*_PRESETS, *_places(trials)], **state
        )

    @t.validate("sizes")
    def _that_fit(self, proposal: dict) -> dict[str, Any]:
        try:
            return _checked_sizes("sizes", proposal["value"])
        except ValueError as error:
            raise t.TraitError(str(error)) from error

    def describe(self) -> str:
        """Return, in a sentence, what each mode needs at its fullest moment."""
        totals = [
            f"{_MODES[mode][0]} {_size(sum(parts.values()))}" for mode, parts in self._peaks.items()
        ]
        return (
            f"One training step of {self.sizes['n_layers']} layers on "
            f"{self.sizes['batch'] * self.sizes['length']:,} tokens takes at most: {', '.join(totals)}."
        )

    def picture(self) -> str:
        """Return the bars, by part, and the line at 16 GB, as SVG."""
        return _bars_svg(self._peaks)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the CSS."""
        chips = sum(8 * len(place["name"]) + 36 for place in self.presets) + 80
        more = 71 if self.measured else 0
        return (
            1512 + 38 * math.ceil(chips / 650) + min(more, 40),
            2152 + 38 * math.ceil(chips / 330) + more,
        )


def _checked_sizes(name: str, sizes: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(sizes, Mapping):
        raise TypeError(f"{name}: {sizes!r} was given; give a mapping, as vars(Shape(2**20))")
    wrong = [*({*_FIELDS, "dtype"} - {*sizes}), *({*sizes} - {*_FIELDS, "dtype"})]
    if wrong:
        raise ValueError(
            f"{name}: missing or unknown: {', '.join(sorted(map(str, wrong)))}; "
            "give all sizes, as vars(Shape(2**20))"
        )
    for key, (_, least, most) in _FIELDS.items():
        if not _is_whole(sizes[key]) or not least <= sizes[key] <= most:
            raise ValueError(
                f"{name}: {key} is {sizes[key]!r}; give a whole number, {least} to {most}"
            )
    if sizes["dtype"] not in _DTYPES:
        raise ValueError(f"{name}: dtype is {sizes['dtype']!r}; give one of {', '.join(_DTYPES)}")
    if sizes["d_model"] % 2:
        raise ValueError(f"{name}: d_model is {sizes['d_model']}; give an even number")
    if sizes["d_model"] % sizes["n_heads"]:
        raise ValueError(
            f"{name}: d_model is {sizes['d_model']} and n_heads is {sizes['n_heads']}; "
            "give a d_model that is a multiple of n_heads"
        )
    return {**sizes}


def _checked_peaks(peaks: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    if {*peaks} != {*_MODES}:
        raise ValueError(f"peaks: modes {', '.join(peaks)} were given; give {', '.join(_MODES)}")
    for mode, parts in peaks.items():
        if not {*parts} <= {*_COLOURS}:
            raise ValueError(
                f"peaks: {mode} has parts {', '.join(parts)}; give some of {', '.join(_COLOURS)}"
            )
        if not all(_is_whole(size) and size >= 0 for size in parts.values()):
            raise ValueError(f"peaks: {mode} is {parts}; give whole numbers of bytes")
        if sum(parts.values()) >= _MOST:
            raise ValueError(f"peaks: {mode} is {sum(parts.values())}; give less than 2^53 bytes")
    return {mode: dict(peaks[mode]) for mode in _MODES}


def _checked_trial(name: str, trial: Mapping[str, Any]) -> dict[str, Any]:
    found = {"outside_bytes": 0, "materialised": False} | {**trial}
    wrong = {"mode", "sizes", "bytes"} - {*found}
    wrong |= {*found} - {"mode", "sizes", "bytes", "outside_bytes", "materialised", "name"}
    if wrong:
        raise ValueError(
            f"{name}: missing or unknown: {', '.join(sorted(wrong))}; "
            "give mode, sizes, bytes, and perhaps outside_bytes, materialised, name"
        )
    if found["mode"] not in _MODES:
        raise ValueError(f"{name}: mode is {found['mode']!r}; give one of {', '.join(_MODES)}")
    for key in ("bytes", "outside_bytes"):
        if not _is_whole(found[key]) or not 0 <= found[key] < _MOST:
            raise ValueError(f"{name}: {key} is {found[key]!r}; give a whole number of bytes")
    sizes = _checked_sizes(f"{name}: sizes", found["sizes"])
    called = f"measured: {sizes['length']:,} × {sizes['d_model']:,}, {sizes['n_layers']} layers"
    return {"name": called} | found | {"sizes": sizes}


def _places(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Buttons that lead to what was measured: one for each choice of sizes."""
    places = []
    for trial in trials:
        where = {key: trial[key] for key in ("sizes", "materialised")}
        if not any(place["state"] | where == place["state"] for place in places):
            places.append(
                {"name": trial["name"], "state": where | {"mode": trial["mode"], "scale": "all"}}
            )
    return places


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _size(size: float) -> str:
    """Bytes for reading, three digits; mirrors `bytesText` of lib/bytes.js."""
    names = iter(("B", "kB", "MB", "GB", "TB", "PB"))
    name = next(names)
    while size >= 999.5 and name != "PB":
        size, name = size / 1000, next(names)
    return f"{size:.3g} {name}"


def _bars_svg(peaks: dict[str, dict[str, int]]) -> str:
    """Draw one bar a mode, its parts side by side, its size at its end; a line where 16 GB are."""
    colours = PALETTE["light"]
    left, width, step = 130, 460, 34
    largest = max(sum(parts.values()) for parts in peaks.values())
    shapes = []
    for row, (mode, parts) in enumerate(peaks.items()):
        x, y = float(left), 34 + step * row
        shapes.append(f'<text x="10" y="{y + 15}">{_MODES[mode][0]}</text>')
        for part, colour in _COLOURS.items():
            across = width * parts.get(part, 0) / largest
            shapes.append(
                f'<rect x="{x:.1f}" y="{y}" width="{across:.1f}" height="20" fill="{colours[colour]}"/>'
            )
            x += across
        total = _size(sum(parts.values()))
        shapes.append(f'<text x="{x + 8:.1f}" y="{y + 15}" font-weight="bold">{total}</text>')
    height = 40 + step * len(peaks)
    if largest >= _LIMIT:
        x = left + width * _LIMIT / largest
        shapes.append(
            f'<line x1="{x:.1f}" y1="10" x2="{x:.1f}" y2="{height - 8}" stroke="{colours["ink"]}" '
            f'stroke-dasharray="5 4"/><text x="{x + 5:.1f}" y="20">16 GB</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="{height}" '
        f'viewBox="0 0 700 {height}" font-family="sans-serif" font-size="14">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(shapes)}</svg>'
    )
