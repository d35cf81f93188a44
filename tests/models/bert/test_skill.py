"""How an encoder learns to sort texts."""

import pytest
import torch

from companion.bert import Bert
from companion.models.bert import skill
from companion.models.bert.pieces import SIZE

TINY = {"d_model": 32, "n_heads": 2, "n_layers": 1, "d_ff": 32}
TEXTS = [("A table for two, please.", 0), ("Which city?", 1), ("Thanks, goodbye!", 2)]


def encoder():
    torch.manual_seed(0)
    return Bert(SIZE, **TINY)


def test_it_learns_a_few_texts_by_heart():
    model = skill.learn(TEXTS, 3, learning_rate=3e-3, **TINY)
    assert skill.accuracy(model, TEXTS) == 1
    assert skill.accuracy(model, [(text, (label + 1) % 3) for text, label in TEXTS]) == 0


def test_the_pretrained_encoder_stays_as_it_was():
    begun = encoder()
    before = {name: tensor.clone() for name, tensor in begun.state_dict().items()}
    model = skill.learn(TEXTS, 3, begun=begun, steps=3)
    assert all(torch.equal(begun.state_dict()[name], before[name]) for name in before)
    moved = [
        name for name in before if not torch.equal(model.bert.state_dict()[name], before[name])
    ]
    assert "layers.0.attention.query.weight" in moved


def test_frozen_only_the_last_layer_learns():
    begun = encoder()
    model = skill.learn(TEXTS, 3, begun=begun, steps=20, learning_rate=1e-2, frozen=True)
    for name, tensor in begun.state_dict().items():
        assert torch.equal(model.bert.state_dict()[name], tensor)
    losses = []
    skill.learn(
        TEXTS, 3, begun=begun, steps=60, learning_rate=3e-2, frozen=True,
        on_step=lambda _, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[-1] < losses[0]


def test_padding_does_not_change_a_score():
    model = skill.learn(TEXTS, 3, steps=2, **TINY)
    rows = [torch.tensor([2, 40, 41, 3]), torch.tensor([2, 40, 41, 42, 43, 44, 3])]
    together = skill.score(model, rows)
    for row, scores in zip(rows, together, strict=True):
        torch.testing.assert_close(skill.score(model, [row])[0], scores, atol=1e-5, rtol=1e-5)


def test_the_same_seed_gives_the_same_classifier():
    one, other = (skill.learn(TEXTS, 3, 4, steps=2, **TINY).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: skill.learn([], 2), "drawn is 0: it must be above 0"),
        (lambda: skill.learn(TEXTS, 2), "there is a class that is not from 0 to 1"),
        (lambda: skill.learn([("a", -1)], 2), "there is a class that is not from 0 to 1"),
        (lambda: skill.learn(TEXTS, 3, steps=0), "steps is 0"),
        (lambda: skill.accuracy(skill.learn(TEXTS, 3, steps=1, **TINY), []), "texts is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()
