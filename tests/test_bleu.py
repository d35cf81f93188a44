"""BLEU, against sacrebleu on random texts, and against the figures of the paper that brought it."""

import math
from collections import Counter

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from companion.bleu import (
    brevity_penalty,
    clipped_counts,
    corpus_bleu,
    ngrams,
    sentence_bleu,
    tokenize_13a,
)

WORDS = st.lists(st.sampled_from("abcd"), max_size=9)  # few words, so that many runs are met
REFERENCES = st.lists(WORDS, min_size=1, max_size=3)
SMOOTHING = st.sampled_from(["none", "floor", "add-k", "exp"])
CLOSE = 1e-6

# Papineni et al. 2002, examples 1 and 2.
GUIDE = [
    "It is a guide to action which ensures that the military always obeys the commands of the party",
    "It is to insure the troops forever hearing the activity guidebook that party direct",
]
PEOPLE = [
    "It is a guide to action that ensures that the military will forever heed Party commands",
    "It is the guiding principle which guarantees the military forces always being under the command of the Party",
    "It is the practical guide for the army always to heed the directions of the party",
]


def words(text):
    return text.lower().split()


def theirs(candidates, references, smoothing, value, effective, order=4):
    """What sacrebleu says of words that are cut already."""
    most = max(len(own) for own in references)
    filled = [[*own, *[None] * (most - len(own))] for own in references]
    texts = [[None if w is None else " ".join(w) for w in column] for column in zip(*filled)]  # noqa: B905
    measure = sacrebleu.BLEU(
        tokenize="none",
        force=True,
        smooth_method=smoothing,
        smooth_value=value,
        max_ngram_order=order,
        effective_order=effective,
    )
    return measure.corpus_score([" ".join(candidate) for candidate in candidates], texts)


def agree(ours, peer):
    assert ours.score == pytest.approx(peer.score, abs=CLOSE)
    assert [100 * p for p in ours.precisions] == pytest.approx(peer.precisions, abs=CLOSE)
    assert ours.brevity_penalty == pytest.approx(peer.bp, abs=CLOSE)
    assert (ours.length, ours.reference_length) == (peer.sys_len, peer.ref_len)


class TestAgainstSacrebleu:
    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.tuples(WORDS, REFERENCES), min_size=1, max_size=4),
        SMOOTHING,
        st.booleans(),
        st.integers(1, 5),
    )
    def test_a_text(self, pairs, smoothing, effective, order):
        candidates, references = map(list, zip(*pairs, strict=True))
        ours = corpus_bleu(
            candidates,
            references,
            smoothing=smoothing,
            effective_order=effective,
            max_order=order,
        )
        agree(ours, theirs(candidates, references, smoothing, None, effective, order))

    @settings(max_examples=200, deadline=None)
    @given(WORDS, REFERENCES, SMOOTHING, st.sampled_from([None, 0.01, 0.5, 2.0]))
    def test_a_sentence(self, candidate, references, smoothing, value):
        if smoothing in {"none", "exp"}:
            value = None  # sacrebleu takes none there
        ours = sentence_bleu(candidate, references, smoothing=smoothing, smoothing_value=value)
        agree(ours, theirs([candidate], [references], smoothing, value, effective=True))

    @pytest.mark.parametrize("candidate", [*GUIDE, "It's 3.5 % of 1,000-odd.", "", "It is"])
    def test_its_functions_as_anyone_calls_them(self, candidate):
        cut = [tokenize_13a(text) for text in PEOPLE]
        agree(
            sentence_bleu(tokenize_13a(candidate), cut), sacrebleu.sentence_bleu(candidate, PEOPLE)
        )
        both = [candidate, GUIDE[0]]
        columns = [[text, other] for text, other in zip(PEOPLE, reversed(PEOPLE), strict=True)]
        ours = corpus_bleu([tokenize_13a(text) for text in both], [cut, cut[::-1]])
        agree(ours, sacrebleu.corpus_bleu(both, columns))

    @settings(max_examples=400)
    @given(
        st.one_of(
            st.text(alphabet="ab1 .,-'\"&<>;/(){}~\n\té€", max_size=24),
            st.text(max_size=12),
            st.lists(st.sampled_from(["&amp;", "lt;", "&lt;", "<skipped>", "3.5", "so.", "-\n"]))
            .map("".join),
        )
    )  # fmt: skip
    def test_words_and_marks(self, text):
        # The tokenizer ends with its words joined by a space.
        assert tokenize_13a(text) == Tokenizer13a()(text.rstrip()).split()


