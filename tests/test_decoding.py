"""Choosing tokens: what may be drawn, what is drawn, and what a text's probability is."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessorList
from transformers.generation import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from companion.decoding import (
    choose,
    greedy,
    largest,
    log_probabilities,
    sample,
    temper,
    top_k,
    top_p,
)
from companion.language_model import LanguageModel

INF = math.inf

# A model of two-word texts: how likely each word is at first (the last row), and after another.
WORDS = ("I", "am", "hungry", "<eos>", "<sos>")
EOS, SOS = 3, 4
AFTER = torch.tensor(
    [
        [0.1, 0.5, 0.3, 0.1],
        [0.7, 0.05, 0.2, 0.05],
        [0.25, 0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.4, 0.1, 0.0],
    ]
)


def slide(tokens, state):
    return AFTER.log()[tokens], state


def random(*shape, seed=0):
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# Numbers with many ties; the largest is always finite.
LOGITS = st.lists(
    st.sampled_from([-INF, -3.0, -1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=9
).filter(lambda row: max(row) > -INF)


# What may be drawn ------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1e-3, 0.5, 1.0, 3.0, 1e4])
def test_temperature_divides(temperature):
    logits = random(3, 2, 7)
    expected = (logits.double() / temperature).softmax(-1)
    torch.testing.assert_close(temper(logits, temperature).double().softmax(-1), expected)


@settings(deadline=None)
@given(LOGITS, st.sampled_from([0.0, 5e-324, 1e-40, 1e-20]))
def test_the_limit_of_temperature_is_the_first_of_the_likeliest(row, temperature):
    odds = temper(torch.tensor(row), temperature).softmax(-1)
    if temperature < 1e-30:
        assert odds.tolist() == [float(i == row.index(max(row))) for i in range(len(row))]
    else:  # still a quotient: equals stay equal
        most = [float(x == max(row)) for x in row]
        assert odds.tolist() == pytest.approx([x / sum(most) for x in most])


@settings(deadline=None)
@given(LOGITS, st.integers(1, 10))
def test_top_k_keeps_the_k_likeliest_and_of_equals_the_first(row, k):
    kept = top_k(torch.tensor(row), k).tolist()
    best = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]
    assert kept == [x if i in best else -INF for i, x in enumerate(row)]


@settings(deadline=None)
@given(LOGITS, st.floats(1e-9, 1))
def test_top_p_keeps_the_smallest_set_that_reaches_p(row, p):
    logits = torch.tensor(row)
    kept = top_p(logits, p)
    odds = logits.double().softmax(-1)
    inside = kept > -INF
    assert torch.equal(kept[inside], logits[inside])
    assert odds[inside].sum() >= p - 2e-6
    least = odds[inside].min()
    if inside.sum() > 1:  # without its least likely token it would not do
        assert odds[inside].sum() - least < p
    assert not (odds[~inside] > least).any()
    equal = (odds == least).nonzero()[:, 0]
    assert inside[equal].tolist() == sorted(inside[equal].tolist(), reverse=True)


def test_top_p_on_the_edge():
    logits = torch.tensor([0.5, 0.4, 0.1]).log()
    assert (top_p(logits, 0.9) > -INF).tolist() == [True, True, False]
    assert (top_p(logits, 0.91) > -INF).tolist() == [True, True, True]
    assert (top_p(logits, 0.5) > -INF).tolist() == [True, False, False]
    assert (top_p(logits, 1e-12) > -INF).tolist() == [True, False, False]
    assert torch.equal(top_p(torch.tensor([0.0, -80.0]), 1), torch.tensor([0.0, -80.0]))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: temper(x, 0.7),
        lambda x: temper(x, 0),
        lambda x: top_k(x, 3),
        lambda x: top_p(x, 0.6),
    ],
)
def test_a_batch_is_its_rows(function):
    logits = random(4, 3, 11)
    before = logits.clone()
    together = function(logits)
    assert torch.equal(logits, before)
    for i in range(4):
        for j in range(3):
            assert torch.equal(together[i, j], function(logits[i, j]))


@pytest.mark.parametrize(
    ("temperature", "k", "p"),
    [
        (0.7, 5, 0.8),
        (1.3, 40, 0.95),
        (1.0, 1, 0.5),
        (2.0, 50, 0.3),
        (1.0, 100, 0.01),
        (0.4, 3, 1.0),
    ],
)
def test_the_distribution_is_that_of_transformers(temperature, k, p):
    logits = random(64, 50)
    warpers = [TemperatureLogitsWarper(temperature), TopKLogitsWarper(k), TopPLogitsWarper(p)]
    expected = LogitsProcessorList(warpers)(None, logits)
    found = top_p(top_k(temper(logits, temperature), k), p)
    assert torch.equal(found > -INF, expected > -INF)
    torch.testing.assert_close(found.softmax(-1), expected.softmax(-1))


def test_with_ties_transformers_keeps_more_than_k():
    logits = torch.tensor([[1.0, 2.0, 1.0, 1.0]])
    assert (TopKLogitsWarper(2)(None, logits) > -INF).sum() == 4
    assert (top_k(logits, 2) > -INF).tolist() == [[True, True, False, False]]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 14), st.booleans())
def test_largest_puts_the_first_of_equals_first(numbers, k, batch):
    x = torch.tensor(numbers).float()
    x = torch.stack([x, x.flip(0)]) if batch else x
    values, places = largest(x, k)
    for row, these, at in zip(
        *(y.reshape(-1, y.shape[-1]) for y in (x, values, places)), strict=True
    ):
        expected = sorted(range(len(row)), key=lambda i: (-row[i].item(), i))[:k]
        assert at.tolist() == expected
        assert torch.equal(these, row[at])


# What is drawn ----------------------------------------------------------------------------------


def test_draws_follow_the_filtered_distribution():
    logits = random(6).expand(20_000, 6)
    tokens = choose(logits, temperature=1.5, k=4, p=0.9, generator=torch.Generator().manual_seed(0))
    expected = top_p(top_k(temper(logits[0], 1.5), 4), 0.9).softmax(-1)
    found = tokens.bincount(minlength=6) / len(tokens)
    assert (found[expected == 0] == 0).all()
    assert (found - expected).abs().max() < 0.02  # more than five standard deviations


def test_a_generator_makes_draws_the_same_and_leaves_torchs_own_alone():
    logits, state = random(2, 3, 30), torch.get_rng_state()
    one, two = (choose(logits, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (2, 3)
    assert torch.equal(torch.get_rng_state(), state)


def test_at_temperature_0_nothing_is_drawn():
    logits, drawn = random(5, 4, 9), torch.Generator().manual_seed(1)
    state = drawn.get_state()
    assert torch.equal(
        choose(logits, temperature=0, k=3, p=0.5, generator=drawn), logits.argmax(-1)
    )
    assert torch.equal(drawn.get_state(), state)


# Whole texts ------------------------------------------------------------------------------------


def test_greedy_misses_the_likeliest_pair_of_the_slide():
    (text,) = greedy(slide, torch.tensor([SOS]), end=EOS, longest=2)
    assert [WORDS[token] for token in text.tokens] == ["I", "am"]
    assert math.exp(text.log_probability) == pytest.approx(0.25)
    assert not text.ended


def test_samples_are_as_frequent_as_they_are_likely():
    start = torch.full((20_000,), SOS)
    texts = sample(slide, start, end=EOS, longest=2, generator=torch.Generator().manual_seed(0))
    for words, likely in ((["am", "I"], 0.28), (["I", "am"], 0.25), (["I", "<eos>"], 0.05)):
        same = [text for text in texts if [WORDS[token] for token in text.tokens] == words]
        assert len(same) / len(texts) == pytest.approx(likely, abs=0.02)
        assert math.exp(same[0].log_probability) == pytest.approx(likely)
        assert same[0].ended == (words[-1] == "<eos>")


def test_the_log_probability_is_the_models_own_of_the_whole_text():
    start = torch.full((200,), SOS)
    options = {"temperature": 2.5, "k": 3, "p": 0.9, "generator": torch.Generator().manual_seed(0)}
    for text in sample(slide, start, end=EOS, longest=4, **options):
        path = zip([SOS, *text.tokens], text.tokens, strict=False)
        each = [AFTER[a, b].log().item() for a, b in path]
        assert text.log_probabilities == pytest.approx(each)
        assert text.log_probability == text.score == pytest.approx(sum(each))
        assert len(text.tokens) == 4 or text.ended
        assert text.ended == (text.tokens[-1] == EOS)
        assert EOS not in text.tokens[:-1]


def test_a_text_that_has_ended_is_not_asked_for_again():
    asked = []

    def step(tokens, state):
        asked.append(state.tolist())
        assert not (tokens == EOS).any()
        logits = torch.zeros(len(tokens), 5)
        # Row i ends after i + 1 tokens.
        logits[:, EOS] = torch.where(state == len(asked) - 1, 9.0, -9.0)
        return logits, state

    texts = greedy(step, torch.full((3,), SOS), torch.tensor([2, 0, 1]), end=[EOS], longest=9)
    assert asked == [[2, 0, 1], [2, 1], [2]]
    assert [len(text.tokens) for text in texts] == [3, 1, 2]
    assert all(text.ended for text in texts)


def test_any_of_several_tokens_ends_a_text():
    texts = greedy(slide, torch.tensor([SOS, 0]), end=(EOS, 1), longest=5)
    assert [text.tokens for text in texts] == [[0, 1], [1]]
    assert all(text.ended for text in texts)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 9))
def test_with_keys_and_values_kept_a_language_model_writes_the_same(rows, longest, seed):
    torch.manual_seed(seed)
    model = LanguageModel(12, d_model=8, n_heads=2, n_layers=2, d_ff=16).double().eval()
    for parameter in model.parameters():  # else it repeats itself
        torch.nn.init.normal_(parameter, std=0.6)
    prompt = torch.randint(12, (rows, 4))

    def cached(tokens, cache):
        reading = model.read(tokens[:, None], cache)
        return reading.logits[:, -1], reading.cache

    def plain(tokens, text):
        text = torch.cat([text, tokens[:, None]], dim=1)
        return model(text)[:, -1], text

    known = model.read(prompt[:, :-1]).cache
    ways = ((cached, known), (plain, prompt[:, :-1]))
    one, two = (
        sample(
            step,
            prompt[:, -1],
            state,
            end=0,
            longest=longest,
            generator=torch.Generator().manual_seed(3),
        )
        for step, state in ways
    )
    for a, b, given_ in zip(one, two, prompt, strict=True):
        assert a.tokens == b.tokens
        assert a.score == pytest.approx(b.score)
        whole = torch.cat([given_, torch.tensor(a.tokens)])[None]
        logits = model(whole)[0, 3:-1]  # of each token that was written
        each = log_probabilities(logits, torch.tensor(a.tokens)[:, None])
        assert a.log_probability == pytest.approx(each.sum().item())


# Bad input --------------------------------------------------------------------------------------

GOOD = torch.zeros(2, 4)
NAN = torch.tensor([[0.0, 1.0], [0.0, math.nan]])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: temper(GOOD, -0.1), "temperature is -0.1: it must be at least 0, and finite"),
        (lambda: temper(GOOD, INF), "temperature is inf: it must be"),
        (lambda: temper(GOOD, math.nan), "temperature is nan: it must be"),
        (lambda: top_k(GOOD, 0), "k is 0: it must be at least 1"),
        (lambda: top_p(GOOD, 0), "p is 0: it must be above 0 and at most 1"),
        (lambda: top_p(GOOD, 1.01), "p is 1.01: it must be above 0 and at most 1"),
        (lambda: top_p(GOOD, math.nan), "p is nan: it must be"),
        (lambda: choose(GOOD, k=0), "k is 0"),
        (lambda: choose(GOOD, p=2, temperature=0), "p is 2"),
        (lambda: choose(NAN), "logits has a row whose largest number is nan: it must be finite"),
        (lambda: top_k(torch.full((2,), -INF), 1), "largest number is -inf: it must be finite"),
        (lambda: top_p(torch.tensor([0.0, INF]), 0.5), "largest number is inf: it must be finite"),
        (
            lambda: temper(torch.tensor([1, 2]), 1),
            "logits is torch.int64 of shape (2,): it must be",
        ),
        (lambda: temper(torch.tensor(1.0), 1), "of shape (): it must be floating point"),
        (lambda: temper(torch.zeros(3, 0), 1), "of shape (3, 0): it must be floating point"),
    ],
)
def test_what_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        wrong()


WRITING = {"end": EOS, "longest": 3}
START = torch.tensor([SOS])


@pytest.mark.parametrize("write", [greedy, sample])
@pytest.mark.parametrize(
    ("step", "start", "options", "said"),
    [
        (slide, START, {"longest": 0}, "longest is 0: it must be at least 1"),
        (slide, START, {"end": None}, "end is None: it must be the number of the token"),
        (slide, START, {"end": []}, "end is []: it must be the number of the token"),
        (slide, START, {"end": -1}, "end is -1: it must be the number of the token"),
        (slide, START, {"end": 4}, "with end ([4]) in the vocabulary"),
        (
            slide,
            START[0],
            {},
            "start is torch.int64 of shape (): it must be whole numbers, (rows,)",
        ),
        (slide, START[:0], {}, "start is torch.int64 of shape (0,): it must be"),
        (slide, START.float(), {}, "start is torch.float32 of shape (1,): it must be"),
        (lambda _, s: (GOOD, s), START, {}, "logits of shape (2, 4): it must be (rows = 1, "),
        (lambda _, s: (GOOD[:1, None], s), START, {}, "logits of shape (1, 1, 4): it must be"),
        (lambda _, s: (GOOD[:1] * math.nan, s), START, {}, "largest number is nan"),
    ],
)
def test_what_cannot_be_written_is_refused(write, step, start, options, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        write(step, start, **WRITING | options)
