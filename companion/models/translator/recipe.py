"""How a translator is trained: the right translation is given, one token late, and each next token asked for."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from companion.attention import padding_mask
from companion.checks import above_zero
from companion.encoder_decoder import EncoderDecoder
from companion.models.progress import OnStep
from companion.models.training import fit

END, PAD = 0, 1  # the numbers of what ends a sentence (and begins a translation), and of filling
LONGEST = 100  # tokens of a sentence
Pair = tuple[list[int], list[int]]  # source and target, each with its end
_EVERY = 400  # steps between two measurements of what is held out
_AT_ONCE = 128  # pairs
_POOL = 3000  # pairs among which those of like length are put into one batch


def train(
    pairs: Sequence[Pair],
    n_tokens: int,
    seed: int = 0,
    *,
    steps: int,
    tokens: int = 3000,
    learning_rate: float = 2.5e-3,
    warm_up: int = 300,
    smoothing: float = 0.1,
    on_step: OnStep | None = None,
    held_out: Sequence[Pair] = (),
    **sizes: float,
) -> EncoderDecoder:
    """Train a translator.

    Args:
        pairs: what to learn from.
        n_tokens: how many different tokens there are.
        seed: of the first weights and of the order of the pairs.
        steps: number of batches.
        tokens: about how many target tokens a batch has, filling included.
        learning_rate: the highest; it rises for `warm_up` steps, then falls like a cosine.
        warm_up: number of steps.
        smoothing: share of the probability that all tokens are to have (Szegedy et al. 2016; Vaswani
            et al. 2017, section 5.4).
        on_step: hears the step, from 1, and its loss.
        held_out: if there are any, the loss on them is measured every 400 steps, and written down in the
            model's `history`: [[step, loss], …].
        sizes: of the network; see `EncoderDecoder`.

    Raises:
        ValueError: If there are no pairs, or a number is not above 0.
    """
    above_zero(pairs=len(pairs), tokens=tokens)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = EncoderDecoder(n_tokens, **sizes)
        model.history = []
        drawn = batches(pairs, tokens)

        def hear(step: int, loss: float) -> None:
            if on_step:
                on_step(step, loss)
            if held_out and step % _EVERY == 0:
                model.history.append([step, round(held_out_loss(model, held_out), 4)])

        return fit(
            model,
            lambda: translation_loss(model, next(drawn), smoothing),
            steps=steps,
            learning_rate=learning_rate,
            warm_up=warm_up,
            on_step=hear,
        )


@torch.no_grad()
def held_out_loss(model: EncoderDecoder, pairs: Sequence[Pair]) -> float:
    """Mean cross-entropy of a target token, in nats, without dropout or smoothing; a model that is training goes on."""
    training = model.training
    model.eval()
    total = n = 0
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        tokens = sum(len(target) for _, target in some)
        total += tokens * translation_loss(model, some).item()
        n += tokens
    model.train(training)
    return total / n


def batches(pairs: Sequence[Pair], tokens: int) -> Iterator[list[Pair]]:
    """Deal out all pairs in batches of like length, in another order each time, for ever.

    So little is filling: within each pool of some thousand, pairs are sorted by length, cut into
    batches of about `2 · tokens` tokens, source and target together, and the batches shuffled.
    """
    while True:
        order = torch.randperm(len(pairs)).tolist()
        for start in range(0, len(order), _POOL):
            pool = sorted((pairs[i] for i in order[start : start + _POOL]), key=_lengths)
            cut = list(_cut(pool, 2 * tokens))
            yield from (cut[i] for i in torch.randperm(len(cut)).tolist())


def _lengths(pair: Pair) -> tuple[int, int]:
    source, target = pair
    return len(target), len(source)


def _cut(pool: Sequence[Pair], most: int) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    widest = 0
    for pair in pool:
        widest = max(widest, sum(_lengths(pair)))
        if batch and widest * (len(batch) + 1) > most:
            yield batch
            batch, widest = [], sum(_lengths(pair))
        batch.append(pair)
    yield batch


def translation_loss(
    model: EncoderDecoder, pairs: Sequence[Pair], smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of each token of the targets, given the source and all before it; a scalar, in nats."""
    source, target = (fill(rows) for rows in zip(*pairs, strict=True))  # (batch, n) each
    begun = torch.cat([torch.full_like(target[:, :1], END), target[:, :-1]], dim=1)
    asked = target != PAD
    hidden = model(source, begun, padding_mask(source, PAD))[asked]  # (asked, d_model)
    return nn.functional.cross_entropy(
        model.score(hidden), target[asked], label_smoothing=smoothing
    )


def fill(rows: Sequence[list[int]]) -> Tensor:
    """Put sequences into one table, (batch, n), the shorter ones filled up."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)
