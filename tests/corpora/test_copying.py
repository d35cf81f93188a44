import pytest
import torch

from companion.corpora.copying import copying


def test_what_follows_the_second_zero_is_what_followed_the_first():
    tokens, targets = copying(5, 7, 9)
    assert tokens.shape == targets.shape == (5, 16)
    assert torch.equal(tokens[:, :8], tokens[:, 8:])
    assert (tokens[:, 0] == 0).all()
    assert tokens[:, 1:8].min() >= 1
    assert tokens.max() <= 9


def test_the_target_is_the_next_token_where_it_can_be_known():
    tokens, targets = copying(5, 7, 9)
    assert torch.equal(targets[:, 8:15], tokens[:, 9:])
    assert (targets[:, :8] == -100).all()
    assert (targets[:, 15] == -100).all()


def test_the_generator_rules():
    one, other = (copying(3, 4, 5, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert set(copying(500, 4, 5)[0].unique().tolist()) == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("numbers", [(0, 4, 5), (3, 0, 5), (3, 4, -1)])
def test_numbers_that_will_not_do(numbers):
    with pytest.raises(ValueError, match=r"(n|length|n_symbols) is (0|-1): it must be at least 1"):
        copying(*numbers)
