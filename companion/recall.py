"""What attention in buckets finds: which keys a query meets, and how much attention they deserve.

Explained in chapters/week4-reformer/lsh-attention.ipynb.
"""

from torch import Tensor


def met(places: Tensor, *, look_back: bool = True) -> Tensor:
    """Tell which keys each query meets, in any hash round.

    Args:
        places: (rounds, length), the number of the chunk of each position, as
            `companion.lsh.cut_sorted` and `cut_buckets` give it.
        look_back: Whether a query meets the chunk before its own, too.

    Returns:
        Boolean, (length, length), True where a query (row) meets a key (column).
    """
    apart = places[:, :, None] - places[:, None, :]  # (rounds, length, length)
    same = apart == 0
    return (same | (apart == 1) if look_back else same).any(dim=0)


def recall(weights: Tensor, found: Tensor) -> Tensor:
    """The share of full attention that lies on keys that are met, averaged over queries.

    Args:
        weights: Of full attention, (..., length, length), each row summing to 1.
        found: Boolean, (..., length, length), from `met`.

    Returns:
        (...), from 0 to 1.
    """
    return (weights * found).sum(dim=-1).mean(dim=-1)
