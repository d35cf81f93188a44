"""Our own dialogues: annotated truly, varied, and split as they say."""

import itertools
import json

import pytest

from companion.corpora import baselines, dialogues, sgd, summaries

TRAIN = dialogues.generate(400, seed=1)
NEW = {split: dialogues.held_out(150, seed=1, split=split) for split in dialogues.SPLITS}
EVERY = [*TRAIN, *itertools.chain(*NEW.values())]
NAMED = ("restaurant_name", "hotel_name", "movie_name", "dentist_name")
CITY = ("city", "origin", "destination")


def acts(dialogue):
    return [a.act for turn in dialogue.turns for f in turn.frames for a in f.actions]


def values(some, slots):
    actions = (a for d in some for t in d.turns for f in t.frames for a in f.actions)
    return {value for action in actions if action.slot in slots for value in action.values}


def test_the_seed_decides():
    assert dialogues.generate(5, seed=3) == dialogues.generate(5, seed=3)
    assert dialogues.generate(5, seed=3) == dialogues.generate(9, seed=3)[:5]
    assert dialogues.generate(5, seed=3) != dialogues.generate(5, seed=4)


def test_user_and_system_take_turns():
    for dialogue in EVERY:
        assert 4 <= len(dialogue.turns) <= 10
        speakers = [turn.speaker for turn in dialogue.turns]
        assert speakers == [sgd.USER, sgd.SYSTEM] * (len(speakers) // 2)


def test_every_value_is_said_where_it_is_annotated():
    spelt = {"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven"}
    for dialogue in EVERY:
        for turn in dialogue.turns:
            (frame,) = turn.frames
            for span in frame.spans:
                said = [a.values[0] for a in frame.actions if a.slot == span.slot]
                assert turn.utterance[span.start : span.end] in said
            for action in frame.actions:
                if (
                    action.values
                    and action.slot != "intent"
                    and action.values[0] not in ("True", "False")
                ):
                    (value,) = action.values
                    said = turn.utterance.lower()
                    assert value.lower() in said or spelt[value] in said
            assert "{" not in turn.utterance


def test_the_state_is_what_has_been_agreed():
    for dialogue in EVERY:
        last = {}
        for turn in dialogue.turns:
            (frame,) = turn.frames
            for action in frame.actions:
                if action.act in ("INFORM", "OFFER") and turn.speaker == sgd.USER:
                    last[action.slot] = action.values
            if frame.state:
                assert {s: v for s, v in frame.state.values.items() if s in last} == last


def test_there_is_variety():
    texts = {tuple(turn.utterance for turn in dialogue.turns) for dialogue in TRAIN}
    assert len(texts) > 0.95 * len(TRAIN)
    assert {d.services[0] for d in TRAIN} == {domain.service for domain in dialogues.DOMAINS}
    found = {act for dialogue in TRAIN for act in acts(dialogue)}
    assert found >= {
        "NOTIFY_SUCCESS",
        "NOTIFY_FAILURE",
        "NEGATE",
        "REQUEST_ALTS",
        "REQUEST",
        "SELECT",
    }


def test_names_that_training_never_puts_together():
    known = values(dialogues.generate(3000, seed=2), NAMED)
    new = values(NEW["combinations"], NAMED)
    assert len(new) > 30
    assert not new & known
    words = {word for name in known for word in name.split()}
    assert all(set(name.split()) <= words for name in new)
    assert values(NEW["combinations"], CITY) <= values(dialogues.generate(3000, seed=2), CITY)


def test_names_and_cities_that_training_never_has():
    many = dialogues.generate(3000, seed=2)
    assert not values(NEW["names"], CITY) & values(many, CITY)

    def first(name):
        return name.removeprefix("The ").removeprefix("Dr. ").split()[0].removesuffix("'s")

    known = {first(name) for name in values(many, NAMED)}
    assert not {first(name) for name in values(NEW["names"], NAMED)} & known


def test_summaries_read_as_they_should_and_invent_nothing():
    for dialogue in EVERY:
        summary = summaries.reference(dialogue)
        assert summary.startswith("The user ")
        assert summary.endswith(".")
        assert summaries.invented(summary, dialogue) == []
        worked = [act for act in acts(dialogue) if act.startswith("NOTIFY")]
        assert ("but could not" in summary) == (worked[-1:] == ["NOTIFY_FAILURE"])
        assert ("had failed" in summary) == (worked == ["NOTIFY_FAILURE", "NOTIFY_SUCCESS"])
        if not worked:
            assert " chose " in summary


def test_the_reader_reads_what_is_written(tmp_path):
    path = tmp_path / "dialogues_001.json"
    path.write_text(json.dumps([sgd.to_json(dialogue) for dialogue in TRAIN]))
    assert sgd.read(path) == TRAIN


@pytest.mark.parametrize("draw", [dialogues.generate, dialogues.held_out])
def test_no_dialogues_are_refused(draw):
    with pytest.raises(ValueError, match="n is 0: the number of dialogues must be at least 1"):
        draw(0, seed=1)


def test_unknown_splits_are_refused():
    with pytest.raises(ValueError, match="split 'new' must be one of: combinations, names"):
        dialogues.held_out(1, seed=1, split="new")


def test_baselines_take_turns_as_they_are():
    dialogue = TRAIN[0]
    user = [turn.utterance for turn in dialogue.turns if turn.speaker == sgd.USER]
    assert baselines.lead(dialogue, 2) == f"{user[0]} {user[1]}"
    assert baselines.lead(dialogue, 9, words=3).split() == user[0].split()[:3]
    longest = baselines.longest_turn(dialogue)
    assert all(len(t.utterance.split()) <= len(longest.split()) for t in dialogue.turns)
    assert longest in [turn.utterance for turn in dialogue.turns]
    with pytest.raises(ValueError, match="turns is 0 and words None: both must be at least 1"):
        baselines.lead(dialogue, 0)
