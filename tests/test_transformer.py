"""`companion.transformer` against torch's own layers, forward and backward, with the same weights."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.attention import causal_mask, padding_mask
from companion.torch_names import renamed
from companion.transformer import (
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    LayerNorm,
    Residual,
    Transformer,
    layer_norm,
)

ATOL = 1e-5
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of torch's own stacks
properties = settings(deadline=None, max_examples=25, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def sizes(draw):
    """A batch, two lengths, and a width that its heads divide."""
    heads, d_k = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    return {
        "batch": draw(st.integers(1, 3)),
        "n": draw(st.integers(1, 6)),
        "n_memory": draw(st.integers(1, 7)),
        "d_model": heads * d_k,
        "n_heads": heads,
        "d_ff": draw(st.integers(1, 9)),
    }


def randn(*shape, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype, requires_grad=True)


def double(*shape, seed=0):
    return randn(*shape, seed=seed, dtype=torch.float64)


def shaken(theirs, seed):
    """Torch's module with random numbers for all parameters, gains and biases too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return theirs


def padding(batch, n, seed):
    """(batch, n), True where there is a token: the first always is one."""
    real = torch.rand(batch, n, generator=torch.Generator().manual_seed(seed)) < 0.6
    real[:, 0] = True
    return real


def close(one, other):
    torch.testing.assert_close(one, other, atol=ATOL, rtol=ATOL)


def agree(ours, theirs, run_ours, run_theirs, inputs, *, names=renamed):
    """Both give the same, and send the same gradients to the inputs and to every parameter.

    In double precision: of a single number, a norm leaves nothing but what was rounded off.
    """
    ours.double().load_state_dict(names(theirs.double().state_dict()))
    out, expected = run_ours(*inputs), run_theirs(*inputs)
    close(out, expected)
    direction = randn(*out.shape, seed=99, dtype=out.dtype).detach()
    gradients = torch.autograd.grad((out * direction).sum(), [*inputs, *ours.parameters()])
    wanted = torch.autograd.grad((expected * direction).sum(), [*inputs, *theirs.parameters()])
    n = len(inputs)
    for one, other in zip(gradients[:n], wanted[:n], strict=True):
        close(one, other)
    of_ours = dict(zip(dict(ours.named_parameters()), gradients[n:], strict=True))
    of_theirs = names(dict(zip(dict(theirs.named_parameters()), wanted[n:], strict=True)))
    assert of_ours.keys() == of_theirs.keys()
    for name, gradient in of_ours.items():
        close(gradient, of_theirs[name])


def torch_layer(kind, size, pre_norm, seed):
    return shaken(
        kind(
            size["d_model"],
            size["n_heads"],
            size["d_ff"],
            dropout=0.0,
            batch_first=True,
            norm_first=pre_norm,
        ),
        seed,
    )


def widths(size):
    return size["d_model"], size["n_heads"], size["d_ff"]


