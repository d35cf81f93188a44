"""Short reference summaries of dialogues, written by rules from their annotations alone.

`reference` says for each service what the user asked for and what came of it, with the values as
the dialogue says them. `facts`, `stated` and `invented` tell whether a summary stays with what was
said: Maynez et al. 2020, "On Faithfulness and Factuality in Abstractive Summarization" (ACL), call
what it adds *extrinsic hallucinations*.
"""

import re
from collections.abc import Sequence

from companion.corpora import wording as say
from companion.corpora.episodes import Episode, Offers, Story, Values
from companion.corpora.sgd import Dialogue

_HEADS = ("airlines", "car_name", "address")  # what to call an offer without a name
_DETAIL = re.compile(
    r"(?!arrival|\w*_arrival)\w*(date|time|price|fare|rent|artist|venue|event_location)"
)
_QUESTIONS = 3  # more would make a list of the summary


def reference(dialogue: Dialogue) -> str:
    """Summarise a dialogue from its annotations, in one sentence a service, and one of questions.

    Equal dialogues give equal summaries. A dialogue without an intent gives "The user asked for nothing.".
    """
    story = Story(dialogue)
    services = dict.fromkeys(episode.service for episode in story.episodes)
    sentences = []
    for service in services:
        clauses = _clauses(service, [e for e in story.episodes if e.service == service], story)
        start = "They also" if sentences else "The user"
        sentences.append(f"{start} {say.listed(clauses)}.")
    asked = list(dict.fromkeys(map(say.question, story.questions)))[:_QUESTIONS]
    if asked:
        nouns_first = sorted(asked, key=lambda each: each.startswith("whether"))
        told = say.listed(nouns_first)
        sentences.append(f"They asked {'for ' * told.startswith('the')}{told}.")
    return " ".join(sentences or ["The user asked for nothing."])


def _clauses(service: str, episodes: Sequence[Episode], story: Story) -> list[str]:
    clauses: list[str] = []
    known: Values = {}
    noun = ""
    for number, episode in enumerate(episodes):
        if episode.kind == "search":
            noun = say.wording(episode.intent).noun
            dealt = [e.wanted for e in episodes[number + 1 :] if e.kind != "search"]
            clauses += _search(episode, known, story.provider(service), dealt)
        elif episode.kind == "ask":
            clauses.append(_ask(episode, known))
        else:
            clauses.append(
                _deal(
                    episode,
                    known,
                    noun,
                    picked=clauses[-1:] != [] and clauses[-1].startswith("chose"),
                )
            )
        known |= episode.wanted
    return clauses


def _new(values: Values, known: Values) -> Values:
    same = {slot for slot, value in values.items() if known.get(slot, "").lower() == value.lower()}
    return {slot: value for slot, value in values.items() if slot not in same}


def _search(episode: Episode, known: Values, provider: str, dealt: Sequence[Values]) -> list[str]:
    noun = say.wording(episode.intent).noun
    looked = f"{'then ' * bool(known)}looked for {say.search(noun, _new(episode.wanted, known), provider)}"
    if episode.chosen:
        chosen = {slot: say.listed(values) for slot, values in episode.chosen.items()}
        head = next((slot for slot in (say.name_of(chosen), *_HEADS) if slot in chosen), "")
        mentioned = {value.lower() for values in dealt for value in values.values()}
        if dealt and (not head or chosen[head].lower() in mentioned):
            return [looked]
        rest = {slot: value for slot, value in chosen.items() if _DETAIL.fullmatch(slot)}
        name = say.article(chosen[head]) if head == "car_name" else chosen.get(head, "one")
        return [looked, "chose " + say.tail(name, _new(rest, episode.wanted | known))]
    if dealt:
        return [looked]
    return [f"{looked} but {'chose' if episode.shown else 'found'} none"]


def _ask(episode: Episode, known: Values) -> str:
    noun = say.wording(episode.intent).noun
    about = say.about(noun, _new(episode.wanted, known))
    offered = {s: v for s, v in episode.offered.items() if set(v) - set(episode.wanted.values())}
    told = "" if not offered else f" ({_told(offered)})"
    return f"asked about {about}{told}"


