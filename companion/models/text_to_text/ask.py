"""Give the model a line of text, and get the text that it makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from companion.attention import padding_mask
from companion.encoder_decoder import EncoderDecoder
from companion.models.text_to_text.pieces import decode, encode
from companion.models.translator.recipe import END, PAD, fill

LONGEST = 220  # tokens of a text
MORE = 20  # tokens by which an answer may be longer than what was read
_AT_ONCE = 128  # lines


@dataclass(frozen=True)
class Answer:
    """What the model wrote.

    Attributes:
        text: the answer.
        tokens: its tokens; the end is not among them.
        log_probability: of the tokens, and of the end if it came to one, in nats.
        ended: whether the model itself came to an end.
    """

    text: str
    tokens: list[int]
    log_probability: float
    ended: bool


def answer(model: EncoderDecoder, lines: Sequence[str]) -> list[Answer]:
    """Write an answer to each line, always the likeliest next token.

    Args:
        model: from `companion.models.load("text_to_text")`, or trained by `recipe.train`.
        lines: texts with their prefix, such as `companion.text_to_text.write_input` writes.

    Raises:
        ValueError: If a line is empty or too long, with its number.
    """
    rows = [read(number, line) for number, line in enumerate(lines)]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: dict[int, Answer] = {}
    for first in range(0, len(order), _AT_ONCE):
        some = order[first : first + _AT_ONCE]
        found |= dict(zip(some, _write(model, [rows[i] for i in some]), strict=True))
    return [found[i] for i in range(len(rows))]


def read(number: int, line: str) -> list[int]:
    """Return the tokens of a line and its end.

    Raises:
        ValueError: If the line is empty or too long, with its number.
    """
    ids = encode(line.strip())[0]
    if not ids:
        raise ValueError(f"lines[{number}] is empty: it must be a text, such as 'cola sentence: …'")
    if len(ids) > LONGEST - MORE:
        raise ValueError(
            f"lines[{number}] has {len(ids)} tokens: it must have at most {LONGEST - MORE}"
        )
    return [*ids, END]


@torch.no_grad()
def _write(model: EncoderDecoder, rows: list[list[int]]) -> list[Answer]:
    source = fill(rows)  # (lines, n_memory)
    state = model.start(source, padding_mask(source, PAD))
    token = torch.full((len(rows),), END)
    limits = torch.tensor([min(LONGEST, len(row) + MORE) for row in rows])
    written: list[list[int]] = [[] for _ in rows]
    totals, ended = torch.zeros(len(rows)), torch.zeros(len(rows), dtype=torch.bool)
    for length in range(int(limits.max())):
        scores, _, state = model.step(token, state)
        log_probability, token = scores.log_softmax(dim=-1).max(dim=-1)  # (lines,)
        going = ~ended & (length < limits)
        totals += log_probability * going
        ended |= going & (token == END)
        for i in (going & ~ended).nonzero()[:, 0].tolist():
            written[i].append(int(token[i]))
        if not (going & ~ended).any():
            break
    return [
        Answer(decode(ids).strip(), ids, float(total), bool(end))
        for ids, total, end in zip(written, totals, ended, strict=True)
    ]
