"""`companion.stack_machine` against the figures of the course's labs, and against what a stack does.

The programs are those of the labs "Stack Semantics in Trax" (week 1) and "Putting the 'Re' in
Reformer" (week 4).
"""

import operator
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.stack_machine import (
    Add,
    Branch,
    Drop,
    Dup,
    Fn,
    Residual,
    ReversibleHalfResidual,
    Select,
    Serial,
    Step,
    Swap,
    trace,
)

properties = settings(deadline=None, max_examples=50, derandomize=True)
numbers = st.integers(-1000, 1000)
ADDITION = Fn("Addition", lambda x, y: x + y)
MULTIPLICATION = Fn("Multiplication", lambda x, y: x * y)
TWICE = Select([0, 1, 0, 1])
F, G = Fn("F", lambda x: 2 * x), Fn("G", lambda x: 10 * x)
ADD1 = Fn("add1", lambda x: x + 1)
ADDAB = Fn("addab", lambda x, y: x + y)
REP3X = Fn("rep3x", lambda x: (x, x, x), n_out=3)
HALVES = (ReversibleHalfResidual(F), Swap(), ReversibleHalfResidual(G), Swap())


def arity(layer):
    return layer.n_in, layer.n_out


# The labs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "stack", "result"),
    [
        (ADDITION, (3, 4), 7),
        (MULTIPLICATION, (7, 15), 105),
        (Serial(ADDITION, MULTIPLICATION, ADDITION), (3, 4, 15, 3), 108),
        (Serial(TWICE, ADDITION, MULTIPLICATION, ADDITION), (3, 4), 25),
        (Serial(TWICE, ADDITION, Select([0], n_in=2), MULTIPLICATION), (3, 4), 28),
        (Serial(TWICE, ADDITION, MULTIPLICATION, ADDITION, Residual()), (3, 4), 50),
        (Serial(TWICE, ADDITION, MULTIPLICATION, Residual(ADDITION)), (3, 4), 46),
        (Serial(Residual(F), Residual(G), Residual(F), Residual(G)), (1,), 1089),
    ],
)
def test_the_labs_figures_with_numbers_and_with_tensors(program, stack, result):
    assert program(*stack) == (result,)
    [tensor] = program(*(torch.tensor([x]) for x in stack))
    assert tensor.tolist() == [result]
    assert program(*stack, "n", "m") == (result, "n", "m")  # what lies below stays there


def my_residual(layer):
    """Write a residual connection out, as the lab asks; it branches the other way round."""
    return Serial(Branch(layer, None), Add())


def test_the_labs_own_residual():
    assert my_residual(ADD1)(1, "n", "m") == (3, "n", "m")
    assert Serial(*map(my_residual, (F, G, F, G)))(1, "n", "m") == (1089, "n", "m")


def test_the_labs_reversible_model():
    model = Serial(Dup(), *HALVES, *HALVES)
    assert model(1) == (65, 681)
    concatenate = Fn("Concatenate", lambda x, y: torch.cat([x, y]))
    [joined] = Serial(model, concatenate)(torch.tensor([1]))
    assert joined.tolist() == [65, 681]
    assert Serial(*HALVES, *HALVES).inverse(65, 681) == (1, 1)
    # Residual blocks with the same F and G are another function, even where both streams are alike.
    assert HALVES[0](1, 1) == (3, 1)


def test_branches_of_different_arities():
    branch = Branch(ADD1, ADDAB, REP3X)
    assert arity(branch) == (2, 5)
    assert branch(1, 3, "n", "m") == (2, 4, 1, 1, 1, "n", "m")
    assert Branch(ADD1, ADD1, ADD1)(1, "n") == (2, 2, 2, "n")
    assert Branch(ADD1, None)(1, "n") == (2, 1, "n")


def test_arities():
    assert arity(Branch(None, F)) == (1, 2)
    assert arity(Add()) == (2, 1)
    assert arity(Serial()) == (1, 1)
    assert arity(Residual()) == arity(Residual(F)) == (1, 1)
    assert arity(Residual(ADDITION)) == (2, 1)
    assert arity(Serial(ADDITION, MULTIPLICATION, ADDITION)) == (4, 1)
    assert arity(Serial(Drop(), Drop())) == (2, 0)
    assert arity(Serial(Dup(), Dup())) == (1, 3)
    assert arity(Serial(Dup(), ADDITION, ADDITION)) == (2, 1)
    assert [arity(half) for half in HALVES] == [(2, 2)] * 4
    assert repr(Select([0], n_in=2)) == "Select[0] (2 -> 1)"
    assert [repr(layer()) for layer in (Dup, Drop, Swap)] == [
        "Dup (1 -> 2)",
        "Drop (1 -> 0)",
        "Swap (2 -> 2)",
    ]


# What a stack does ------------------------------------------------------------------------------


@properties
@given(st.lists(numbers, min_size=3, max_size=6), st.data())
def test_select_copies_by_place(stack, data):
    n_in = data.draw(st.integers(1, 3))
    indices = data.draw(st.lists(st.integers(0, n_in - 1), max_size=5))
    expected = (*(stack[i] for i in indices), *stack[n_in:])
    assert Select(indices, n_in)(*stack) == expected


