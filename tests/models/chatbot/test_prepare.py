"""The conversation held in advance: what is told of it is what the model says."""

import pytest
import torch

from companion.models.chatbot import recipe, reply
from companion.models.chatbot.ask import AGENT, USER, Reply
from companion.models.chatbot.graph import ALL_PAIRS, reader
from companion.models.chatbot.prepare import likely, looks, prepare
from companion.models.summarizer.pieces import SIZE, decode, encode
from companion.widgets import DialogueChat

SAID = ["I want to\n  eat out.", "At 7 pm, <b>please</b>."]


@pytest.fixture(scope="module")
def chat():
    """Reads for a network that is not trained, but sure of what it says."""
    torch.manual_seed(0)
    model = recipe.network(n_layers=2, d_model=32, n_heads=2, d_ff=32, rows=64, chunk=8, window=8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    return reader(model.eval()).module


@pytest.fixture(scope="module")
def prepared(chat):
    return prepare(chat, SAID, ["Hello!"])


def lines(turns):
    return [f"{turn['speaker']} {turn['text']}" for turn in turns]


def test_the_reader_and_the_model_take_turns(chat, prepared):
    turns = prepared["turns"]
    assert [turn["speaker"] for turn in turns] == [USER, AGENT] * 2
    assert [turn["text"] for turn in turns[::2]] == ["I want to eat out.", SAID[1]]
    for number in (1, 3):
        expected = reply(chat, lines(turns[:number]))
        assert turns[number]["text"] == expected.text == decode(turns[number]["ids"]).strip()
        assert turns[number]["ids"] == expected.tokens
        assert turns[number]["odds"] == pytest.approx(expected.odds, abs=1e-5)
        assert turns[number]["ended"] == expected.ended
    for turn, text in zip(turns, lines(turns), strict=True):
        assert turn["length"] == len(encode(f"{text.strip()}\n")[0])


def test_a_reply_says_where_it_looked(chat, prepared):
    turns = prepared["turns"]
    answer = reply(chat, lines(turns[:3]))
    lengths = [turn["length"] for turn in turns[:3]]
    for token, row in enumerate(turns[3]["looks"]):
        parts = answer.looks[token].split([*lengths, len(encode(AGENT)[0])])
        assert row == pytest.approx([float(part.sum()) for part in parts[:3]], abs=1e-5)


def test_the_likeliest_tokens_hold_what_was_said_first(prepared):
    for turn in prepared["turns"][1::2]:
        for token, odds, row in zip(turn["ids"], turn["odds"], turn["likely"], strict=True):
            assert len(row) == len({token for token, _ in row}) == 5
            assert row[0][0] == token  # it says what is likeliest
            assert row[0][1] == pytest.approx(odds, abs=1e-4)
            assert [p for _, p in row] == sorted((p for _, p in row), reverse=True)


@pytest.mark.parametrize("rounds", [0, 4, ALL_PAIRS])
def test_other_hash_rounds_are_read_alike(chat, rounds):
    answer = reply(chat, ["User: Hello! I want to eat out tonight, if I may."], rounds=rounds)
    firsts = [row[0] for row in likely(chat, answer, rounds)]
    assert [token for token, _ in firsts] == answer.tokens
    assert [odds for _, odds in firsts] == pytest.approx(answer.odds, abs=1e-4)


def test_turns_that_did_not_fit_got_no_look():
    prefix = len(encode(AGENT)[0])
    given = [7] * (5 + prefix)
    weights = torch.arange(1.0, len(given) + 1)[None]
    answer = Reply("a", [9], [1.0], weights, given, ended=True)
    assert looks(answer, [4, 2, 3]) == [[0.0, 1.0 + 2.0, 3.0 + 4.0 + 5.0]]
    assert looks(answer, [4, 8]) == [[0.0, 1.0 + 2.0 + 3.0 + 4.0 + 5.0]]  # a turn cut at its front


def test_a_model_that_says_nothing(chat):
    silent = Reply("", [], [], torch.zeros(0, 5), [7] * 5, ended=True)
    assert likely(chat, silent) == looks(silent, [2, 1]) == []


def test_it_is_what_the_widget_takes(prepared):
    class Named:
        name = "chatbot"

    widget = DialogueChat(Named(), **prepared)
    assert len(widget.names) == SIZE
    assert {turn["length"] > 0 for turn in widget.turns} == {True}
    sizes = prepared["sizes"]
    assert (sizes["layers"], sizes["heads"], sizes["d_k"]) == (2, 2, 16)
    assert sizes["stops"] == [0, *encode("\n")[0]]
    assert sizes["prefix"] == len(encode("Agent:")[0])
    assert sizes["longest"] == recipe.LONGEST


@pytest.mark.parametrize(
    ("said", "openings", "told"),
    [
        ([], ["a"], r"said is \[\]"),
        (["a", " "], ["a"], "said is"),
        (["a"], [], r"openings is \[\]"),
        ("a text", ["a"], "said is 'a text': it must be a list of texts"),
    ],
)
def test_what_cannot_be_prepared_is_named(chat, said, openings, told):
    with pytest.raises(ValueError, match=told):
        prepare(chat, said, openings)
