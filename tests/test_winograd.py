"""The resolver's mathematics: shapes, masks, padding, and a trace that is what the model computes."""

import itertools

import pytest
import torch

from companion.attention import join_heads
from companion.winograd import Resolver

TOKENS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0]])
NAMES = ("word_values", "residual", "causal")
OPTIONS = [
    dict(zip(NAMES, chosen, strict=True)) for chosen in itertools.product([True, False], repeat=3)
]

every_kind = pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda options: " ".join(n for n, yes in options.items() if yes) or "-"
)


def small(**options):
    torch.manual_seed(0)
    return Resolver(10, **{"d_model": 16, "n_heads": 4, "d_ff": 8} | options).eval()


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@every_kind
def test_shapes(n_layers, options):
    model = small(n_layers=n_layers, **options)
    assert model(TOKENS).shape == (2, 5, 10)
    assert len(model.feed_forwards) == n_layers - (not options["residual"])
    trace = model.trace(TOKENS[0])
    assert trace.logits.shape == (5, 10)
    assert len(trace.layers) == n_layers
    for layer in trace.layers:
        assert layer.x.shape == layer.values_from.shape == (5, 16)
        assert layer.query.shape == layer.key.shape == layer.value.shape == (4, 5, 4)
        assert layer.weights.shape == (4, 5, 5)


@pytest.mark.parametrize("n_layers", [1, 3])
@every_kind
def test_some_positions_are_answered_as_all_are(n_layers, options):
    model = small(n_layers=n_layers, **options)
    some, every = model(TOKENS, torch.tensor([[4, 0, 2], [1, 1, 0]])), model(TOKENS)
    expected = torch.stack([every[0, [4, 0, 2]], every[1, [1, 1, 0]]])
    torch.testing.assert_close(some, expected, atol=1e-5, rtol=0)


