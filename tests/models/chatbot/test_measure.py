"""How good a chatbot is: each figure on models whose answers are known."""

import math

import pytest
import torch

from companion.corpora import dialogues
from companion.corpora.acts import Judge, act_of, system_turns
from companion.corpora.sgd import Action, Dialogue, Frame, Span, Turn
from companion.corpora.transcript import as_text
from companion.models.chatbot import measure
from companion.models.chatbot.measure import Memory
from companion.models.summarizer.pieces import END, SIZE, encode

DIALOGUES = dialogues.generate(12, 0)


def turn(speaker, text, act="", slot="", value=""):
    start = text.find(value)
    spans = (Span(slot, start, start + len(value)),) if value else ()
    return Turn(speaker, text, (Frame("R_1", (Action(act, slot, (value,)),), spans),))


TALK = Dialogue(
    "1",
    ("R_1",),
    (
        turn("USER", "A table in San Jose.", "INFORM", "city", "San Jose"),
        turn("SYSTEM", "At what time?", "REQUEST", "time"),
        turn("USER", "At 7 pm.", "INFORM", "time", "7 pm"),
        turn("SYSTEM", "A table in San Jose, right?", "CONFIRM", "city", "San Jose"),
        turn("USER", "Yes, at 7 pm.", "AFFIRM"),
        turn("SYSTEM", "At 7 pm, then?", "CONFIRM", "time", "7 pm"),
        turn("USER", "Yes.", "AFFIRM"),
        turn("SYSTEM", "It is at Pho Hoa, right?", "CONFIRM", "name", "Pho Hoa"),
    ),
)


class Knowing:
    """Gives every token of some texts the probability `odds`, and the rest an equal share."""

    def __init__(self, odds=0.5, unknown=()):
        self.odds, self.unknown, self.lengths = odds, set(unknown), []

    def score(self, tokens, _rounds):
        self.lengths.append(len(tokens))
        logits = torch.full((len(tokens), SIZE), math.log((1 - self.odds) / (SIZE - 1)))
        for i, token in enumerate(self.next_of(tokens)):
            logits[i, token] = math.log(self.odds)
        return logits

    def next_of(self, tokens):
        following = [*tokens[1:].tolist(), END]
        return [END if token in self.unknown else token for token in following]


class WithLast(Knowing):
    """Knows the token after the last one it is given, too."""

    def __init__(self, text, **more):
        super().__init__(**more)
        self.whole = encode(text)[0]

    def next_of(self, tokens):
        return [*tokens[1:].tolist(), self.whole[-1]]


class TestPerplexity:
    def test_of_one_who_gives_a_quarter_to_every_token_it_is_4(self):
        text = as_text(DIALOGUES[0])
        chat = WithLast(text, odds=0.25)
        assert measure.perplexity(chat, DIALOGUES[:1], 20, 2, asked=8) == pytest.approx(4)
        assert chat.lengths == [27]

    def test_dialogues_must_be_long_enough(self):
        sizes = sorted(len(encode(as_text(each))[0]) for each in DIALOGUES)
        context = sizes[-2] - 8
        long = measure.with_tokens(DIALOGUES, context, 8)
        assert len(long) == 2
        chat = Knowing()
        measure.perplexity(chat, long, context, 2, asked=8)
        assert chat.lengths == [context + 7] * 2
        with pytest.raises(ValueError, match=f"dialogues: 2 of 12 have the {context + 8} tokens"):
            measure.perplexity(chat, DIALOGUES, context, 2, asked=8)
        with pytest.raises(ValueError, match="dialogues: 0 of 0"):
            measure.perplexity(chat, [], 5, 2)


class TestMemories:
    def test_values_that_were_said_before(self):
        """The name was never said, so it cannot be remembered."""
        found = list(measure.memories(Knowing(), [TALK], 2))
        assert found == [Memory(3, known=True), Memory(1, known=True)]

    def test_a_value_is_known_if_all_its_tokens_are(self):
        last = encode(" in San Jose")[0][-1]
        found = list(measure.memories(Knowing(unknown=[last]), [TALK], 2))
        assert [memory.known for memory in found] == [False, True]

    def test_dialogues_that_confirm_nothing_are_not_read(self):
        chat = Knowing()
        assert not list(measure.memories(chat, [Dialogue("1", (), TALK.turns[:3])], 2))
        assert chat.lengths == []

    def test_of_our_own_dialogues_it_finds_what_is_confirmed(self):
        found = list(measure.memories(Knowing(), DIALOGUES, 2))
        assert len(found) > 20
        assert all(memory.known for memory in found)
        assert {memory.turns_ago for memory in found} >= {1, 2, 3}


@pytest.fixture
def says(monkeypatch):
    """`says(function of the turns)`: the model's next turn."""

    def set_to(function):
        def reply(_reader, turns, **_how):
            return type("Reply", (), {"text": function(turns)})

        monkeypatch.setattr(measure, "reply", reply)

    return set_to


class TestNextActs:
    def test_of_one_who_says_what_the_assistant_says_only_the_judge_errs(self, says):
        said = {
            tuple(as_text(d).splitlines()[:number]): turn.utterance
            for d in DIALOGUES
            for number, turn in enumerate(d.turns)
        }
        says(lambda turns: said[tuple(turns)])
        judge = Judge(system_turns(DIALOGUES))
        found = measure.next_acts(None, DIALOGUES, judge, 2)
        turns = list(system_turns(DIALOGUES))
        assert found.turns == len(turns)
        assert found.right == sum(judge(text) == act for text, act in turns) / len(turns)
        assert found.right > 0.95

    def test_of_one_who_always_does_the_same_it_is_that_share(self, says):
        says(lambda _turns: "Goodbye!")
        acts = [act_of(turn) for turn in TALK.turns if turn.speaker == "SYSTEM"]
        found = measure.next_acts(None, [TALK], lambda _text: "confirmed", 2)
        assert found.right == found.majority == acts.count("confirmed") / len(acts) == 3 / 4

    def test_without_turns_there_is_nothing_to_compare(self):
        with pytest.raises(ValueError, match="no turn of the assistant does anything"):
            measure.next_acts(None, [Dialogue("1", (), TALK.turns[:1])], str, 2)


def test_it_plays_both_parts_in_turn(monkeypatch):
    asked = []

    def reply(_reader, turns, *, speaker, **_how):
        asked.append((len(turns), speaker))
        return type("Reply", (), {"text": f"{len(turns)}."})

    monkeypatch.setattr(measure, "reply", reply)
    said = measure.talk_to_itself(None, "Hello!", 4, 0.0, 2)
    assert said == ["User: Hello!", "Agent: 1.", "User: 2.", "Agent: 3."]
    assert asked == [(1, "Agent:"), (2, "User:"), (3, "Agent:")]


@pytest.mark.parametrize(
    ("turns", "share"), [("abcd", 0), ("abab", 2 / 3), ("aaaa", 1), ("a", 0), ("abca", 1 / 3)]
)
def test_what_was_said_before(turns, share):
    assert measure.repeated(list(turns)) == pytest.approx(share)


def test_equal_seeds_draw_the_same_dialogues():
    assert measure.drawn(DIALOGUES, 5) == measure.drawn(DIALOGUES, 5)
    assert len(set(map(id, measure.drawn(DIALOGUES, 5)))) == 5
    assert sorted(map(id, measure.drawn(DIALOGUES, 100))) == sorted(map(id, DIALOGUES))
