"""The translator's network: what it writes token by token is what it predicts at once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.attention import padding_mask
from companion.encoder_decoder import EncoderDecoder
from companion.steps import reorder

SIZES = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 24, "longest": 32}
PAD = 0


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EncoderDecoder(12, **SIZES).double().eval()


def texts(lengths, seed):
    """Rows of so many tokens, filled up with PAD."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(1, 12, (len(lengths), max(lengths)), generator=generator)
    for row, length in zip(rows, lengths, strict=True):
        row[length:] = PAD
    return rows


@torch.no_grad()
def test_step_by_step_is_all_at_once(model):
    source, target = texts([5, 3, 7], 0), texts([6, 6, 6], 1)
    mask = padding_mask(source, PAD)
    expected = model.score(model(source, target, mask))
    state = model.start(source, mask)
    for at in range(target.shape[1]):
        scores, weights, state = model.step(target[:, at], state)
        torch.testing.assert_close(scores, expected[:, at])
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 2, 2).double())
        assert (
            weights[~mask[:, :, 0].expand(3, 2, 7)[:, :, None].expand(weights.shape)] == 0
        ).all()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 9), st.integers(0, 99))
@torch.no_grad()
def test_a_batch_is_each_sentence_alone(model, lengths, n, seed):
    source, target = texts(lengths, seed), texts([n] * len(lengths), seed + 1)
    together = model(source, target, padding_mask(source, PAD))
    for row, length in enumerate(lengths):
        alone = model(source[row : row + 1, :length], target[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone)


@torch.no_grad()
def test_rows_of_a_state_can_be_chosen(model):
    source = texts([5, 3, 7], 2)
    mask = padding_mask(source, PAD)
    first = torch.tensor([1, 2, 3])
    _, _, state = model.step(first, model.start(source, mask))
    chosen = torch.tensor([2, 0, 0])
    scores, _, _ = model.step(first, reorder(state, chosen))
    _, _, other = model.step(first[chosen], model.start(source[chosen], mask[chosen]))
    expected, _, _ = model.step(first, other)
    torch.testing.assert_close(scores, expected)


@torch.no_grad()
def test_what_comes_later_changes_nothing_before(model):
    source, target = texts([5], 3), texts([6], 4)
    changed = target.clone()
    changed[0, 3:] = 1
    before, after = model(source, target), model(source, changed)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_the_table_scores_too(model):
    assert model.score(torch.zeros(2, 16).double()).shape == (2, 12)
    names = [name for name, p in model.named_parameters() if 12 in p.shape]
    assert names == ["words.weight"]


def test_errors(model):
    with pytest.raises(ValueError, match="tokens reach to position 33; there are positions for 32"):
        model.embed(torch.ones(1, 33, dtype=torch.long))
    with pytest.raises(ValueError, match="n_heads is 3"):
        EncoderDecoder(12, d_model=16, n_heads=3)
    with pytest.raises(ValueError, match="longest"):
        EncoderDecoder(12, longest=0)
