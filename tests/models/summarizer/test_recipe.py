"""How the summarizer is trained: what it reads, what counts, and that the same seed gives the same model."""

import pytest
import torch

from companion.corpora import dialogues
from companion.corpora.summaries import reference
from companion.language_model import LanguageModel, loss_mask
from companion.models.summarizer import as_text, example, examples, pieces, recipe, train

TINY = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 16}
DRAWN = dialogues.generate(40, 0)


def test_a_dialogue_is_a_line_for_each_turn():
    dialogue = DRAWN[0]
    lines = as_text(dialogue).splitlines()
    assert len(lines) == len(dialogue.turns)
    assert lines[0] == f"User: {dialogue.turns[0].utterance}"
    assert lines[1] == f"Agent: {dialogue.turns[1].utterance}"


def test_an_example_is_dialogue_separator_summary_end():
    line = example("User: Hello!\n", "They said hello.")
    at = line.index(pieces.SEPARATOR)
    assert pieces.decode(line[:at]) == "User: Hello!\n"
    assert pieces.decode(line[at + 1 : -1]) == "They said hello."
    assert line[-1] == pieces.END


def test_longer_ones_are_left_out():
    every = examples(DRAWN)
    assert len(every) == len(DRAWN)
    limit = sorted(map(len, every))[20]
    kept = examples(DRAWN, limit)
    assert kept == [line for line in every if len(line) <= limit]
    assert 21 <= len(kept) < len(every)


def test_the_loss_is_that_of_the_summary_alone():
    torch.manual_seed(0)
    model = LanguageModel(pieces.SIZE, **TINY).double()
    batch = examples(DRAWN[:3])
    terms = []
    for line in batch:
        logits = model(torch.tensor([line]))[0].log_softmax(dim=-1)
        begin = line.index(pieces.SEPARATOR)
        terms += [-logits[i, line[i + 1]] for i in range(begin, len(line) - 1)]
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(recipe.summary_loss(model, batch), expected)
    counted = loss_mask(torch.tensor([batch[0]]), pieces.SEPARATOR, pieces.END)
    assert pieces.decode(torch.tensor(batch[0])[1:][counted[0]].tolist()[:-1]) == reference(
        DRAWN[0]
    )


def test_the_same_seed_gives_the_same_model_and_leaves_the_others_random():
    drawn = examples(DRAWN)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    heard = []
    one = train(drawn, 1, steps=4, tokens=600, on_step=lambda *told: heard.append(told), **TINY)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    assert [step for step, _ in heard] == [1, 2, 3, 4]
    assert not one.training
    again = train(drawn, 1, steps=4, tokens=600, **TINY)
    other = train(drawn, 2, steps=4, tokens=600, **TINY)
    torch.testing.assert_close(one.state_dict(), again.state_dict(), rtol=0, atol=0)
    assert not torch.equal(one.words.weight, other.words.weight)


def test_it_goes_on_with_a_model_that_is_given():
    drawn = examples(DRAWN)
    begun = train(drawn, 1, steps=2, tokens=600, **TINY)
    before = begun.words.weight.clone()
    assert train(drawn, 2, steps=2, tokens=600, begun=begun) is begun
    assert not torch.equal(begun.words.weight, before)
    assert not begun.training


def test_it_learns():
    losses = []
    sizes = TINY | {"d_model": 32, "d_ff": 32}
    train(
        examples(DRAWN),
        steps=60,
        tokens=1000,
        learning_rate=0.01,
        warm_up=10,
        on_step=lambda _, loss: losses.append(loss),
        **sizes,
    )
    assert sum(losses[-5:]) < 0.75 * sum(losses[:5])


@pytest.mark.parametrize("tokens", [1, 300, 2000])
def test_a_batch_is_of_like_length_and_about_as_large_as_asked(tokens):
    torch.manual_seed(0)
    drawn = examples(DRAWN)
    for _ in range(20):
        batch = recipe.batch(drawn, tokens)
        longest = max(map(len, batch))
        assert len(batch) == 1 or len(batch) * longest <= tokens
        assert all(line in drawn for line in batch)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"drawn": []}, "drawn is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"tokens": -1}, "tokens is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"warm_up": 0}, "warm_up is 0"),
    ],
)
def test_numbers_that_make_no_sense_are_named(changed, told):
    with pytest.raises(ValueError, match=told):
        train(**{"drawn": [[1, 0]]} | changed)
