"""What other reversible stacks get wrong, and whether ours does."""

from collections.abc import Callable, Iterator
from importlib import import_module

import torch
from attentions import CHUNK
from peers import WRONG, Finding, error, installed
from torch import Tensor, nn

from companion.reversible import ReversibleStack

LENGTH = 1024

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "local_attention_probs_dropout_prob": 0.0}


def gradients(model: nn.Module) -> Tensor:
    """All gradients of a model, in one vector, zeros where there are none."""
    found = (torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters())
    return torch.cat([g.flatten() for g in found])


def encoder(**options: object) -> nn.Module:
    """The stack of transformers with its default configuration, 6 layers, in training."""
    torch.manual_seed(0)
    peer = import_module("transformers.models.reformer.modeling_reformer")
    config = peer.ReformerConfig(num_buckets=LENGTH // CHUNK, **options)
    return peer.ReformerEncoder(config).train()


def transformers_dropout() -> Iterator[Finding]:
    """Inputs reconstructed and gradients, beside autograd's through the same layers."""
    kinds = {
        "default dropout (0.05)": ({}, 1.0),
        "default dropout, a tenth of the input": ({}, 0.1),
        "no dropout": (NO_DROPOUT, 1.0),
    }
    for kind, (options, size) in kinds.items():
        model = encoder(**options)
        x = (size * torch.randn(1, LENGTH, 256)).requires_grad_()
        gradient = torch.randn(1, LENGTH, 2 * x.shape[-1])
        reconstructed = []
        first = model.layers[0].backward_pass

        def backward_pass(
            first: Callable = first, reconstructed: list = reconstructed, **arguments: object
        ) -> object:
            result = first(**arguments)
            reconstructed.append(result)
            return result

        model.layers[0].backward_pass = backward_pass
        model.dropout = 0.0  # after the stack: no part of it
        model(x).hidden_states.backward(gradient)
        found, found_x = gradients(model), x.grad
        model.zero_grad()
        x.grad = None
        model.layer_norm(torch.cat(by_autograd(model, x), dim=-1)).backward(gradient)
        streams = reconstructed[0].attn_output, reconstructed[0].hidden_states
        off = max(error(stream, x) for stream in streams)
        text = (
            f"{kind}, 6 layers: reconstructed inputs off by {off:.2g}, gradients of the parameters "
            f"by {error(found, gradients(model)):.2g}, of the input by {error(found_x, x.grad):.2g}"
        )
        yield Finding("transformers", text, off > WRONG)


def by_autograd(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The layers once more, with the seeds that their last forward kept, and autograd's memory."""
    attention_stream = hidden = x
    for layer in model.layers:
        torch.manual_seed(layer.attention_seed)
        update = layer.attention(hidden_states=hidden).hidden_states
        attention_stream = attention_stream + update
        torch.manual_seed(layer.feed_forward_seed)
        hidden = hidden + layer.feed_forward(attention_stream)
    return attention_stream, hidden


def transformers_seed() -> Iterator[Finding]:
    """Whether `torch.manual_seed` governs a forward pass in training."""
    model = encoder()
    x = torch.randn(1, LENGTH, 256)
    outputs, drawn = [], []
    for _ in range(2):
        torch.manual_seed(1)
        outputs.append(model(x).hidden_states)
        drawn.append(torch.rand(1).item())
    off = error(*outputs)
    text = f"the same manual_seed twice: outputs differ by {off:.2g}, and what is drawn next too"
    yield Finding("transformers", text, off > WRONG and drawn[0] != drawn[1])


def transformers_num_hashes() -> Iterator[Finding]:
    """Whether backward works when num_hashes is given for a call."""
    x = torch.randn(1, LENGTH, 256, requires_grad=True)
    try:
        encoder()(x, num_hashes=2).hidden_states.sum().backward()
    except (RuntimeError, AssertionError, ValueError) as problem:
        text = f"num_hashes=2 in a call: backward fails: {type(problem).__name__}: {problem}"
        yield Finding("transformers", text.split("\n", maxsplit=1)[0][:160], wrong=True)
    else:
        yield Finding("transformers", "num_hashes=2 in a call: backward works", wrong=False)


def two_forwards(who: str, kind: str, model: nn.Module, width: int) -> Finding:
    """Two forwards and one backward, beside a backward after each: the same random numbers."""
    torch.manual_seed(0)
    one, two, gradient = torch.randn(3, 1, LENGTH, width)
    one.requires_grad_()
    two.requires_grad_()
    torch.manual_seed(1)
    for x in (one, two):
        (model(x) * gradient).sum().backward()
    right = gradients(model)
    model.zero_grad()
    torch.manual_seed(1)
    ((model(one) + model(two)) * gradient).sum().backward()
    off = error(gradients(model), right)
    return Finding(
        who, f"{kind}: two forwards, then a backward: gradients off by {off:.2g}", off > WRONG
    )


def sublayers(width: int) -> list[tuple[nn.Module, nn.Module]]:
    """Two pairs of linear layers with dropout."""
    torch.manual_seed(0)
    layer = lambda: nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(0.1))
    return [(layer(), layer()) for _ in range(2)]


class OneTensor(nn.Module):
    """Our stack, its streams side by side as in the peers'."""

    def __init__(self, stack: ReversibleStack) -> None:
        super().__init__()
        self.stack = stack

    def forward(self, x: Tensor) -> Tensor:
        """(1, length, 2 d) to the same."""
        return torch.cat(self.stack(*x.chunk(2, dim=-1)), dim=-1)


def lucidrains_reformer() -> nn.Module:
    """reformer-pytorch's Reformer, 2 layers, no dropout."""
    torch.manual_seed(0)
    peer = import_module("reformer_pytorch")
    return peer.Reformer(dim=128, depth=2, heads=2, bucket_size=CHUNK, n_hashes=2, causal=True)


def stacks_with_two_forwards() -> Iterator[Finding]:
    """State on modules: what a second forward overwrites."""
    if installed("lucidrains"):
        yield two_forwards("lucidrains", "LSH attention, no dropout", lucidrains_reformer(), 128)
        peer = import_module("reformer_pytorch.reversible")
        model = peer.ReversibleSequence(nn.ModuleList(map(nn.ModuleList, sublayers(64))))
        yield two_forwards("lucidrains", "reversible stack, dropout 0.1", model, 128)
    model = OneTensor(ReversibleStack(sublayers(64)))
    yield two_forwards("ours", "reversible stack, dropout 0.1", model, 128)


def stacks_without_input_gradient() -> Iterator[Finding]:
    """An input that needs no gradient, and a head that trains: who gets gradients."""
    models = {"ours": (lambda: OneTensor(ReversibleStack(sublayers(64))), 128)}
    models["transformers"] = (lambda: _Hidden(encoder()), 256)
    if installed("lucidrains"):
        models["lucidrains"] = (lucidrains_reformer, 128)
    for who, (make, width) in models.items():
        model, x = make(), torch.randn(1, LENGTH, width)
        output = model(x)
        nn.Linear(output.shape[-1], 1)(output).sum().backward()
        inner = [
            p for name, p in model.named_parameters() if not name.startswith("inner.layer_norm")
        ]
        trained = sum(p.grad is not None for p in inner)
        text = f"an input without grad: {trained} of {len(inner)} parameters of the stack get one"
        yield Finding(who, f"{text}, without an error", trained == 0)


class _Hidden(nn.Module):
    """The encoder of transformers, of whose result only the tensor counts."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x).hidden_states


CHECKS = (
    transformers_dropout,
    transformers_seed,
    transformers_num_hashes,
    stacks_with_two_forwards,
    stacks_without_input_gradient,
)