class TestTheFiguresOfThePaper:
    @pytest.mark.parametrize(
        ("candidate", "n", "matches", "total"),
        [(0, 1, 17, 18), (1, 1, 8, 14), (0, 2, 10, 17), (1, 2, 1, 13)],  # section 2.1
    )
    def test_clipped_precision(self, candidate, n, matches, total):
        found = clipped_counts(words(GUIDE[candidate]), [words(text) for text in PEOPLE], n)
        assert found.total() == matches
        assert ngrams(words(GUIDE[candidate]), n).total() == total

    def test_a_repeated_word(self):  # example 2: 2/7
        references = [words("The cat is on the mat"), words("There is a cat on the mat")]
        assert clipped_counts(["the"] * 7, references, 1) == Counter({("the",): 2})

    @pytest.mark.parametrize(("lengths", "closest"), [((12, 15, 17), 12), ((11, 13), 11)])
    def test_the_closest_length(self, lengths, closest):
        """Section 2.2.2; and of two that are as close the shorter."""
        references = [["a"] * length for length in lengths]
        assert sentence_bleu(["a"] * 12, references).reference_length == closest

    def test_the_penalty(self):  # section 2.3
        assert brevity_penalty(12, 12) == 1
        assert brevity_penalty(13, 12) == 1
        assert brevity_penalty(6, 12) == pytest.approx(math.exp(-1))
        assert brevity_penalty(0, 12) == 0
        assert brevity_penalty(0, 0) == 1


class TestProperties:
    @given(WORDS, REFERENCES)
    def test_every_share_is_a_share(self, candidate, references):
        found = sentence_bleu(candidate, references)
        assert 0 <= found.score <= 100 + CLOSE
        assert all(0 <= share <= 1 for share in (*found.precisions, found.brevity_penalty))
        assert all(m <= t for m, t in zip(found.matches, found.totals, strict=True))

    @given(st.lists(st.sampled_from("abcd"), min_size=4, max_size=9))
    def test_a_reference_scores_100(self, text):
        assert sentence_bleu(text, [["e"], text]).score == pytest.approx(100)

    @given(WORDS, REFERENCES, WORDS)
    def test_a_further_reference_takes_no_match_away(self, candidate, references, more):
        for n in (1, 2, 3):
            few = clipped_counts(candidate, references, n)
            assert few <= clipped_counts(candidate, [*references, more], n)

    @given(st.lists(st.tuples(WORDS, REFERENCES), min_size=2, max_size=4))
    def test_the_order_of_sentences_is_nothing(self, pairs):
        forth, back = (list(zip(*order, strict=True)) for order in (pairs, pairs[::-1]))
        assert corpus_bleu(*forth) == corpus_bleu(*back)


class TestRefused:
    def test_texts_in_place_of_words(self):
        with pytest.raises(ValueError, match="candidates: number 0 has the text 'I am hungry'"):
            sentence_bleu("I am hungry", [["I"]])
        with pytest.raises(ValueError, match="references: number 0 has the text 'I', whose items"):
            sentence_bleu(["I"], ["I", "am"])

    def test_lists_that_do_not_fit(self):
        with pytest.raises(ValueError, match="references: 2 were given for 1 candidates"):
            corpus_bleu([["a"]], [[["a"]], [["a"]]])
        with pytest.raises(ValueError, match="references: number 1 is empty"):
            corpus_bleu([["a"], ["a"]], [[["a"]], []])

    def test_settings_that_there_are_not(self):
        with pytest.raises(ValueError, match="smoothing is 'laplace': it must be one of none, flo"):
            sentence_bleu(["a"], [["a"]], smoothing="laplace")
        with pytest.raises(ValueError, match="max_order is 0: it must be at least 1"):
            sentence_bleu(["a"], [["a"]], max_order=0)
