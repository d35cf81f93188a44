"""LSH attention on a circle or a sphere: hash, sort, cut, look back, and what that finds."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as t

from companion.widgets.arrays import Array, to_numpy
from companion.widgets.host import Widget
from companion.widgets.picture import PALETTE, xml_text

_FEWEST, _MOST = 4, 24  # tokens: more would be too small to drag
_MOST_ROUNDS, _MOST_BUCKETS = 4, 8
_LETTERS = "ABCDEFGH"
_HUES = ("query", "key", "value", "second", "accent", "first", "bad", "muted")


def _read(value: Any, _widget: object = None) -> Any:  # noqa: ANN401
    """Read an array as the browser writes it."""
    if not isinstance(value, dict):
        return value
    return np.frombuffer(value["data"], np.dtype(value["dtype"])).reshape(value["shape"])


class LSHBuckets(Widget):
    """Vectors that fall into buckets, and the sequence sorted and cut by them.

    Queries are keys too, as in the Reformer: the key is the query at length 1. The reader drags vectors,
    rolls new rotations, and sees which keys a query meets, and how much of full attention lies on them.
    Bucket 0 is shown as A. Explained in chapters/week4-reformer/lsh-attention.ipynb.

    The view writes back what the reader does: `vectors` and `rotations` (so that `companion.hashing` and
    `companion.lsh` can be run on them), and what it found: `seen`, one text of 0 and 1 for each query, and
    `recall`, the share of full attention on the keys seen, averaged over the queries.

    Args:
        vectors: (length, 2) or (length, 3), 4 to 24 of them: the queries.
        rotations: (rounds, 2 or 3, buckets / 2), up to 4 rounds and 8 buckets: the directions that hash, as
            `companion.hashing.random_rotations` draws them (its tuple of one tensor will do). Fewer rounds
            and buckets take the first of them.
        labels: a word for each vector; without them, numbers.
        n_buckets: 2, 4, 6 or 8; by default as many as the rotations have.
        rounds: hash rounds that are used.
        chunk: positions in a chunk, 2 to 8.
        causal: whether a token looks only at what comes before it.
        cut: "sorted" (equal chunks of the sorted sequence, as in the paper) or "bucket" (inside each bucket).
        look_back: whether a token looks at the chunk before its own, too.
        scale: what scores are multiplied by.
        **state: first values of the other synced traits (`stage`, 0 to 4; `shown`, the round that is shown;
            `picked`, the token that asks; `view`, how far a sphere is turned).

    Raises:
        ValueError: vectors, rotations or labels of another shape, with a NaN or an infinity, or a vector of
            length 0, which has no direction.
        TraitError: a setting out of range.
    """

    vectors = Array().tag(from_json=_read)
    rotations = Array().tag(from_json=_read)
    given = Array().tag(from_json=_read)  # the rotations of roll 0
    roll = t.Int(0, min=0).tag(sync=True)  # the seed of those in use
    labels = t.List(t.Unicode()).tag(sync=True)
    n_buckets = t.Int(4, min=2, max=_MOST_BUCKETS).tag(sync=True)
    rounds = t.Int(1, min=1, max=_MOST_ROUNDS).tag(sync=True)
    shown = t.Int(1, min=1, max=_MOST_ROUNDS).tag(sync=True)
    chunk = t.Int(4, min=2, max=8).tag(sync=True)
    look_back = t.Bool(default_value=True).tag(sync=True)
    causal = t.Bool(default_value=False).tag(sync=True)
    cut = t.Enum(["sorted", "bucket"], default_value="sorted").tag(sync=True)
    scale = t.Float(1.0, min=0.0, max=100.0).tag(sync=True)
    stage = t.Int(0, min=0, max=4).tag(sync=True)
    picked = t.Int(0, min=0).tag(sync=True)
    view = t.List(t.Float(), minlen=2, maxlen=2, default_value=[0.5, 0.35]).tag(sync=True)
    seen = t.List(t.Unicode()).tag(sync=True)
    recall = t.Float(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        vectors: Any,  # noqa: ANN401
        rotations: Any,  # noqa: ANN401
        *,
        labels: Sequence[str] | None = None,
        n_buckets: int | None = None,
        rounds: int = 1,
        chunk: int = 4,
        causal: bool = False,
        cut: str = "sorted",
        look_back: bool = True,
        scale: float = 1.0,
        **state: Any,  # noqa: ANN401
    ) -> None:
        vectors = _checked_vectors(vectors)
        rotations = _checked_rotations(rotations, vectors.shape[1])
        labels = [] if labels is None else [str(label) for label in labels]
        if labels and len(labels) != len(vectors):
            raise ValueError(
                f"labels: {len(labels)} were given for {len(vectors)} vectors; give one each"
            )
        super().__init__(
            vectors=vectors,
            rotations=rotations,
            given=rotations,
            labels=labels,
            n_buckets=2 * rotations.shape[2] if n_buckets is None else n_buckets,
            rounds=rounds,
            chunk=chunk,
            causal=causal,
            cut=cut,
            look_back=look_back,
            scale=scale,
            **state,
        )

    @property
    def buckets(self) -> np.ndarray:
        """The bucket of each vector in every round the rotations hold, (rounds, length)."""
        rotated = (
            self.vectors @ self.rotations[..., : self.n_buckets // 2]
        )  # (rounds, length, half)
        return np.concatenate([rotated, -rotated], axis=-1).argmax(axis=-1)

    @t.validate("vectors")
    def _of_their_shape(self, proposal: dict) -> np.ndarray:
        try:
            return _checked_vectors(proposal["value"])
        except ValueError as error:
            raise t.TraitError(str(error)) from error

    @t.validate("rotations", "given")
    def _for_these_vectors(self, proposal: dict) -> np.ndarray:
        dimensions = 2 if self.vectors is None else self.vectors.shape[1]
        try:
            return _checked_rotations(proposal["value"], dimensions)
        except ValueError as error:
            raise t.TraitError(str(error)) from error

    @t.validate("n_buckets")
    def _two_for_each_direction(self, proposal: dict) -> int:
        most = 2 * self.rotations.shape[2]
        if proposal["value"] % 2 or proposal["value"] > most:
            raise t.TraitError(
                f"n_buckets: {proposal['value']} was given; give an even number up to {most}, as the "
                "rotations have two buckets for each direction"
            )
        return proposal["value"]

    @t.validate("rounds", "shown", "chunk", "picked")
    def _inside(self, proposal: dict) -> int:
        name = proposal["trait"].name
        n_rounds, length = len(self.rotations), len(self.vectors)
        most = {"rounds": n_rounds, "shown": n_rounds, "chunk": length, "picked": length - 1}[name]
        if proposal["value"] > most:
            raise t.TraitError(f"{name}: {proposal['value']} was given; at most {most} fits")
        return proposal["value"]

    def describe(self) -> str:
        """Return, in a sentence, what falls into which bucket."""
        own = self.buckets[self.shown - 1]
        filled = [
            f"{_LETTERS[bucket]}: {', '.join(map(str, np.flatnonzero(own == bucket)))}"
            for bucket in sorted(set(own.tolist()))
        ]
        return (
            f"{len(own)} vectors in the buckets of hash round {self.shown}: {'; '.join(filled)}. "
            f"Sorted by bucket, they are cut into chunks of {self.chunk}."
        )

    def picture(self) -> str:
        """Return the vectors with their buckets, and the sorted sequence, as SVG."""
        own = self.buckets[self.shown - 1]
        names = self.labels or [str(i) for i in range(len(own))]
        return _buckets_svg(_project(self.vectors, self.view), own.tolist(), names)

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels the widget takes, (on a wide page, on a phone); mirrors the sizes in the CSS."""
        length, line = len(self.vectors), 118 if self.labels else 104
        chunks = math.ceil(length / self.chunk)

        def lines(width: int) -> int:
            if (width - 12 * (chunks - 1)) / length >= 34:
                return 1
            whole = max(1, (width + 16) // (40 * self.chunk + 12))
            return max(math.ceil(chunks / whole), math.ceil(length / ((width + 4) // 40)))

        return (1306 + line * lines(650), 2012 + line * lines(336))


def _checked_vectors(vectors: Any) -> np.ndarray:  # noqa: ANN401
    array = to_numpy(vectors)
    if array.ndim != 2 or array.shape[1] not in {2, 3} or not _FEWEST <= len(array) <= _MOST:
        raise ValueError(
            f"vectors: shape {array.shape} was given; give (length, 2) for a circle or (length, 3) for "
            f"a sphere, length {_FEWEST} to {_MOST}"
        )
    if not np.isfinite(array).all():
        raise ValueError("vectors: holds NaN or infinity, which have no place on a circle")
    empty = np.flatnonzero(np.linalg.norm(array, axis=1) < 1e-6)
    if len(empty):
        raise ValueError(f"vectors: number {empty[0]} has length 0; give one that points somewhere")
    return array


def _checked_rotations(rotations: Any, dimensions: int) -> np.ndarray:  # noqa: ANN401
    if isinstance(rotations, tuple) and len(rotations) == 1:
        rotations = rotations[0]
    array = to_numpy(rotations)
    most = (_MOST_ROUNDS, dimensions, _MOST_BUCKETS // 2)
    fits = array.ndim == 3 and array.shape[1] == dimensions
    if not fits or not all(
        1 <= size <= limit for size, limit in zip(array.shape, most, strict=True)
    ):
        raise ValueError(
            f"rotations: shape {array.shape} was given; for vectors of length {dimensions} give "
            f"(rounds, {dimensions}, buckets / 2), up to {most}"
        )
    if not np.isfinite(array).all():
        raise ValueError("rotations: holds NaN or infinity; a direction is made of numbers")
    return array


def _project(vectors: np.ndarray, view: Sequence[float]) -> np.ndarray:
    """Where vectors are seen on a circle or a turned sphere of radius 1, (length, 2), y upwards."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    if unit.shape[1] == 2:
        return unit
    (c, s), (cos, sin) = ((np.cos(angle), np.sin(angle)) for angle in view)
    return unit @ np.array([[c, 0, s], [s * sin, cos, -c * sin]]).T


def _buckets_svg(places: np.ndarray, buckets: list[int], names: list[str]) -> str:
    """Draw dots on a circle, and below it boxes in the order of the buckets."""
    colours = [PALETTE["light"][hue] for hue in _HUES]
    width = 40 * len(buckets) + 20
    middle = width / 2
    dots = "".join(
        f'<circle cx="{middle + 120 * x:.1f}" cy="{150 - 120 * y:.1f}" r="13" fill="{colours[bucket]}"/>'
        f'<text x="{middle + 120 * x:.1f}" y="{154 - 120 * y:.1f}" fill="white">{i}{_LETTERS[bucket]}</text>'
        for i, ((x, y), bucket) in enumerate(zip(places, buckets, strict=True))
    )
    order = sorted(range(len(buckets)), key=lambda i: (buckets[i], i))
    boxes = "".join(
        f'<rect x="{10 + 40 * rank}" y="310" width="36" height="46" rx="6" fill="{colours[buckets[i]]}"/>'
        f'<text x="{28 + 40 * rank}" y="330" fill="white">{xml_text(names[i])}</text>'
        f'<text x="{28 + 40 * rank}" y="348" fill="white">{_LETTERS[buckets[i]]}</text>'
        for rank, i in enumerate(order)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="370" viewBox="0 0 {width} 370" '
        'font-family="sans-serif" font-size="12" text-anchor="middle">'
        f'<rect width="100%" height="100%" fill="white"/><circle cx="{middle}" cy="150" r="120" fill="none" '
        f'stroke="{PALETTE["light"]["masked"]}"/>{dots}{boxes}</svg>'
    )