class TestAgainstTorch:
    @given(st.lists(st.integers(1, 5), min_size=1, max_size=3), seeds, st.floats(1e-6, 1))
    @properties
    def test_layer_norm(self, shape, seed, eps):
        theirs = shaken(nn.LayerNorm(shape[-1], eps=eps), seed)
        ours = LayerNorm(shape[-1], eps)
        agree(ours, theirs, ours, theirs, [double(*shape, seed=seed)], names=dict)

    @pytest.mark.parametrize("pre_norm", [True, False])
    @pytest.mark.parametrize("mask", ["none", "causal", "padding", "both"])
    @given(sizes(), seeds)
    @properties
    def test_encoder_layer(self, pre_norm, mask, size, seed):
        theirs = torch_layer(nn.TransformerEncoderLayer, size, pre_norm, seed)
        ours = EncoderLayer(*widths(size), pre_norm=pre_norm)
        batch, n = size["batch"], size["n"]
        causal = causal_mask(n) if mask in {"causal", "both"} else torch.ones(n, n).bool()
        real = padding(batch, n, seed) if mask in {"padding", "both"} else torch.ones(batch, n) > 0
        agree(
            ours,
            theirs,
            lambda x: ours(x, None if mask == "none" else causal & real[:, None, None, :]),
            # True hides in torch's layers.
            lambda x: theirs(x, src_mask=~causal, src_key_padding_mask=~real),
            [double(batch, n, size["d_model"], seed=seed)],
        )

    @pytest.mark.parametrize("pre_norm", [True, False])
    @given(sizes(), seeds)
    @properties
    def test_decoder_layer(self, pre_norm, size, seed):
        theirs = torch_layer(nn.TransformerDecoderLayer, size, pre_norm, seed)
        ours = DecoderLayer(*widths(size), pre_norm=pre_norm)
        batch, n, n_memory = size["batch"], size["n"], size["n_memory"]
        causal, real = causal_mask(n), padding(batch, n_memory, seed)
        agree(
            ours,
            theirs,
            lambda x, memory: ours(x, memory, causal, real[:, None, None, :]),
            lambda x, memory: theirs(x, memory, ~causal, memory_key_padding_mask=~real),
            [double(batch, m, size["d_model"], seed=seed + m) for m in (n, n_memory)],
        )

    @pytest.mark.parametrize("pre_norm", [True, False])
    @given(sizes(), st.integers(1, 3), seeds)
    @properties
    def test_transformer(self, pre_norm, size, n_layers, seed):
        theirs = shaken(
            nn.Transformer(
                size["d_model"],
                size["n_heads"],
                n_layers,
                n_layers,
                size["d_ff"],
                dropout=0.0,
                batch_first=True,
                norm_first=pre_norm,
            ),
            seed,
        )
        ours = Transformer(
            size["d_model"],
            size["n_heads"],
            n_layers,
            size["d_ff"],
            pre_norm=pre_norm,
            final_norm=True,
        )
        batch, n, n_memory = size["batch"], size["n"], size["n_memory"]
        causal, real = causal_mask(n), padding(batch, n_memory, seed)
        agree(
            ours,
            theirs,
            lambda source, target: ours(source, target, real[:, None, None, :]),
            lambda source, target: theirs(
                source,
                target,
                tgt_mask=~causal,
                src_key_padding_mask=~real,
                memory_key_padding_mask=~real,
            ),
            [double(batch, m, size["d_model"], seed=seed + m) for m in (n_memory, n)],
        )

    def test_single_precision(self):
        """At the size of a model that one would train."""
        torch.manual_seed(0)
        theirs = nn.Transformer(64, 4, 2, 2, 256, dropout=0.0, batch_first=True)
        ours = Transformer(64, 4, 2, 256, final_norm=True)
        ours.load_state_dict(renamed(theirs.state_dict()))
        source, target = randn(3, 11, 64), randn(3, 7, 64, seed=1)
        close(ours(source, target), theirs(source, target, tgt_mask=~causal_mask(7)))

    def test_the_base_model_has_torchs_parameters(self):
        """A slip in one of them would show in the other."""
        count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
        ours, theirs = Transformer(final_norm=True), nn.Transformer(batch_first=True)
        assert count(ours) == count(theirs)
        assert count(theirs) - count(Transformer()) == 2 * 2 * 512  # two final norms


class TestLayerNorm:
    @given(st.integers(2, 40), seeds)
    @properties
    def test_mean_0_and_standard_deviation_1(self, d_model, seed):
        x = 5 * randn(4, d_model, seed=seed).double() + 3
        out = layer_norm(x, torch.ones(d_model), torch.zeros(d_model), eps=0.0)
        close(out.mean(dim=-1), torch.zeros(4).double())
        close(out.std(dim=-1, correction=0), torch.ones(4).double())

    @given(seeds, st.floats(0.1, 100), st.floats(-100, 100))
    @properties
    def test_scale_and_shift_of_a_vector_do_not_matter(self, seed, scale, shift):
        x, one, zero = randn(8, seed=seed).double(), torch.ones(8), torch.zeros(8)
        close(layer_norm(scale * x + shift, one, zero, 0.0), layer_norm(x, one, zero, 0.0))

    def test_equal_numbers_become_the_bias(self):
        out = layer_norm(torch.full((3,), 7.0), torch.ones(3), torch.tensor([1.0, 2.0, 3.0]))
        assert out.tolist() == [1, 2, 3]


