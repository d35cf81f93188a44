"""The resolver's mathematics: shapes, padding, and a trace that is what the model computes."""

import pytest
import torch

from companion.attention import join_heads
from companion.winograd import Resolver

TOKENS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0]])


def small(**options):
    torch.manual_seed(0)
    return Resolver(10, **{"d_model": 16, "n_heads": 4, "d_ff": 8} | options).eval()


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("word_values", [True, False])
def test_shapes(n_layers, word_values):
    model = small(n_layers=n_layers, word_values=word_values)
    assert model(TOKENS).shape == (2, 5, 10)
    trace = model.trace(TOKENS[0])
    assert trace.logits.shape == (5, 10)
    assert len(trace.layers) == n_layers
    for layer in trace.layers:
        assert layer.x.shape == layer.values_from.shape == (5, 16)
        assert layer.query.shape == layer.key.shape == layer.value.shape == (4, 5, 4)
        assert layer.weights.shape == (4, 5, 5)


def test_some_positions_are_answered_as_all_are():
    model = small()
    some, every = model(TOKENS, torch.tensor([[4, 0, 2], [1, 1, 0]])), model(TOKENS)
    torch.testing.assert_close(some, torch.stack([every[0, [4, 0, 2]], every[1, [1, 1, 0]]]))


def test_padding_changes_nothing():
    model = small()
    alone = model(TOKENS[1:, :3])
    torch.testing.assert_close(model(TOKENS)[1:, :3], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("word_values", [True, False])
def test_the_trace_is_what_forward_computes(word_values):
    model = small(word_values=word_values).train()
    trace = model.trace(TOKENS[0])
    torch.testing.assert_close(trace.logits, model.eval()(TOKENS[:1])[0])
    for layer, look in zip(trace.layers, model.looks, strict=True):
        scores = layer.query @ layer.key.transpose(1, 2) / 2  # sqrt(d_k) is 2
        torch.testing.assert_close(layer.weights, scores.softmax(dim=-1))
        query = join_heads(layer.query[None])[0]
        torch.testing.assert_close(query, layer.x @ look.attention.query.weight.T)
        value = join_heads(layer.value[None])[0]
        torch.testing.assert_close(value, layer.values_from @ look.attention.value.weight.T)
    raw = model.words(TOKENS[0])
    assert torch.equal(trace.layers[-1].values_from, raw) == word_values
    assert not torch.equal(trace.layers[0].values_from, raw)


def test_what_comes_later_is_seen():
    model, other = small(), TOKENS.clone()
    other[0, -1] = 7
    assert not torch.allclose(model(TOKENS)[0, 0], model(other)[0, 0])


def test_every_parameter_learns():
    model = small(n_layers=3)
    model(TOKENS).square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_layers": 0}, "n_layers is 0: it must be at least 1"),
        ({"d_ff": 0}, "d_ff is 0: it must be at least 1"),
        ({"max_words": 0}, "max_words is 0: it must be at least 1"),
        ({"n_heads": 3}, "d_model is 16 and n_heads is 3"),
        ({"dropout": 1.5}, "1.5"),
    ],
)
def test_sizes_that_do_not_do(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_tokens_that_do_not_do():
    model = small(max_words=5)
    with pytest.raises(ValueError, match="6 words: it must have at most 5"):
        model(torch.ones(1, 6, dtype=torch.long))
    with pytest.raises(ValueError, match=r"shape \(5,\)"):
        model(TOKENS[0])
    with pytest.raises(ValueError, match=r"shape \(2, 5\): it must be \(n,\)"):
        model.trace(TOKENS)
