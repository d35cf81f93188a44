"""How a chatbot learns to go on with a dialogue: each next token, both speakers'."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from companion.checks import above_zero
from companion.corpora.sgd import Dialogue
from companion.corpora.transcript import as_text
from companion.models.progress import OnStep
from companion.models.summarizer.pieces import END, SIZE, encode
from companion.models.summarizer.recipe import batch
from companion.models.training import fit
from companion.positional import one_back
from companion.reformer import Reformer
from companion.reformer_layers import LocalSelfAttention

LONGEST = 512  # tokens of a dialogue
# Local attention and attention in buckets take turns; both work back what they were given.
NETWORK = {
    "d_model": 160,
    "n_heads": 4,
    "n_layers": 6,
    "d_ff": 288,
    "window": 64,
    "chunk": 64,
    "rounds": 2,
    "n_buckets": 16,
    "masked": True,
    "tied": True,
    "rows": 4096,
}
_NOTHING = -100  # asked at a position


def network(**sizes: float) -> Reformer:
    """Return a chatbot before training; sizes other than `NETWORK`'s can be given.

    If its first block is local (`window` is not None), one head of it begins by looking one token
    back, half of what copying takes, which a network else finds only after millions of tokens
    (Olsson et al. 2022, https://arxiv.org/abs/2209.11895).
    """
    model = Reformer(SIZE, LONGEST, **{**NETWORK, **sizes})
    first = model.stack.blocks[0].f
    if isinstance(first, LocalSelfAttention):
        d_k = first.query.out_features // first.n_heads
        with torch.no_grad():
            first.query.bias[:d_k], first.key.bias[:d_k] = one_back(d_k)
    return model


def examples(dialogues: Sequence[Dialogue], longest: int = LONGEST) -> list[list[int]]:
    """Write each dialogue as tokens, its end included.

    One that is too long becomes two: its beginning, and as many of its last turns as fit.
    """
    return [part for dialogue in dialogues for part in _parts(dialogue, longest)]


def _parts(dialogue: Dialogue, longest: int) -> list[list[int]]:
    turns = [encode(line)[0] for line in as_text(dialogue).splitlines(keepends=True)]
    whole = [*(token for turn in turns for token in turn), END]
    if len(whole) <= longest:
        return [whole]
    return [whole[:longest], [*last_turns(turns, longest - 1), END]]


def last_turns(turns: Sequence[list[int]], most: int) -> list[int]:
    """Join as many of the last turns as have at most so many tokens, but at least part of the last."""
    kept: list[int] = []
    for turn in reversed(turns):
        if len(turn) + len(kept) > most:
            break
        kept = turn + kept
    return kept or turns[-1][-most:]


def train(
    drawn: Sequence[list[int]],
    seed: int = 0,
    *,
    steps: int = 1000,
    tokens: int = 4096,
    learning_rate: float = 3e-3,
    warm_up: int = 60,
    on_step: OnStep | None = None,
    **sizes: float,
) -> Reformer:
    """Train a chatbot.

    Args:
        drawn: what to learn from, as `examples` makes it.
        seed: of the first weights, the order of the examples and the rotations that hash.
        steps: number of batches.
        tokens: about how many tokens a batch has, padding included.
        learning_rate: as for `companion.models.training.fit`.
        warm_up: number of steps.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network; see `network`.

    Raises:
        ValueError: If there are no examples, or a number is not above 0.
    """
    above_zero(drawn=len(drawn), tokens=tokens)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = network(**sizes)
        return fit(
            model,
            lambda: next_token_loss(model, batch(drawn, tokens)),
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=on_step,
        )


def next_token_loss(model: Reformer, examples: Sequence[list[int]]) -> Tensor:
    """Cross-entropy of each token of some examples, given all before it; a scalar, in nats."""
    rows = [torch.tensor(one) for one in examples]
    tokens = pad_sequence(rows, batch_first=True, padding_value=END)  # (batch, n)
    targets = pad_sequence(rows, batch_first=True, padding_value=_NOTHING)
    return model.loss(tokens[:, :-1], targets[:, 1:])