def _told(offered: Offers) -> str:
    rows = max(map(len, offered.values()))
    whole = {slot: values for slot, values in offered.items() if len(values) == rows}
    lines = []
    for row in range(rows):
        values = {slot: told[row] for slot, told in whole.items()}
        head = values.pop(say.name_of(values) or "alarm_name", "")
        lines.append(say.tail(head, values).strip())
    return say.listed(lines)


def _deal(episode: Episode, known: Values, searched: str, *, picked: bool) -> str:
    words = say.wording(episode.intent)
    wanted = episode.wanted if episode.tries else episode.confirmed or episode.wanted
    named = say.name_of(wanted)
    again = (named, "number_of_rooms")  # said again, so that nobody must look back
    new = _new(wanted, {slot: value for slot, value in known.items() if slot not in again})
    noun = words.noun
    if searched and noun.startswith(searched):
        noun = noun.removeprefix(searched).strip() or (noun if named else "one")
    done = say.deal(noun, new)
    if picked:
        done = re.sub(r"^one\b", "it", done)
    if not episode.tries:
        return f"wanted to {words.verb} {done} but did not"
    last = episode.tries[-1]
    if not last.worked:
        return f"tried to {words.verb} {done} but could not"
    failed = [each for each in episode.tries[:-1] if each.worked is False]
    if not failed:
        return f"{words.past} {done}"
    changed = say.tail("", _new(failed[-1].values, last.values))
    return f"{words.past} {done}, after a try{changed} had failed"


# What a summary states, and whether the dialogue has it.

_WORD = r"(?<![\w#])(?!The user\b|They\b)(?:[A-Z$#]|\d)(?:[\w'’&/:$#-]|\.(?=\w)|,(?=\d{3}))*(?:(?<=\b[A-Z])\.)?"
_STATED = re.compile(rf"{_WORD}(?: (?:of |the |de |& |vs )*{_WORD}| [ap]m\b)*")


def facts(dialogue: Dialogue) -> frozenset[str]:
    """Every value of a slot in a dialogue, in small letters, however it is said or annotated."""
    frames = [frame for turn in dialogue.turns for frame in turn.frames]
    found: set[str] = set()
    for frame in frames:
        for action in frame.actions:
            if action.slot not in ("", "intent"):
                found.update(action.values, action.canonical)
        if frame.state:
            found.update(*frame.state.values.values())
    found |= {say.digits(value) for value in found}
    return frozenset(value.lower() for value in found)


def stated(summary: str) -> list[str]:
    """The values that a summary states: names, numbers, dates, times and amounts, in order.

    They are told by their look, without the dialogue: runs of words that begin with a capital, a
    digit or a sign such as $, with *of*, *the*, *vs* between them and *am* or *pm* after them. Names in small
    letters are not found, and of "next Friday" only Friday.
    """
    found = (value.rstrip(".'’") for value in _STATED.findall(summary))
    return [re.sub(r"(?<=\d)-[a-z]+$", "", value) for value in found]  # the 2 of "2-star"


def invented(summary: str, dialogue: Dialogue) -> list[str]:
    """The stated values that the dialogue does not have.

    A value is there if an utterance says it, as whole words, or if it can be cut into values that
    are among the dialogue's `facts`. Capitals do not matter.
    """
    said = _plain(" ".join(turn.utterance for turn in dialogue.turns))
    known = {_plain(fact) for fact in facts(dialogue)}
    return [
        value
        for value in stated(summary)
        if not re.search(rf"(?<!\w){re.escape(_plain(value))}(?!\w)", said)
        and not _cut(_plain(value).split(), known)
    ]


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())


def _cut(words: Sequence[str], known: set[str]) -> bool:
    if not words:
        return True
    starts = range(1, len(words) + 1)
    return any(" ".join(words[:n]) in known and _cut(words[n:], known) for n in starts)