@properties
@given(numbers, numbers, numbers)
def test_dup_swap_drop(x, y, z):
    assert Dup()(x, y) == Select([0, 0])(x, y) == (x, x, y)
    assert Swap()(x, y, z) == Select([1, 0])(x, y, z) == (y, x, z)
    assert Drop()(x, y) == Select([], n_in=1)(x, y) == (y,)
    assert Swap().inverse(*Swap()(x, y)) == (x, y)


@properties
@given(numbers, numbers)
def test_residual_is_a_branch_and_an_addition(x, y):
    for layer in (F, ADDITION, Serial(ADDITION, F)):
        written_out = Serial(Branch(None, layer), Add())
        assert Residual(layer)(x, y) == written_out(x, y)
        assert arity(Residual(layer)) == arity(written_out)
    assert Residual(F, G)(x) == (x + 20 * x,)
    assert Residual(F, shortcut=G)(x) == (12 * x,)


@properties
@given(st.lists(numbers, min_size=2, max_size=5), st.lists(st.sampled_from(HALVES), max_size=8))
def test_the_inverse_of_any_reversible_program(stack, layers):
    program = Serial(*layers)
    assert program.inverse(*program(*stack)) == tuple(stack)


@properties
@given(numbers, numbers, numbers)
def test_a_half_residual_looks_at_all_that_its_layers_take(x, y, z):
    half = ReversibleHalfResidual(MULTIPLICATION, F)
    assert arity(half) == (3, 3)
    assert half(x, y, z, "n") == (x + 2 * y * z, y, z, "n")
    assert half.inverse(*half(x, y, z, "n")) == (x, y, z, "n")


def test_gradients_flow_through_tensors():
    x = torch.tensor([1.0], requires_grad=True)
    [y] = Serial(Residual(F), Residual(G))(x)
    y.backward()
    assert x.grad.item() == 33


# The trace --------------------------------------------------------------------------------------


def test_the_trace_shows_each_step_and_goes_into_programs_within():
    steps = trace(Serial(TWICE, ADDITION, MULTIPLICATION, Residual(ADDITION)), 3, 4, "n")
    assert steps == [
        Step("start", (3, 4, "n")),
        Step("Select[0, 1, 0, 1]", (3, 4, 3, 4, "n")),
        Step("Addition", (7, 3, 4, "n")),
        Step("Multiplication", (21, 4, "n")),
        Step("Branch", (21, 25, "n")),
        Step("Add", (46, "n")),
    ]
    assert trace(F, 3) == [("start", (3,)), ("F", (6,))]


def test_the_trace_of_the_reversible_model():
    assert [step.stack for step in trace(Serial(Dup(), Serial(*HALVES), Serial(*HALVES)), 1)] == [
        *[(1,), (1, 1), (3, 1), (1, 3), (31, 3)],
        *[(3, 31), (65, 31), (31, 65), (681, 65), (65, 681)],
    ]


# Errors -----------------------------------------------------------------------------------------


def anything(*xs):
    return sum(xs)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: Add()(3), ValueError, "Add takes 2 items from the stack, and it holds 1: (3,)"),
        (Dup(), ValueError, "Dup takes 1 item from the stack, and it holds 0: ()"),
        (lambda: Serial(Add(), Add())(1, 2), ValueError, "Serial takes 3 items from the stack"),
        (lambda: Branch(F, ADDAB)(1), ValueError, "Branch takes 2 items from the stack"),
        (lambda: trace(Residual(Add()), 1), ValueError, "Residual takes 2 items from the stack"),
        (lambda: HALVES[0](1), ValueError, "ReversibleHalfResidual takes 2 items"),
        (
            lambda: Serial(*HALVES).inverse(1),
            ValueError,
            "Swap takes 2 items from the stack, and it holds 1: (1,)",
        ),
        (
            lambda: HALVES[0].inverse(1),
            ValueError,
            "the inverse of ReversibleHalfResidual takes 2 items",
        ),
        (
            lambda: Select([0, 3], n_in=2),
            ValueError,
            "indices holds 3 and n_in is 2: it must be from 0 to n_in - 1",
        ),
        (lambda: Select([-1, 0]), ValueError, "indices holds -1 and n_in is 1"),
        (lambda: Select([]), ValueError, "indices is empty: then n_in must say how many"),
        (Branch, ValueError, "layers is empty: Branch needs at least one layer, or None"),
        (lambda: ReversibleHalfResidual(Dup()), ValueError, "layers put 2 items on the stack"),
        (
            lambda: Serial(Swap(), F).inverse(1, 2),
            TypeError,
            "F has no inverse, so (1, 2) cannot be taken back through it",
        ),
        (
            lambda: Fn("pair", lambda x: (x, x), n_out=3)(1),
            ValueError,
            "pair returned (1, 1): it must be 3 values in a tuple",
        ),
        (lambda: Fn("one", abs, n_out=2)(1), ValueError, "one returned 1: it must be 2 values"),
        (
            lambda: Fn("any", anything),
            ValueError,
            "any takes (*xs): it must take a fixed number of arguments",
        ),
        (lambda: Fn("none", lambda: 1), ValueError, "none takes ()"),
    ],
)
def test_errors(run, error, message):
    with pytest.raises(error, match=re.escape(message)):
        run()


def test_functions_written_in_c():
    assert Fn("Addition", operator.add)(3, 4) == (7,)
