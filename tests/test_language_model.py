"""The decoder-only model: causal, the same with and without its cache, and made to copy."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.language_model import LanguageModel, loss_mask

SIZES = {"d_model": 16, "n_heads": 2, "n_layers": 3, "d_ff": 32}


def made(seed=0, **options):
    torch.manual_seed(seed)
    return LanguageModel(23, **SIZES | options).double().eval()


def tokens(n, batch=2, seed=1):
    return torch.randint(23, (batch, n), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("word_values", [True, False])
def test_the_way_of_training_and_the_way_of_reading_agree(word_values):
    model = made(word_values=word_values)
    torch.testing.assert_close(model(tokens(11)), model.read(tokens(11)).logits)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.booleans())
def test_read_in_pieces_it_says_the_same(pieces, word_values):
    model, text = made(word_values=word_values), tokens(sum(pieces))
    whole, parts, cache = model.read(text), [], None
    for piece in text.split(pieces, dim=1):
        part = model.read(piece, cache)
        parts.append(part)
        cache = part.cache
    torch.testing.assert_close(torch.cat([p.logits for p in parts], dim=1), whole.logits)
    torch.testing.assert_close(torch.cat([p.states for p in parts], dim=2), whole.states)
    last = parts[-1].weights
    torch.testing.assert_close(last, whole.weights[..., -last.shape[-2] :, :])
    for (key, value), (whole_key, whole_value) in zip(cache, whole.cache, strict=True):
        torch.testing.assert_close((key, value), (whole_key, whole_value))


@pytest.mark.parametrize("word_values", [True, False])
def test_the_future_does_not_change_the_past(word_values):
    model, one = made(word_values=word_values), tokens(9)
    other = one.clone()
    other[:, 5:] = (other[:, 5:] + 7) % 23
    before, after = model(one), model(other)
    torch.testing.assert_close(before[:, :5], after[:, :5], rtol=0, atol=0)
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_the_shapes():
    reading = made().read(tokens(7))
    assert reading.logits.shape == (2, 7, 23)
    assert reading.weights.shape == (2, 3, 2, 7, 7)
    assert reading.states.shape == (2, 7, 7, 16)  # at first, and after each of six sublayers
    assert [k.shape for k, _ in reading.cache] == [(2, 2, 7, 8)] * 3


def test_the_states_are_the_way_from_embedding_to_logits():
    model, text = made(), tokens(7)
    states = model.read(text).states
    torch.testing.assert_close(states[:, 0], model.embed(text))
    torch.testing.assert_close(states[:, -1], model.hidden(text))
    torch.testing.assert_close(model.score(states[:, -1]), model(text))


def test_rows_of_weights_sum_to_one_and_look_at_nothing_later():
    weights = made().read(tokens(8)).weights
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 2, 8).double())
    assert not weights.triu(1).any()


def test_ordinary_attention_knows_where_tokens_stand_everywhere():
    assert [layer.positions for layer in made(word_values=False).layers] == [True] * 3
    assert [layer.positions for layer in made().layers] == [True, True, False]


def test_a_head_begins_by_looking_one_token_back():
    model = LanguageModel(100, d_model=128, n_heads=4, n_layers=2).eval()
    looks = model.read(torch.randint(100, (1, 60))).weights[0, 0, 0]  # (60, 60)
    assert (looks[1:].argmax(dim=-1) == torch.arange(59)).float().mean() > 0.95


def copies(batch):
    """A text of 20 tokens, all different, then again 8 of them from anywhere on; and where from."""
    text = torch.stack([torch.randperm(60)[:20] for _ in range(batch)])
    where = torch.randint(13, (batch, 1)) + torch.arange(8)  # (batch, 8)
    return torch.cat([text, text.gather(1, where)], dim=1), where


def test_it_learns_to_copy_in_few_steps_and_shows_from_where():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LanguageModel(60, d_model=64, n_heads=2, n_layers=2, d_ff=64)
        optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
        for _ in range(200):
            text, _where = copies(64)
            logits = model(text[:, :-1])[:, 20:]  # (64, 7, 60)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 21:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        text, where = copies(200)
    with torch.no_grad():
        reading = model.eval().read(text)
    right = reading.logits[:, 20:-1].argmax(dim=-1) == text[:, 21:]
    assert right.float().mean() > 0.95
    looks = reading.weights[:, -1, :, 20:-1].mean(dim=1)  # (200, 7, 28)
    assert (looks.argmax(dim=-1) == where[:, 1:]).float().mean() > 0.9


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"vocabulary_size": 0}, "vocabulary_size is 0"),
        ({"n_layers": 0}, "n_layers is 0"),
        ({"d_model": 18}, "d_model is 18 and n_heads is 2"),
        ({"n_heads": 0}, "n_heads is 0"),
        ({"d_ff": 0}, "d_ff is 0"),
    ],
)
def test_sizes_that_do_not_fit_are_named(sizes, told):
    with pytest.raises(ValueError, match=told):
        LanguageModel(**{"vocabulary_size": 23} | SIZES | sizes)


def slow_loss_mask(row, separator, end):
    begin = row.index(separator) if separator in row else len(row)
    stop = row.index(end, begin) if end in row[begin:] else len(row)
    return [begin <= i < stop for i in range(len(row) - 1)]


@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=4))
def test_what_counts_is_what_is_written(rows):
    expected = [slow_loss_mask(row, 1, 0) for row in rows]
    assert loss_mask(torch.tensor(rows), separator=1, end=0).tolist() == expected


def test_the_end_counts_and_what_fills_up_does_not():
    text = torch.tensor([[7, 8, 1, 5, 6, 0, 0, 0]])  # dialogue, separator, summary, end, padding
    assert loss_mask(text, 1, 0)[0].nonzero()[:, 0].tolist() == [2, 3, 4]


def test_one_text_alone_needs_the_axis_of_a_batch():
    with pytest.raises(ValueError, match=r"tokens has shape \(8,\)"):
        loss_mask(torch.zeros(8, dtype=torch.int64), 1, 0)
