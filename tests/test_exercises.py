"""`check` accepts every right way to write an exercise, and knows the common mistakes."""

# What a wrong answer leaves unused is often what is wrong with it.
# ruff: noqa: ARG001, ARG005

import math
import re
import warnings

import pytest
import torch
from torch.nn import functional

from companion.attention import causal_mask, scaled_dot_product_attention
from companion.exercises import EXERCISES, check


def said(capsys, name, function):
    """The one line that the check prints."""
    assert check(name, function) is None
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def swap(x):
    return x.transpose(-2, -1)


def logits(query, key, mask=None, *, scale=None, hidden=-math.inf):
    """Scores as a reader would write them, with one thing or another gone wrong."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ swap(key) * scale
    return scores if mask is None else scores.masked_fill(~mask, hidden)


def softmax(scores, dim=-1):
    return torch.softmax(scores, dim)


# Right ------------------------------------------------------------------------------------------


def right(query, key, value, mask=None):
    return softmax(logits(query, key, mask)) @ value


def right_with_large_negative(query, key, value, mask=None):
    return softmax(logits(query, key, mask, hidden=-1e9)) @ value


def right_with_einsum(query, key, value, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", query, key) / key.size(-1) ** 0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.tensor(-1e9))
    return torch.einsum("...qk,...kv->...qv", scores.softmax(-1), value)


def right_by_hand(query, key, value, mask=None):
    scores = (query / math.sqrt(query.shape[-1])) @ key.mT
    exp = torch.exp(scores - scores.amax(-1, keepdim=True))
    if mask is not None:
        exp = exp * mask
    return exp @ value / exp.sum(-1, keepdim=True)


def right_additive(query, key, value, mask=None):
    scores = logits(query, key)
    if mask is not None:
        scores = scores + torch.zeros(mask.shape).masked_fill(mask.logical_not(), -1e9)
    return functional.softmax(scores, dim=-1) @ value


def right_in_double(query, key, value, mask=None):
    return right(query.double(), key.double(), value.double(), mask).requires_grad_()


def right_of_torch(query, key, value, mask=None):
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


RIGHT = [
    right,
    right_with_large_negative,
    right_with_einsum,
    right_by_hand,
    right_additive,
    right_in_double,
    right_of_torch,
]


@pytest.mark.parametrize("function", RIGHT)
def test_right_attention(capsys, function):
    assert said(capsys, "attention", function) == "✓ attention: all 6 properties hold."


RIGHT_CAUSAL = {
    "reference": causal_mask,
    "tril": lambda n: torch.tril(torch.ones(n, n)).bool(),
    "triu": lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1),
    "arange": lambda n: torch.arange(n)[:, None] >= torch.arange(n),
    "loop": lambda n: torch.tensor([[j <= i for j in range(n)] for i in range(n)]),
}


@pytest.mark.parametrize("function", RIGHT_CAUSAL.values(), ids=RIGHT_CAUSAL)
def test_right_causal(capsys, function):
    assert said(capsys, "causal", function) == "✓ causal: all 5 properties hold."


# Wrong ------------------------------------------------------------------------------------------


def unscaled(factor):
    """Attention with another scale."""

    def attention(query, key, value, mask=None):
        return softmax(logits(query, key, mask, scale=factor(query, key, value))) @ value

    return attention


def wrong_mask(apply):
    """Right without a mask; with one, `apply(scores, mask, value)` makes the output."""

    def attention(query, key, value, mask=None):
        if mask is None:
            return right(query, key, value)
        return apply(logits(query, key), mask, value)

    return attention


def weak_additive(query, key, value, mask=None):
    scores = logits(query, key)
    if mask is not None:
        scores = scores - 15 * (~mask).float()
    return softmax(scores) @ value


def always_causal(query, key, value, mask=None):
    causal = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    mask = causal if mask is None else mask & causal
    return softmax(logits(query, key, mask)) @ value


def raises(query, key, value, mask=None):
    raise NotImplementedError


def not_transposed(query, key, value, mask=None):
    return softmax(query @ key) @ value


def mask_forgotten_in_signature(query, key, value):
    return right(query, key, value)


def axes_from_the_front(query, key, value, mask=None):
    return softmax(query @ key.transpose(0, 1) / 2) @ value


def softmax_axis_from_the_front(query, key, value, mask=None):
    return softmax(logits(query, key, mask), dim=1) @ value


def batch_needed(query, key, value, mask=None):
    return torch.bmm(softmax(torch.bmm(query, swap(key))), value)


def square_needed(query, key, value, mask=None):
    scores = logits(query, key, mask) + torch.zeros(query.shape[-2], query.shape[-2])
    return softmax(scores) @ value


def square_assumed(query, key, value, mask=None):
    n = query.shape[-2]
    return right(query, key[..., :n, :], value[..., :n, :], mask)


def mask_raises(query, key, value, mask=None):
    return right(query, key, value, None if mask is None else mask.float())


def nothing_returned(query, key, value, mask=None):
    right(query, key, value, mask)


def changes_query(query, key, value, mask=None):
    query /= math.sqrt(query.shape[-1])
    return softmax(logits(query, key, mask, scale=1.0)) @ value


def changes_mask(query, key, value, mask=None):
    if mask is None:
        return right(query, key, value)
    mask.logical_not_()
    return softmax(logits(query, key).masked_fill_(mask, -1e9)) @ value


def unscaled_and_inverted(query, key, value, mask=None):
    mask = None if mask is None else ~mask
    return softmax(logits(query, key, mask, scale=0.9)) @ value


def nan_with_mask(scores, mask, value):
    return softmax(scores / mask.float() * 0) @ value


def negative_weights(query, key, value, mask=None):
    weights = softmax(logits(query, key, mask))
    return (weights * 9 - 8 * weights.flip(-1)) @ value


def no_softmax_nor_scale(query, key, value, mask=None):
    return query @ swap(key) @ value


# What the line must say: of what is found, and of the hint.
WRONG = {
    "scale: none": (unscaled(lambda *_: 1), "not scaled", "grows with d_k"),
    "scale: d_k": (unscaled(lambda q, *_: 1 / q.shape[-1]), "divided by d_k", "too much"),
    "scale: multiplied": (
        unscaled(lambda q, *_: q.shape[-1] ** 0.5),
        "multiplied by sqrt(d_k)",
        "below the fraction bar",
    ),
    "scale: d_v": (unscaled(lambda *x: x[2].shape[-1] ** -0.5), "with d_v", "query and a key"),
    "scale: n": (
        unscaled(lambda _, k, __: k.shape[-2] ** -0.5),
        "number of tokens",
        "not that of the sequence",
    ),
    "scale: n in front": (
        unscaled(lambda q, *_: q.size(0) ** -0.5),
        "number of tokens",
        "not that of the sequence",
    ),
    "scale: after the softmax": (
        lambda q, k, v, mask=None: softmax(logits(q, k, mask, scale=1)) / 2 @ v,
        "scale comes after the softmax",
        "belongs to the scores",
    ),
    "softmax: queries": (
        lambda q, k, v, mask=None: softmax(logits(q, k, mask), dim=-2) @ v,
        "softmax runs over the queries",
        "sum to 1 over the keys",
    ),
    "softmax: axis 0": (
        lambda q, k, v, mask=None: softmax(logits(q, k, mask), dim=0) @ v,
        "softmax runs over the queries",
        "sum to 1 over the keys",
    ),
    "softmax: axis 1": (
        softmax_axis_from_the_front,
        "softmax runs over the queries",
        "with or without a batch in front",
    ),
    "softmax: none": (lambda q, k, v, mask=None: logits(q, k) @ v, "no softmax", "make weights"),
    "values: none": (
        lambda q, k, v, mask=None: softmax(logits(q, k, mask)),
        "values are missing",
        "still to do",
    ),
    "swapped": (
        lambda q, k, v, mask=None: softmax(logits(k, q, mask)) @ v,
        "changed places",
        "yours are transposed",
    ),
    "weights transposed": (
        lambda q, k, v, mask=None: swap(softmax(logits(q, k, mask))) @ v,
        "weights are transposed",
        "weights for all keys",
    ),
    "always causal": (always_causal, "causal mask is applied", "nothing when it is None"),
    "mask: inverted": (
        wrong_mask(lambda s, mask, v: softmax(s.masked_fill(mask, -math.inf)) @ v),
        "wrong way round",
        "hides exactly those",
    ),
    "mask: ignored": (
        wrong_mask(lambda s, _, v: softmax(s) @ v),
        "mask changes nothing",
        "the one that you go on with",
    ),
    "mask: after the softmax": (
        wrong_mask(lambda s, mask, v: softmax(s) * mask @ v),
        "mask comes after the softmax",
        "before the softmax",
    ),
    "mask: scores set to 0": (
        wrong_mask(lambda s, mask, v: softmax(s * mask) @ v),
        "hidden scores are set to 0",
        "still gets a weight",
    ),
    "mask: added": (
        wrong_mask(lambda s, mask, v: softmax(s + mask) @ v),
        "mask is added",
        "a little less likely",
    ),
    "mask: transposed": (
        wrong_mask(lambda s, mask, v: softmax(s.masked_fill(~mask.T, -1e9)) @ v),
        "mask is transposed",
        "a row for each query",
    ),
    "mask: too weak": (weak_additive, "when only a hidden key", "no weight at all"),
    "mask: raises": (mask_raises, "raised TypeError", "look at what you do with the mask"),
    "mask: not an argument": (
        mask_forgotten_in_signature,
        "mask (5, 5)",
        "Compare the arguments",
    ),
    "mask: nan": (wrong_mask(nan_with_mask), "holds NaN", "zero by zero"),
    "raises": (raises, "raised NotImplementedError, on query (5, 4), key (5, 4)", "Hint: Write"),
    "raises: shapes": (not_transposed, "raised RuntimeError: ", "a column for each key"),
    "raises: batch": (axes_from_the_front, "on query (2, 5, 4)", "exchange only the last two"),
    "raises: no batch": (batch_needed, "on query (5, 4)", "Count axes from the end"),
    "raises: not square": (square_needed, "on query (2, 4), key (6, 4)", "stands for that"),
    "square assumed": (square_assumed, "differs from the expected one by up to", "one by one"),
    "None": (nothing_returned, "returned None.", "End with `return`"),
    "numpy": (
        lambda q, k, v, mask=None: right(q, k, v, mask).numpy(),
        "returned numpy.ndarray, where a torch.Tensor",
        "Stay with torch",
    ),
    "list": (lambda q, k, v, mask=None: right(q, k, v, mask).tolist(), "returned list", "alone"),
    "tuple": (scaled_dot_product_attention, "returned tuple of 2", "one result alone"),
    "number": (lambda q, k, v, mask=None: 1.0, "returned float", "Stay with torch"),
    "shape": (
        lambda q, k, v, mask=None: swap(right(q, k, v, mask)),
        "returned shape (3, 5), expected (5, 3)",
        "a row is as long as a value",
    ),
    "changes query": (changes_query, "changes its input `query`", "in place"),
    "changes mask": (changes_mask, "changes its input `mask`", "in place"),
    "not a function": (torch.ones(5, 3), "got torch.Tensor, not a function", "parentheses"),
    # Several mistakes, or one that is not known: the property that fails.
    "general: sums": (no_softmax_nor_scale, "do not sum to 1", "Look at the softmax"),
    "general: hidden": (
        wrong_mask(lambda s, mask, v: softmax(s * 0.9 + mask * 0.1) @ v),
        "when only a hidden key",
        "no weight at all",
    ),
    "general: range": (negative_weights, "leaves the range of the values", "negative"),
    "general: difference": (unscaled_and_inverted, "differs from the expected", "one by one"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong_attention(capsys, function, found, hint):
    line = said(capsys, "attention", function)
    assert line.startswith("✗ attention: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in f"Hint: {after}"


def ones(n):
    return torch.ones(n, n, dtype=torch.bool)


def causal_loop(n):
    mask = ones(n)
    for i in range(n - 1):
        mask[i, i + 1] = False
    return mask


WRONG_CAUSAL = {
    "upper": (lambda n: ones(n).triu(), "itself and its future", "first position"),
    "future only": (lambda n: ones(n).triu(1), "future, and only that", "marked what is hidden"),
    "no diagonal": (lambda n: ones(n).tril(-1), "diagonal is missing", "may be looked at"),
    "all": (ones, "sees everything", "what comes after it"),
    "nothing": (lambda n: ~ones(n), "no position sees anything", "True means"),
    "one ahead": (lambda n: ones(n).tril(1), "sees the one after it", "has to predict"),
    "itself": (lambda n: torch.eye(n).bool(), "itself alone", "What comes before"),
    "additive": (
        lambda n: torch.full((n, n), -math.inf).triu(1),
        "returned torch.float32",
        "0 and -inf",
    ),
    "float": (lambda n: ones(n).tril().float(), "returned torch.float32", "not a number"),
    "int": (lambda n: ones(n).tril().int(), "returned torch.int32", "not a number"),
    "axes": (lambda n: causal_mask(n)[None], "returned shape (1, 5, 5), expected (5, 5)", "axis"),
    "fixed size": (lambda _: causal_mask(5), "returned shape (5, 5), expected (1, 1)", "on"),
    "unknown": (causal_loop, "position 0 sees position 2, but must not", "at nothing else"),
    "unknown, too little": (
        lambda n: ones(n).tril().triu(-1),
        "position 2 does not see position 0, but must",
        "all that comes before",
    ),
    "not for 1": (lambda n: causal_mask(n - 1 or -1), "returned shape (4, 4)", "no other axis"),
    "raises": (lambda n: causal_mask(n if n > 1 else 0), "raised ValueError", "any n above 0"),
    "None": (lambda n: None, "returned None.", "End with `return`"),
    "numpy": (lambda n: causal_mask(n).numpy(), "returned numpy.ndarray", "Stay with torch"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG_CAUSAL.values(), ids=WRONG_CAUSAL)
def test_wrong_causal(capsys, function, found, hint):
    line = said(capsys, "causal", function)
    assert line.startswith("✗ causal: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_a_warning_does_not_stand_in_front_of_the_line(capsys):
    def attention(*inputs):
        warnings.warn("an axis was guessed", stacklevel=1)
        return right(*inputs)

    assert said(capsys, "attention", attention).startswith("✓ attention: ")


def test_every_check_sees_the_same_inputs_and_leaves_the_random_state_alone(capsys):
    seen = []

    def attention(*inputs):
        seen.append(inputs[0])
        return right(*inputs)

    state = torch.get_rng_state()
    said(capsys, "attention", attention)
    n = len(seen)
    said(capsys, "attention", attention)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(*pair) for pair in zip(seen[:n], seen[n:], strict=True))


def test_unknown_exercise():
    names = ", ".join(sorted(EXERCISES))
    with pytest.raises(ValueError, match=f"name is 'atention': it must be one of {names}"):
        check("atention", right)


def votes(looks, candidates):
    weights = looks[..., candidates]
    return weights * (weights == weights.amax(-1, keepdim=True))


def shares(looks, candidates):
    kept = votes(looks, candidates)
    return kept.sum((0, 1)) / kept.sum()


WRONG_SHARES = {
    "not normalised": (lambda looks, c: votes(looks, c).sum((0, 1)), "not yet their shares"),
    "no winner": (
        lambda looks, c: looks[..., c].sum((0, 1)) / looks[..., c].sum(),
        "both candidates keep their weight",
    ),
    "a vote a head": (
        lambda looks, c: (
            looks[..., c].argmax(-1).flatten().bincount(minlength=2) / looks[..., 0].numel()
        ),
        "every head has one vote",
    ),
    "losers": (
        lambda looks, c: (
            (looks[..., c] - votes(looks, c)).sum((0, 1)) / (looks[..., c] - votes(looks, c)).sum()
        ),
        "the smaller weight of each head is kept",
    ),
    "shape": (lambda looks, c: looks[..., c], "expected \\(2,\\)"),
    "sum": (lambda *_: torch.tensor([0.1, 0.2]), "the shares sum to 0.300, not 1"),
    "anything": (lambda *_: torch.tensor([0.1, 0.9]), "gives \\[0.1"),
    "nothing": (lambda *_: None, "returned None"),
}


def test_right_shares(capsys):
    check("maximum attention", shares)
    assert capsys.readouterr().out == "✓ maximum attention: all 3 properties hold.\n"


@pytest.mark.parametrize(("function", "found"), WRONG_SHARES.values(), ids=WRONG_SHARES)
def test_wrong_shares(capsys, function, found):
    check("maximum attention", function)
    told = capsys.readouterr().out
    assert told.startswith("✗ maximum attention: ")
    assert re.search(found, told)
    assert "Hint: " in told
