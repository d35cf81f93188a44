"""`companion.recomputation`: what is random, and in which mode, is the same the second time."""

import re

import pytest
import torch
from torch import nn

from companion.recomputation import Call, Circumstances, seeded

CPU = torch.device("cpu")


def ones(*shape):
    return torch.ones(*shape, dtype=torch.float64)


def test_seeded_draws_the_same_and_leaves_the_generator_as_it_was():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for _ in range(2):
        with seeded(1, CPU):
            assert torch.equal(torch.rand(3), expected)
        assert torch.equal(torch.get_rng_state(), before)


def test_seeded_puts_the_generator_back_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded(1, CPU):
        torch.rand(3).apply_(lambda x: x / 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_seeded_on_a_gpu():
    device = torch.device("cuda", torch.cuda.current_device())
    before = torch.cuda.get_rng_state(device)
    draws = []
    for _ in range(2):
        with seeded(1, device):
            draws.append(torch.rand(3, device=device))
        assert torch.equal(torch.cuda.get_rng_state(device), before)
    assert torch.equal(*draws)


def test_a_call_by_hand():
    """For f(x) = x w, w = 3: the update is 3 x, its gradient 3 to x, and x summed to w."""
    linear = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(linear.weight, 3)
    call, stream, x = Call(linear, 0), ones(2, 1), 2 * ones(2, 1)
    grad_stream, grad_x = 5 * ones(2, 1), 7 * ones(2, 1)
    with torch.no_grad():
        assert call.add(stream, x) == ()
        assert stream.tolist() == [[7], [7]]
        [of_weight] = call.undo(stream, x, (), grad_stream, grad_x)
        assert stream.tolist() == [[1], [1]]
        assert grad_x.tolist() == [[7 + 3 * 5], [7 + 3 * 5]]
        assert of_weight.item() == 2 * 2 * 5
        call.subtract(stream, x)
        assert stream.tolist() == [[-5], [-5]]
    assert linear.weight.grad is None


def test_a_call_makes_the_same_random_choice_each_time():
    call, other = Call(nn.Dropout(0.5), 3), Call(nn.Dropout(0.5), 4)
    stream, x = torch.zeros(100), torch.ones(100)
    with torch.no_grad():
        call.add(stream, x)
        assert set(stream.tolist()) == {0, 2}
        call.undo(stream, x, (), torch.ones(100), torch.zeros(100))
        assert (stream == 0).all()
        call.add(stream, x)
        other.subtract(stream, x)
    assert stream.any()


def test_random_numbers_in_the_backward_of_a_sublayer():
    """They too come from the call's own state, and leave the global one alone."""

    class Noisy(torch.autograd.Function):
        @staticmethod
        def forward(_, x):
            return x.clone()

        @staticmethod
        def backward(_, grad):
            return grad + torch.rand_like(grad)

    class Sublayer(nn.Module):
        def forward(self, x):
            return Noisy.apply(x)

    before, found = torch.get_rng_state(), []
    for _ in range(2):
        grad_x = torch.zeros(3)
        Call(Sublayer(), 3).undo(torch.ones(3), torch.ones(3), (), torch.ones(3), grad_x)
        found.append(grad_x)
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*found)


def test_circumstances():
    model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    with torch.autocast("cpu", torch.bfloat16):
        then = Circumstances.now(model, CPU)
    model.eval()
    weight = torch.ones(2, 2, requires_grad=True)
    with then.restored(model):
        assert [module.training for module in model.modules()] == [True, True, False]
        assert (weight @ weight).dtype == torch.bfloat16
        assert not torch.is_autocast_cache_enabled()  # it would keep a copy of every weight
    assert not any(module.training for module in model.modules())
    with pytest.raises(ZeroDivisionError), then.restored(model):
        1 / 0  # noqa: B018
    assert not any(module.training for module in model.modules())
    assert (weight @ weight).dtype == torch.float32


def test_an_update_that_a_stream_cannot_take_up():
    message = "Identity returned torch.float64 for a stream of torch.float32"
    with pytest.raises(ValueError, match=re.escape(message)):
        Call(nn.Identity(), 0).add(torch.ones(2), ones(2))
    Call(nn.Identity(), 0).add(ones(2), torch.ones(2))  # without loss
