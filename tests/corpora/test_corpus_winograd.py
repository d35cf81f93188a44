"""The Winograd generator: what it says about its sentences is true, and no test leaks."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.corpora import winograd

NOTES = [note for twins in winograd.NOTES for note in twins]
TRAIN = winograd.generate(3000, seed=0)
HELD_OUT = winograd.held_out(500, seed=0)
KIND = {
    noun: (family, kind)
    for family in winograd.FAMILIES
    for kind in (0, 1)
    for noun in family.nouns[kind]
}


def pairs(schema):
    nouns = frozenset((schema.answer, schema.words[schema.distractor]))
    return nouns, (schema.answer, schema.words[schema.cue])


CITY = "the city councilmen refused the demonstrators a permit because they"


def test_the_notes_own_sentences():
    assert [(note.sentence, note.answer) for note in NOTES] == [
        ("the animal didn't cross the street because it was too tired", "animal"),
        ("the animal didn't cross the street because it was too wide", "street"),
        (f"{CITY} feared violence", "councilmen"),
        (f"{CITY} advocated violence", "demonstrators"),
    ]


@given(seed=st.integers(), n=st.integers(1, 20))
def test_a_seed_says_it_all(seed, n):
    drawn = winograd.generate(n, seed)
    assert len(drawn) == n
    assert drawn == winograd.generate(n, seed)


def test_another_seed_gives_other_sentences():
    assert winograd.generate(20, 0) != winograd.generate(20, 1)


def test_the_same_sentences_in_another_process():
    code = "from companion.corpora import winograd as w; print(w.generate(5, 7), w.held_out(5, 7))"
    elsewhere = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert elsewhere.strip() == f"{winograd.generate(5, 7)} {winograd.held_out(5, 7)}"


@pytest.mark.parametrize("schema", [*NOTES, *TRAIN[:300], *HELD_OUT[:300]], ids=str)
def test_positions_point_at_the_right_words(schema):
    family, kind = KIND[schema.answer]
    assert schema.words[schema.pronoun] == family.pronoun
    assert KIND[schema.words[schema.distractor]] == (family, 1 - kind)
    assert schema.words[schema.cue] in family.cues[kind]
    assert schema.sentence == " ".join(schema.words) == schema.sentence.lower()


def test_nothing_held_out_is_in_training():
    nouns, cues = map(set, zip(*map(pairs, TRAIN), strict=True))
    for schema in [*HELD_OUT, *NOTES]:
        held_nouns, held_cue = pairs(schema)
        assert held_nouns not in nouns
        assert held_cue not in cues


def test_each_word_held_out_is_met_in_training():
    known = {word for schema in TRAIN for word in schema.words}
    assert known >= {word for schema in [*HELD_OUT, *NOTES] for word in schema.words}


def test_word_order_gives_nothing_away():
    first = sum(schema.antecedent < schema.distractor for schema in TRAIN)
    assert first / len(TRAIN) == pytest.approx(0.5, abs=0.05)


def test_the_vocabulary_holds_every_word_once_after_pad():
    vocabulary = winograd.vocabulary()
    assert vocabulary[0] == winograd.PAD == "<pad>"
    assert vocabulary[1:] == sorted(set(vocabulary[1:]))
    assert set(vocabulary[1:]) == {word for schema in TRAIN for word in schema.words}


@pytest.mark.parametrize("draw", [winograd.generate, winograd.held_out])
def test_it_takes_at_least_one_sentence(draw):
    with pytest.raises(ValueError, match=r"n is 0: .* at least 1"):
        draw(0, seed=0)
