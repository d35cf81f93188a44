"""The reader of schema-guided dialogues: what a file says is what is read, and faults are named."""

import copy
import gzip
import json
import os
from pathlib import Path

import pytest

from companion.corpora import sgd

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[2] / "data")) / "sgd"
real = pytest.mark.skipif(
    not (DATA / "dev").is_dir(), reason="needs the data set: COMPANION_DATA/sgd/dev"
)

DIALOGUE = {
    "dialogue_id": "1_00000",
    "services": ["Restaurants_1"],
    "turns": [
        {
            "frames": [
                {
                    "actions": [
                        {
                            "act": "INFORM",
                            "canonical_values": ["18:00"],
                            "slot": "time",
                            "values": ["6 pm"],
                        }
                    ],
                    "service": "Restaurants_1",
                    "slots": [{"exclusive_end": 17, "slot": "time", "start": 13}],
                    "state": {
                        "active_intent": "ReserveRestaurant",
                        "requested_slots": ["phone_number"],
                        "slot_values": {"time": ["6 pm", "six"]},
                    },
                }
            ],
            "speaker": "USER",
            "utterance": "Dinner, say, 6 pm. What is their number?",
        },
        {
            "frames": [
                {
                    "actions": [
                        {"act": "NOTIFY_SUCCESS", "canonical_values": [], "slot": "", "values": []}
                    ],
                    "service": "Restaurants_1",
                    "service_call": {
                        "method": "ReserveRestaurant",
                        "parameters": {"time": "18:00"},
                    },
                    "slots": [],
                }
            ],
            "speaker": "SYSTEM",
            "utterance": "Done.",
        },
    ],
}
SERVICE = {
    "service_name": "Restaurants_1",
    "description": "Eat out",
    "intents": [
        {
            "name": "ReserveRestaurant",
            "description": "Reserve a table",
            "is_transactional": True,
            "required_slots": ["time"],
            "optional_slots": {"party_size": "2"},
            "result_slots": ["time"],
        }
    ],
    "slots": [
        {"name": "time", "description": "When", "is_categorical": False, "possible_values": []},
        {
            "name": "party_size",
            "description": "How many",
            "is_categorical": True,
            "possible_values": ["1", "2"],
        },
    ],
}


def write(path, content):
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def faulty(place, value):
    """The dialogue with one thing replaced, or with None left out."""
    dialogue = copy.deepcopy(DIALOGUE)
    *path, last = place
    inner = dialogue
    for key in path:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return dialogue


def test_what_a_file_says_is_what_is_read(tmp_path):
    (dialogue,) = sgd.read(write(tmp_path / "x.json", [DIALOGUE]))
    user, system = dialogue.turns
    (asked,), (answered,) = user.frames, system.frames
    assert (dialogue.id, dialogue.services) == ("1_00000", ("Restaurants_1",))
    assert (user.speaker, system.speaker) == (sgd.USER, sgd.SYSTEM)
    assert asked.actions == (sgd.Action("INFORM", "time", ("6 pm",), ("18:00",)),)
    (span,) = asked.spans
    assert user.utterance[span.start : span.end] == "6 pm"
    assert asked.state == sgd.State(
        "ReserveRestaurant", ("phone_number",), {"time": ("6 pm", "six")}
    )
    assert asked.call is answered.state is None
    assert answered.call == sgd.Call("ReserveRestaurant", {"time": "18:00"})


def test_what_is_read_is_written_again(tmp_path):
    (dialogue,) = sgd.read(write(tmp_path / "x.json", [DIALOGUE]))
    assert sgd.to_json(dialogue) == DIALOGUE


def test_a_folder_is_read_in_order_gzipped_or_not(tmp_path):
    for name in ("dialogues_002.json.gz", "dialogues_001.json", "other.json"):
        write(tmp_path / name, [DIALOGUE | {"dialogue_id": name}])
    names = [dialogue.id for dialogue in sgd.read(tmp_path)]
    assert names == ["dialogues_001.json", "dialogues_002.json.gz"]


@pytest.mark.parametrize("name", ["schema.json", "schema.json.gz"])
def test_the_schema(tmp_path, name):
    path = write(tmp_path / name, [SERVICE])
    assert sgd.read_schema(path) == sgd.read_schema(tmp_path)
    service = sgd.read_schema(path)["Restaurants_1"]
    assert service.description == "Eat out"
    assert service.slots == {"time": "When", "party_size": "How many"}
    assert service.possible == {"party_size": ("1", "2")}
    intent = service.intents["ReserveRestaurant"]
    assert intent.transaction
    assert (intent.required, intent.optional) == (("time",), ("party_size",))


TURN = ("turns", 0)
FRAME = (*TURN, "frames", 0)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("services",), None, "dialogue 2: field 'services' is missing: it must be of type list"),
        (("services",), [1], r"dialogue 2: field 'services' is \[1\]: it must hold only text"),
        (("turns",), [3], "dialogue 2: turn 1: it is '3': it must be an object"),
        ((*TURN, "speaker"), "BOT", "turn 1: field 'speaker' is 'BOT': it must be USER or SYSTEM"),
        ((*TURN, "utterance"), 5, "turn 1: field 'utterance' is '5': it must be of type str"),
        ((*TURN, "utterance"), "6 pm", "turn 1: slot 'time' is at 13 to 17: not in the text"),
        ((*FRAME, "state"), "x", "turn 1: frame 1: field 'state' is 'x'"),
        ((*FRAME, "actions", 0, "values"), None, "frame 1: action 1: field 'values' is missing"),
        ((*FRAME, "slots", 0, "start"), "0", "frame 1: slot 1: field 'start' is '0'"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path, place, value, message):
    path = write(tmp_path / "dialogues_001.json", [DIALOGUE, faulty(place, value)])
    with pytest.raises(
        ValueError, match=rf"path '.*dialogues_001.json' cannot be read: .*{message}"
    ):
        sgd.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Expecting value"),
        ("[]", "the JSON must be a list of at least one dialogue"),
        ("{}", "the JSON must be a list of at least one dialogue"),
    ],
)
def test_files_that_do_not_do(tmp_path, content, message):
    with pytest.raises(ValueError, match=f"x' cannot be read: {message}"):
        sgd.read(write(tmp_path / "x", content))


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(ValueError, match=r"none' cannot be read: .*No such file"):
        sgd.read(tmp_path / "none")
    with pytest.raises(ValueError, match=r"is a folder without dialogues_\*.json or"):
        sgd.read(tmp_path)
    with pytest.raises(ValueError, match=r"is a folder without schema.json or schema.json.gz"):
        sgd.read_schema(tmp_path)
    path = write(tmp_path / "x.gz", [DIALOGUE])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="the gzipped data is damaged"):
        sgd.read(path)


@real
def test_the_real_data():
    path = min((DATA / "dev").glob("dialogues_*"))
    dialogues, services = sgd.read(path), sgd.read_schema(DATA / "dev")
    data = path.read_bytes()
    raw = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    assert [d.id for d in dialogues] == [record["dialogue_id"] for record in raw]
    for dialogue, record in zip(dialogues, raw, strict=True):
        assert set(dialogue.services) <= set(services)
        for turn in record["turns"]:
            for frame in turn["frames"]:
                frame.pop("service_results", None)  # left out by the reader
        assert sgd.to_json(dialogue) == record
