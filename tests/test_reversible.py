"""`companion.reversible` against plain autograd through the same equations, however it is used."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from companion.reversible import ReversibleBlock, ReversibleStack

properties = settings(deadline=None, max_examples=25, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
in_either_memory = pytest.mark.parametrize("in_place", [False, True])


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def streams(*shape, seed=0, dtype=torch.float64):
    return [randn(*shape, seed=2 * seed + i, dtype=dtype).requires_grad_() for i in range(2)]


def feed_forward(d, dropout=0.0):
    return nn.Sequential(
        nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * d, d)
    )


class Attention(nn.Module):
    """Causal self-attention, pre-norm, with a projection of the output."""

    def __init__(self, d):
        super().__init__()
        self.norm, self.project, self.output = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        query, key, value = self.project(self.norm(x)).chunk(3, dim=-1)
        return self.output(
            functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        )


def pairs(d, n_blocks, dropout=0.0, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return [(Attention(d).to(dtype), feed_forward(d, dropout).to(dtype)) for _ in range(n_blocks)]


class Replay(nn.Module):
    """A sublayer with the seed that the stack gave it: the reference for all that is random."""

    def __init__(self, sublayer, seed):
        super().__init__()
        self.sublayer, self.seed = sublayer, seed

    def forward(self, x):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self.sublayer(x)


def plain(stack, x1, x2):
    """Take both streams through the stack's equations, with ordinary autograd."""
    drawn = torch.randint(2**63 - 1, (len(stack.blocks), 2)).tolist()
    for block, (of_f, of_g) in zip(stack.blocks, drawn, strict=True):
        x1, x2 = ReversibleBlock(Replay(block.f, of_f), Replay(block.g, of_g))(x1, x2)
    return x1, x2


def loss_of(y1, y2):
    """A scalar whose gradient differs from place to place and between the streams."""
    return (y1 * y2.cos()).sum() + (y2**2).mean()


def gradients(run, stack, inputs, seed=7):
    """Return outputs, and gradients of inputs that need one and of parameters."""
    torch.manual_seed(seed)
    outputs = run(*inputs)
    wanted = [x for x in (*inputs, *stack.parameters()) if x.requires_grad]
    kept = [y.detach().clone() for y in outputs]  # in place, backward overwrites them
    return kept, torch.autograd.grad(loss_of(*outputs), wanted, allow_unused=True)


