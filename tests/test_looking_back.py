"""Looking a fixed distance back: what each encoding tells the layer, and that training finds it."""

import pytest
import torch

from companion.looking_back import BACK, ENCODINGS, N_TOKENS, LookingBack, right, train


def _scores(encoding, tokens):
    torch.manual_seed(0)
    with torch.no_grad():
        return LookingBack(encoding)(tokens)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_without_positions_the_order_does_not_matter(encoding):
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    order = [7, 2, 5, 0, 1, 4, 6, 3]
    scores, shuffled = _scores(encoding, tokens), _scores(encoding, tokens[:, order])
    assert scores.shape == (1, 8, N_TOKENS)
    same = torch.allclose(shuffled, scores[:, order], atol=1e-5)
    assert same == (encoding == "none")


def test_relative_scores_are_those_of_a_loop():
    torch.manual_seed(0)
    model = LookingBack("relative")
    query = torch.randn(2, 2, 20, 16)
    scores = model._of_distance(query)  # noqa: SLF001
    for i, j in [(0, 0), (0, 19), (19, 0), (7, 4), (4, 7), (10, 18)]:
        vector = model.distance.weight[max(-8, min(8, j - i)) + 8]
        expected = query[:, :, i] @ vector / 4
        torch.testing.assert_close(scores[:, :, i, j], expected)


@pytest.mark.parametrize("encoding", ["relative", "rotary"])
def test_training_finds_what_stands_before(encoding):
    state = torch.get_rng_state()
    model = train(encoding, n=12, steps=200)
    assert torch.equal(torch.get_rng_state(), state)
    places = right(model, 12)
    assert places.shape == (12 - BACK,)
    assert places.mean() > 0.9


def test_the_seed_decides():
    one, two = (train("none", n=8, steps=2, seed=4).embed.weight for _ in range(2))
    assert torch.equal(one, two)


def test_what_does_not_do():
    with pytest.raises(ValueError, match="encoding is 'mine': it must be one of none, sinusoidal"):
        LookingBack("mine")
