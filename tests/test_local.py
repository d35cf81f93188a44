"""Local attention: against attention under its mask, written down in full."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.attention import causal_mask, scaled_dot_product_attention
from companion.local import chunk_mask, local_attention, mass_within
from companion.lsh import lsh_attention, unit
from companion.masks import leaks, window_mask

N, CHUNK = st.integers(1, 40), st.integers(1, 12)


class TestChunkMask:
    def test_is_the_own_chunk_and_the_one_before(self):
        expected = [
            [1, 0, 0, 0, 0, 0],
            [1, 1, 0, 0, 0, 0],
            [1, 1, 1, 0, 0, 0],
            [1, 1, 1, 1, 0, 0],
            [0, 0, 1, 1, 1, 0],
            [0, 0, 1, 1, 1, 1],
        ]
        assert chunk_mask(6, 2).int().tolist() == expected

    @given(n=N, chunk=CHUNK)
    def test_looks_back_one_chunk_at_least_and_two_at_most(self, n, chunk):
        mask = chunk_mask(n, chunk)
        assert (mask | ~window_mask(n, chunk + 1)).all()
        assert (window_mask(n, 2 * chunk) | ~mask).all()
        assert not leaks(mask, 3).any()

    @pytest.mark.parametrize(("n", "chunk", "name"), [(0, 2, "n is 0"), (3, -1, "chunk is -1")])
    def test_sizes_must_be_positive(self, n, chunk, name):
        with pytest.raises(ValueError, match=f"{name}: it must be at least 1"):
            chunk_mask(n, chunk)


class TestLocalAttention:
    @given(n=N, chunk=CHUNK, seed=st.integers(0, 10**6))
    @settings(deadline=None)
    def test_equals_attention_under_the_mask(self, n, chunk, seed):
        torch.manual_seed(seed)
        query, key = torch.randn(2, 2, 3, n, 4, dtype=torch.float64)
        value = torch.randn(2, 3, n, 5, dtype=torch.float64)
        expected = scaled_dot_product_attention(query, key, value, chunk_mask(n, chunk))[0]
        torch.testing.assert_close(local_attention(query, key, value, chunk), expected)

    def test_gradients_are_those_of_attention_under_the_mask(self):
        torch.manual_seed(0)
        tensors = torch.randn(3, 21, 4, dtype=torch.float64, requires_grad=True)
        masked = scaled_dot_product_attention(*tensors, chunk_mask(21, 4))[0]
        (expected,) = torch.autograd.grad(masked.square().sum(), tensors)
        (found,) = torch.autograd.grad(local_attention(*tensors, 4).square().sum(), tensors)
        torch.testing.assert_close(found, expected)

    def test_chunks_as_long_as_the_text_are_causal_attention(self):
        torch.manual_seed(0)
        query, key, value = torch.randn(3, 9, 4)
        expected = scaled_dot_product_attention(query, key, value, causal_mask(9))[0]
        torch.testing.assert_close(local_attention(query, key, value, 9), expected)

    def test_is_attention_in_buckets_with_one_bucket(self):
        """But for the token itself, which shared queries and keys hide, and the scale."""
        torch.manual_seed(0)
        query, value = torch.randn(2, 24, 4, dtype=torch.float64)
        nothing = torch.zeros(1, 24, dtype=torch.long)
        found = lsh_attention(query, value, nothing, 6, causal=True)
        mask = chunk_mask(24, 6) & ~torch.eye(24, dtype=torch.bool)
        mask[0, 0] = True
        expected = scaled_dot_product_attention(2 * query, unit(query), value, mask)[0]
        torch.testing.assert_close(found, expected)

    def test_chunk_must_be_positive(self):
        with pytest.raises(ValueError, match="chunk is 0: it must be at least 1"):
            local_attention(*torch.randn(3, 5, 4), 0)


class TestMassWithin:
    def test_is_the_share_of_the_last_positions(self):
        weights = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [0.1, 0.2, 0.7]])
        assert mass_within(weights, 1).item() == pytest.approx((0.5 + 0.7) / 2)
        assert mass_within(weights, 2).item() == pytest.approx(0.9)

    def test_keeps_the_axes_in_front(self):
        weights = torch.ones(2, 3, 5, 5).tril()
        weights /= weights.sum(dim=-1, keepdim=True)
        found = mass_within(weights, 4)
        assert found.shape == (2, 3)
        torch.testing.assert_close(found, torch.full((2, 3), 0.8))

    @pytest.mark.parametrize("width", [0, 5, 9])
    def test_width_must_leave_something_outside(self, width):
        with pytest.raises(ValueError, match=f"width is {width}: "):
            mass_within(torch.eye(5), width)