class TestFeedForward:
    def test_the_formula(self):
        network, x = FeedForward(3, 5), randn(2, 4, 3)
        w1, b1 = network.widen.weight, network.widen.bias
        w2, b2 = network.narrow.weight, network.narrow.bias
        close(network(x), torch.maximum(x @ w1.T + b1, torch.zeros(())) @ w2.T + b2)

    @given(seeds)
    @properties
    def test_positions_do_not_meet(self, seed):
        network, x = FeedForward(4, 6), randn(1, 5, 4, seed=seed)
        whole = network(x)
        for i in range(5):
            close(whole[:, i], network(x[:, i]))


class TestResidual:
    @pytest.mark.parametrize("pre_norm", [True, False])
    def test_where_the_norm_stands(self, pre_norm):
        around, x = Residual(4, pre_norm=pre_norm), randn(2, 3, 4)
        norm = nn.functional.layer_norm
        expected = x + norm(x, (4,)).sin() if pre_norm else norm(x + x.sin(), (4,))
        close(around(x, torch.sin), expected)

    def test_dropout_hides_what_is_added_and_never_x(self):
        around, x = Residual(64, dropout=0.5), randn(1, 50, 64)
        added = around(x, torch.ones_like) - x
        assert {round(v, 3) for v in added.flatten().tolist()} == {0, 2}
        close(around.eval()(x, torch.ones_like), x + 1)


class TestTransformer:
    def model(self, **options):
        torch.manual_seed(0)
        return Transformer(8, 2, 2, 12, **options)

    @given(st.integers(1, 4), seeds)
    @properties
    def test_the_future_does_not_change_the_past(self, at, seed):
        model, source, target = self.model(), randn(1, 3, 8), randn(1, 5, 8, seed=seed).detach()
        other = target.clone()
        other[:, at:] = randn(1, 5 - at, 8, seed=seed + 1)
        one, two = model(source, target), model(source, other)
        assert torch.equal(one[:, :at], two[:, :at])
        assert not torch.allclose(one[:, at:], two[:, at:])

    def test_every_position_of_the_source_reaches_every_output(self):
        source, target = randn(1, 4, 8), randn(1, 3, 8)
        out = self.model()(source, target)
        for i in range(3):
            [gradient] = torch.autograd.grad(out[0, i, 0], source, retain_graph=True)
            assert (gradient.abs().sum(dim=-1) > 0).all()

    def test_what_is_padding_does_not_matter(self):
        model, tokens = self.model(), torch.tensor([[4, 7, 0, 0]])
        source, target = randn(1, 4, 8).detach(), randn(1, 3, 8)
        mask = padding_mask(tokens, 0)
        other = source.clone()
        other[:, 2:] = 5.0
        close(model(source, target, mask), model(other, target, mask))
        close(model(source, target, mask), model(source[:, :2], target))

    def test_padding_of_the_target(self):
        model, memory, target = self.model(), randn(1, 3, 8), randn(1, 4, 8).detach()
        real = torch.tensor([[[[True, False, True, True]]]])
        other = target.clone()
        other[:, 1] = 5.0
        one, two = (model.decode(t, memory, target_mask=real) for t in (target, other))
        close(one[:, 2:], two[:, 2:])

    @pytest.mark.parametrize(
        ("pre_norm", "final_norm", "ends"),
        [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
    )
    def test_the_stacks_end_in_a_norm_where_it_is_needed(self, pre_norm, final_norm, ends):
        model = self.model(pre_norm=pre_norm, final_norm=final_norm)
        for end in (model.encoder_norm, model.decoder_norm):
            assert isinstance(end, LayerNorm if ends else nn.Identity)

    def test_dropout_is_off_when_it_is_asked(self):
        model, source, target = self.model(dropout=0.5), randn(1, 3, 8), randn(1, 3, 8)
        assert not torch.equal(model(source, target), model(source, target))
        model.eval()
        assert torch.equal(model(source, target), model(source, target))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LayerNorm(0), "d_model is 0: it must be at least 1"),
        (lambda: FeedForward(4, 0), "d_ff is 0: it must be at least 1"),
        (lambda: Transformer(4, 2, 0, 8), "n_layers is 0: it must be at least 1"),
        (lambda: EncoderLayer(6, 4, 8), "d_model must be a multiple of n_heads"),
        (lambda: DecoderLayer(8, 2, -1), "d_ff is -1: it must be at least 1"),
        (lambda: Residual(-3), "d_model is -3: it must be at least 1"),
        (lambda: FeedForward(4, 4, dropout=1.5), "has to be between 0 and 1"),
    ],
)
def test_sizes_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
