"""How the chatbot learns: dialogues as tokens, cut where they are too long."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.corpora import dialogues
from companion.corpora.sgd import Dialogue, Turn
from companion.models.chatbot import recipe
from companion.models.summarizer.pieces import END, decode, encode
from companion.reformer_layers import LocalSelfAttention

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16}


def test_a_dialogue_is_its_lines_and_an_end():
    dialogue = dialogues.generate(1, 0)[0]
    (tokens,) = recipe.examples([dialogue])
    assert tokens[-1] == END
    lines = decode(tokens[:-1]).splitlines()
    speakers = {"USER": "User", "SYSTEM": "Agent"}
    assert lines == [f"{speakers[turn.speaker]}: {turn.utterance}" for turn in dialogue.turns]


def test_one_that_is_too_long_becomes_its_beginning_and_its_end():
    turns = tuple(Turn(("USER", "SYSTEM")[i % 2], f"This is turn {i}.") for i in range(40))
    dialogue = Dialogue("1", (), turns)
    first, last = recipe.examples([dialogue], 100)
    assert len(first) == 100
    assert len(last) <= 100
    (whole,) = recipe.examples([dialogue], 1000)
    assert first == whole[:100]
    assert last == whole[-len(last) :]
    assert decode(last).startswith(("User: ", "Agent: "))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 30))
def test_the_last_turns_that_fit(lengths, most):
    turns = [[number] * length for number, length in enumerate(lengths)]
    kept = recipe.last_turns(turns, most)
    whole = [token for turn in turns for token in turn]
    assert 0 < len(kept) <= most
    assert kept == whole[-len(kept) :]
    assert len(kept) == most or kept[0] == 0 or len(kept) + lengths[kept[0] - 1] > most


def test_every_token_counts_but_what_fills_up():
    model = recipe.network(**SMALL).eval()
    one, other = encode("User: Hello!\n")[0], encode("User: I need a table in San Jose.\n")[0]
    torch.manual_seed(0)
    together = recipe.next_token_loss(model, [one, other])
    torch.manual_seed(0)
    each = [recipe.next_token_loss(model, [text]) for text in (one, other)]
    sizes = torch.tensor([len(one) - 1.0, len(other) - 1.0])
    expected = (torch.stack(each) * sizes).sum() / sizes.sum()
    # A hash of its own for every call: untrained, who is met changes next to nothing.
    torch.testing.assert_close(together, expected, rtol=0, atol=0.02)


def test_it_learns():
    losses = []
    drawn = recipe.examples(dialogues.generate(30, 0))
    recipe.train(
        drawn,
        steps=15,
        tokens=600,
        learning_rate=0.03,
        warm_up=2,
        on_step=lambda _, x: losses.append(x),
        **SMALL,
    )
    assert losses[-1] < losses[0] - 1


@pytest.mark.parametrize("window", [None, 8])
def test_with_and_without_neighbours(window):
    drawn = recipe.examples(dialogues.generate(5, 0))
    model = recipe.train(drawn, steps=1, tokens=200, window=window, **SMALL)
    local = [isinstance(block.f, LocalSelfAttention) for block in model.stack.blocks]
    assert local == ([True, False] if window else [False, False])


def test_equal_seeds_give_equal_networks():
    drawn = recipe.examples(dialogues.generate(5, 0))
    one, same, other = (
        recipe.train(drawn, seed, steps=2, tokens=200, **SMALL) for seed in (0, 0, 1)
    )
    assert torch.equal(one.words.weight, same.words.weight)
    assert not torch.equal(one.words.weight, other.words.weight)


@pytest.mark.parametrize("wrong", ["steps", "tokens", "learning_rate", "warm_up"])
def test_numbers_must_be_above_0(wrong):
    with pytest.raises(ValueError, match=f"{wrong} is 0"):
        recipe.train([[1, 2, 3]], **{wrong: 0}, **SMALL)


def test_there_must_be_examples():
    with pytest.raises(ValueError, match="drawn is 0"):
        recipe.train([], **SMALL)
