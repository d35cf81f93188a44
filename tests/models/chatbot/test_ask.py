"""The chatbot goes on with a dialogue: which tokens it is given, which it takes, when it stops."""

import pytest
import torch

from companion.models.chatbot import recipe
from companion.models.chatbot.ask import MOST, context, reply
from companion.models.chatbot.graph import reader
from companion.models.chatbot.recipe import LONGEST
from companion.models.summarizer.pieces import END, SIZE, decode, encode

TURNS = ["User: I want a table in San Jose.", "Agent: For how many?", "User: Two."]


@pytest.fixture(scope="module")
def chat():
    torch.manual_seed(0)
    return reader(recipe.network(d_model=16, n_heads=2, n_layers=2, d_ff=16).eval()).module


class Parrot:
    """Says given tokens, one after the other."""

    def __init__(self, tokens):
        self.tokens, self.read = list(tokens), []

    def nothing(self):
        return None, None

    def __call__(self, tokens, _rounds, *_state):
        self.read += tokens[0].tolist()
        logits = torch.zeros(SIZE)
        logits[self.tokens.pop(0)] = 5.0
        return logits, torch.full((4, 2, len(self.read)), 1 / len(self.read)), None, None


def test_it_is_given_the_turns_and_who_speaks():
    assert decode(context(TURNS, "Agent:")) == "\n".join([*TURNS, "Agent:"])
    assert decode(context(TURNS, "User:")).endswith("Two.\nUser:")


def test_of_a_long_dialogue_it_is_given_the_last_turns():
    given = context(TURNS * 40, "Agent:")
    room = LONGEST - MOST
    assert room - 20 < len(given) <= room
    assert decode(given).startswith(("User: ", "Agent: "))
    assert decode(given).endswith("Two.\nAgent:")


@pytest.mark.parametrize("stop", [END, encode("\n")[0][0]])
def test_it_writes_until_the_end_of_the_line(stop):
    said = encode(" In which city?")[0]
    parrot = Parrot([*said, stop, 99])
    answer = reply(parrot, TURNS)
    assert answer.text == "In which city?"
    assert answer.tokens == said
    assert answer.ended
    assert answer.given == context(TURNS, "Agent:")
    assert parrot.read == [*answer.given, *said]
    odds = torch.zeros(SIZE).index_fill(0, torch.tensor(3), 5.0).softmax(0)[3].item()
    assert answer.odds == pytest.approx([odds] * len(said))
    assert answer.looks.shape == (len(said), len(answer.given))
    torch.testing.assert_close(
        answer.looks[0], torch.full((len(answer.given),), 1 / len(answer.given))
    )


def test_it_writes_no_more_than_asked_for():
    answer = reply(Parrot([5] * 10), TURNS, most=4)
    assert answer.tokens == [5] * 4
    assert not answer.ended


def test_nothing_said_is_nothing():
    answer = reply(Parrot([END]), TURNS)
    assert (answer.text, answer.tokens, answer.ended) == ("", [], True)
    assert answer.looks.shape == (0, len(answer.given))


@pytest.mark.parametrize("rounds", [0, 2, 5])
def test_without_temperature_it_takes_the_likeliest(chat, rounds):
    answer = reply(chat, TURNS, rounds=rounds, most=5)
    whole = torch.tensor(answer.given + answer.tokens)
    says = chat.score(whole, rounds)
    likeliest = says.argmax(dim=-1)[len(answer.given) - 1 :]
    assert answer.tokens == likeliest[: len(answer.tokens)].tolist()
    odds = says.softmax(dim=-1)[len(answer.given) - 1 :]
    for token, odd, row in zip(answer.tokens, answer.odds, odds, strict=False):
        assert odd == pytest.approx(float(row[token]), rel=1e-3)


def test_with_temperature_it_draws():
    """From scores divided by it."""
    generator = torch.Generator().manual_seed(0)
    drawn = [
        reply(Parrot([7, 7]), TURNS, temperature=2.0, most=1, generator=generator).tokens
        for _ in range(3000)
    ]
    share = drawn.count([7]) / len(drawn)
    expected = torch.zeros(SIZE).index_fill(0, torch.tensor(7), 5 / 2.0).softmax(0)[7].item()
    assert share == pytest.approx(expected, abs=0.01)


def test_equal_generators_draw_alike(chat):
    said = [
        reply(
            chat, TURNS, temperature=1.0, most=6, generator=torch.Generator().manual_seed(seed)
        ).tokens
        for seed in (1, 1, 2)
    ]
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"turns": []}, "turns is empty: there must be at least one, such as 'User: Hello!'"),
        ({"temperature": -0.1}, "temperature is -0.1: it must be at least 0"),
        ({"most": 0}, "most is 0: it must be at least 1"),
    ],
)
def test_what_will_not_do(chat, arguments, message):
    with pytest.raises(ValueError, match=message):
        reply(chat, **{"turns": TURNS, **arguments})
