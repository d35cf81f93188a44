"""A reader of task-oriented dialogues in the layout of the Schema-Guided Dialogue data set.

In each dialogue a user asks an assistant for things, such as a table or a flight, and every turn is
annotated with what it does: Rastogi et al. 2020, "Towards Scalable Multi-Domain Conversational
Agents: The Schema-Guided Dialogue Dataset" (AAAI). A **slot** is a named detail, such as `city`; a
**service** has slots and **intents**, such as `FindRestaurants`, and its schema describes them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from companion.corpora.gzipped import unzip

USER, SYSTEM = "USER", "SYSTEM"
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a turn does.

    Attributes:
        act: such as INFORM, OFFER or NOTIFY_SUCCESS.
        slot: the slot it is about; may be empty. With INFORM_INTENT it is `intent`.
        values: what the turn says of the slot, as it says it; may be empty.
        canonical: the same values in one form for all dialogues, such as 2019-03-08.
    """

    act: str
    slot: str = ""
    values: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Where the utterance says the value of a slot: first character, one past the last."""

    slot: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class State:
    """What the user wants of a service up to here.

    Attributes:
        intent: the intent the user has now, or NONE.
        requested: the slots the user asks for in this turn.
        values: each slot's value, in all the ways in which it has been said.
    """

    intent: str
    requested: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What the system asks of a service: the name of an intent, and canonical values."""

    method: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a turn does with one service; the user's turns have a state, the system's may call."""

    service: str
    actions: tuple[Action, ...] = ()
    spans: tuple[Span, ...] = ()
    state: State | None = None
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of USER or SYSTEM, with a frame for each service that it is about."""

    speaker: str
    utterance: str
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One dialogue, with the services that it uses."""

    id: str
    services: tuple[str, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """Something a service can do; a transaction is done only after the user has agreed to it."""

    name: str
    description: str
    transaction: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """What a schema says of a service.

    Attributes:
        name: such as Restaurants_1.
        description: one sentence.
        intents: what it can do, by name.
        slots: the description of each slot.
        possible: the values of the slots that have only certain values.
    """

    name: str
    description: str
    intents: Mapping[str, Intent]
    slots: Mapping[str, str]
    possible: Mapping[str, tuple[str, ...]]


def read(path: str | Path) -> list[Dialogue]:
    """Read dialogues.

    Args:
        path: one file of the data set, or a folder with some: `dialogues_*.json`, in the order of
            their names. Any of them may be gzipped. What the services found is left out.

    Raises:
        ValueError: If a file is missing or has another layout, with its name and what is wrong; or
            if there is no dialogue.
    """
    place = Path(path)
    files = _named(place, "dialogues_*.json") if place.is_dir() else [place]
    return [dialogue for file in files for dialogue in _records(file, "dialogue", _dialogue)]


def read_schema(path: str | Path) -> dict[str, Service]:
    """Read what services there are, by name.

    Args:
        path: a schema file of the data set, or the folder with `schema.json`; it may be gzipped.

    Raises:
        ValueError: If the file is missing or has another layout.
    """
    place = Path(path)
    file = _named(place, "schema.json")[0] if place.is_dir() else place
    return {service.name: service for service in _records(file, "service", _service)}


def to_json(dialogue: Dialogue) -> Record:
    """Write a dialogue as the data set does; a file holds a list of these."""
    turns = [
        {
            "frames": [_frame_to_json(frame) for frame in turn.frames],
            "speaker": turn.speaker,
            "utterance": turn.utterance,
        }
        for turn in dialogue.turns
    ]
    return {"dialogue_id": dialogue.id, "services": list(dialogue.services), "turns": turns}


def _frame_to_json(frame: Frame) -> Record:
    record: Record = {
        "actions": [
            {
                "act": action.act,
                "canonical_values": list(action.canonical),
                "slot": action.slot,
                "values": list(action.values),
            }
            for action in frame.actions
        ],
        "service": frame.service,
        "slots": [
            {"exclusive_end": span.end, "slot": span.slot, "start": span.start}
            for span in frame.spans
        ],
    }
    if frame.state:
        record["state"] = {
            "active_intent": frame.state.intent,
            "requested_slots": list(frame.state.requested),
            "slot_values": {slot: list(values) for slot, values in frame.state.values.items()},
        }
    if frame.call:
        parameters = dict(frame.call.parameters)
        record["service_call"] = {"method": frame.call.method, "parameters": parameters}
    return record


# Files.


def _named(folder: Path, pattern: str) -> list[Path]:
    found = sorted([*folder.glob(pattern), *folder.glob(pattern + ".gz")])
    if not found:
        raise ValueError(f"path {str(folder)!r} is a folder without {pattern} or {pattern}.gz")
    return found


def _records(file: Path, what: str, make: Callable[[Record], Any]) -> list[Any]:
    try:
        return _each(what, _list(unzip(file.read_bytes()), what), make)
    except (OSError, ValueError) as error:
        raise ValueError(f"path {str(file)!r} cannot be read: {error}") from error


def _list(data: bytes, what: str) -> list[Any]:
    records = json.loads(data)
    if not isinstance(records, list) or not records:
        raise ValueError(f"the JSON must be a list of at least one {what}")
    return records


def _each(what: str, records: Iterable[Any], make: Callable[[Record], Any]) -> list[Any]:
    made = []
    for number, record in enumerate(records, start=1):
        try:
            made.append(make(_object(record)))
        except ValueError as error:
            raise ValueError(f"{what} {number}: {error}") from error
    return made


def _object(record: Any) -> Record:  # noqa: ANN401
    if not isinstance(record, dict):
        raise ValueError(f"it is {str(record)[:40]!r}: it must be an object")  # noqa: TRY004
    return record


def _get(record: Record, name: str, kind: type) -> Any:  # noqa: ANN401
    value = record.get(name)
    if not isinstance(value, kind):
        told = f"is {str(value)[:40]!r}" if name in record else "is missing"
        raise ValueError(f"field {name!r} {told}: it must be of type {kind.__name__}")  # noqa: TRY004
    return value


def _texts(record: Record, name: str) -> tuple[str, ...]:
    values = _get(record, name, list)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"field {name!r} is {str(values)[:40]}: it must hold only text")
    return tuple(values)


# The objects in them.


def _dialogue(record: Record) -> Dialogue:
    turns = _each("turn", _get(record, "turns", list), _turn)
    return Dialogue(_get(record, "dialogue_id", str), _texts(record, "services"), tuple(turns))


def _turn(record: Record) -> Turn:
    speaker, utterance = _get(record, "speaker", str), _get(record, "utterance", str)
    if speaker not in (USER, SYSTEM):
        raise ValueError(f"field 'speaker' is {speaker!r}: it must be {USER} or {SYSTEM}")
    frames: list[Frame] = _each("frame", _get(record, "frames", list), _frame)
    for span in (span for frame in frames for span in frame.spans):
        if not 0 <= span.start < span.end <= len(utterance):
            raise ValueError(
                f"slot {span.slot!r} is at {span.start} to {span.end}: not in the text"
            )
    return Turn(speaker, utterance, tuple(frames))


def _frame(record: Record) -> Frame:
    state = _get(record, "state", dict) if "state" in record else None
    call = _get(record, "service_call", dict) if "service_call" in record else None
    return Frame(
        service=_get(record, "service", str),
        actions=tuple(_each("action", _get(record, "actions", list), _action)),
        spans=tuple(_each("slot", _get(record, "slots", list), _span)),
        state=None if state is None else _state(state),
        call=None if call is None else _call(call),
    )


def _action(record: Record) -> Action:
    act, slot = _get(record, "act", str), _get(record, "slot", str)
    return Action(act, slot, _texts(record, "values"), _texts(record, "canonical_values"))


def _span(record: Record) -> Span:
    start, end = _get(record, "start", int), _get(record, "exclusive_end", int)
    return Span(_get(record, "slot", str), start, end)


def _state(record: Record) -> State:
    said = _get(record, "slot_values", dict)
    values = {slot: _texts(said, slot) for slot in said}
    return State(_get(record, "active_intent", str), _texts(record, "requested_slots"), values)


def _call(record: Record) -> Call:
    parameters = _get(record, "parameters", dict)
    return Call(
        _get(record, "method", str), {name: _get(parameters, name, str) for name in parameters}
    )


def _service(record: Record) -> Service:
    intents: list[Intent] = _each("intent", _get(record, "intents", list), _intent)
    slots = _get(record, "slots", list)
    described = _each("slot", slots, lambda r: (_get(r, "name", str), _get(r, "description", str)))
    possible = _each("slot", slots, lambda r: (r["name"], _texts(r, "possible_values")))
    return Service(
        name=_get(record, "service_name", str),
        description=_get(record, "description", str),
        intents={intent.name: intent for intent in intents},
        slots=dict(described),
        possible={slot: values for slot, values in possible if values},
    )


def _intent(record: Record) -> Intent:
    return Intent(
        name=_get(record, "name", str),
        description=_get(record, "description", str),
        transaction=_get(record, "is_transactional", bool),
        required=_texts(record, "required_slots"),
        optional=tuple(_get(record, "optional_slots", dict)),
    )
