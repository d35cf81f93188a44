"""WordPiece: what the library `tokenizers` does, on any text, and offsets that find their way back."""

import math
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from companion.byte_pair_encoding import by_count, merged, merges
from companion.tokenization import Piece, bert_normalized, is_punctuation, spelled
from companion.wordpiece import WordPiece, by_likelihood, learn_wordpieces

BERT = normalizers.BertNormalizer()
_PLAIN = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
_NFD = normalizers.NFD()
_WORDS = pre_tokenizers.BertPreTokenizer()
_ODD = "éÉßİΣς.,-_$+'“”’—\u200d\u200f각힣\u1100\u1161漢字㐀ﬁ①Ａ🙂👩🏽\t\n\r\x0b\x00\x85\u00a0\u2028\u0301\u0323\u0344\u05d0\u0627\ufffd▁Ġ"


@cache
def agreed(character: str) -> bool:
    """Whether the library, whose tables of Unicode are older, and Python normalise a character alike, cut alike around it, and order it alike among marks."""
    cut = len(_WORDS.pre_tokenize_str(f"a{character}b")) == 3
    after, before = f"a{character}\u0334", f"a\u0345{character}"
    return (
        BERT.normalize_str(character) == spelled(bert_normalized(character))
        and cut == is_punctuation(character)
        and _NFD.normalize_str(after) == unicodedata.normalize("NFD", after)
        and _NFD.normalize_str(before) == unicodedata.normalize("NFD", before)
    )


def reordered(text: str) -> bool:
    """Whether the canonical order of Unicode moves marks of a text behind others."""
    clean = _PLAIN.normalize_str(text)
    return unicodedata.normalize("NFD", clean) != "".join(
        unicodedata.normalize("NFD", character) for character in clean
    )


ANYTHING = st.text(
    st.one_of(
        st.sampled_from("abcAB .,"),
        st.sampled_from(_ODD),
        st.characters(exclude_categories=["Cs"]),
        st.characters(categories=["Mn", "Mc", "Cf", "Lo"]),
    ),
    max_size=30,
)
AGREED = st.text(
    st.one_of(
        st.sampled_from("abcAB .,"),
        st.sampled_from(_ODD),
        st.characters(exclude_categories=["Cs"]).filter(agreed),
        st.characters(categories=["Mn", "Mc", "Cf", "Lo"]).filter(agreed),
    ),
    max_size=30,
)

BOOK = ["[UNK]", "book", "##ing", "##ings", "##s", "a", "table", ",", ".", "##com", "com", "é", "e"]


def library(vocabulary, most=100, unknown="[UNK]", prefix="##"):
    numbers = {token: i for i, token in enumerate(vocabulary)}
    model = models.WordPiece(
        numbers,
        unk_token=unknown,
        max_input_chars_per_word=most,
        continuing_subword_prefix=prefix,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = BERT
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def pieces(encoding):
    parts = zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    return [Piece(token, number, *offsets) for token, number, offsets in parts]


@st.composite
def vocabularies(draw, texts):
    """A text, and pieces of which some are in it."""
    text = draw(texts)
    normal = spelled(bert_normalized(text))
    cuts = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4), st.booleans())))
    found = ["##" * inside + normal[at : at + length] for at, length, inside in cuts if normal[at:]]
    singles = [mark + c for c in normal if draw(st.integers(0, 3)) for mark in ("", "##")]
    vocabulary = dict.fromkeys(["[UNK]", *found, *singles])
    return text, list(vocabulary)


@given(vocabularies(AGREED), st.sampled_from([100, 100, 4, 1]))
def test_any_text_is_cut_as_the_library_does(case, most):
    text, vocabulary = case
    ours = WordPiece(vocabulary, most=most).encode(text)
    theirs = pieces(library(vocabulary, most).encode(text))
    if reordered(text):  # the library's offsets then point to a neighbour: see below
        assert [(piece.token, piece.id) for piece in ours] == [
            (piece.token, piece.id) for piece in theirs
        ]
    else:
        assert ours == theirs


@given(vocabularies(ANYTHING))
@example(("\u0301\u05d0 \u200f é", ["[UNK]", "é", "e"]))
def test_offsets_find_their_way_back(case):
    text, vocabulary = case
    model = WordPiece(vocabulary)
    found = model.encode(text)
    for piece in found:
        assert 0 <= piece.start < piece.end <= len(text)
        assert model.vocabulary[piece.id] == piece.token
    if reordered(text):
        return
    end = 0
    for piece in found:
        assert not _kept(text[end : piece.start])  # what lies between pieces is dropped
        same = piece.start == end - 1 and len(spelled(bert_normalized(text[piece.start]))) > 1
        assert piece.start >= end or same  # two pieces of one character cover the same
        end = max(end, piece.end)
        covered = spelled(bert_normalized(text[piece.start : piece.end]))
        shared = any(
            other is not piece and other.start < piece.end and piece.start < other.end
            for other in found
        )
        if piece.id and not shared:
            assert covered.strip() == piece.token.removeprefix("##")
    assert not _kept(text[end:])


