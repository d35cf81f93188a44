"""How the translator learns: batches of like length, and a loss that filling does not touch."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.models.translator import recipe
from companion.models.translator.recipe import END, batches, train, translation_loss

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16, "longest": 40}
SENTENCES = st.lists(st.integers(2, 9), min_size=1, max_size=12).map(lambda row: [*row, END])
PAIRS = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=40)


@given(PAIRS, st.integers(20, 60))
def test_batches_deal_out_every_pair_once(pairs, tokens):
    drawn, dealt = batches(pairs, tokens), []
    while len(dealt) < len(pairs):
        batch = next(drawn)
        dealt += batch
        width = max(len(source) + len(target) for source, target in batch)
        assert len(batch) == 1 or width * len(batch) <= 2 * tokens
    as_tuples = [Counter((tuple(s), tuple(t)) for s, t in some) for some in (pairs, dealt)]
    assert as_tuples[0] == as_tuples[1]


def copies(n):
    """Pairs whose target is the source, of 1 to 6 tokens."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 7, (n,), generator=generator).tolist()
    rows = [torch.randint(2, 10, (k,), generator=generator).tolist() for k in lengths]
    return [([*row, END], [*row, END]) for row in rows]


def test_filling_changes_no_loss():
    model = train(copies(4), 10, steps=1, tokens=100, warm_up=1, **SMALL)
    short, long = [[2, END], [3, END]], [[4, 5, 6, 7, END], [8, 9, 2, END]]
    each = [translation_loss(model, [pair]) for pair in (short, long)]
    sizes = torch.tensor([2.0, 4.0])
    expected = (torch.stack(each) * sizes).sum() / sizes.sum()
    torch.testing.assert_close(translation_loss(model, [short, long]), expected)


def test_it_learns_to_copy():
    losses = []
    train(
        copies(200),
        10,
        steps=150,
        tokens=200,
        learning_rate=1e-2,
        warm_up=10,
        smoothing=0.0,
        on_step=lambda _, loss: losses.append(loss),
        **SMALL,
    )
    assert sum(losses[-10:]) / 10 < 0.6 * losses[0]


def test_equal_seeds_give_equal_networks():
    one, same, other = (
        train(copies(9), 10, seed, steps=2, tokens=30, warm_up=1, **SMALL) for seed in (0, 0, 1)
    )
    assert torch.equal(one.words.weight, same.words.weight)
    assert not torch.equal(one.words.weight, other.words.weight)


@pytest.mark.parametrize("wrong", ["steps", "tokens", "learning_rate", "warm_up"])
def test_numbers_must_be_above_0(wrong):
    with pytest.raises(ValueError, match=f"{wrong} is 0"):
        train(copies(3), 10, **{"steps": 1, wrong: 0}, **SMALL)


def test_there_must_be_pairs():
    with pytest.raises(ValueError, match="pairs is 0"):
        train([], 10, steps=1, **SMALL)


def test_what_is_held_out_is_measured_along_the_way(monkeypatch):
    monkeypatch.setattr(recipe, "_EVERY", 2)
    pairs, held_out = copies(8), copies(5)
    model = train(
        pairs, 10, steps=5, tokens=100, warm_up=1, held_out=held_out, dropout=0.5, **SMALL
    )
    assert [step for step, _ in model.history] == [2, 4]
    alone = train(pairs, 10, steps=5, tokens=100, warm_up=1, dropout=0.5, **SMALL)
    assert alone.history == []
    for one, other in zip(model.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one, other)  # measuring changes nothing


def test_the_loss_of_what_is_held_out_is_the_mean_over_all_tokens(monkeypatch):
    monkeypatch.setattr(recipe, "_AT_ONCE", 3)
    model = train(copies(4), 10, steps=1, tokens=100, warm_up=1, **SMALL).train()
    held_out = copies(8)
    found = recipe.held_out_loss(model, held_out)
    assert model.training
    assert found == pytest.approx(translation_loss(model.eval(), held_out).item(), abs=1e-5)
