"""What the attentions of a model computed, as they computed it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from companion.attention import MultiHeadAttention, attention_scores, attention_weights, causal_mask
from companion.looks import keep_looks
from companion.transformer import Transformer
from companion.winograd import Resolver

N, MEMORY, D_MODEL, HEADS = 4, 5, 8, 2


def transformer():
    torch.manual_seed(0)
    return Transformer(D_MODEL, HEADS, 2, 8)


@given(seed=st.integers(0, 2**30), batch=st.integers(1, 3))
def test_an_encoder_decoder_s_looks_are_those_of_its_formula(seed, batch):
    torch.manual_seed(seed)
    source, target = torch.randn(batch, MEMORY, D_MODEL), torch.randn(batch, N, D_MODEL)
    model = transformer()
    with keep_looks(model) as looks:
        kept = model(source, target)
    assert torch.equal(kept, model(source, target))
    assert list(looks) == [
        *(f"encoder_layers.{i}.attention" for i in range(2)),
        *(
            f"decoder_layers.{i}.{kind}"
            for i in range(2)
            for kind in ("attention", "cross_attention")
        ),
    ]
    for name, look in looks.items():
        n_q, n_k = (
            (MEMORY if "encoder" in name else N),
            (N if name.endswith(".attention") else MEMORY),
        )
        if "encoder" in name:
            n_k = MEMORY
        assert look.query.shape == (batch, HEADS, n_q, D_MODEL // HEADS)
        assert look.key.shape == (batch, HEADS, n_k, D_MODEL // HEADS)
        causal = name.startswith("decoder") and "cross" not in name
        scores = attention_scores(look.query, look.key)
        expected = attention_weights(scores, causal_mask(N) if causal else None)
        torch.testing.assert_close(look.weights, expected)


def test_a_resolver_s_looks_are_those_of_its_trace():
    torch.manual_seed(0)
    model, tokens = Resolver(20).eval(), torch.arange(1, 9)
    with torch.no_grad(), keep_looks(model) as looks:
        model(tokens[None])
    for look, layer in zip(looks.values(), model.trace(tokens).layers, strict=True):
        for name in ("query", "key", "weights"):
            torch.testing.assert_close(getattr(look, name)[0], getattr(layer, name))


def test_memory_and_mask_may_be_given_by_name():
    torch.manual_seed(0)
    attention = MultiHeadAttention(D_MODEL, HEADS)
    x, memory = torch.randn(1, N, D_MODEL), torch.randn(1, N, D_MODEL)
    with keep_looks(nn.Sequential(attention)) as looks:
        _, weights = attention(x, memory=memory, mask=causal_mask(N))
    assert torch.equal(looks["0"].weights, weights)
    assert torch.equal(looks["0"].key, attention.project(x, memory)[1])


def test_the_last_call_counts_and_nothing_is_kept_afterwards():
    model = transformer()
    with keep_looks(model) as looks:
        for n in (2, 3):
            model.encode(torch.randn(1, n, D_MODEL))
    assert {look.weights.shape[-1] for look in looks.values()} == {3}
    model.encode(torch.randn(1, 4, D_MODEL))
    assert {look.weights.shape[-1] for look in looks.values()} == {3}


def test_gradients_pass_as_ever_and_none_is_kept():
    model = transformer()
    source = torch.randn(1, N, D_MODEL, requires_grad=True)
    with keep_looks(model) as looks:
        model.encode(source).sum().backward()
    assert source.grad is not None
    assert not any(look.weights.requires_grad or look.key.requires_grad for look in looks.values())


def test_hooks_are_taken_away_even_after_an_error():
    model = transformer()
    with pytest.raises(RuntimeError, match="mid-way"), keep_looks(model) as looks:
        raise RuntimeError("mid-way")
    model.encode(torch.randn(1, N, D_MODEL))
    assert looks == {}


def test_a_model_without_attention_is_refused():
    with (
        pytest.raises(ValueError, match="model is a Linear without a companion"),
        keep_looks(nn.Linear(2, 2)),
    ):
        pass
