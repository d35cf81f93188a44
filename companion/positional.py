"""Positional encodings: how a model that sees a set of vectors is told their order.

The sinusoids are those of Vaswani et al. 2017, "Attention Is All You Need",
https://arxiv.org/abs/1706.03762, section 3.5. Position 0 is the first; `d_model` is the length of a
vector, and a *pair* is two of its entries that turn together.
"""

import torch
from torch import Tensor

from companion.checks import above_zero, at_least_one

LAYOUTS = ("paper", "tensor2tensor")
BASE = 10_000.0
_SHARPNESS = 7.0  # of a head that begins by looking one position back


def frequencies(d_model: int, *, base: float = BASE, layout: str = "paper") -> Tensor:
    """How far each pair turns from one position to the next, in radians.

    In the paper the wavelengths go from 2 pi to just below base * 2 pi; in tensor2tensor, the
    authors' own code, they reach it. With four entries and base 10,000 the second pair turns by .01
    in the one and by .0001 in the other.

    Args:
        d_model: Length of the vectors, even.
        base: The largest wavelength is base * 2 pi, or below.
        layout: One of `LAYOUTS`.

    Returns:
        (d_model / 2,), from 1 downward.

    Raises:
        ValueError: If d_model is not even and positive, base is not above 0, or layout is unknown.

    Source: Vaswani et al. 2017, section 3.5; `get_timing_signal_1d` of tensor2tensor.
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model is {d_model}: it must be even and at least 2")
    above_zero(base=base)
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}: it must be one of {', '.join(LAYOUTS)}")
    pairs = d_model // 2
    steps = pairs if layout == "paper" else max(1, pairs - 1)
    # In double precision: a large position times a rounded frequency is a wrong angle.
    exponents = torch.arange(pairs, dtype=torch.float64) / steps  # (pairs,)
    return base**-exponents


def sinusoidal(n: int, d_model: int, *, base: float = BASE, layout: str = "paper") -> Tensor:
    """The sinusoidal encoding of the first n positions.

    In the paper, entry 2i is the sine of pair i and entry 2i + 1 its cosine; in tensor2tensor all
    sines come first, then all cosines.

    Args:
        n: Number of positions, at least 1.
        d_model: Length of the vectors, even.
        base: As in `frequencies`.
        layout: One of `LAYOUTS`.

    Returns:
        (n, d_model).

    Raises:
        ValueError: If n is below 1, or as in `frequencies`.

    Source: Vaswani et al. 2017, section 3.5.
    """
    at_least_one(n=n)
    turns = frequencies(d_model, base=base, layout=layout)  # (pairs,)
    angles = torch.arange(n, dtype=torch.float64)[:, None] * turns  # (n, pairs)
    both = torch.stack([angles.sin(), angles.cos()], dim=-1)  # (n, pairs, 2)
    if layout == "tensor2tensor":
        both = both.transpose(1, 2)  # (n, 2, pairs)
    return both.flatten(start_dim=1).float()  # (n, d_model)


def shift(k: int, d_model: int, *, base: float = BASE) -> Tensor:
    """The rotation that leads from the encoding of any position to that of the kth after it.

    For every position p, `sinusoidal(...)[p + k]` is this matrix times `sinusoidal(...)[p]`: why the
    authors hoped that a model would easily learn to look a fixed distance back.

    Args:
        k: Distance in positions, negative for backward.
        d_model: Length of the vectors, even.
        base: As in `frequencies`.

    Returns:
        (d_model, d_model), orthogonal, for the layout of the paper.

    Raises:
        ValueError: As in `frequencies`.

    Source: Vaswani et al. 2017, section 3.5, "for any fixed offset k".
    """
    angles = k * frequencies(d_model, base=base)  # (pairs,)
    cos, sin = angles.cos(), angles.sin()
    rotations = torch.stack([cos, sin, -sin, cos], dim=-1).reshape(-1, 2, 2)  # (pairs, 2, 2)
    return torch.block_diag(*rotations).float()  # (d_model, d_model)


def rotary(x: Tensor, positions: Tensor | None = None, *, base: float = BASE) -> Tensor:
    """Turn each pair of entries of a query or a key by an angle that grows with its position.

    The dot product of a query and a key so turned depends on how far apart they are, and not on
    where they are.

    Args:
        x: (..., n, d_k), floating point, d_k even.
        positions: (n,), where each vector stands; by default 0 to n - 1.
        base: As in `frequencies`.

    Returns:
        (..., n, d_k), of the type of x.

    Raises:
        ValueError: If x is not floating point or has fewer than two axes, d_k is odd, or positions
            are not n.

    Source: Su et al. 2021, "RoFormer", https://arxiv.org/abs/2104.09864, section 3.2.2.
    """
    if x.dim() < 2 or not x.is_floating_point():
        raise ValueError(
            f"x has shape {tuple(x.shape)}, {x.dtype}: it must be (..., n, d_k) floats"
        )
    n, d_k = x.shape[-2:]
    positions = torch.arange(n) if positions is None else positions
    if positions.shape != (n,):
        raise ValueError(f"positions has shape {tuple(positions.shape)}: it must be ({n},)")
    angles = positions.double()[:, None] * frequencies(d_k, base=base)  # (n, pairs)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., n, pairs) each
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(start_dim=-2)  # (..., n, d_k)


def one_back(d_k: int) -> tuple[Tensor, Tensor]:
    """Make biases with which a head that turns queries and keys (`rotary`) looks one position back.

    Of all keys, a query so biased agrees best with the one before it, whatever the two say.

    Args:
        d_k: Length of a query, even.

    Returns:
        The biases of query and key, (d_k,) each.

    Raises:
        ValueError: If d_k is odd.
    """
    looks = torch.zeros(1, d_k)
    # Pairs that turn fast, so that one position more or less makes a difference.
    looks[0, : d_k // 4 : 2] = _SHARPNESS
    return looks[0], rotary(looks, torch.tensor([1]))[0]


def relative_positions(n_query: int, n_key: int, longest: int) -> Tensor:
    """Number the distance from each query to each key, clipped at the longest.

    These numbers pick the learned vectors or biases that relative encodings add.

    Args:
        n_query: Number of queries.
        n_key: Number of keys.
        longest: The distance from which on all count as one.

    Returns:
        (n_query, n_key), from 0 (longest or more back) over longest (here) to 2 * longest.

    Raises:
        ValueError: If a number of positions is below 1, or longest below 0.

    Source: Shaw et al. 2018, https://arxiv.org/abs/1803.02155, section 3.2.
    """
    for name, given, least in (
        ("n_query", n_query, 1),
        ("n_key", n_key, 1),
        ("longest", longest, 0),
    ):
        if given < least:
            raise ValueError(f"{name} is {given}: it must be at least {least}")
    distance = torch.arange(n_key)[None, :] - torch.arange(n_query)[:, None]  # (n_query, n_key)
    return distance.clamp(-longest, longest) + longest
