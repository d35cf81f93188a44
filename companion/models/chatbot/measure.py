"""How good a chatbot is: what it expects, what it remembers, what it does next, whether it goes round in circles."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from companion.corpora.acts import act_of
from companion.corpora.sgd import SYSTEM, Dialogue
from companion.corpora.transcript import as_text, places
from companion.models.chatbot.ask import AGENT, USER, reply
from companion.models.chatbot.graph import Reader
from companion.models.chatbot.recipe import LONGEST
from companion.models.summarizer.pieces import encode, tokenizer

ASKED = 32  # of the last tokens of a dialogue


def with_tokens(dialogues: Sequence[Dialogue], context: int, asked: int = ASKED) -> list[Dialogue]:
    """Return those dialogues that have so many tokens before the last ones."""
    return [d for d in dialogues if len(encode(as_text(d))[0]) >= context + asked]


def perplexity(
    reader: Reader, dialogues: Sequence[Dialogue], context: int, rounds: int, asked: int = ASKED
) -> float:
    """Perplexity of the last tokens of dialogues, given so many tokens before them.

    To compare contexts, take the same dialogues: `with_tokens` for the longest context.

    Args:
        reader: of the model.
        dialogues: what to read.
        context: how many tokens before them it may read.
        rounds: as `Reader.forward` takes them.
        asked: how many of the last tokens count.

    Returns:
        e to the mean cross-entropy; 1 would be certainty, the size of the vocabulary blind guessing.

    Raises:
        ValueError: If there is no dialogue, or one is too short.
    """
    long = with_tokens(dialogues, context, asked)
    if not dialogues or len(long) < len(dialogues):
        raise ValueError(
            f"dialogues: {len(long)} of {len(dialogues)} have the {context + asked} tokens that "
            "context and asked take; all must, and there must be one: see with_tokens"
        )
    every = [torch.tensor(encode(as_text(dialogue))[0]) for dialogue in long]
    losses = [
        functional.cross_entropy(
            reader.score(tokens[-context - asked : -1], rounds)[-asked:], tokens[-asked:]
        )
        for tokens in every
    ]
    return math.exp(sum(losses) / len(losses))


@dataclass(frozen=True)
class Memory:
    """One value that the assistant confirms: how many turns ago it was last said, and whether the model knew it."""

    turns_ago: int
    known: bool


def memories(reader: Reader, dialogues: Sequence[Dialogue], rounds: int) -> Iterator[Memory]:
    """Ask, wherever the assistant confirms a value that was said before, for every token of it.

    The model is given the dialogue up to the value, as people had it; it knows the value if the
    likeliest token is the right one for all tokens of the value. Dialogues are cut at the most
    tokens that the model can read.
    """
    for dialogue in dialogues:
        found = list(_confirmed(dialogue))
        if not found:
            continue
        encoding = tokenizer().encode(as_text(dialogue))
        tokens = torch.tensor(encoding.ids[:LONGEST])
        says = reader.score(tokens, rounds).argmax(dim=-1)  # (n,)
        for start, end, ago in found:
            inside = [i for i, (a, b) in enumerate(encoding.offsets) if a < end and b > start]
            if inside[-1] < len(tokens):
                known = all(says[i - 1] == tokens[i] for i in inside)
                yield Memory(ago, known)


def _confirmed(dialogue: Dialogue) -> Iterator[tuple[int, int, int]]:
    """Where values that are confirmed stand in the text, and how many turns ago each was said."""
    before = []
    for number, (turn, begin) in enumerate(zip(dialogue.turns, places(dialogue), strict=True)):
        confirmed = {a.slot for f in turn.frames for a in f.actions if a.act == "CONFIRM"}
        for span in (span for frame in turn.frames for span in frame.spans):
            value = turn.utterance[span.start : span.end]
            said = [i for i, text in enumerate(before) if value in text]
            if turn.speaker == SYSTEM and span.slot in confirmed and said:
                yield begin + span.start, begin + span.end, number - said[-1]
        before.append(turn.utterance)


@dataclass(frozen=True)
class NextActs:
    """What a model does next, where the assistant of a dialogue did something.

    Attributes:
        right: share of turns with which the model does what the assistant did.
        majority: the same, if it always did what assistants do most often.
        turns: number of turns.
    """

    right: float
    majority: float
    turns: int


def next_acts(
    reader: Reader, dialogues: Sequence[Dialogue], judge: Callable[[str], str], rounds: int
) -> NextActs:
    """Let the model answer in place of the assistant, and compare what the two do.

    The model is given the dialogue as people had it up to there. The judge reads the model's turn
    alone, and does not know that a model wrote it; what the assistant did is annotated.

    Raises:
        ValueError: If the dialogues have no turn of the assistant.
    """
    pairs = []
    for dialogue in dialogues:
        turns = as_text(dialogue).splitlines()
        for number, turn in enumerate(dialogue.turns):
            if number and turn.speaker == SYSTEM and (act := act_of(turn)):
                said = reply(reader, turns[:number], rounds=rounds)
                pairs.append((judge(said.text), act))
    if not pairs:
        raise ValueError("dialogues: no turn of the assistant does anything")
    most = Counter(act for _, act in pairs).most_common(1)[0][1]
    return NextActs(sum(a == b for a, b in pairs) / len(pairs), most / len(pairs), len(pairs))


def talk_to_itself(
    reader: Reader, opening: str, turns: int, temperature: float, rounds: int, seed: int = 0
) -> list[str]:
    """Let the model play both parts, after a first turn of the user's; returns all turns."""
    generator = torch.Generator().manual_seed(seed)
    said = [f"{USER} {opening}"]
    while len(said) < turns:
        speaker = AGENT if len(said) % 2 else USER
        answer = reply(
            reader,
            said,
            speaker=speaker,
            temperature=temperature,
            rounds=rounds,
            generator=generator,
        )
        said.append(f"{speaker} {answer.text}")
    return said


def repeated(turns: Sequence[str]) -> float:
    """The share of turns that were said before, word for word; the first cannot be."""
    again = [turn in turns[:number] for number, turn in enumerate(turns)]
    return sum(again) / max(1, len(turns) - 1)


def drawn(dialogues: Sequence[Dialogue], n: int, seed: int = 0) -> list[Dialogue]:
    """Draw n dialogues, the same for one seed."""
    return random.Random(seed).sample(list(dialogues), min(n, len(dialogues)))  # noqa: S311
