"""Bytes: any text finds its way back, whatever was learned."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from companion.byte_level import BYTE_LETTERS, byte_words, text_of_bytes
from companion.byte_pair_encoding import BytePairEncoding, learn
from companion.tokenization import spelled

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("ab  .,é각🙂▁Ġ漢ﬁ\u0301\u200d\t\n\x00"),
    ),
    max_size=25,
)


@given(TEXTS)
@example("\U0010ffff")
def test_bytes_bring_any_text_back(text):
    words = byte_words(text)
    assert text_of_bytes(spelled(word) for word in words) == text
    letters = [character for word in words for character in word]
    assert len(letters) == len(text.encode())
    assert [at for _, at in letters] == [
        at for at, character in enumerate(text) for _ in character.encode()
    ]


# Python's tables of Unicode and the library's are of different years: characters of 2002 are in both.
OLD = st.characters(exclude_categories=["Cs"]).filter(
    lambda character: unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Mn", "Mc", "Me")
)


@given(st.text(st.one_of(OLD, st.sampled_from("ab  .,é각🙂▁Ġ漢½²_-\t\n\x00")), max_size=25))
def test_bytes_are_written_and_cut_as_the_library_does(text):
    rule = Regex(r" +(?= [^ ])| ?[\p{L}\p{N}_]+| ?[^\p{L}\p{N}_ ]+| +")
    write = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    theirs = pre_tokenizers.Sequence([pre_tokenizers.Split(rule, "isolated"), write])
    assert [spelled(word) for word in byte_words(text)] == [
        word for word, _ in theirs.pre_tokenize_str(text)
    ]


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
def test_pairs_of_bytes_bring_any_text_back(text, learned_from):
    """Whatever was learned from, any text is read, none is unknown, and every byte is covered once."""
    words = Counter(spelled(word) for each in learned_from for word in byte_words(each))
    alphabet = list(BYTE_LETTERS.values())
    model = BytePairEncoding(*learn(words, 300, alphabet=alphabet), words=byte_words)
    pieces = model.encode(text)
    assert text_of_bytes(piece.token for piece in pieces) == text
    assert all(piece.id for piece in pieces)
    end = 0
    for piece in pieces:  # a character of several bytes may be cut: then its pieces cover it both
        assert piece.start in (end, end - 1)
        assert piece.start < piece.end
        end = piece.end
    assert end == len(text)


def test_several_spaces():
    words = [spelled(word) for word in byte_words("a b   c7,  ... \n")]
    assert words == ["a", "Ġb", "ĠĠ", "Ġc7", ",", "Ġ", "Ġ...", "ĠĊ"]


def test_what_is_no_byte_is_refused():
    with pytest.raises(ValueError, match="tokens: '漢' stands for no byte"):
        text_of_bytes(["a", "漢"])
    assert text_of_bytes([BYTE_LETTERS[0xFF]]) == "�"


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(UnicodeEncodeError):
        byte_words("a\ud800")
