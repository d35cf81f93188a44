"""What the widget `DialogueChat` is made of: the tokens, and a conversation held in advance."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from companion.models.chatbot.ask import AGENT, MOST, ROUNDS, USER, Reply, reply
from companion.models.chatbot.graph import ALL_PAIRS, Reader, reader
from companion.models.chatbot.recipe import LONGEST
from companion.models.summarizer.pieces import END, encode, names
from companion.reformer import Reformer

_LIKELY = 5  # how many tokens are told of each place
_DIGITS = 5


def prepare(
    model: Reformer | Reader,
    said: Sequence[str],
    openings: Sequence[str],
    *,
    rounds: int = ROUNDS,
) -> dict[str, Any]:
    """Hold a conversation in advance, the model always saying what is likeliest.

    Args:
        model: the chatbot, or what reads for it.
        said: what the reader says, one after the other; the model answers each.
        openings: what a reader may begin with.
        rounds: as `Reader.forward` takes them.

    Returns:
        The arguments of `DialogueChat` besides the model.

    Raises:
        ValueError: If said or openings are empty, or a text in them is.
    """
    for name, texts in (("said", said), ("openings", openings)):
        if isinstance(texts, str) or not texts or not all(text.strip() for text in texts):
            raise ValueError(
                f"{name} is {texts!r}: it must be a list of texts, such as ['I want to eat out.']"
            )
    chat = model if isinstance(model, Reader) else reader(model.eval()).module
    turns: list[dict[str, Any]] = []
    for text in said:
        turns.append(_turn(USER, " ".join(text.split())))
        lines = [f"{turn['speaker']} {turn['text']}" for turn in turns]
        answer = reply(chat, lines, rounds=rounds)
        told = {
            "ids": answer.tokens,
            "odds": [round(p, _DIGITS) for p in answer.odds],
            "likely": likely(chat, answer, rounds),
            "looks": looks(answer, [turn["length"] for turn in turns]),
            "ended": answer.ended,
        }
        turns.append(_turn(AGENT, answer.text) | told)
    keys, _ = chat.nothing()
    sizes = {
        "layers": keys.shape[0],
        "heads": keys.shape[1],
        "d_k": keys.shape[3],
        "parameters": sum(each.numel() for each in chat.parameters()),
        "most": MOST,
        "longest": LONGEST,
        "prefix": len(encode(AGENT)[0]),
        "stops": [END, *encode("\n")[0]],
        "rounds": [0, 1, ROUNDS, 4, ALL_PAIRS],
        "all_pairs": ALL_PAIRS,
        "user": USER,
        "agent": AGENT,
    }
    return {"names": names(), "turns": turns, "openings": list(openings), "sizes": sizes}


def looks(answer: Reply, lengths: Sequence[int]) -> list[list[float]]:
    """Tell how much each token of a reply looked at each turn before it, (tokens, turns).

    Args:
        answer: the reply.
        lengths: how many tokens each turn has. Of the turns, as many of the last ones were read as
            fit; the others get 0.
    """
    given = len(answer.given) - len(encode(AGENT)[0])
    starts = given - torch.tensor([*lengths, 0]).flip(0).cumsum(0).flip(0)  # where each turn begins
    bounds = starts.clamp(min=0).tolist()
    shares = [answer.looks[:, start:stop].sum(dim=1) for start, stop in pairwise(bounds)]
    return _rounded(torch.stack(shares, dim=1))


@torch.no_grad()
def likely(chat: Reader, answer: Reply, rounds: int = ROUNDS) -> list[list[tuple[int, float]]]:
    """Tell the likeliest tokens at each place of a reply, with their probabilities."""
    if not answer.tokens:
        return []
    text = torch.tensor([*answer.given, *answer.tokens[:-1]])
    scores = chat.score(text, rounds)[len(answer.given) - 1 :]  # (tokens, vocabulary)
    odds, ids = scores.softmax(dim=-1).topk(_LIKELY, dim=-1)
    return [list(zip(*row, strict=True)) for row in zip(ids.tolist(), _rounded(odds), strict=True)]


def _turn(speaker: str, text: str) -> dict[str, Any]:
    return {
        "speaker": speaker,
        "text": text,
        "length": len(encode(f"{speaker} {text}".strip() + "\n")[0]),
    }


def _rounded(numbers: Tensor) -> list[list[float]]:
    return [[round(x, _DIGITS) for x in row] for row in numbers.tolist()]
