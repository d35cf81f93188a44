"""What is left of a word in a state: figures against what can be worked out otherwise."""

import pytest
import torch

from companion.corpora import pairs as corpus
from companion.models.bottleneck import recipe
from companion.models.bottleneck.trace import film, remains


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    sizes = {"d": 12, "d_embedding": 6}
    return {
        "last": recipe.network(None, **sizes).eval(),
        "attention": recipe.network("dot", **sizes).eval(),
    }


@pytest.fixture(scope="module")
def clauses():
    return [pair for pair in corpus.held_out(20, 5, 5) if "," not in pair.source][:3]


def test_all_is_left_of_a_word_just_read_and_nothing_of_one_to_come(networks, clauses):
    source = recipe.encode(clauses[:1])[0][0, :-1]
    left = remains(networks["last"].encoder, source)
    n = len(source)
    assert left.shape == (n, n)
    assert torch.equal(left.diagonal(), torch.ones(n))
    assert torch.equal(left.triu(1), torch.zeros(n, n))
    assert (left.tril() >= 0).all()


def test_a_state_that_forgets_keeps_nothing(clauses):
    source = recipe.encode(clauses[:1])[0][0, :-1]
    torch.manual_seed(0)
    encoder = recipe.network(None, d=12, d_embedding=6).encoder
    with torch.no_grad():
        encoder.lstm.bias_ih_l0[12:24] = -50.0  # the forget gate
        encoder.lstm.weight_hh_l0.zero_()  # and nothing of the output goes on
    left = remains(encoder, source)
    torch.testing.assert_close(left, torch.eye(len(source)))


def test_a_state_that_keeps_all_adds_up(clauses):
    """Without gates, the cell is a sum: a word changed changes it by as much, however many follow."""
    source = recipe.encode(clauses[:1])[0][0, :-1]
    torch.manual_seed(0)
    encoder = recipe.network(None, d=12, d_embedding=6).encoder
    with torch.no_grad():
        encoder.lstm.weight_hh_l0.zero_()
        encoder.lstm.weight_ih_l0[12:24] = 0  # the forget gate reads nothing,
        encoder.lstm.bias_ih_l0[12:24] = 50.0  # and keeps all;
        encoder.lstm.weight_ih_l0[36:] = 0  # the output gate reads nothing,
        encoder.lstm.bias_ih_l0[36:] = -50.0  # and lets nothing out
    left = remains(encoder, source)
    expected = torch.ones(len(source), len(source)).tril()
    torch.testing.assert_close(left, expected, rtol=1e-4, atol=1e-4)


def test_equal_seeds_give_equal_figures(networks, clauses):
    source = recipe.encode(clauses[:1])[0][0, :-1]
    one, same, other = (remains(networks["last"].encoder, source, seed=s) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_at_least_one_draw(networks, clauses):
    source = recipe.encode(clauses[:1])[0][0, :-1]
    with pytest.raises(ValueError, match="draws is 0: it must be at least 1"):
        remains(networks["last"].encoder, source, draws=0)


def test_a_film(networks, clauses):
    shown = film(networks, clauses)
    first = [word for word in clauses[0].source if word != "."]
    assert shown.words[: len(first)] == first
    assert shown.words[len(first) : len(first) + 2] == [",", "and"]
    assert shown.words.count("and") >= 2
    assert "." not in shown.words
    assert shown.stops[0] == len(first)
    assert shown.stops[-1] == len(shown.words)
    assert shown.right[0] == list(clauses[0].target)
    assert shown.right[1] == [
        *clauses[0].target[:-1], ",", "und", *clauses[1].target[:-1], ".",
    ]  # fmt: skip
    assert shown.left.shape == (len(shown.words),) * 2
    assert [len(side) for side in shown.written.values()] == [3, 3]
    assert shown.written["attention"][0] == recipe.translate(networks["attention"], clauses[:1])[0]

    source = recipe.encode(clauses[:1])[0][:, : len(first)]
    with torch.no_grad():
        expected = networks["last"].encoder(source)[0][0]
    torch.testing.assert_close(shown.outputs[: len(first)], expected, rtol=1e-4, atol=1e-5)
