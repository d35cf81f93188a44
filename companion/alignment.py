"""How well a query matches a key: three ways to score it, and the look-up that follows.

In shapes, `n_q` is the number of queries, `n_k` that of keys (and values), `d_query`, `d_key` and `d_v`
are the lengths of their vectors, and `...` is any number of axes in front, which broadcast. In a
translator the query is the decoder's state s_{i-1}, and keys and values are the encoder's states h_j.

Every way does its work in two steps. `prepare` does once what concerns the keys alone; `compare` does
what is left for each query. Masks are boolean, True where a query may look, as in `companion.attention`.
"""

import math

import torch
from torch import Tensor, nn

from companion.attention import attention_weights
from companion.checks import at_least_one

KINDS = ("additive", "multiplicative", "dot")


class Score(nn.Module):
    """What the three have in common.

    Args:
        d_query: length of a query.
        d_key: length of a key.

    Raises:
        ValueError: If a size is not positive.
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__()
        at_least_one(d_query=d_query, d_key=d_key)
        self.d_query, self.d_key = d_query, d_key

    def prepare(self, key: Tensor) -> Tensor:
        """Do once what concerns the keys alone, (..., n_k, d_key)."""
        return key

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Score queries, (..., n_q, d_query), against prepared keys: (..., n_q, n_k)."""
        return query @ prepared.transpose(-2, -1)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Score every query against every key.

        Args:
            query: (..., n_q, d_query).
            key: (..., n_k, d_key).

        Returns:
            The scores, (..., n_q, n_k).

        Raises:
            ValueError: If query or key has fewer than two axes, or a last axis of another length.
        """
        for name, x, d in (("query", query, self.d_query), ("key", key, self.d_key)):
            if x.dim() < 2 or x.shape[-1] != d:
                raise ValueError(f"{name} has shape {tuple(x.shape)}: it must be (..., n, {d})")
        return self.compare(query, self.prepare(key))


class AdditiveScore(Score):
    """e = v · tanh(W s + U h): a network with one hidden layer looks at both.

    Args:
        d_query: length of a query.
        d_key: length of a key.
        d_hidden: width of the hidden layer.

    Raises:
        ValueError: If a size is not positive.

    Source: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, appendix A.1.2; U h_j is computed once.
    """

    def __init__(self, d_query: int, d_key: int, d_hidden: int) -> None:
        super().__init__(d_query, d_key)
        at_least_one(d_hidden=d_hidden)
        self.of_query = nn.Linear(d_query, d_hidden, bias=False)  # W
        self.of_key = nn.Linear(d_key, d_hidden, bias=False)  # U
        self.judge = nn.Linear(d_hidden, 1, bias=False)  # v

    def prepare(self, key: Tensor) -> Tensor:
        """Return U h for every key, (..., n_k, d_hidden)."""
        return self.of_key(key)

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Score queries, (..., n_q, d_query), against prepared keys: (..., n_q, n_k)."""
        pairs = self.of_query(query).unsqueeze(-2) + prepared.unsqueeze(
            -3
        )  # (..., n_q, n_k, d_hidden)
        return self.judge(torch.tanh(pairs)).squeeze(-1)


class MultiplicativeScore(Score):
    """e = s · W h: the key is turned into the query's space, and then a dot product compares them.

    Args:
        d_query: length of a query.
        d_key: length of a key.

    Raises:
        ValueError: If a size is not positive.

    Source: Luong et al. 2015, https://arxiv.org/abs/1508.04025, section 3.1, "general".
    """

    def __init__(self, d_query: int, d_key: int) -> None:
        super().__init__(d_query, d_key)
        self.turn = nn.Linear(d_key, d_query, bias=False)  # W

    def prepare(self, key: Tensor) -> Tensor:
        """Return W h for every key, (..., n_k, d_query)."""
        return self.turn(key)


class DotScore(Score):
    """e = s · h, with nothing to learn: query and key must speak the same language.

    Args:
        d_query: length of a query.
        d_key: length of a key; the same.
        scaled: whether the product is divided by sqrt(d_key), as in `companion.attention`.

    Raises:
        ValueError: If a size is not positive, or they differ.

    Source: Luong et al. 2015, section 3.1, "dot"; scaled: Vaswani et al. 2017, section 3.2.1.
    """

    def __init__(self, d_query: int, d_key: int, *, scaled: bool = False) -> None:
        super().__init__(d_query, d_key)
        if d_query != d_key:
            raise ValueError(
                f"d_query is {d_query} and d_key is {d_key}: a dot product needs them to be the same"
            )
        self.scaled = scaled

    def prepare(self, key: Tensor) -> Tensor:
        """Return the keys, (..., n_k, d_key), divided by sqrt(d_key) if the score is scaled."""
        return key / math.sqrt(self.d_key) if self.scaled else key


def scorer(kind: str, d_query: int, d_key: int, d_hidden: int | None = None) -> Score:
    """Make a score of one of the `KINDS`; `d_hidden`, by default d_query, is for the additive one.

    Raises:
        ValueError: If kind is none of these, or for the sizes as the score itself says.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: it must be one of {', '.join(KINDS)}")
    if kind == "additive":
        return AdditiveScore(d_query, d_key, d_query if d_hidden is None else d_hidden)
    return (MultiplicativeScore if kind == "multiplicative" else DotScore)(d_query, d_key)


def soft_look_up(
    scores: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mix the values by how well their keys match: an expected value, c_i = Σ_j α_ij h_j.

    Args:
        scores: (..., n_q, n_k).
        value: (..., n_k, d_v).
        mask: boolean, broadcastable to scores, True where a query may look.

    Returns:
        The mixtures, (..., n_q, d_v), and the weights, (..., n_q, n_k), which sum to 1 over the keys.

    Raises:
        TypeError: If mask is not a boolean tensor.
        ValueError: If the shapes do not fit together.

    Source: Bahdanau et al. 2015, section 3.1, equations 5 and 6.
    """
    if scores.dim() < 2 or value.dim() < 2 or scores.shape[-1] != value.shape[-2]:
        raise ValueError(
            f"scores has shape {tuple(scores.shape)} and value {tuple(value.shape)}: they must be "
            "(..., n_q, n_k) and (..., n_k, d_v)"
        )
    weights = attention_weights(scores, mask)  # (..., n_q, n_k)
    return weights @ value, weights  # (..., n_q, d_v)
