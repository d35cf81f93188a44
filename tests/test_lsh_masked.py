"""Attention in buckets as all pairs under a mask: the same numbers as in buckets, for texts that go on."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.lsh import lsh_attention
from companion.lsh_masked import MaskedLSHSelfAttention, masked_lsh_attention, met_before
from companion.reformer_layers import LSHSelfAttention

BUCKETS = st.sampled_from([2, 6, 16])


@given(
    st.integers(1, 40),
    st.integers(1, 12),
    BUCKETS,
    st.sampled_from([1, 2, 4, 8]),
    st.integers(0, 2**31),
)
def test_it_equals_the_plain_reference(length, chunk, n_buckets, rounds, seed):
    torch.manual_seed(seed)
    chunk = min(chunk, length)
    query, value = torch.randn(2, 2, 3, length, 4, dtype=torch.float64)
    buckets = torch.randint(n_buckets, (2, 3, rounds, length))
    expected = lsh_attention(query, value, buckets, chunk, causal=True, cut="bucket")
    new = 1 + seed % length
    met = met_before(buckets, n_buckets, chunk, new)
    found = masked_lsh_attention(query, value, met)
    torch.testing.assert_close(found, expected[..., -new:, :], rtol=1e-10, atol=1e-10)


def test_what_is_met_stays_so_when_the_text_goes_on():
    buckets = torch.randint(6, (2, 3, 30), generator=torch.Generator().manual_seed(0))
    whole = met_before(buckets, 6, 4, 30)
    for length in range(1, 31):
        begun = met_before(buckets[..., :length], 6, 4, length)
        assert torch.equal(begun, whole[:, :length, :length])


def test_rounds_that_do_not_count_are_not_there():
    buckets = torch.randint(6, (2, 3, 30), generator=torch.Generator().manual_seed(0))
    for rounds in (1, 2, 3):
        found = met_before(buckets, 6, 4, 30, rounds)
        assert torch.equal(found, met_before(buckets[:, :rounds], 6, 4, 30))
    assert torch.equal(met_before(buckets, 6, 4, 30, 0)[0], torch.eye(30, dtype=torch.bool))


@pytest.mark.parametrize("rounds", [1, 3])
def test_the_layer_is_the_one_that_works_in_buckets(rounds):
    sizes = {"chunk": 8, "rounds": rounds, "n_buckets": 6}
    plain = LSHSelfAttention(16, 2, cut="bucket", **sizes).double()
    masked = MaskedLSHSelfAttention(16, 2, **sizes).double()
    masked.load_state_dict(plain.state_dict())
    x = torch.randn(2, 50, 16, dtype=torch.float64)
    torch.manual_seed(3)
    expected = plain(x)
    torch.manual_seed(3)
    torch.testing.assert_close(masked(x), expected, rtol=1e-10, atol=1e-10)


def test_undo_does_not_hash_again(monkeypatch):
    layer = MaskedLSHSelfAttention(16, 2, chunk=4, n_buckets=6)
    x, stream, grad = (torch.randn(2, 20, 16) for _ in range(3))
    memo = layer.add(stream, x)
    monkeypatch.setattr("companion.lsh_masked.angular_hash", None)
    layer.undo(stream, x, memo, grad, torch.zeros_like(x))


def test_a_number_of_buckets_is_needed():
    with pytest.raises(ValueError, match=r"n_buckets is None; .* an even number"):
        MaskedLSHSelfAttention(16, 2, n_buckets=None)
    with pytest.raises(ValueError, match=r"n_buckets is 7; .* even"):
        MaskedLSHSelfAttention(16, 2, n_buckets=7)
