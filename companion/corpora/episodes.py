"""What becomes of each intent in a dialogue: wishes, offers, choices, and what worked."""

import re
from dataclasses import dataclass, field

from companion.corpora.sgd import USER, Call, Dialogue, Frame, State

_ANY = "dontcare"  # the value of a slot where the user takes anything
_SEARCH = re.compile(r"(Find|Search|Lookup)|Get\w*Available$")
_ASK = re.compile(r"(Get|Check)(?!Ride)(?!\w*Tickets?$)")
_KIND = re.compile(r"genre|\w*category|\w*type")

Values = dict[str, str]
Offers = dict[str, list[str]]  # a system may offer several values of a slot at once


@dataclass
class Try:
    """A transaction that the service was asked to do."""

    values: Values
    worked: bool | None = None


@dataclass
class Episode:
    """What became of one intent.

    Attributes:
        service: its service.
        intent: its name.
        wanted: the slots that the user has given, as last said.
        offered: what the system last offered.
        chosen: the offer that the user took.
        tries: the transactions, in order.
        confirmed: what the system last asked the user to confirm.
        called: whether the service has been asked.
        shown: whether anything has been offered.
    """

    service: str
    intent: str
    wanted: Values = field(default_factory=dict)
    offered: Offers = field(default_factory=dict)
    chosen: Offers = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)
    confirmed: Values = field(default_factory=dict)
    called: bool = False
    shown: bool = False

    @property
    def kind(self) -> str:
        """One of "deal", "search" and "ask"."""
        if self.confirmed or any(each.worked for each in self.tries):
            return "deal"
        if _SEARCH.match(self.intent):
            return "search"
        return "ask" if _ASK.match(self.intent) else "deal"


class Story:
    """A dialogue as episodes, one for each time that the user turns to an intent.

    Attributes:
        episodes: in the order in which they begin.
        questions: the slots that the user asked for, in order.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._text = "\n".join(turn.utterance for turn in dialogue.turns)
        self.episodes: list[Episode] = []
        self.questions: list[str] = []
        self._states: dict[str, State] = {}
        self._said: dict[tuple[str, str], list[str]] = {}
        self._ways: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self._now: dict[str, Episode] = {}
        for turn in dialogue.turns:
            for frame in turn.frames:
                (self._user if turn.speaker == USER else self._system)(frame)
        for episode in self.episodes:
            self._settle(episode)

    def provider(self, service: str) -> str:
        """What to call those whom the service finds, such as "dentist" for dentist_name; or ""."""
        slots = dict.fromkeys(slot for (of, slot) in self._said if of == service)
        names = [slot.removesuffix("_name") for slot in slots if slot.endswith("_name")]
        return names[0] if names else ""

    def _user(self, frame: Frame) -> None:
        self._remember(frame)
        before = self._now.get(frame.service)
        acts = {action.act for action in frame.actions}
        if before and "SELECT" in acts and before.offered:
            before.chosen = _selected(before.offered, frame)
        self.questions += [a.slot for a in frame.actions if a.act == "REQUEST"]
        if frame.state is None:
            return
        self._states[frame.service] = frame.state
        for slot, ways in frame.state.values.items():
            self._ways.setdefault((frame.service, slot), []).append(ways)
        intent = frame.state.intent
        if intent == "NONE":
            return
        if before is None or before.intent != intent or self._again(before, acts):
            self._now[frame.service] = self._open(frame.service, intent, again=bool(before))
        episode = self._now[frame.service]
        if not episode.called:
            episode.wanted = {slot: ways[0] for slot, ways in frame.state.values.items()}

    def _again(self, before: Episode, acts: set[str]) -> bool:
        done = any(each.worked for each in before.tries)
        return "INFORM_INTENT" in acts and (done or bool(before.chosen))

    def _open(self, service: str, intent: str, *, again: bool) -> Episode:
        # Back to an intent that has not come to an end: go on with it.
        same = [e for e in self.episodes if (e.service, e.intent) == (service, intent)]
        finished = same and (same[-1].chosen or any(t.worked for t in same[-1].tries))
        if again and same and not finished:
            return same[-1]
        episode = Episode(service, intent)
        self.episodes.append(episode)
        return episode

    def _system(self, frame: Frame) -> None:
        self._remember(frame)
        episode = self._now.get(frame.service)
        if episode is None:
            return
        offers: Offers = {}
        for action in frame.actions:
            if action.act == "OFFER" and action.values:
                offers.setdefault(action.slot, []).extend(action.values)
            elif action.act == "CONFIRM" and action.values:
                episode.confirmed[action.slot] = action.values[-1]
        acts = {action.act for action in frame.actions}
        if frame.call and frame.call.method == episode.intent:
            self._call(frame.call, episode)
        if offers:
            episode.offered = offers
            episode.shown = True
        if episode.tries and acts & {"NOTIFY_SUCCESS", "NOTIFY_FAILURE"}:
            episode.tries[-1].worked = "NOTIFY_SUCCESS" in acts

    def _call(self, call: Call, episode: Episode) -> None:
        values = self._states[episode.service].values
        episode.wanted = {slot: values[slot][0] for slot in call.parameters if slot in values}
        episode.offered, episode.chosen, episode.called = {}, {}, True
        if episode.kind == "deal":
            episode.tries.append(Try(episode.wanted))

    def _remember(self, frame: Frame) -> None:
        for action in frame.actions:
            self._said.setdefault((frame.service, action.slot), []).extend(action.values)

    # One way to say each value, the same in all of the summary.

    def _settle(self, episode: Episode) -> None:
        for each in (episode.offered, episode.chosen):
            for slot, values in each.items():
                each[slot] = [self._last_said(episode.service, slot, value) for value in values]
        episode.wanted = self._settled(episode, episode.wanted)
        episode.confirmed = self._settled(episode, episode.confirmed)
        for each in episode.tries:
            each.values = self._settled(episode, each.values)

    def _settled(self, episode: Episode, values: Values) -> Values:
        said = {s: self._last_said(episode.service, s, v) for s, v in values.items()}
        return {slot: value for slot, value in said.items() if value != _ANY}

    def _last_said(self, service: str, slot: str, value: str) -> str:
        states = self._ways.get((service, slot), ())
        ways = {value, *(way for state in states if value in state for way in state)}
        said = [each for each in self._said.get((service, slot), ()) if each in ways]
        last = said[-1] if said else value
        pattern = rf"(?<!\w){re.escape(last)}(?!\w)"
        found = re.search(pattern, self._text) or re.search(pattern, self._text, re.IGNORECASE)
        if found:
            return found[0]
        return last.lower() if _KIND.fullmatch(slot) else last


def _selected(offered: Offers, frame: Frame) -> Offers:
    # Of several things offered, the one that the user names.
    for action in frame.actions:
        values = offered.get(action.slot, [])
        if action.act == "SELECT" and action.values and action.values[0] in values:
            row = values.index(action.values[0])
            return {
                slot: each[row : row + 1] if len(each) == len(values) else each
                for slot, each in offered.items()
            }
    return dict(offered)
