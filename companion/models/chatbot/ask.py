"""Let the chatbot say something, token by token, and tell how sure it was and where it looked."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks import at_least_one
from companion.models.chatbot.graph import Reader
from companion.models.chatbot.recipe import LONGEST, last_turns
from companion.models.summarizer.pieces import END, decode, encode

MOST = 60  # tokens of a turn
ROUNDS = 2  # as in training
AGENT, USER = "Agent:", "User:"


@dataclass(frozen=True)
class Reply:
    """A turn that the model wrote.

    Attributes:
        text: the turn, without the speaker.
        tokens: its tokens; the end of the line is not among them.
        odds: the probability that the model gave each of them, at temperature 1.
        looks: (tokens, n), how much attention in buckets, on average over layers and heads, went to
            each of the n tokens that the model was given, when it wrote the token.
        given: those n tokens: of the dialogue, as many of the last turns as fit.
        ended: whether the model itself came to an end.
    """

    text: str
    tokens: list[int]
    odds: list[float]
    looks: Tensor
    given: list[int]
    ended: bool


@torch.no_grad()
def reply(
    reader: Reader,
    turns: Sequence[str],
    *,
    speaker: str = AGENT,
    temperature: float = 0.0,
    rounds: int = ROUNDS,
    most: int = MOST,
    generator: torch.Generator | None = None,
) -> Reply:
    """Go on with a dialogue: write the next turn.

    Args:
        reader: from `companion.models.graph("chatbot").module`.
        turns: the dialogue, each turn beginning with `User: ` or `Agent: `.
        speaker: who speaks next, `Agent:` or `User:`.
        temperature: 0 takes the likeliest token; otherwise scores are divided by it and a token is
            drawn.
        rounds: as `Reader.forward` takes them.
        most: the largest number of tokens.
        generator: what draws; by default torch's global one.

    Raises:
        ValueError: If there are no turns, temperature is below 0 or most not positive.
    """
    at_least_one(most=most)
    if not turns:
        raise ValueError("turns is empty: there must be at least one, such as 'User: Hello!'")
    if temperature < 0:
        raise ValueError(f"temperature is {temperature}: it must be at least 0")
    given = context(turns, speaker, most)
    stops = {END, *encode("\n")[0]}
    asked = torch.tensor([rounds])
    state = reader.nothing()
    read = given
    tokens, odds, looks = [], [], []
    while True:
        logits, weights, *state = reader(torch.tensor([read]), asked, *state)
        token = _choose(logits, temperature, generator)
        if token in stops or len(tokens) == most:
            break
        tokens.append(token)
        odds.append(float(logits.softmax(dim=-1)[token]))
        # Every second layer has buckets, (layers, heads, n_all) -> (n,)
        looks.append(weights[1::2, :, : len(given)].mean(dim=(0, 1)))
        read = [token]
    looked = torch.stack(looks) if looks else torch.zeros(0, len(given))
    return Reply(decode(tokens).strip(), tokens, odds, looked, given, token in stops)


def context(turns: Sequence[str], speaker: str, most: int = MOST) -> list[int]:
    """Return the tokens that the model is given: the last turns that fit, and who speaks next."""
    begun = encode(speaker)[0]
    lines = [encode(f"{turn.strip()}\n")[0] for turn in turns]
    return last_turns(lines, LONGEST - most - len(begun)) + begun


def _choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> int:
    if temperature == 0:
        return int(logits.argmax())
    odds = (logits / temperature).softmax(dim=-1)
    return int(odds.multinomial(1, generator=generator))
