"""What all tokenizers share: characters that know where they come from, and words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from companion.tokenization import (
    SPACE_MARK,
    Character,
    Piece,
    WholeWords,
    bert_normalized,
    bert_words,
    decomposed,
    marked_words,
    most_frequent,
    raw_characters,
    single_characters,
    spelled,
    split_words,
)

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("ab  .,é각🙂▁Ġ漢ﬁ\u0301\u200d\t\n\x00"),
    ),
    max_size=25,
)


@given(TEXTS)
def test_letters_and_accents_come_apart_as_unicode_says(text):
    parts = decomposed(raw_characters(text))
    assert spelled(parts) == unicodedata.normalize("NFD", text)
    for character, at in parts:  # each part is one of those that its own character is made of
        assert character in unicodedata.normalize("NFD", text[at])


@given(TEXTS)
def test_normalised_characters_know_where_they_come_from(text):
    for character, at in bert_normalized(text):
        alone = {small for small, _ in bert_normalized(text[at])}
        assert character in alone | {" "}


@given(TEXTS)
def test_words_hold_all_that_is_no_space(text):
    words = bert_words(text)
    together = [character for word in words for character in word]
    assert together == [part for part in bert_normalized(text) if not part.text.isspace()]
    assert all(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Book it!", ["book", "it", "!"]),
        ("Café, 5€ ", ["cafe", ",", "5€"]),
        ("it's $5", ["it", "'", "s", "$", "5"]),
        ("“so”—…", ["“", "so", "”", "—", "…"]),
        ("漢字kana", ["漢", "字", "kana"]),
        ("a\u200db\x00c\ufffdd\te", ["abcd", "e"]),
        ("Ｆｕｌｌ ﬁ", ["ｆｕｌｌ", "ﬁ"]),
        ("İ ΑΣ", ["i", "ας".replace("ς", "σ")]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_as_bert_cuts_them(text, words):
    assert [spelled(word) for word in bert_words(text)] == words


def test_text_as_it_is_can_be_cut_too():
    words = split_words(raw_characters("Ab, C"))
    assert words == [
        [Character("A", 0), Character("b", 1)], [Character(",", 2)], [Character("C", 4)]
    ]  # fmt: skip


@given(TEXTS.map(lambda text: text.replace(SPACE_MARK, "")))
def test_marks_bring_the_spaces_back(text):
    words = marked_words(raw_characters(text))
    back = "".join(map(spelled, words)).replace(SPACE_MARK, " ")
    assert back == (text if text.startswith(" ") or not text else f" {text}")
    assert all(word[0].text == SPACE_MARK for word in words)


@given(TEXTS.map(lambda text: text.replace("\u2028", "")))
def test_marks_stand_where_the_library_puts_them(text):
    theirs = pre_tokenizers.Metaspace().pre_tokenize_str(text)
    assert [spelled(word) for word in marked_words(raw_characters(text))] == [
        word for word, _ in theirs
    ]


def test_whole_words_and_single_characters():
    model = WholeWords(["[UNK]", "book", "."])
    assert model.encode("Book Books.") == [
        Piece("book", 1, 0, 4), Piece("[UNK]", 0, 5, 10), Piece(".", 2, 10, 11)
    ]  # fmt: skip
    model = WholeWords(["[UNK]", "o"], words=single_characters)
    assert [(piece.token, piece.start) for piece in model.encode("o É")] == [("o", 0), ("[UNK]", 2)]


def test_the_most_frequent_words_come_first():
    words = ["b", "a", "c", "b", "a", "[UNK]", "d"]
    assert most_frequent(words, 4) == ["[UNK]", "a", "b", "c"]
    assert most_frequent(words, 99) == ["[UNK]", "a", "b", "c", "d"]
    assert most_frequent(words, 0) == ["[UNK]"]
