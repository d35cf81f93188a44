"""The Winograd generator: what it says about its sentences is true, and no test leaks."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.corpora import winograd

NOTES = [note for twins in winograd.NOTES for note in twins]
TRAIN = winograd.generate(6000, seed=0)
FACTS = winograd.facts(1500, seed=0)
HELD_OUT = {split: winograd.held_out(500, 0, split) for split in winograd.SPLITS}
EVERY = [*NOTES, *TRAIN, *(schema for split in HELD_OUT.values() for schema in split)]

each_split = pytest.mark.parametrize("split", winograd.SPLITS)


def pairs(schema):
    nouns = frozenset((schema.answer, schema.words[schema.distractor]))
    return nouns, (schema.answer, schema.words[schema.cue])


def frame(schema):
    """The sentence with its nouns and its cue taken out."""
    family, kind = family_of(schema)
    first, second = (schema.antecedent, schema.distractor)[:: 1 - 2 * kind]
    names = {first: "{first}", second: "{second}", schema.cue: "{cue}"}
    return family, " ".join(names.get(i, word) for i, word in enumerate(schema.words))


def family_of(schema):
    """The family, and which kind the answer is of: 0 or 1."""
    return next(
        (family, kind)
        for family in winograd.FAMILIES
        for kind in (0, 1)
        if schema.words[schema.cue] in family.cues[kind]
    )


CITY = "the city councilmen refused the demonstrators a permit because they"


def test_the_notes_own_sentences():
    assert [(note.sentence, note.answer) for note in NOTES] == [
        ("the animal didn't cross the street because it was too tired", "animal"),
        ("the animal didn't cross the street because it was too wide", "street"),
        (f"{CITY} feared violence", "councilmen"),
        (f"{CITY} advocated violence", "demonstrators"),
    ]


# A seed.


def drawers():
    yield "train", winograd.generate
    yield "facts told", winograd.facts
    for split in winograd.SPLITS:
        yield split, lambda n, seed, split=split: winograd.held_out(n, seed, split)


each_drawer = pytest.mark.parametrize(
    "draw", [d for _, d in drawers()], ids=[n for n, _ in drawers()]
)


@each_drawer
@settings(deadline=None)
@given(seed=st.integers(), n=st.integers(1, 20))
def test_a_seed_says_it_all(draw, seed, n):
    drawn = draw(n, seed)
    assert len(drawn) == n
    assert drawn == draw(n, seed)
    assert drawn == draw(2 * n, seed)[:n]


@each_drawer
def test_another_seed_gives_other_sentences(draw):
    assert draw(20, 0) != draw(20, 1)


def test_composition_is_what_is_held_out_unless_told():
    assert winograd.held_out(20, 0) == HELD_OUT["composition"][:20]


def test_the_same_sentences_in_another_process():
    code = (
        "from companion.corpora import winograd as w;"
        "print(w.generate(5, 7), w.facts(5, 7), *(w.held_out(5, 7, split) for split in w.SPLITS))"
    )
    elsewhere = subprocess.check_output([sys.executable, "-c", code], text=True)
    here = [winograd.held_out(5, 7, split) for split in winograd.SPLITS]
    told = " ".join(map(str, [winograd.generate(5, 7), winograd.facts(5, 7), *here]))
    assert elsewhere.strip() == told


# What the sentences are.


def test_positions_point_at_the_right_words():
    for schema in EVERY:
        family, kind = family_of(schema)
        assert schema.words[schema.pronoun] == family.pronoun
        assert schema.answer in family.nouns[kind]
        assert schema.words[schema.distractor] in family.nouns[1 - kind]
        assert schema.answer != schema.words[schema.distractor]
        assert schema.words[schema.cue] in family.cues[kind]
        assert schema.sentence == " ".join(schema.words) == schema.sentence.lower()
        for word in ("pronoun", "antecedent", "distractor", "cue"):
            assert schema.words.count(schema.words[getattr(schema, word)]) == 1, (word, schema)


def test_sentences_are_made_of_frames():
    for schema in [*NOTES, *TRAIN, *HELD_OUT["composition"], *HELD_OUT["facts"]]:
        family, taken_out = frame(schema)
        assert taken_out in family.frames
    for schema in HELD_OUT["frames"]:
        family, taken_out = frame(schema)
        assert taken_out in family.new_frames


def test_named_has_the_answer_in_the_place_of_the_pronoun():
    assert [" ".join(note.named) for note in NOTES[:2]] == [
        "the animal didn't cross the street because the animal was too tired",
        "the animal didn't cross the street because the street was too wide",
    ]
    for schema in EVERY:
        at = schema.pronoun
        assert len(schema.named) == len(schema.words) + 1
        assert schema.named[:at] == schema.words[:at]
        assert schema.named[at : at + 2] == ("the", schema.answer)
        assert schema.named[at + 2 :] == schema.words[at + 1 :]
        assert not winograd.PRONOUNS & set(schema.named)


def test_the_pronouns_are_those_of_the_families():
    assert {"it", "they"} == winograd.PRONOUNS
    assert {schema.words[schema.pronoun] for schema in TRAIN} == winograd.PRONOUNS


def test_facts_are_what_suits_a_noun():
    known = {
        tuple(pattern.format(noun=noun, cue=cue).split())
        for family in winograd.FAMILIES
        for kind in (0, 1)
        for pattern in family.facts
        for noun in family.nouns[kind]
        for cue in family.cues[kind]
    }
    assert set(FACTS) <= known
    assert ("the", "camel", "was", "tired") in known


@each_split
def test_each_family_has_its_sentences(split):
    told = [family_of(schema)[0] for schema in HELD_OUT[split]]
    wanted = [f for f in winograd.FAMILIES if split != "facts" or f.facts]
    assert [family for family in winograd.FAMILIES if family in told] == wanted
    assert {family_of(schema)[0].pronoun for schema in TRAIN} == {"it", "they"}


def test_word_order_gives_nothing_away():
    first = sum(schema.antecedent < schema.distractor for schema in TRAIN)
    assert first / len(TRAIN) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("family", winograd.FAMILIES, ids=lambda family: family.nouns[0][0])
def test_either_kind_opens_half_of_the_frames(family):
    for frames in (family.frames, family.new_frames):
        first = sum(pattern.index("{first}") < pattern.index("{second}") for pattern in frames)
        assert 2 * first == len(frames)
    assert not set(family.frames) & set(family.new_frames)
    assert not set(family.cues[0]) & set(family.cues[1])
    for told, known in zip(family.fact_nouns, family.nouns, strict=True):
        assert set(told) < set(known)


# What training shows, and what it does not.


def test_no_combination_held_out_is_in_training():
    nouns, cues = map(set, zip(*map(pairs, TRAIN), strict=True))
    for schema in [*HELD_OUT["composition"], *NOTES]:
        held_nouns, held_cue = pairs(schema)
        assert held_nouns not in nouns
        assert held_cue not in cues
        assert winograd.held_back(schema) == (True, True)
    for schema in [*TRAIN, *HELD_OUT["frames"], *HELD_OUT["facts"]]:
        assert winograd.held_back(schema) == (False, False)


def test_the_notes_pairs_are_held_back_in_either_order():
    told = {pairs(note) for note in NOTES}
    assert len(told) == 4
    for schema in TRAIN:
        nouns, cue = pairs(schema)
        assert nouns not in {n for n, _ in told}
        assert cue not in {c for _, c in told}


def test_no_frame_held_out_is_in_training():
    shown = {frame(schema)[1] for schema in TRAIN}
    new = {frame(schema)[1] for schema in HELD_OUT["frames"]}
    assert new == {pattern for family in winograd.FAMILIES for pattern in family.new_frames}
    assert shown == {pattern for family in winograd.FAMILIES for pattern in family.frames}


def test_of_some_nouns_only_facts_are_told():
    only = {noun for f in winograd.FAMILIES for kind in f.fact_nouns for noun in kind}
    for schema in [*TRAIN, *HELD_OUT["composition"], *HELD_OUT["frames"]]:
        assert not only & set(schema.words)
    assert only
    assert only <= {word for fact in FACTS for word in fact}
    for schema in HELD_OUT["facts"]:
        assert {schema.answer, schema.words[schema.distractor]} <= only


def test_facts_tell_no_noun_with_a_cue_that_is_held_back():
    held = {pairs(schema)[1] for schema in [*HELD_OUT["composition"], *NOTES]}
    for fact in FACTS:
        assert not [pair for pair in held if set(pair) <= set(fact)], fact
    assert ("animal", "tired") in held
    assert ("councilmen", "feared") in held


@pytest.mark.parametrize("split", ["composition", "facts"])
def test_each_word_held_out_is_met_in_training(split):
    known = {word for schema in TRAIN for word in schema.words}
    known |= {word for fact in FACTS for word in fact}
    assert known >= {word for schema in [*HELD_OUT[split], *NOTES] for word in schema.words}


def test_each_noun_and_cue_of_a_new_frame_is_met_in_training():
    known = {word for schema in TRAIN for word in schema.words}
    for schema in HELD_OUT["frames"]:
        assert {schema.answer, schema.words[schema.distractor], schema.words[schema.cue]} <= known


# The vocabulary.


def test_the_vocabulary_holds_every_word_once_after_pad_and_mask():
    vocabulary = winograd.vocabulary()
    assert vocabulary[:2] == [winograd.PAD, winograd.MASK] == ["<pad>", "<mask>"]
    assert vocabulary[2:] == sorted(set(vocabulary[2:]))
    met = {word for schema in EVERY for words in (schema.words, schema.named) for word in words}
    met |= {word for fact in FACTS for word in fact}
    assert set(vocabulary[2:]) == met


def test_nouns_are_those_of_the_families():
    named = {word for s in EVERY for word in (s.answer, s.words[s.distractor])}
    assert winograd.nouns() == named
    assert winograd.nouns() < set(winograd.vocabulary())


# What is refused.


@each_drawer
@pytest.mark.parametrize("n", [0, -1])
def test_it_takes_at_least_one_sentence(draw, n):
    with pytest.raises(ValueError, match=rf"n is {n}: .* at least 1"):
        draw(n, seed=0)


def test_a_split_that_there_is_not():
    with pytest.raises(
        ValueError, match=r"split 'train' must be one of: composition, frames, facts"
    ):
        winograd.held_out(5, seed=0, split="train")
