"""Five ways to hide words: what is seen, what is asked for, and that nothing is lost between them."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.attention import causal_mask
from companion.masks import prefix_mask
from companion.pretraining import (
    UNASKED,
    continue_prefix,
    draw_spans,
    mask_words,
    next_token,
    span_corruption,
)

MASK, FIRST, SIZE = 4, 5, 1000
TEXTS = st.lists(st.integers(FIRST, SIZE - 1), min_size=2, max_size=40)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def within(count, n, share):
    """Whether a count is one that n draws with this probability give: five standard deviations."""
    return abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))


class TestMaskWords:
    tokens = torch.randint(FIRST, SIZE, (200, 100), generator=seeded(1))

    def draw(self, **options):
        recall = mask_words(self.tokens, MASK, SIZE, first=FIRST, generator=seeded(), **options)
        return recall.seen, recall.asked

    def test_shares_are_those_of_the_paper(self):
        seen, asked = self.draw()
        chosen = asked != UNASKED
        n, total = int(chosen.sum()), chosen.numel()
        assert within(n, total, 0.15)
        assert within(int((seen[chosen] == MASK).sum()), n, 0.8)
        # One in 995 of the replaced becomes what it was.
        assert within(int((seen[chosen] == self.tokens[chosen]).sum()), n, 0.1 + 0.1 / 995)

    def test_what_is_not_chosen_stays_and_what_is_asked_is_what_stood_there(self):
        seen, asked = self.draw()
        chosen = asked != UNASKED
        assert torch.equal(seen[~chosen], self.tokens[~chosen])
        assert torch.equal(asked[chosen], self.tokens[chosen])

    @pytest.mark.parametrize(("shares", "same"), [((1.0, 0.0, 0.0), MASK), ((0.0, 0.0, 1.0), None)])
    def test_all_of_one_kind(self, shares, same):
        seen, asked = self.draw(shares=shares)
        chosen = asked != UNASKED
        expected = self.tokens if same is None else torch.full_like(self.tokens, same)
        assert torch.equal(seen[chosen], expected[chosen])

    def test_other_tokens_are_never_special(self):
        seen, _ = self.draw(rate=1.0, shares=(0.0, 1.0, 0.0))
        assert FIRST <= int(seen.min()) <= FIRST + 5
        assert SIZE - 6 <= int(seen.max()) < SIZE

    @pytest.mark.parametrize(("rate", "n"), [(0.0, 0), (1.0, 20_000)])
    def test_none_and_all(self, rate, n):
        seen, asked = self.draw(rate=rate)
        assert int((asked != UNASKED).sum()) == n
        assert n or torch.equal(seen, self.tokens)

    @given(st.lists(st.booleans(), min_size=100, max_size=100))
    def test_what_is_kept_is_neither_hidden_nor_asked(self, kept):
        keep = torch.tensor(kept)
        seen, asked = self.draw(rate=1.0, keep=keep)
        assert torch.equal(seen[:, keep], self.tokens[:, keep])
        assert torch.equal(asked != UNASKED, (~keep).expand_as(asked))

    def test_the_same_seed_hides_the_same(self):
        for one, other in zip(self.draw(), self.draw(), strict=True):
            assert torch.equal(one, other)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"rate": 1.1}, "rate is 1.1: it must be from 0 to 1"),
            ({"rate": math.nan}, "rate is nan"),
            ({"shares": (0.8, 0.1, 0.2)}, r"shares is \(0.8, 0.1, 0.2\): they must be three"),
            ({"shares": (1.2, -0.1, -0.1)}, "none below 0"),
            ({"shares": (0.5, 0.5)}, "three"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, options, told):
        with pytest.raises(ValueError, match=told):
            self.draw(**options)


class TestNextToken:
    @given(TEXTS)
    def test_each_is_asked_for_the_one_after_it(self, tokens):
        recall = next_token(torch.tensor(tokens))
        assert recall.seen.tolist() == tokens[:-1]
        assert recall.asked.tolist() == tokens[1:]
        # What is asked for is not among what the mask lets be seen.
        assert not causal_mask(len(tokens) - 1).triu(1).any()

    @pytest.mark.parametrize("shape", [(1,), (2, 3), ()])
    def test_one_token_alone_is_refused(self, shape):
        with pytest.raises(ValueError, match=r"tokens has shape \(.*\): it must be \(n,\)"):
            next_token(torch.ones(shape, dtype=torch.int64))


class TestPrefix:
    @given(TEXTS, st.data())
    def test_what_follows_the_prefix_is_asked_and_nothing_else(self, tokens, data):
        prefix = data.draw(st.integers(1, len(tokens) - 1))
        recall = continue_prefix(torch.tensor(tokens), prefix)
        assert recall.seen.tolist() == tokens[:-1]
        asked = recall.asked != UNASKED
        assert recall.asked[asked].tolist() == tokens[prefix:]
        # Where something is asked, the mask shows nothing from that token on.
        mask = prefix_mask(len(tokens) - 1, prefix)
        for place in asked.nonzero()[:, 0].tolist():
            assert not mask[place, place + 1 :].any()

    @given(TEXTS)
    def test_a_prefix_of_one_is_the_causal_model(self, tokens):
        tokens = torch.tensor(tokens)
        assert torch.equal(continue_prefix(tokens, 1).asked, next_token(tokens).asked)

    @pytest.mark.parametrize("prefix", [0, 5, -1])
    def test_a_prefix_out_of_range_is_refused(self, prefix):
        with pytest.raises(ValueError, match=f"prefix is {prefix}: it must be from 1 to 4"):
            continue_prefix(torch.arange(5), prefix)


class TestSpans:
    def test_the_example_of_the_paper(self):
        words = ["Thank", "you", "for", "inviting", "me", "to", "your", "party", "last", "week"]
        numbers = list(range(len(words)))
        x, y, z = 100, 101, 102
        seen, asked = span_corruption(numbers, [(2, 4), (8, 9)], [x, y, z])
        written = dict(enumerate(words)) | {x: "<X>", y: "<Y>", z: "<Z>"}
        assert " ".join(written[i] for i in seen) == "Thank you <X> me to your party <Y> week"
        assert " ".join(written[i] for i in asked) == "<X> for inviting <Y> last <Z>"

    @given(st.integers(2, 200), st.floats(0.05, 0.95), st.floats(1, 8), st.integers(0, 2**32))
    def test_the_two_halves_are_the_text(self, n, rate, mean_length, seed):
        spans = draw_spans(n, rate=rate, mean_length=mean_length, generator=seeded(seed))
        tokens = list(range(n))
        sentinels = list(range(1000, 1001 + len(spans)))
        seen, asked = span_corruption(tokens, spans, sentinels)
        assert len(seen) + len(asked) == n + 2 * len(spans) + 1
        # Put each span in place of its sentinel.
        parts = {}
        for token in asked:
            if token >= 1000:
                parts[token] = []
            else:
                parts[max(parts)].append(token)
        assert parts.pop(sentinels[-1]) == []
        back = [[token] if token < 1000 else parts[token] for token in seen]
        assert [token for part in back for token in part] == tokens

    @given(st.integers(2, 200), st.floats(0.05, 0.95), st.floats(1, 8), st.integers(0, 2**32))
    def test_as_much_is_hidden_as_was_wished(self, n, rate, mean_length, seed):
        spans = draw_spans(n, rate=rate, mean_length=mean_length, generator=seeded(seed))
        hidden = sum(end - start for start, end in spans)
        assert hidden == min(max(round(n * rate), 1), n - 1)
        assert all(a < b for a, b in spans)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))

    def test_spans_have_the_mean_length(self):
        spans = draw_spans(2000, generator=seeded())
        lengths = [end - start for start, end in spans]
        assert sum(lengths) == 300
        assert len(lengths) == 100
        assert len(set(lengths)) > 3

    @given(st.integers(0, 2**32))
    def test_it_begins_with_what_is_shown_and_ends_with_what_is_hidden(self, seed):
        spans = draw_spans(40, generator=seeded(seed))
        assert spans[0][0] >= 1
        assert spans[-1][1] == 40

    def test_every_place_but_the_first_is_hidden_now_and_then(self):
        drawn = [draw_spans(20, rate=0.4, mean_length=2, generator=seeded(i)) for i in range(300)]
        hidden = {place for spans in drawn for span in spans for place in range(*span)}
        assert hidden == set(range(1, 20))

    def test_the_same_seed_draws_the_same(self):
        assert draw_spans(100, generator=seeded(3)) == draw_spans(100, generator=seeded(3))
        assert draw_spans(100, generator=seeded(3)) != draw_spans(100, generator=seeded(4))

    @pytest.mark.parametrize(
        ("spans", "sentinels", "told"),
        [
            ([(1, 2)], [9], "sentinels: 1 were given; 1 spans need 2"),
            ([(2, 2)], [9, 8], r"spans: \(2, 2\) must hold a token"),
            ([(0, 1), (1, 2)], [9, 8, 7], r"spans: \(1, 2\) .* with a token in between"),
            ([(3, 4), (0, 1)], [9, 8, 7], r"spans: \(0, 1\) .* after the span before it"),
            ([(3, 6)], [9, 8], r"spans: \(3, 6\) .* end at 5 or before"),
            ([(-1, 2)], [9, 8], r"spans: \(-1, 2\)"),
        ],
    )
    def test_spans_that_do_not_fit_are_refused(self, spans, sentinels, told):
        with pytest.raises(ValueError, match=told):
            span_corruption(range(5), spans, sentinels)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"n": 1}, "n is 1: there must be at least 2"),
            ({"n": 9, "rate": 0.0}, "rate is 0.0: it must be between 0 and 1"),
            ({"n": 9, "rate": 1.0}, "rate is 1.0"),
            ({"n": 9, "mean_length": 0.5}, "mean_length is 0.5: it must be at least 1"),
        ],
    )
    def test_draws_that_cannot_be_are_refused(self, options, told):
        with pytest.raises(ValueError, match=told):
            draw_spans(**options)
