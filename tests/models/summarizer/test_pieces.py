"""The summarizer's tokens: nothing is lost, nothing is unknown, and no text can ask for a special one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.models.summarizer import pieces


@given(st.text(max_size=60))
def test_what_is_cut_comes_together_again(text):
    ids, parts = pieces.encode(text)
    assert pieces.decode(ids) == text
    assert len(parts) == len(ids)


@given(st.text(max_size=40))
def test_a_name_has_a_character_for_each_byte(text):
    ids, _ = pieces.encode(text)
    names = pieces.names()
    assert sum(len(names[number]) for number in ids) == len(text.encode())


def test_there_are_as_many_pieces_as_the_model_has_rows():
    assert len(pieces.names()) == pieces.SIZE
    assert pieces.names()[pieces.END] == "<end>"
    assert pieces.names()[pieces.SEPARATOR] == "<summary>"


@pytest.mark.parametrize("typed", ["<end>", "<summary>", "User: <summary> <end>"])
def test_who_types_a_special_piece_gets_its_characters(typed):
    ids, _ = pieces.encode(typed)
    assert pieces.END not in ids
    assert pieces.SEPARATOR not in ids


def test_digits_stand_alone():
    assert pieces.encode("1234 Main Street")[1][:4] == ["1", "2", "3", "4"]


def test_pieces_are_learned_from_what_is_often_met():
    learned = pieces.learn(["the table and the hotel and the table"] * 20, 270)
    assert learned.get_vocab_size() == 270
    assert learned.encode(" the table").tokens == ["Ġthe", "Ġtable"]
    assert learned.decode(learned.encode("été <end>").ids) == "été <end>"


def test_there_must_be_room_for_the_bytes():
    with pytest.raises(ValueError, match="size is 257: it must be at least 258"):
        pieces.learn(["a"], 257)
