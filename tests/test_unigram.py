"""The unigram model: the library's cuts, and sums over all cuts that a list of all cuts agrees with."""

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from companion.tokenization import spelled
from companion.unigram import Unigram, space_marked_words

TEXTS = st.text(
    st.one_of(st.sampled_from("aabbcA  .,é▁漢🙂\t\u0301각"), st.characters(categories=["L", "S"])),
    max_size=14,
)
SCORES = st.floats(-12, -0.01)


@st.composite
def cases(draw):
    """A text, and pieces that are found in it."""
    text = draw(TEXTS)
    normal = "".join(map(spelled, space_marked_words(text))) or "a"
    places = st.tuples(st.integers(0, len(normal) - 1), st.integers(1, 4))
    found = draw(st.lists(places, min_size=1, max_size=14))
    pieces = dict.fromkeys(normal[at : at + length] for at, length in found)
    return text, {piece: draw(SCORES) for piece in pieces}


@given(cases())
def test_texts_are_cut_as_the_library_does(case):
    text, scores = case
    tokenizer = Tokenizer(models.Unigram([("[UNK]", 0.0), *scores.items()], 0))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    theirs = tokenizer.encode(text)
    found = Unigram(scores).encode(text)
    assert [piece.id for piece in found] == theirs.ids
    assert [(piece.start, piece.end) for piece in found] == theirs.offsets


@given(cases(), st.floats(0, 2), st.integers(0, 99))
def test_any_cut_covers_the_words_in_order(case, alpha, seed):
    text, scores = case
    model = Unigram(scores)
    for word in space_marked_words(text):
        whole = spelled(word)
        for cut in (model.best(whole), model.sample(whole, alpha, Random(seed))):  # noqa: S311
            assert "".join(whole[start:end] for start, end, _, _ in cut) == whole
            for start, end, token, score in cut:
                known = token == whole[start:end] and score == scores[token]
                assert known or (
                    token == model.unknown and end == start + 1 and token not in scores
                )


@given(
    st.text("ab", min_size=1, max_size=8),
    st.dictionaries(st.text("ab", min_size=1, max_size=4), SCORES, min_size=1, max_size=9),
    st.sampled_from([0.0, 0.2, 1.0, 3.0]),
)
def test_sums_over_all_cuts(word, scores, alpha):
    model = Unigram(scores)
    cuts = list(model.cuts(word))
    assert len(cuts) == len({tuple(cut) for cut in cuts})
    weights = [math.exp(alpha * sum(edge.score for edge in cut)) for cut in cuts]
    total = math.fsum(weights)
    assert model.forward(word, alpha)[-1] == pytest.approx(math.log(total), abs=1e-9)
    for cut, weight in zip(cuts, weights, strict=True):
        assert model.probability(cut, word, alpha) == pytest.approx(weight / total, abs=1e-12)

    likely = [math.exp(sum(edge.score for edge in cut)) for cut in cuts]
    counts = Counter()
    for cut, weight in zip(cuts, likely, strict=True):
        for edge in cut:
            counts[edge.token] += weight / math.fsum(likely)
    expected, log_probability = model.expected(word)
    assert expected == pytest.approx(dict(counts), abs=1e-9)
    assert log_probability == pytest.approx(math.log(math.fsum(likely)), abs=1e-9)
    score = max(sum(edge.score for edge in cut) for cut in cuts)
    assert sum(edge.score for edge in model.best(word)) == pytest.approx(score)


BOOKING = {
    "▁": -3.0,
    "▁book": -2.0,
    "▁b": -4.0,
    "ook": -5.0,
    "o": -3.5,
    "k": -4.0,
    "ing": -2.5,
    "in": -3.0,
    "g": -3.5,
}


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_cuts_are_drawn_as_often_as_they_should_be(alpha):
    """Chi-squared over all cuts; the threshold would be passed by chance once in a million."""
    model, word, n = Unigram(BOOKING), "▁booking", 6000
    random = Random(5)  # noqa: S311
    drawn = Counter(tuple(model.sample(word, alpha, random)) for _ in range(n))
    rest_seen = rest_expected = statistic = 0.0
    cuts = [tuple(cut) for cut in model.cuts(word)]
    assert drawn.keys() <= set(cuts)
    cells = 0
    for cut in cuts:
        expected = n * model.probability(list(cut), word, alpha)
        if expected < 5:
            rest_seen, rest_expected = rest_seen + drawn[cut], rest_expected + expected
            continue
        statistic += (drawn[cut] - expected) ** 2 / expected
        cells += 1
    if rest_expected >= 5:
        statistic += (rest_seen - rest_expected) ** 2 / rest_expected
        cells += 1
    assert cells > 2
    freedom = cells - 1  # Wilson and Hilferty's approximation of the quantile
    assert statistic < freedom * (1 - 2 / (9 * freedom) + 4.75 * (2 / (9 * freedom)) ** 0.5) ** 3


def test_a_large_alpha_draws_the_likeliest():
    model = Unigram(BOOKING)
    assert model.sample("▁booking", 200.0, Random(0)) == model.best("▁booking")  # noqa: S311


def test_an_encoded_text_may_be_drawn():
    model = Unigram(BOOKING)
    drawn = {tuple(model.encode("Booking", alpha=0.1, random=Random(seed))) for seed in range(30)}  # noqa: S311
    assert len(drawn) > 5
    assert {piece[-1].end for piece in drawn} == {7}


def test_to_do_without_a_piece():
    model = Unigram({"ab": -1.0, "a": -2.0, "b": -2.0})
    assert [edge.token for edge in model.best("ab")] == ["ab"]
    assert [edge.token for edge in model.best("ab", without="ab")] == ["a", "b"]
    assert model.best("a", without="a") == []


def test_unknown_characters_that_stand_together_are_one_piece():
    found = Unigram({"▁": -1.0, "a": -1.0}).encode("xya zz")
    assert [(piece.token, piece.start, piece.end) for piece in found] == [
        ("▁", 0, 1), ("[UNK]", 0, 2), ("a", 2, 3), ("▁", 3, 4), ("[UNK]", 4, 6)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "scores: give at least one piece"),
        ({"[UNK]": -1.0}, r"and none named '\[UNK\]'"),
        ({"a": math.nan}, "scores: 'a' has nan; give a finite number"),
        ({"a": -math.inf}, "scores: 'a' has -inf"),
    ],
)
def test_what_is_no_model_is_refused(scores, message):
    with pytest.raises(ValueError, match=message):
        Unigram(scores)
