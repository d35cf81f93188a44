"""BERT's pieces: special ones stand for no text, and any text is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.models.bert import pieces
from companion.models.bert.pieces import CLS, MASK, PAD, SEP, SIZE, SPECIAL, UNKNOWN


def test_the_file_has_as_many_pieces_as_it_says():
    names = pieces.names()
    assert len(names) == len(set(names)) == SIZE
    assert tuple(names[: len(SPECIAL)]) == SPECIAL
    assert [names[i] for i in (PAD, UNKNOWN, CLS, SEP, MASK)] == list(SPECIAL)


@given(st.text())
def test_any_text_is_cut_and_none_is_a_special_token(text):
    ids, names = pieces.encode(text)
    assert [pieces.names()[i] for i in ids] == names
    assert not {PAD, CLS, SEP, MASK} & set(ids)


@pytest.mark.parametrize("typed", SPECIAL)
def test_what_looks_like_a_special_token_is_text(typed):
    _, names = pieces.encode(typed)
    assert names[0] == "["
    assert names[-1] == "]"


def test_letters_and_digits_are_known_and_case_is_lost():
    assert pieces.encode("Zürich 4 u") == pieces.encode("zurich 4 U")
    assert UNKNOWN not in pieces.encode("qzxj 0123456789 QZXJ!?")[0]
    assert pieces.encode("🙂")[0] == [UNKNOWN]


def test_offsets_find_the_pieces_in_the_text():
    text = "A table  for two, in ZÜRICH."
    offsets, (_, names) = pieces.offsets(text), pieces.encode(text)
    found = [text[start:end].lower().replace("ü", "u") for start, end in offsets]
    assert found == [name.removeprefix("##") for name in names]


def test_two_texts_are_joined_as_in_the_paper():
    assert pieces.join([7, 8], [9]) == ([CLS, 7, 8, SEP, 9, SEP], [0, 0, 0, 0, 1, 1])
    assert pieces.join([7, 8]) == ([CLS, 7, 8, SEP], [0, 0, 0, 0])
    assert pieces.join([], []) == ([CLS, SEP, SEP], [0, 0, 1])


def test_learned_from_texts():
    learned = pieces.learn(["a table for two"] * 20, 120)
    assert learned.encode("table").tokens == ["table"]
    assert [learned.id_to_token(i) for i in range(len(SPECIAL))] == list(SPECIAL)
    with pytest.raises(ValueError, match="size is 50: it must be at least 77"):
        pieces.learn(["a"], 50)
