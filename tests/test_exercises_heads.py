"""The exercise "heads": right answers pass, and each mistake is named."""

import math

import pytest
import torch

from companion.exercises import check


def split(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def view(x, heads):
    batch, n, _ = x.shape
    return x.reshape(batch, heads, n, -1)


def attend(q, k, v, scale=None):
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    return (q @ k.transpose(-2, -1) * scale).softmax(dim=-1) @ v


def join(x):
    return x.transpose(1, 2).flatten(start_dim=2)


def right(q, k, v, w, heads):
    return join(attend(*(split(x, heads) for x in (q, k, v)))) @ w


def in_a_loop(q, k, v, w, heads):
    size = q.shape[-1] // heads
    cuts = [slice(size * head, size * (head + 1)) for head in range(heads)]
    return torch.cat([attend(q[..., c], k[..., c], v[..., c]) for c in cuts], dim=-1) @ w


def by_torch(q, k, v, w, heads):
    pieces = (split(x, heads) for x in (q, k, v))
    return join(torch.nn.functional.scaled_dot_product_attention(*pieces)) @ w


@pytest.mark.parametrize("function", [right, in_a_loop, by_torch])
def test_a_right_answer_passes(capsys, function):
    check("heads", function)
    assert capsys.readouterr().out == "✓ heads: all 3 properties hold.\n"


def scaled(scale):
    return lambda q, k, v, w, heads: (
        join(attend(*(split(x, heads) for x in (q, k, v)), scale=scale(q, heads))) @ w
    )


WRONG = {
    "cut and joined": (
        lambda q, k, v, w, heads: attend(*(view(x, heads) for x in (q, k, v))).reshape(q.shape) @ w,
        "cut and joined without a transpose",
        "and back again",
    ),
    "cut": (
        lambda q, k, v, w, heads: join(attend(*(view(x, heads) for x in (q, k, v)))) @ w,
        "cut without a transpose",
        "all numbers of a few words",
    ),
    "joined": (
        lambda q, k, v, w, heads: (
            attend(*(split(x, heads) for x in (q, k, v))).reshape(q.shape) @ w
        ),
        "joined without a transpose",
        "before you flatten",
    ),
    "one head": (
        lambda q, k, v, w, _heads: attend(q, k, v) @ w,
        "formula of a single head",
        "cut queries",
    ),
    "root of d_model": (
        scaled(lambda q, _: q.shape[-1] ** -0.5),
        "divided by sqrt(d_model)",
        "d_model / heads",
    ),
    "no scale": (scaled(lambda *_: 1.0), "not scaled", "in every head"),
    "no W_O": (lambda q, k, v, w, h: right(q, k, v, torch.eye(len(w)), h), "W_O is missing", "end"),
    "W_O transposed": (
        lambda q, k, v, w, heads: right(q, k, v, w.T, heads),
        "W_O is transposed",
        "from the right",
    ),
    "heads averaged": (
        lambda q, k, v, _w, heads: attend(*(split(x, heads) for x in (q, k, v))).mean(dim=1),
        "returned shape (2, 5, 4), expected (2, 5, 12)",
        "side by side",
    ),
    "something else": (
        lambda q, k, v, w, heads: right(q, k, v, w, heads) + 1,
        "differs from the expected output by up to 1, on query (2, 5, 12), 3 heads",
        "one by one",
    ),
    "raises": (
        lambda q, k, v, w, heads: attend(view(q, heads), k, v) @ w,
        "raised RuntimeError",
        "Write the shape beside each line",
    ),
    "None": (lambda *_: None, "returned None", "End with `return`"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(capsys, function, found, hint):
    check("heads", function)
    line = capsys.readouterr().out
    assert line.startswith("✗ heads: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after


def test_the_mistakes_differ_from_the_answer_on_the_first_inputs():
    given = torch.randn(3, 2, 5, 12, generator=torch.Generator().manual_seed(0))
    matrix = torch.randn(12, 12, generator=torch.Generator().manual_seed(1)) / math.sqrt(12)
    expected = right(*given, matrix, 3)
    for name, (function, *_) in WRONG.items():
        if name in ("heads averaged", "raises", "None"):
            continue
        assert not torch.allclose(function(*given, matrix, 3), expected, atol=1e-3), name