def _kept(text):
    return spelled(bert_normalized(text)).strip()


def test_a_moved_mark_keeps_its_place():
    """Of two marks, the canonical order puts U+1D165 (class 216) before U+302E (class 224)."""
    text = "a\u302e\U0001d165"
    singles = WordPiece(["[UNK]", "a", "##\u302e", "##\U0001d165"]).encode(text)
    assert [text[piece.start : piece.end] for piece in singles] == ["a", "\U0001d165", "\u302e"]
    [_, both] = WordPiece(["[UNK]", "a", "##\U0001d165\u302e"]).encode(text)
    assert (both.start, both.end) == (1, 3)


def test_the_longest_piece_from_the_left():
    text = "Bookings, a  BOOKING."
    found = WordPiece(BOOK).encode(text)
    assert [piece.token for piece in found] == [
        "book", "##ings", ",", "a", "book", "##ing", ".",
    ]  # fmt: skip
    assert [text[piece.start : piece.end] for piece in found] == [
        "Book", "ings", ",", "a", "BOOK", "ING", ".",
    ]  # fmt: skip


def test_one_part_that_is_not_known_makes_the_word_unknown():
    assert WordPiece(BOOK).encode("bookz é") == [Piece("[UNK]", 0, 0, 5), Piece("e", 12, 6, 7)]


def test_greedy_is_not_clever():
    """`ab` + `cd` would do, but `abc` is longer, and nothing goes back."""
    assert WordPiece(["?", "ab", "abc", "##cd"], unknown="?").encode("abcd") == [
        Piece("?", 0, 0, 4)
    ]


def test_two_pieces_of_one_syllable_cover_it_both():
    model = WordPiece(["[UNK]", "\u1100", "##\u1161\u11a8"])
    assert [(piece.start, piece.end) for piece in model.encode("각")] == [(0, 1), (0, 1)]


def test_another_prefix():
    vocabulary = ["?", "a", "@b"]
    ours = WordPiece(vocabulary, unknown="?", prefix="@").encode("ab b")
    assert ours == pieces(library(vocabulary, unknown="?", prefix="@").encode("ab b"))


def test_a_word_of_a_hundred_characters_is_tried_and_a_longer_one_is_not():
    model = WordPiece(["[UNK]", "a", "##a"])
    assert len(model.encode("a" * 100)) == 100
    assert model.encode("a" * 101) == [Piece("[UNK]", 0, 0, 101)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"],), r"unknown is '\[UNK\]': the vocabulary has no such token"),
        (([],), "the vocabulary has no such token"),
        ((["[UNK]", "a", "a"],), "vocabulary: 'a' stands there twice"),
        ((["[UNK]"], "[UNK]", "##", -1), "most is -1: give a number of characters"),
    ],
)
def test_what_is_no_vocabulary_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WordPiece(*arguments)


SPELLINGS = st.dictionaries(
    st.text("abc", min_size=1, max_size=7).map(tuple), st.integers(1, 5), min_size=1
)


@given(SPELLINGS)
def test_likelihood_is_what_joining_gains(words):
    """Against the log-likelihood counted anew before and after, for pairs of different symbols."""

    def log_likelihood(spellings):
        counts = Counter()
        for word, n in spellings.items():
            for symbol in word:
                counts[symbol] += n
        return sum(n * math.log(n / counts.total()) for n in counts.values())

    pairs, singles = Counter(), Counter()
    for word, n in words.items():
        for symbol in word:
            singles[symbol] += n
        for pair in pairwise(word):
            pairs[pair] += n
    for pair in pairs:
        if pair[0] == pair[1]:
            continue
        after = Counter()
        for word, n in words.items():
            after[merged(word, pair, "".join(pair))] += n
        gained = log_likelihood(after) - log_likelihood(words)
        assert by_likelihood(pair, pairs, singles) == pytest.approx(gained, abs=1e-9)


def test_likelihood_prefers_symbols_that_are_met_nowhere_else():
    words = {("a", "b"): 10, ("a", "c"): 9, ("b", "c"): 9, ("q", "u"): 8}
    [first, *_] = merges(words, "abcqu", value=by_likelihood)
    assert first.joined == "qu"
    [first, *_] = merges(words, "abcqu", value=by_count)
    assert first.joined == "ab"


def test_learned_pieces_cut_what_they_were_learned_from():
    words = Counter({"booking": 3, "looking": 2, "book": 4})
    for value in (by_count, by_likelihood):
        vocabulary = learn_wordpieces(words, 30, value=value)
        assert [piece.token for piece in WordPiece(vocabulary).encode("booking book")] == [
            "booking",
            "book",
        ]
