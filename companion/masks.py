"""What may look where, beyond causal and padding; and what can arrive through several layers.

Masks are boolean, (n_q, n_k), and True means *may be looked at*, as in `companion.attention`, where
`causal_mask` and `padding_mask` are. Explained in
chapters/week2-transformers/three-kinds-of-attention.ipynb.
"""

import torch
from torch import Tensor

from companion.attention import causal_mask
from companion.checks import at_least_one


def prefix_mask(n: int, prefix: int) -> Tensor:
    """Let the first `prefix` positions look at one another, and all others at what comes before.

    The mask of a *prefix language model*: the prefix is given, what comes after it is written.

    Args:
        n: Number of positions.
        prefix: How many of them are given; 0 makes it the causal mask.

    Returns:
        Boolean, (n, n).

    Raises:
        ValueError: If n is not positive, or prefix not from 0 to n.

    Source: Raffel et al. 2020, https://arxiv.org/abs/1910.10683, section 3.2.1, figure 3, right.
    """
    if not 0 <= prefix <= n:
        raise ValueError(f"prefix is {prefix}: it must be from 0 to n, which is {n}")
    given = torch.arange(n) < prefix  # (n,)
    return causal_mask(n) | given  # (n, n): every row may look at the given columns


def window_mask(n: int, width: int) -> Tensor:
    """Let each position look at itself and at the width - 1 positions before it.

    Args:
        n: Number of positions.
        width: How many positions each may look at, itself included.

    Returns:
        Boolean, (n, n).

    Raises:
        ValueError: If n or width is not positive.

    Source: Beltagy et al. 2020, https://arxiv.org/abs/2004.05150, section 3.1, its causal half.
    """
    at_least_one(width=width)
    return causal_mask(n).triu(diagonal=1 - width)  # (n, n)


def receptive_field(mask: Tensor, layers: int = 1) -> Tensor:
    """Find what each position can have learned of, after several layers with the same mask.

    A layer takes to position i what it may look at, and the residual connection takes to it what it
    knew already. So the answer is the matrix mask or identity, multiplied with itself `layers`
    times, as boolean.

    Args:
        mask: Boolean, (n, n), True where a query (row) may look at a key (column).
        layers: Number of layers; with 0 each position knows of itself alone.

    Returns:
        Boolean, (n, n): True where something of the column's word can have reached the row's.

    Raises:
        TypeError: If mask is not a boolean tensor.
        ValueError: If mask is not square, or layers is negative.
    """
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        given = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"mask is {given}: it must be torch.bool, True where a query may look")
    if mask.dim() != 2 or mask.shape[0] != mask.shape[1]:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)}: it must be (n, n), as each layer looks at "
            "the positions that the layer before it wrote"
        )
    if layers < 0:
        raise ValueError(f"layers is {layers}: it must be at least 0")
    itself = torch.eye(len(mask), dtype=torch.bool, device=mask.device)  # (n, n)
    one_layer = (mask | itself).float()  # (n, n)
    reached = itself
    for _ in range(layers):
        reached = one_layer @ reached.float() > 0  # (n, n)
    return reached


def leaks(mask: Tensor, layers: int = 1) -> Tensor:
    """Find which positions can have learned of a later one.

    Args:
        mask: As for `receptive_field`.
        layers: Number of layers.

    Returns:
        Boolean, (n,).

    Raises:
        TypeError: If mask is not a boolean tensor.
        ValueError: As for `receptive_field`.
    """
    return receptive_field(mask, layers).triu(diagonal=1).any(dim=-1)  # (n,)
