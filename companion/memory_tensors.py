"""Which tensors live when in a training step; `companion/memory.py` adds them up.

Moments are numbered: n of them forward (embedding, sublayers, loss), n backward in reverse order,
so that moment j comes again as 2 n - 1 - j, and the update, 2 n.

Who keeps what was read off torch's own kernels and, for the modes from "reversible" on, off
`companion/reversible.py` (with in_place=True) and `companion/reformer.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from companion.lsh_blocks import BLOCK
from companion.lsh_fast import GROUP
from companion.memory_sizes import Shape

_IN_TURN = ("reversible", "lsh", "chunked")
_NO_GRAD = ("inference", *_IN_TURN)  # forward, that is


@dataclass(frozen=True)
class Allocation:
    """A tensor, or some of the same kind, and the moments in which it lives.

    Attributes:
        name: What it is.
        bytes: Its size.
        first, last: The numbers of the moments, both included.
        part: "model", "text", "streams", "attention", "feed-forward" or "loss".
    """

    name: str
    bytes: int
    first: int
    last: int
    part: str


def allocations(
    shape: Shape, mode: str, n: int, *, materialised: bool = False
) -> Iterator[Allocation]:
    """All that lives in a step with n moments forward; the arguments are those of `memory_plan`."""
    training = mode != "inference"
    end = 2 * n if training else n - 1
    yield Allocation("parameters", shape.all_parameters, 0, end, "model")
    if training:
        yield Allocation("Adam's moments", 2 * shape.all_parameters, 0, end, "model")
        yield from _gradients(shape, mode, n)
    yield Allocation("tokens and targets", 2 * 8 * shape.positions, 0, end, "text")
    if materialised:
        yield Allocation("causal mask", shape.length**2, 0, end, "attention")
    yield from _streams(shape, mode, n)
    for moment in range(1, n - 1):
        back = 2 * n - 1 - moment
        if moment % 2:
            part, work = "attention", _attention(shape, mode, materialised=materialised)
        else:
            part, work = "feed-forward", _feed_forward(shape, mode)
        kept, forward, backward = work
        yield from _each(kept, _lives(mode, moment, back), part)
        yield from _each(forward, [(moment, moment)], part)
        if training:
            yield from _each(backward, [(back, back)], part)
        if part == "attention" and mode in {"lsh", "chunked"}:
            yield Allocation("buckets", shape.buckets, moment, back, part)
    yield from _loss(shape, mode, n)


def _gradients(shape: Shape, mode: str, n: int) -> Iterator[Allocation]:
    """The gradients of the parameters, from where backward makes them to the update."""
    of, end = shape.parameters, 2 * n
    head_at = n - 1 if mode in _IN_TURN else n
    yield Allocation("gradients of the head", of["loss"], head_at, end, "model")
    for moment in range(n + 1, end - 1):
        part = "attention" if (end - moment) % 2 == 0 else "feed-forward"
        yield Allocation(f"gradients of {part}", of[part], moment, end, "model")
    yield Allocation("gradients of the embedding", of["embedding"], end - 1, end, "model")


def _each(
    tensors: dict[str, int], lives: Iterable[tuple[int, int]], part: str
) -> Iterator[Allocation]:
    for first, last in lives:
        for name, size in tensors.items():
            yield Allocation(name, size, first, last, part)


def _lives(mode: str, forward: int, backward: int) -> list[tuple[int, int]]:
    """When lives what a sublayer keeps for backward, given the moments in which it runs."""
    if mode == "inference":
        return []
    if mode in _IN_TURN:
        return [(backward, backward)]
    if mode == "checkpointed":
        # A layer runs again when backward comes to its feed-forward network, the second sublayer.
        return [(forward, forward), (backward - forward % 2, backward)]
    return [(forward, backward)]


def _streams(shape: Shape, mode: str, n: int) -> Iterator[Allocation]:
    """What flows from sublayer to sublayer, and its gradients."""
    one, end = shape.stream, 2 * n - 1
    table = shape.length * shape.d_model * shape.item
    yield Allocation("words, before the positions", one, 0, 0, "streams")
    yield Allocation("positions", table, 0, 0, "streams")
    if mode != "inference":
        yield Allocation("gradient of the positions", table, end, end, "streams")
    if mode in _IN_TURN:
        yield Allocation("embedded text", one, 0, n - 2, "streams")
        yield Allocation("both streams", 2 * one, 1, end - 1, "streams")
        yield Allocation("gradient of their mean", one, n - 1, n, "streams")
        yield Allocation("gradients of both streams", 2 * one, n, end, "streams")
        return
    if mode == "inference":
        # Whoever runs a layer holds its input until the layer is through.
        for moment in range(1, n - 1):
            yield Allocation(_read_by(moment), one, moment, moment + moment % 2, "streams")
        return
    yield Allocation("gradient of the stream", one, n + 1, end, "streams")
    for moment in range(1, n):
        made, back = moment - 1, end - moment
        if mode == "checkpointed" and moment % 2 == 0:  # between the sublayers of a layer
            yield Allocation(_read_by(moment), one, made, moment, "streams")
            yield Allocation(_read_by(moment), one, back, back, "streams")
        else:
            yield Allocation(_read_by(moment), one, made, back, "streams")


def _read_by(moment: int) -> str:
    return "embedded text" if moment == 1 else f"output of sublayer {moment - 1}"


def _attention(shape: Shape, mode: str, *, materialised: bool) -> tuple[dict[str, int], ...]:
    """What an attention sublayer keeps, what else it needs forward, and what else backward."""
    one = shape.stream
    if mode in {"lsh", "chunked"}:
        return {}, *_attention_in_buckets(shape)
    kept = {
        "normalised input": one,
        "means and deviations": 2 * shape.positions * shape.item,
        "queries": one,
        "lengths of the queries": 2 * shape.positions * shape.n_heads * shape.item,
        "keys": one,
        "values": one,
        "outputs of the heads": one,
    }
    forward = {"output": one}
    backward = {"gradients of queries, keys, values and outputs": 4 * one}
    if materialised:
        kept["weights"] = shape.weights
        forward["scores"] = shape.weights
        backward = {"gradients of weights and scores": 2 * shape.weights}
    else:
        kept["log-sum-exp"] = shape.positions * shape.n_heads * shape.exact
    if mode in _NO_GRAD:
        forward |= kept
    return kept, forward, backward


def _attention_in_buckets(shape: Shape) -> tuple[dict[str, int], dict[str, int]]:
    """What the sublayer needs forward and backward: one head of a long text, or of some short ones."""
    positions = shape.length * min(shape.batch, max(1, GROUP // shape.length))
    numbers = positions * (shape.d_model // shape.n_heads)
    one, exact = numbers * shape.item, numbers * shape.exact
    order = positions * (2 * shape.exact + 12 * shape.rounds + 9)
    blocks = _blocks(shape, positions)
    # The tensors of one head are let go when the next one's are there.
    forward = {
        "queries and values of a head": 2 * one,
        "outputs of two heads": 2 * exact,
        "next queries, or blocks of chunks": max(one, blocks),
    }
    backward = {
        "queries and values of a head": 2 * one,
        "output of a head": exact,
        "gradient of the output": one,
        "gradients of queries and values": 2 * exact,
        "blocks of chunks": blocks,
    }
    for work in (forward, backward):
        work["log-sum-exp and order of a head"] = order
    return forward, backward


def _blocks(shape: Shape, positions: int) -> int:
    """What attention in buckets holds while it goes from one block of chunks to the next."""
    chunk, d_k = min(shape.chunk, shape.length), shape.d_model // shape.n_heads
    n = max(1, BLOCK // (2 * chunk * max(chunk, d_k)))
    n = min(n, -(-positions // chunk))
    pairs, rows = n * chunk * 2 * chunk, (n + 1) * chunk * d_k
    # Two biases and one in the making; queries, keys, values, outputs and gradients of both.
    return (3 * pairs + 9 * rows) * shape.exact


def _feed_forward(shape: Shape, mode: str) -> tuple[dict[str, int], ...]:
    """As `_attention`, of a feed-forward sublayer."""
    rows = _rows(shape, mode)
    one, hidden = rows * shape.d_model * shape.item, rows * shape.d_ff * shape.item
    kept = {
        "normalised input": one,
        "means and deviations": 2 * rows * shape.item,
        "hidden, before GELU": hidden,
        "hidden": hidden,
    }
    forward, backward = {"output": one}, {"gradient of hidden": hidden}
    if mode == "chunked":
        backward["gradients of the parameters, of some rows twice"] = (
            2 * shape.parameters["feed-forward"]
        )
    if mode in _NO_GRAD:
        forward = {"hidden, before and after GELU": hidden + max(hidden, one)}
    return kept, forward, backward


def _loss(shape: Shape, mode: str, n: int) -> Iterator[Allocation]:
    """Final layer norm, scores of all tokens, cross entropy."""
    rows = _rows(shape, mode)
    one, scores = rows * shape.d_model * shape.item, rows * shape.n_tokens * shape.item
    kept = {
        "normalised output": one,
        "means and deviations": 2 * rows * shape.item,
        "log-probabilities": scores,
    }
    if mode == "inference":
        largest = max(2 * scores, 3 * one)
        yield Allocation("scores and log-probabilities", largest, n - 1, n - 1, "loss")
    elif mode in _IN_TURN:  # gradients are made while the scores are there
        work = kept | {"mean of both streams": one, "gradients of both": 2 * scores}
        if mode == "chunked":
            work["gradients of the head, of some rows"] = shape.parameters["loss"]
        yield from _each(work, [(n - 1, n - 1)], "loss")
    else:
        yield from _each(kept, [(n - 1, n)], "loss")
        yield Allocation("scores", scores, n - 1, n - 1, "loss")
        yield Allocation("gradients of both", max(2 * scores, one), n, n, "loss")


def _rows(shape: Shape, mode: str) -> int:
    """Positions at a time in feed-forward network and loss."""
    return min(shape.rows, shape.positions) if mode == "chunked" else shape.positions
