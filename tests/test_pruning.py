"""Pruning: the quick way equals the plain one, subset by subset."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import pruning
from companion.winograd import Resolver

HEADS, VOCABULARY = 3, 30


def network(**options):
    torch.manual_seed(1)
    model = Resolver(VOCABULARY, d_model=12, n_heads=HEADS, d_ff=16, **options)
    for parameter in model.parameters():  # large enough that every head counts
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


TOKENS = torch.randint(1, VOCABULARY, (4, 7), generator=torch.Generator().manual_seed(2))
TOKENS[2, 5:] = 0  # padding
PRONOUN = torch.tensor([3, 2, 4, 6])
NOUNS = torch.tensor([[0, 1], [4, 0], [1, 3], [5, 2]])


@torch.no_grad()
def plainly(model, subset):
    """Odds with the heads' share of W_O's input set to zero by a hook, one subset at a time."""
    hooks = []
    for layer, look in enumerate(model.looks):
        gates = torch.tensor([subset >> (layer * HEADS + head) & 1 for head in range(HEADS)])
        gates = gates.float().repeat_interleave(12 // HEADS)
        hooks.append(
            look.attention.output.register_forward_pre_hook(lambda _, x, g=gates: (x[0] * g,))
        )
    logits, weights = model.logits_and_weights(TOKENS)
    for hook in hooks:
        hook.remove()
    at = logits[torch.arange(4), PRONOUN].gather(1, TOKENS.gather(1, NOUNS))
    return at[:, 0] - at[:, 1], weights


@pytest.mark.parametrize("options", [{}, {"word_values": False}, {"residual": False}])
@pytest.mark.parametrize("keep_weights", [True, False])
def test_every_subset_is_what_hooks_give(options, keep_weights):
    model = network(**options)
    told = pruning.every_subset(model, TOKENS, PRONOUN, NOUNS, keep_weights=keep_weights)
    assert told.odds.shape == (4**HEADS, 4)
    assert (told.second is not None) == keep_weights
    for subset in range(4**HEADS):
        odds, weights = plainly(model, subset)
        torch.testing.assert_close(told.odds[subset], odds, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(told.first, weights[:, 0], atol=1e-5, rtol=0)
        if keep_weights:
            of_subset = told.second[subset % 2**HEADS]
            torch.testing.assert_close(of_subset, weights[:, 1], atol=1e-5, rtol=0)
    assert torch.equal(told.accuracy, (told.odds > 0).float().mean(dim=1))


def test_all_heads_are_the_network_itself():
    model = network()
    told = pruning.every_subset(model, TOKENS, PRONOUN, NOUNS)
    with torch.no_grad():
        logits = model(TOKENS, PRONOUN[:, None])[:, 0].gather(1, TOKENS.gather(1, NOUNS))
    torch.testing.assert_close(told.odds[-1], logits[:, 0] - logits[:, 1], atol=1e-5, rtol=1e-5)


def test_other_networks_are_refused():
    for model in (network(causal=True), network(n_layers=3)):
        with pytest.raises(ValueError, match="two layers, and read in both directions"):
            pruning.every_subset(model, TOKENS, PRONOUN, NOUNS)


def test_subsets_are_the_digits_of_their_number():
    gates = pruning.subsets(3)
    assert gates.shape == (8, 3)
    assert gates[0b110].tolist() == [0, 1, 1]
    assert len({tuple(row) for row in gates.tolist()}) == 8


ACCURACIES = st.lists(st.integers(0, 9), min_size=16, max_size=16).map(
    lambda numbers: torch.tensor(numbers) / 10
)


@given(ACCURACIES)
@settings(max_examples=50, deadline=None)
def test_greedy_takes_the_best_next_step_and_best_is_never_worse(accuracy):
    order = pruning.greedy(accuracy)
    assert sorted(order) == [0, 1, 2, 3]
    kept, best = 15, pruning.best(accuracy)
    for head in order:
        others = [accuracy[kept ^ (1 << h)].item() for h in range(4) if kept >> h & 1]
        kept ^= 1 << head
        assert accuracy[kept].item() == max(others)
        subset, top = best[kept.bit_count()]
        assert subset.bit_count() == kept.bit_count()
        assert accuracy[subset].item() == top >= accuracy[kept].item()
    assert [subset.bit_count() for subset, _ in best] == [0, 1, 2, 3, 4]


def test_single():
    accuracy = torch.arange(16) / 16
    assert pruning.single(accuracy).tolist() == [14 / 16, 13 / 16, 11 / 16, 7 / 16]
