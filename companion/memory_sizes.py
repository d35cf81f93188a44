"""The sizes of a model and of its texts, in bytes: what `companion/memory.py` reckons with."""

import math
from dataclasses import dataclass

from companion.checks import at_least_one
from companion.hashing import bucket_factors

ITEM_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Shape:
    """The sizes that memory depends on; bytes of the tensors that recur.

    Attributes:
        length: Positions of a text.
        d_model: Length of the vectors, even.
        n_layers: Number of layers, of two sublayers each.
        n_heads: Number of heads; it divides d_model.
        d_ff: Width of the feed-forward networks.
        batch: Number of texts.
        n_tokens: How many different tokens there are.
        dtype: A key of `ITEM_BYTES`.
        rounds: Number of hash rounds.
        chunk: Positions in a chunk of attention in buckets; in a shorter text, all of it.
        rows: Rows at a time in feed-forward network and loss, if they are chunked.

    Raises:
        TypeError: If a size is not a whole number.
        ValueError: If a size is not positive, d_model is odd, n_heads does not divide d_model, or
            dtype is unknown.
    """

    length: int
    d_model: int = 512
    n_layers: int = 12
    n_heads: int = 8
    d_ff: int = 2048
    batch: int = 1
    n_tokens: int = 256
    dtype: str = "float32"
    rounds: int = 1
    chunk: int = 64
    rows: int = 1024

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if name != "dtype":
                _check_size(name, size)
        if self.dtype not in ITEM_BYTES:
            raise ValueError(f"dtype is {self.dtype!r}: it must be one of {', '.join(ITEM_BYTES)}")
        if self.d_model % 2:
            raise ValueError(f"d_model is {self.d_model}: it must be even, for axial positions")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model is {self.d_model} and n_heads is {self.n_heads}: "
                "d_model must be a multiple of n_heads"
            )

    @property
    def item(self) -> int:
        """Bytes of a number."""
        return ITEM_BYTES[self.dtype]

    @property
    def exact(self) -> int:
        """Bytes of a number in sums that are kept in float32 or finer."""
        return max(4, self.item)

    @property
    def positions(self) -> int:
        """Positions of all texts."""
        return self.batch * self.length

    @property
    def stream(self) -> int:
        """Bytes of a vector of d_model for each position: the unit of the course notes."""
        return self.positions * self.d_model * self.item

    @property
    def weights(self) -> int:
        """Bytes of the attention weights of a layer, (batch, n_heads, length, length)."""
        return self.batch * self.n_heads * self.length**2 * self.item

    @property
    def parameters(self) -> dict[str, int]:
        """Bytes of the parameters of each part; of attention and feed-forward, in one layer."""
        d = self.d_model
        columns = math.isqrt(self.length - 1) + 1
        axes = columns + -(-self.length // columns)
        numbers = {
            "embedding": d * self.n_tokens + d * axes // 2,
            "attention": 2 * d + 3 * d * d,  # a layer norm; queries, values and output
            "feed-forward": 2 * d + 2 * d * self.d_ff + self.d_ff + d,
            "loss": 2 * d + d * self.n_tokens + self.n_tokens,
        }
        return {part: size * self.item for part, size in numbers.items()}

    @property
    def all_parameters(self) -> int:
        """Bytes of all parameters."""
        of = self.parameters
        layer = of["attention"] + of["feed-forward"]
        return of["embedding"] + self.n_layers * layer + of["loss"]

    @property
    def buckets(self) -> int:
        """Bytes of the buckets of a layer: int16 where that is enough, else int32."""
        n_buckets = math.prod(bucket_factors(2 * -(-self.length // self.chunk)))
        return self.positions * self.n_heads * self.rounds * (2 if n_buckets <= 2**15 else 4)


def _check_size(name: str, size: int) -> None:
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"{name} is {size!r}: it must be a whole number")
    at_least_one(**{name: size})
