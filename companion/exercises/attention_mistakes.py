"""Common mistakes in the exercise "attention", each with the result it gives and a hint."""

import math
from collections.abc import Callable

from torch import Tensor

from companion.attention import attention_scores, attention_weights, causal_mask
from companion.attention import scaled_dot_product_attention as reference
from companion.exercises.trial import Mistake


def _scaled_by(factor: Callable[[Tensor, Tensor, Tensor], float]) -> Callable[..., Tensor]:
    """Attention whose scores are Q K^T times a factor of their own."""

    def result(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        wrong_by = factor(query, key, value) * math.sqrt(query.shape[-1])
        return reference(query * wrong_by, key, value)[0]

    return result


def _weights(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    return attention_weights(attention_scores(query, key), mask)


MISTAKES = (
    Mistake(
        _scaled_by(lambda _q, _k, _v: 1.0),
        "the scores are not scaled.",
        "A sum of d_k products grows with d_k: divide the scores by what its size grows with "
        "before the softmax.",
    ),
    Mistake(
        _scaled_by(lambda q, _k, _v: 1 / q.shape[-1]),
        "the scores are divided by d_k.",
        "That is too much: a sum of d_k random products has a standard deviation of sqrt(d_k), "
        "not d_k.",
    ),
    Mistake(
        _scaled_by(lambda q, _k, _v: math.sqrt(q.shape[-1])),
        "the scores are multiplied by sqrt(d_k).",
        "The scale is there to make the scores smaller, so it goes below the fraction bar.",
    ),
    Mistake(
        _scaled_by(lambda _q, _k, v: 1 / math.sqrt(v.shape[-1])),
        "the scores are scaled with d_v, the length of a value.",
        "A score is a sum over the entries of a query and a key: their length is what counts.",
    ),
    Mistake(
        _scaled_by(lambda _q, k, _v: 1 / math.sqrt(k.shape[-2])),
        "the scores are scaled with the number of tokens.",
        "A score is a sum over the entries of one query and one key: take the length of the "
        "vectors, the last axis, not that of the sequence.",
    ),
    Mistake(
        lambda q, k, v: _weights(q * math.sqrt(q.shape[-1]), k) @ v / math.sqrt(q.shape[-1]),
        "the scale comes after the softmax.",
        "The scale belongs to the scores; applied to the weights, it leaves rows that do not sum "
        "to 1.",
    ),
    Mistake(
        lambda q, k, v: attention_scores(q, k).softmax(dim=-2) @ v,
        "the softmax runs over the queries.",
        "Each query shares out its attention among the keys, so the weights must sum to 1 over "
        "the keys: that is the last axis, with or without a batch in front.",
    ),
    Mistake(
        lambda q, k, v: attention_scores(q, k) @ v,
        "there is no softmax.",
        "Scores can be negative and sum to anything; make weights of them before you average.",
    ),
    Mistake(
        lambda q, k, _v: _weights(q, k),
        "the values are missing: these are the weights.",
        "The weights say how much to take of each value; the average of the values is still to do.",
    ),
    Mistake(
        lambda q, k, v: reference(k, q, v)[0],
        "queries and keys have changed places.",
        "The scores need a row for each query and a column for each key: yours are transposed.",
    ),
    Mistake(
        lambda q, k, v: _weights(q, k).transpose(-2, -1) @ v,
        "the weights are transposed.",
        "The row of a query holds its weights for all keys, and meets the column of values.",
    ),
    Mistake(
        lambda q, k, v: reference(q, k, v, causal_mask(q.shape[-2]))[0],
        "a causal mask is applied, although no mask is given.",
        "Hide only what the argument `mask` hides, and nothing when it is None.",
    ),
)

MASK_MISTAKES = (
    Mistake(
        lambda q, k, v, mask: reference(q, k, v, ~mask)[0],
        "the mask is applied the wrong way round.",
        "Here True means that a query may look; your function hides exactly those keys.",
    ),
    Mistake(
        lambda q, k, v, _mask: reference(q, k, v)[0],
        "the mask changes nothing.",
        "Your function gives the same output with the mask as without. Is the masked tensor the "
        "one that you go on with?",
    ),
    Mistake(
        lambda q, k, v, mask: (_weights(q, k) * mask) @ v,
        "the mask comes after the softmax.",
        "The hidden keys have had their share of the sum by then, so the rest no longer sums to "
        "1: hide them before the softmax.",
    ),
    Mistake(
        lambda q, k, v, mask: (attention_scores(q, k) * mask).softmax(dim=-1) @ v,
        "the hidden scores are set to 0.",
        "A score of 0 still gets a weight, as exp(0) is 1: which score gets the weight 0?",
    ),
    Mistake(
        lambda q, k, v, mask: (attention_scores(q, k) + mask.float()).softmax(dim=-1) @ v,
        "the mask is added to the scores as 0 and 1.",
        "That makes hidden keys only a little less likely; they must get the weight 0.",
    ),
    Mistake(
        lambda q, k, v, mask: reference(q, k, v, mask.transpose(-2, -1))[0],
        "the mask is transposed.",
        "The mask has a row for each query and a column for each key, as the scores have.",
    ),
)