def assert_near(ours, theirs, rtol):
    """Compare each tensor by its largest difference, relative to its largest number."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert (one - other).abs().max() <= rtol * other.abs().max().clamp(min=1e-3)


def agrees(stack, inputs, rtol=1e-12):
    ours = gradients(stack, stack, inputs)
    theirs = gradients(lambda x1, x2: plain(stack, x1, x2), stack, inputs)
    for one, other in zip(ours, theirs, strict=True):
        assert_near(one, other, rtol)


# Against plain autograd -------------------------------------------------------------------------


@in_either_memory
# Not two numbers: their layer norm is a step, whose gradient magnifies every rounding.
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.integers(4, 8), seeds)
@properties
def test_equals_plain_autograd(in_place, n_blocks, batch, n, d, seed):
    stack = ReversibleStack(pairs(d, n_blocks, dropout=0.3, seed=seed), in_place=in_place)
    agrees(stack, streams(batch, n, d, seed=seed))


@in_either_memory
def test_equals_plain_autograd_in_single_precision(in_place):
    stack = ReversibleStack(pairs(32, 6, dropout=0.1, dtype=torch.float32), in_place=in_place)
    agrees(stack, streams(2, 20, 32, dtype=torch.float32), rtol=1e-6)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@given(st.integers(1, 8), seeds)
@properties
def test_the_inverse_finds_the_inputs(dtype, rtol, n_blocks, seed):
    stack = ReversibleStack(pairs(8, n_blocks, dropout=0.5, dtype=dtype, seed=seed))
    x1, x2 = streams(2, 5, 8, seed=seed, dtype=dtype)
    torch.manual_seed(seed)
    y1, y2 = stack(x1, x2)
    kept = y1.detach().clone()
    torch.manual_seed(seed)
    back = stack.inverse(y1, y2)
    assert_near(back, [x1.detach(), x2.detach()], rtol)
    assert not any(x.requires_grad for x in back)
    assert torch.equal(y1, kept)


def test_a_block_is_the_equations_and_their_inverse():
    f, g = feed_forward(4).double(), feed_forward(4).double()
    block, (x1, x2) = ReversibleBlock(f, g), streams(3, 4)
    y1, y2 = block(x1, x2)
    assert torch.equal(y1, x1 + f(x2))
    assert torch.equal(y2, x2 + g(y1))
    assert_near(block.inverse(y1, y2), [x1, x2], 1e-14)


def test_by_hand():
    double, tenfold = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        double.weight.fill_(2)
        tenfold.weight.fill_(10)
    stack = ReversibleStack([(double, tenfold)] * 2)
    one = torch.ones(1, requires_grad=True)
    y1, y2 = stack(one, one)
    assert (y1.item(), y2.item()) == (65, 681)
    (y1 + y2).backward()
    assert one.grad.item() == 65 + 681  # linear
    # With weights 2 and a: y1 + y2 = (3 + 2(1 + 3a)) (1 + a) + 1 + 3a = 6a^2 + 14a + 6.
    assert tenfold.weight.grad.item() == 12 * 10 + 14


# However it is used -----------------------------------------------------------------------------


@in_either_memory
def test_several_forwards_before_their_backwards(in_place):
    stack = ReversibleStack(pairs(6, 3, dropout=0.4), in_place=in_place)
    inputs = [streams(2, 5, 6, seed=i) for i in range(3)]

    def run(model):
        torch.manual_seed(1)
        losses = [loss_of(*model(*xs)) for xs in inputs]
        return torch.autograd.grad(
            sum(losses), [*(x for xs in inputs for x in xs), *stack.parameters()]
        )

    assert_near(run(stack), run(lambda x1, x2: plain(stack, x1, x2)), 1e-12)


@pytest.mark.parametrize(("forward", "backward"), [(0, 0), (0, 1), (1, 0)])
def test_the_mode_of_forward_counts_and_that_of_backward_stays(forward, backward):
    stack = ReversibleStack(pairs(6, 2, dropout=0.4))
    stack.blocks[0].g[3].eval()  # a mode of its own
    inputs = streams(2, 5, 6)

    def run(model):
        stack.train(bool(forward))
        torch.manual_seed(1)
        loss = loss_of(*model(*inputs))
        stack.train(bool(backward))
        found = torch.autograd.grad(loss, [*inputs, *stack.parameters()])
        assert all(module.training == bool(backward) for module in stack.modules())
        return found

    assert_near(run(stack), run(lambda x1, x2: plain(stack, x1, x2)), 1e-12)


@in_either_memory
@pytest.mark.parametrize("needs", [(False, False), (True, False), (False, True)])
def test_inputs_that_need_no_gradient(in_place, needs):
    stack = ReversibleStack(pairs(6, 2, dropout=0.4), in_place=in_place)
    inputs = [x.detach().requires_grad_(n) for x, n in zip(streams(2, 5, 6), needs, strict=True)]
    agrees(stack, inputs)


def test_autograd_grad_of_some_parameters_leaves_grad_alone():
    stack, inputs = ReversibleStack(pairs(6, 2)), streams(2, 5, 6)
    some = [stack.blocks[0].f.output.weight, stack.blocks[1].g[1].bias]
    ours = torch.autograd.grad(loss_of(*stack(*inputs)), some)
    assert_near(ours, torch.autograd.grad(loss_of(*plain(stack, *inputs)), some), 1e-12)
    assert all(x.grad is None for x in (*inputs, *stack.parameters()))


@in_either_memory
def test_backward_adds_to_grad(in_place):
    stack, inputs = ReversibleStack(pairs(6, 2), in_place=in_place), streams(2, 5, 6)
    for _ in range(2):
        loss_of(*stack(*inputs)).backward()
    ours = [x.grad for x in (*inputs, *stack.parameters())]
    theirs = gradients(lambda *xs: plain(stack, *xs), stack, inputs)[1]
    assert_near(ours, [2 * g for g in theirs], 1e-12)


@in_either_memory
def test_modules_used_twice_and_streams_that_are_one(in_place):
    (f, g), (other, _) = pairs(6, 2, dropout=0.2)
    stack = ReversibleStack([(f, g), (g, other), (f, f)], in_place=in_place)
    x, _ = streams(2, 5, 6)
    agrees(stack, [x, x])


@in_either_memory
def test_frozen_parameters_and_sublayers_without_any(in_place):
    blocks = [*pairs(6, 3), (nn.Tanh(), nn.Identity())]
    stack = ReversibleStack(blocks, in_place=in_place)
    stack.blocks[1].f.requires_grad_(False)  # noqa: FBT003 - torch's signature
    stack.blocks[2].g[1].weight.requires_grad_(False)  # noqa: FBT003
    agrees(stack, streams(2, 5, 6))
    agrees(ReversibleStack([(nn.Tanh(), nn.Sigmoid())] * 3, in_place=in_place), streams(2, 5, 6))


class Table(nn.Module):
    """Adds a learned vector at each place, and does not look at the input."""

    def __init__(self, *shape):
        super().__init__()
        self.table, self.unused = nn.Parameter(randn(*shape)), nn.Parameter(randn(1))

    def forward(self, _):
        return self.table


class Constant(nn.Module):
    def forward(self, x):
        return torch.ones_like(x)


@in_either_memory
def test_sublayers_that_do_not_look_at_their_input(in_place):
    """The gradient of such a parameter is the very tensor that the stack goes on to write into."""
    blocks = [*pairs(6, 1), (Table(5, 6), Constant()), (Table(5, 6), Table(5, 6)), *pairs(6, 1)]
    agrees(ReversibleStack(blocks, in_place=in_place), streams(5, 6))


class Inner(nn.Module):
    """A stack, then a part that is checkpointed, as a sublayer of a stack."""

    def __init__(self, d, *, in_place):
        super().__init__()
        self.stack = ReversibleStack(pairs(d, 2, dropout=0.3), in_place=in_place)
        self.last = feed_forward(d, dropout=0.3).double()

    def forward(self, x):
        y1, y2 = self.stack(x, x)
        return checkpoint(self.last, y1 + y2, use_reentrant=False)


@in_either_memory
def test_stacks_and_checkpoints_within_a_sublayer(in_place):
    blocks = [(Inner(6, in_place=in_place), f) for f, _ in pairs(6, 2)]
    agrees(ReversibleStack(blocks, in_place=in_place), streams(2, 5, 6), rtol=1e-11)


@in_either_memory
def test_non_contiguous_inputs_and_gradients_and_inputs_stay(in_place):
    stack = ReversibleStack(pairs(6, 2), in_place=in_place)
    x1 = randn(6, 5).t().requires_grad_()
    x2 = randn(1, 6).expand(5, 6).requires_grad_()
    before = [x1.detach().clone(), x2.detach().clone()]
    agrees(stack, [x1, x2])
    assert torch.equal(x1, before[0])
    assert torch.equal(x2, before[1])
    sums = lambda model: [y.sum() for y in model(x1, x2)]  # noqa: E731 - gradients of stride 0
    ours = torch.autograd.grad(sum(sums(stack)), [x1, x2])
    theirs = torch.autograd.grad(sum(sums(lambda *xs: plain(stack, *xs))), [x1, x2])
    assert_near(ours, theirs, 1e-12)


@in_either_memory
@pytest.mark.parametrize("used", [0, 1])
def test_an_output_that_is_not_used(in_place, used):
    stack, inputs = ReversibleStack(pairs(6, 2), in_place=in_place), streams(2, 5, 6)
    wanted = [*inputs, *stack.parameters()]
    ours = torch.autograd.grad(stack(*inputs)[used].sin().sum(), wanted)
    theirs = torch.autograd.grad(
        plain(stack, *inputs)[used].sin().sum(), wanted, allow_unused=True, materialize_grads=True
    )
    assert_near(ours, theirs, 1e-12)


@in_either_memory
def test_gradients_that_others_hold_are_not_written_into(in_place):
    stack, inputs = ReversibleStack(pairs(6, 2), in_place=in_place), streams(2, 5, 6)
    given, other, seen = randn(2, 5, 6, seed=9), randn(2, 5, 6).requires_grad_(), []
    before = given.clone()
    y1, y2 = stack(*inputs)
    y1.register_hook(seen.append)
    y1.retain_grad()
    [of_y1, of_other, _] = torch.autograd.grad(
        y1 + y2 + other, [y1, other, inputs[0]], grad_outputs=given
    )
    for gradient in (given, of_y1, of_other, y1.grad, *seen):
        assert torch.equal(gradient, before)


@in_either_memory
@pytest.mark.parametrize("inside", [False, True])
def test_autocast(in_place, inside):
    """The recomputation is cast as forward was, wherever backward runs."""
    torch.manual_seed(0)
    [(f, g)] = [(feed_forward(16, 0.2), feed_forward(16, 0.2))]
    stack = ReversibleStack([(f, g)] * 2, in_place=in_place)
    inputs = streams(4, 16, dtype=torch.float32)

    def run(model):
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16):
            y1, y2 = model(*inputs)
            loss = loss_of(y1, y2) + g[1](inputs[0]).sum()  # the same weight, cast again
            wanted = [*inputs, *stack.parameters()]
            if inside:
                return torch.autograd.grad(loss, wanted)
        return torch.autograd.grad(loss, wanted)

    ours, theirs = run(stack), run(lambda x1, x2: plain(stack, x1, x2))
    assert_near(ours, theirs, 1e-2)  # bfloat16 has 8 bits; a sum of two of them is rounded
    with torch.autocast("cpu", torch.bfloat16):
        assert stack.blocks[0].f(inputs[0]).dtype == torch.bfloat16
        assert stack(*inputs)[0].dtype == torch.float32


def test_without_grad_it_only_runs_forward():
    stack, (x1, x2) = ReversibleStack(pairs(6, 2, dropout=0.3)), streams(2, 5, 6)
    torch.manual_seed(1)
    expected = [y.detach() for y in stack(x1, x2)]
    for context in (torch.no_grad(), torch.inference_mode()):
        torch.manual_seed(1)
        with context:
            outputs = stack(x1, x2)
        assert not any(y.requires_grad for y in outputs)
        assert all(torch.equal(y, e) for y, e in zip(outputs, expected, strict=True))


# Random numbers ---------------------------------------------------------------------------------


@in_either_memory
def test_the_global_generator(in_place):
    stack, inputs = ReversibleStack(pairs(6, 3, dropout=0.5), in_place=in_place), streams(2, 5, 6)
    torch.manual_seed(3)
    y1, y2 = stack(*inputs)
    after = torch.get_rng_state()
    torch.manual_seed(3)
    torch.randint(2**63 - 1, (3, 2))
    assert torch.equal(after, torch.get_rng_state())  # forward drew its seeds, and no more

    first = y1.detach().clone()
    torch.rand(5)
    before = torch.get_rng_state()
    loss_of(y1, y2).backward()
    assert torch.equal(before, torch.get_rng_state())

    torch.manual_seed(3)
    assert torch.equal(stack(*inputs)[0], first)
    assert not torch.equal(stack(*inputs)[0], first)


def test_calls_in_one_forward_have_different_random_numbers():
    stack = ReversibleStack([(nn.Dropout(0.5), nn.Dropout(0.5))])
    zero, ones = torch.zeros(1000), torch.ones(1000)
    y1, y2 = stack(zero, ones)
    where_y1 = y1 != 0
    assert 400 < where_y1.sum() < 600
    assert 150 < ((y2 - 1)[where_y1] != 0).sum() < 350  # half of them once more


# Sublayers that do it themselves ----------------------------------------------------------------


class SortedMix(nn.Module):
    """Sorts the places by a score, averages neighbours in that order, and puts them back.

    The order is decided once, in forward. That it is not decided again shows in `decisions`.
    """

    def __init__(self, d):
        super().__init__()
        self.score, self.linear, self.decisions = nn.Linear(d, 1), nn.Linear(d, d), 0
        self.score.requires_grad_(False)  # noqa: FBT003

    def order(self, x):
        self.decisions += 1
        return self.score(x).squeeze(-1).argsort(dim=-1)[..., None].expand_as(x)

    def mix(self, x, order):
        y = self.linear(x.gather(-2, order)).tanh()
        y = y + y.roll(1, dims=-2)
        return functional.dropout(torch.zeros_like(x).scatter(-2, order, y), 0.2)

    def forward(self, x):
        return self.mix(x, self.order(x))

    def add(self, stream, x):
        order = self.order(x)
        stream.add_(self.mix(x, order))
        return (order,)

    def undo(self, stream, x, memo, grad_stream, grad_x):
        [order] = memo
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = self.mix(x, order)
        stream.sub_(y)
        of_x, *of_linear = torch.autograd.grad(y, [x, *self.linear.parameters()], grad_stream)
        grad_x.add_(of_x)
        return [None, None, *of_linear]


class Piecewise(nn.Module):
    """A feed-forward network, a few places at a time."""

    def __init__(self, d, size):
        super().__init__()
        self.network, self.size = feed_forward(d), size

    def forward(self, x):
        return self.network(x)

    def add(self, stream, x):
        for to, piece in zip(stream.split(self.size, -2), x.split(self.size, -2), strict=True):
            to.add_(self.network(piece))
        return ()

    def undo(self, stream, x, memo, grad_stream, grad_x):
        assert memo == ()
        parameters, total = list(self.parameters()), None
        for to, piece, grad, grad_piece in zip(
            *(t.split(self.size, -2) for t in (stream, x, grad_stream, grad_x)), strict=True
        ):
            with torch.enable_grad():
                piece = piece.detach().requires_grad_()  # noqa: PLW2901
                y = self.network(piece)
            to.sub_(y)
            of_piece, *found = torch.autograd.grad(y, [piece, *parameters], grad)
            grad_piece.add_(of_piece)
            total = (
                found if total is None else [a.add_(b) for a, b in zip(total, found, strict=True)]
            )
        return total


@in_either_memory
@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 4), seeds)
@properties
def test_sublayers_with_add_and_undo(in_place, n_blocks, n, size, seed):
    torch.manual_seed(seed)
    d = 6
    blocks = [(SortedMix(d).double(), Piecewise(d, size).double()) for _ in range(n_blocks)]
    stack = ReversibleStack([*blocks, *pairs(d, 1, seed=seed)], in_place=in_place)
    inputs = streams(2, n, d, seed=seed)
    agrees(stack, inputs)
    # Once in the stack's forward, once in plain autograd's; never in backward.
    assert [f.decisions for f, _ in blocks] == [2] * n_blocks
    torch.manual_seed(seed)
    outputs = stack(*inputs)
    torch.manual_seed(seed)
    assert_near(stack.inverse(*outputs), inputs, 1e-12)


# Memory -----------------------------------------------------------------------------------------


class Live(TorchDispatchMode):
    """Counts the tensors of at least a certain size that are alive at the same time."""

    def __init__(self, least):
        super().__init__()
        self.least, self.storages, self.most = least, {}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        del types
        result = function(*args, **(kwargs or {}))
        for x in torch.utils._pytree.tree_leaves(result):  # noqa: SLF001
            if isinstance(x, torch.Tensor) and x.untyped_storage().nbytes() >= self.least:
                self.storages[x.untyped_storage()._cdata] = StorageWeakRef(x.untyped_storage())  # noqa: SLF001
        self.most = max(self.most, len(self.alive()))
        return result

    def alive(self):
        return [s for s in self.storages.values() if not s.expired()]


def most_alive_in_backward(f, g, n_blocks, *, in_place):
    """Count tensors of the size of a stream."""
    stack = ReversibleStack([(f, g)] * n_blocks, in_place=in_place)
    with Live(64 * 4 * 4) as live:
        y1, y2 = stack(*(randn(64, 4, seed=i, dtype=torch.float32) for i in range(2)))
        loss = (y1 + y2).mean()
        del y1, y2
        live.most = 0
        loss.backward()
    assert all(p.grad is not None for p in stack.parameters())
    return live.most


@pytest.mark.parametrize("n_blocks", [1, 6])
def test_how_many_tensors_of_the_size_of_a_stream_backward_holds(n_blocks):
    """In place: the streams, the gradient that both outputs share, and the stack's copies of it.

    Once these are made, the first goes. Of the pieces nothing is as large as a stream.
    """
    torch.manual_seed(0)
    f, g = Piecewise(4, 4), Piecewise(4, 4)
    assert most_alive_in_backward(f, g, n_blocks, in_place=True) == 2 + 1 + 2
    assert most_alive_in_backward(f, g, n_blocks, in_place=False) == 2 + 2 + 2
    # A layer in one piece: streams, gradients, and its output, or later the gradient of its input.
    f, g = nn.Linear(4, 4), nn.Linear(4, 4)
    assert most_alive_in_backward(f, g, n_blocks, in_place=True) == 2 + 2 + 1


# Errors -----------------------------------------------------------------------------------------


def test_backward_twice():
    inputs = streams(2, 5, 6)
    stack = ReversibleStack(pairs(6, 2))
    loss = loss_of(*stack(*inputs))
    first = torch.autograd.grad(loss, inputs, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, inputs)))

    stack.in_place = True
    loss = sum(y.sum() for y in stack(*inputs))
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="in_place=True its outputs now hold its inputs"):
        loss.backward()


@in_either_memory
def test_changed_outputs_or_parameters(in_place):
    stack, inputs = ReversibleStack(pairs(6, 2), in_place=in_place), streams(2, 5, 6)
    y1, y2 = stack(*inputs)
    with pytest.raises(RuntimeError, match="modified inplace"):
        y1.mul_(2)
    loss = y1.sum() + y2.sum()
    with torch.no_grad():
        y1.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    loss = sum(y.sum() for y in stack(*inputs))
    with torch.no_grad():
        stack.blocks[0].f.output.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    loss = sum(y.sum() for y in stack(*inputs))
    stack.blocks[0].f.output.weight.requires_grad_(False)  # noqa: FBT003
    with pytest.raises(RuntimeError, match="exchanged, frozen or thawed since forward"):
        loss.backward()


def test_parameters_of_functional_call():
    stack, inputs = ReversibleStack(pairs(6, 1)), streams(2, 5, 6)
    others = {name: 2 * p for name, p in stack.named_parameters()}
    y1, _ = torch.func.functional_call(stack, others, tuple(inputs))
    with pytest.raises(RuntimeError, match="run backward before you change them"):
        y1.sum().backward()


@in_either_memory
def test_second_derivatives(in_place):
    stack, inputs = ReversibleStack(pairs(6, 2), in_place=in_place), streams(2, 5, 6)
    loss = loss_of(*stack(*inputs))
    with pytest.raises(RuntimeError, match=re.escape("without create_graph=True, or chain")):
        torch.autograd.grad(loss, inputs, create_graph=True)
    x1, x2 = inputs
    for block in stack.blocks:  # what the message says to do
        x1, x2 = block(x1, x2)
    [first, _] = torch.autograd.grad(loss_of(x1, x2), inputs, create_graph=True)
    assert torch.autograd.grad(first.sum(), inputs)[0].isfinite().all()


class Returns(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x[..., :2], ValueError, "Returns was given shape (5, 6) and returned (5, 2)"),
        (lambda x: x[:1], ValueError, "it must return the shape that it is given"),
        (lambda x: x.double(), ValueError, "returned torch.float64 for a stream of torch.float32"),
        (lambda x: (x, None), TypeError, "Returns returned tuple: it must return a tensor"),
    ],
)
def test_what_a_sublayer_returns(make, error, message):
    stack = ReversibleStack([(nn.Tanh(), Returns(make))])
    with pytest.raises(error, match=re.escape(message)):
        stack(*streams(5, 6, dtype=torch.float32))


def test_a_sublayer_that_uses_what_is_not_its_own():
    weight, inputs = randn(6).requires_grad_(), streams(5, 6)
    stack = ReversibleStack([(nn.Tanh(), Returns(lambda x: x * weight))])
    with pytest.raises(RuntimeError, match="Returns uses a tensor that needs a gradient"):
        loss_of(*stack(*inputs)).backward()
    agrees(ReversibleStack([(nn.Tanh(), Returns(lambda x: x * weight.detach()))]), inputs)


@pytest.mark.parametrize(
    ("blocks", "error", "message"),
    [
        ([], ValueError, "blocks is empty: it must hold at least one pair (f, g)"),
        ([(nn.Tanh(), nn.Tanh()), nn.Tanh()], TypeError, "blocks[1] is Tanh()"),
        ([(nn.Tanh(),)], TypeError, "it must be a pair (f, g) of torch.nn.Module"),
        ([(nn.Tanh(), torch.tanh)], TypeError, "blocks[0] is (Tanh(), <built-in method tanh"),
    ],
)
def test_blocks_that_are_not_pairs(blocks, error, message):
    with pytest.raises(error, match=re.escape(message)):
        ReversibleStack(blocks)


@pytest.mark.parametrize(
    ("x1", "x2", "error", "message"),
    [
        (torch.ones(2, 3), torch.ones(3), ValueError, "1 has shape (2, 3) and {}2 (3,)"),
        (torch.ones(2), torch.ones(2).double(), ValueError, "1 has dtype torch.float32 and {}2"),
        (torch.ones(2), torch.ones(2, device="meta"), ValueError, "1 has device cpu and {}2 meta"),
        (torch.ones(2), torch.arange(2), ValueError, "2 has dtype torch.int64: it must be float"),
        ([1.0], torch.ones(1), TypeError, "1 is list: it must be a tensor"),
    ],
)
def test_streams_that_do_not_fit(x1, x2, error, message):
    stack = ReversibleStack([(nn.Tanh(), nn.Tanh())])
    for name, run in (("x", stack), ("y", stack.inverse)):
        with pytest.raises(error, match=re.escape(name + message.format(name))):
            run(x1, x2)
