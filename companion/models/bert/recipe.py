"""How BERT is pretrained: it names hidden words, and tells whether a second passage follows a first.

Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1 and appendix A.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.attention import padding_mask
from companion.bert import Bert, Pretraining
from companion.checks import above_zero, at_least_one
from companion.corpora.sgd import Dialogue
from companion.corpora.transcript import lines
from companion.models.bert.pieces import CLS, MASK, PAD, SEP, SIZE, SPECIAL, encode, join
from companion.models.progress import OnStep
from companion.models.training import fit
from companion.pretraining import UNASKED, mask_words

LENGTHS = (64, 128, 128, 384)  # most tokens of the texts of a batch; one is drawn for each
Turns = list[list[int]]  # a dialogue: the tokens of each turn


@dataclass(frozen=True)
class Batch:
    """Texts of two passages each, filled up with [PAD] to the same length n.

    Attributes:
        tokens: (batch, n).
        segments: (batch, n), 0 in the first passage, 1 in the second.
        follows: (batch,), 1 where the second passage follows the first, 0 where it is from elsewhere.
    """

    tokens: Tensor
    segments: Tensor
    follows: Tensor


@dataclass(frozen=True)
class Score:
    """How well a model does what it was pretrained for.

    Attributes:
        words: share of the hidden words that it names first.
        follows: share of the pairs of passages that it judges rightly; chance is a half.
        asked: number of hidden words.
        pairs: number of pairs.
    """

    words: float
    follows: float
    asked: int
    pairs: int


def turns(dialogue: Dialogue) -> Turns:
    """Cut each turn of a dialogue, with its speaker, into tokens."""
    return [encode(line)[0] for line in lines(dialogue)]


def pretrain(
    texts: Sequence[Turns],
    seed: int = 0,
    *,
    steps: int = 300,
    tokens: int = 2048,
    lengths: Sequence[int] = LENGTHS,
    learning_rate: float = 1e-3,
    warm_up: int = 60,
    on_step: OnStep | None = None,
    **sizes: float,
) -> Pretraining:
    """Pretrain an encoder on dialogues.

    Args:
        texts: what to learn from, as `turns` makes them; at least 2.
        seed: of the first weights, of what is drawn and of what is hidden.
        steps: number of batches.
        tokens: about how many tokens a batch has, padding included.
        lengths: most tokens of a text; one is drawn for each batch.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        on_step: hears the step, from 1, and its loss.
        sizes: of the network; see `companion.bert.Bert`.

    Raises:
        ValueError: If there are fewer than 2 dialogues, or a number is not above 0.
    """
    if len(texts) < 2:
        raise ValueError(f"texts: there are {len(texts)}; what does not follow needs a second")
    above_zero(tokens=tokens)
    rng = random.Random(seed)  # noqa: S311
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Pretraining(Bert(SIZE, **sizes))

        def loss() -> Tensor:
            longest = rng.choice(lengths)
            return both_losses(model, draw(texts, max(1, tokens // longest), longest, rng))

        return fit(
            model,
            loss,
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=on_step,
        )


def draw(texts: Sequence[Turns], count: int, longest: int, rng: random.Random) -> Batch:
    """Draw pairs of passages; in half of them, the second is from another dialogue.

    Args:
        texts: dialogues, as `turns` makes them; at least 2.
        count: number of pairs.
        longest: most tokens of a pair, [CLS] and twice [SEP] included; what is more is cut off.
        rng: draws.
    """
    at_least_one(count=count)
    rows, segments, follows = [], [], []
    for _ in range(count):
        number = rng.randrange(len(texts))
        follow = rng.random() < 1 / 2
        first, second = _passages(texts[number], longest - 3, rng)
        if not follow:
            other = (number + rng.randrange(1, len(texts))) % len(texts)
            second = _passages(texts[other], longest - 3, rng)[1]
        row, parts = join(first, second[: longest - 3 - len(first)])
        rows.append(torch.tensor(row))
        segments.append(torch.tensor(parts))
        follows.append(int(follow))
    return Batch(
        pad_sequence(rows, batch_first=True, padding_value=PAD),
        pad_sequence(segments, batch_first=True),
        torch.tensor(follows),
    )


def _passages(text: Turns, room: int, rng: random.Random) -> tuple[list[int], list[int]]:
    """Cut turns that follow one another, as many as there is room for, into two passages."""
    begin = rng.randrange(len(text)) if sum(map(len, text)) > room else 0
    chosen = [text[begin]]
    for turn in text[begin + 1 :]:
        if sum(map(len, chosen)) + len(turn) > room:
            break
        chosen.append(turn)
    cut = rng.randint(1, max(1, len(chosen) - 1))
    return _joined(chosen[:cut])[: room - 1], _joined(chosen[cut:])


def _joined(chosen: Turns) -> list[int]:
    return list(itertools.chain.from_iterable(chosen))


def both_losses(model: Pretraining, batch: Batch) -> Tensor:
    """Cross-entropy of the hidden words, and that of whether the second passage follows, added up."""
    seen, asked = hide(batch.tokens)
    words, follows = answers(model, batch, seen, asked)
    return nn.functional.cross_entropy(
        words, asked[asked != UNASKED]
    ) + nn.functional.cross_entropy(follows, batch.follows)


def hide(tokens: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Hide words of a batch, (batch, n), but no special token; see `mask_words`."""
    fixed = (tokens == CLS) | (tokens == SEP) | (tokens == PAD)
    recall = mask_words(tokens, MASK, SIZE, keep=fixed, first=len(SPECIAL), generator=generator)
    return recall.seen, recall.asked


def answers(model: Pretraining, batch: Batch, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
    """Logits at the words that are asked for, (asked, vocabulary), and of each pair, (batch, 2)."""
    states = model.bert(seen, batch.segments, padding_mask(batch.tokens, PAD))
    return model.word_head(states[asked != UNASKED]), model.next_head(model.bert.pool(states))


def measure(model: Pretraining, texts: Sequence[Turns], seed: int = 0, batches: int = 10) -> Score:
    """Measure a model on dialogues, hidden and paired by a seed of their own.

    Raises:
        ValueError: If there are fewer than 2 dialogues.
    """
    if len(texts) < 2:
        raise ValueError(f"texts: there are {len(texts)}; what does not follow needs a second")
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)  # noqa: S311
    named, judged, asked_for, pairs = 0, 0, 0, 0
    for _ in range(batches):
        batch = draw(texts, 16, 128, rng)
        seen, asked = hide(batch.tokens, generator)
        with torch.no_grad():
            words, follows = answers(model, batch, seen, asked)
        wanted = asked[asked != UNASKED]
        named += int((words.argmax(dim=-1) == wanted).sum())
        judged += int((follows.argmax(dim=-1) == batch.follows).sum())
        asked_for += len(wanted)
        pairs += len(batch.follows)
    return Score(named / asked_for, judged / pairs, asked_for, pairs)
