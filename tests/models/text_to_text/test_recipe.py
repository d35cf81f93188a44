"""The training of one model for several tasks: what it learns from, and that it learns."""

import pytest
import torch

from companion.corpora.tasks import Example
from companion.models.text_to_text import answer, measure, pieces, recipe
from companion.models.translator.recipe import END

SMALL = {"d_model": 32, "n_heads": 2, "n_layers": 1, "d_ff": 32}


def test_examples_are_drawn_of_each_task_and_put_together():
    found = recipe.draw({"cola": 3, "stsb": 2}, 1)
    assert [one.source.split()[0] for one in found] == ["cola"] * 3 + ["stsb"] * 2


def test_tokens_go_back_to_the_text():
    example = Example("cola sentence: Anna schläft.", "unacceptable")
    ((source, target),) = recipe.numbered([example])
    assert (source[-1], target[-1]) == (END, END)
    assert pieces.decode(source[:-1]) == example.source
    assert pieces.decode(target[:-1]) == example.target


def test_the_loss_falls_and_a_seed_gives_the_same_again():
    examples = recipe.draw({"cola": 60, "translate": 60}, 0)
    runs = []
    for _ in range(2):
        losses = []

        def hear(_step, loss, losses=losses):
            losses.append(loss)

        model = recipe.train(examples, 3, steps=30, tokens=200, on_step=hear, **SMALL)
        runs.append((losses, [p.detach().clone() for p in model.parameters()]))
    assert sum(runs[0][0][-5:]) < 0.8 * sum(runs[0][0][:5])
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(one, other) for one, other in zip(runs[0][1], runs[1][1], strict=True))


def test_the_prefix_alone_decides_what_is_written():
    """Two tasks with the same sentences: only the prefix tells them apart."""
    sentences = ["We sleep.", "Anna slept.", "Paul stays.", "They left."]
    examples = [
        Example(prefix + text, target)
        for text in sentences
        for prefix, target in (("cola sentence: ", "acceptable"), ("stsb sentence1: ", "5.0"))
    ]
    model = recipe.train(examples, 0, steps=120, tokens=100, learning_rate=1e-2, **SMALL)
    assert [one.text for one in answer(model, [one.source for one in examples])] == [
        one.target for one in examples
    ]
    labels = [one for one in examples if one.target == "acceptable"]
    assert measure(model, "cola", labels) == {"exact": 100, "accuracy": 100}


def test_errors():
    with pytest.raises(ValueError, match="pairs is 0"):
        recipe.train([], steps=1)
    with pytest.raises(ValueError, match="steps is 0"):
        recipe.train(recipe.draw({"cola": 2}, 0), steps=0, **SMALL)