@every_kind
def test_padding_changes_nothing(options):
    model = small(**options)
    logits, weights = model.logits_and_weights(TOKENS)
    alone, weights_alone = model.logits_and_weights(TOKENS[1:, :3])
    torch.testing.assert_close(logits[1:, :3], alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(weights[1:, ..., :3, :3], weights_alone, atol=1e-6, rtol=0)
    assert not weights[1, ..., 3:].any()


def test_another_word_may_be_padding():
    model = small(pad=7)
    padded = TOKENS[1:].where(TOKENS[1:] > 0, 7)
    torch.testing.assert_close(model(padded)[:, :3], model(TOKENS[1:, :3]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_layers", [1, 3])
@every_kind
def test_the_trace_is_what_forward_computes(n_layers, options):
    model = small(n_layers=n_layers, dropout=0.5, **options).train()
    trace = model.trace(TOKENS[0])
    assert model.training
    model.eval()
    torch.testing.assert_close(trace.logits, model(TOKENS[:1])[0])
    hidden = ~torch.ones(5, 5).tril().bool() if options["causal"] else torch.zeros(5, 5).bool()
    for layer, look in zip(trace.layers, model.looks, strict=True):
        scores = layer.query @ layer.key.transpose(1, 2) / 2  # sqrt(d_k) is 2
        scores = scores.masked_fill(hidden, float("-inf"))
        torch.testing.assert_close(layer.weights, scores.softmax(dim=-1))
        query = join_heads(layer.query[None])[0]
        torch.testing.assert_close(query, layer.x @ look.attention.query.weight.T)
        value = join_heads(layer.value[None])[0]
        torch.testing.assert_close(value, layer.values_from @ look.attention.value.weight.T)
    raw = model.words(TOKENS[0])
    assert torch.equal(trace.layers[-1].values_from, raw) == options["word_values"]
    if n_layers > 1:
        assert torch.equal(trace.layers[0].values_from, trace.layers[0].x)


@pytest.mark.parametrize("n_layers", [1, 3])
@every_kind
def test_logits_and_weights_are_those_of_forward_and_of_the_trace(n_layers, options):
    model = small(n_layers=n_layers, **options)
    logits, weights = model.logits_and_weights(TOKENS)
    assert weights.shape == (2, n_layers, 4, 5, 5)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, n_layers, 4, 5))
    torch.testing.assert_close(logits, model(TOKENS))
    trace = model.trace(TOKENS[0])
    torch.testing.assert_close(logits[0], trace.logits)
    traced = torch.stack([layer.weights for layer in trace.layers])  # (layers, heads, n, n)
    torch.testing.assert_close(weights[0], traced)


@every_kind
def test_dropout_is_of_training_alone(options):
    model = small(dropout=0.5, **options)
    assert torch.equal(model(TOKENS), small(**options)(TOKENS))
    model.train()
    assert not torch.equal(model(TOKENS), model(TOKENS))


# What comes later.


@pytest.mark.parametrize("at", range(4))
@every_kind
def test_what_comes_later_is_seen_unless_the_model_is_causal(at, options):
    model = small(n_layers=3, **options)
    other = TOKENS[:1].clone()
    other[0, at + 1 :] = torch.tensor([7, 8, 6, 2])[at:]
    one, changed = model(TOKENS[:1])[0], model(other)[0]
    before = slice(at + 1)
    assert torch.equal(one[before], changed[before]) == options["causal"]
    assert not torch.equal(one[at + 1], changed[at + 1])
    _, weights = model.logits_and_weights(TOKENS[:1])
    _, moved = model.logits_and_weights(other)
    assert torch.equal(weights[..., before, :], moved[..., before, :]) == options["causal"]


def test_a_causal_model_gives_later_words_no_weight():
    _, weights = small(n_layers=3, causal=True).logits_and_weights(TOKENS)
    assert torch.equal(weights, weights.tril())


# Without `residual`, what the last layer saw is all there is.


def test_without_residual_nothing_goes_around_the_last_layer():
    for residual in (True, False):
        model = small(residual=residual)
        with torch.no_grad():
            model.looks[-1].attention.output.weight.zero_()
        logits = model(TOKENS)
        assert torch.equal(logits, torch.zeros_like(logits)) != residual


@pytest.mark.parametrize("residual", [True, False])
def test_a_head_may_begin_by_handing_on_what_it_looks_at(residual):
    model = small(residual=residual)
    for look in model.looks:
        for layer in (look.attention.value, look.attention.output):
            assert torch.equal(layer.weight, torch.eye(16)) != residual


# Training.


@pytest.mark.parametrize("n_layers", [2, 3])
@every_kind
def test_every_parameter_learns(n_layers, options):
    model = small(n_layers=n_layers, **options)
    model(TOKENS).square().mean().backward()
    assert {n for n, p in model.named_parameters() if not p.grad.abs().sum() > 0} == set()


@every_kind
def test_every_parameter_learns_from_some_positions(options):
    model = small(**options)
    # The last two words of the first sentence, so that the last position has a part in it.
    model(TOKENS[:1], torch.tensor([[3, 4]])).square().mean().backward()
    assert {n for n, p in model.named_parameters() if not p.grad.abs().sum() > 0} == set()


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_layers": 0}, "n_layers is 0: it must be at least 1"),
        ({"d_ff": 0}, "d_ff is 0: it must be at least 1"),
        ({"max_words": 0}, "max_words is 0: it must be at least 1"),
        ({"n_heads": 3}, "d_model is 16 and n_heads is 3"),
        ({"n_heads": 0}, "n_heads is 0: it must be at least 1"),
        ({"dropout": 1.5}, "dropout .* 1.5"),
    ],
)
def test_sizes_that_do_not_do(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_a_vocabulary_has_words():
    with pytest.raises(ValueError, match="vocabulary_size is 0: it must be at least 1"):
        Resolver(0)


@pytest.mark.parametrize("ask", ["forward", "logits_and_weights", "trace"])
@pytest.mark.parametrize("causal", [True, False])
def test_tokens_that_do_not_do(ask, causal):
    model = small(max_words=5, causal=causal)
    shape, wrong = ((6,), TOKENS) if ask == "trace" else ((1, 6), TOKENS[0])
    with pytest.raises(ValueError, match="6 words: it must have at most 5"):
        getattr(model, ask)(torch.ones(shape, dtype=torch.long))
    needed = r"shape \(2, 5\): it must be \(n,\)" if ask == "trace" else r"shape \(5,\)"
    with pytest.raises(ValueError, match=needed):
        getattr(model, ask)(wrong)
