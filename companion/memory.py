"""What one training step keeps in memory: every tensor of size, its bytes, and when it lives.

A step is cut into *moments*: the embedding, each sublayer, the loss, the same backwards, the
update. A moment counts what lives at its fullest point.

The model is a language model of layers with two sublayers each, attention with shared queries and
keys and a feed-forward network with GELU, a layer norm before each (pre-norm), axial positions, and
Adam. What a sublayer keeps is what torch's autograd saves for backward. Not counted: the program
itself, what an allocator wastes, Adam's work on one parameter, and small tensors of fixed size. All
is sums and products of whole numbers, so that a page can compute it too.

Sources: Kitaev et al. 2020, "Reformer", https://arxiv.org/abs/2001.04451, section 3, tables 1 and 3;
Chen et al. 2016, https://arxiv.org/abs/1604.06174 (checkpoints).
"""

from dataclasses import dataclass

from companion.memory_sizes import Shape
from companion.memory_tensors import Allocation, allocations

MODES = {
    "inference": "no backward: nothing is kept from one sublayer to the next",
    "standard": "autograd keeps all that it needs",
    "checkpointed": "the input of each layer is kept; backward runs the layer again",
    "reversible": "nothing is kept: backward reconstructs the inputs of a layer from its outputs",
    "lsh": "reversible, and attention in buckets, one head at a time",
    "chunked": "as lsh, and feed-forward network and loss for some rows at a time",
}


@dataclass(frozen=True)
class Plan:
    """One training step: its moments in their order, and all that lives in them.

    Attributes:
        moments: Their names, forward, then backward, then the update.
        turn: The number of the first moment backward.
        allocations: What lives.
    """

    moments: tuple[str, ...]
    turn: int
    allocations: tuple[Allocation, ...]

    def at(self, moment: int) -> tuple[Allocation, ...]:
        """What lives in a moment."""
        return tuple(a for a in self.allocations if a.first <= moment <= a.last)

    def total(self, moment: int) -> int:
        """Bytes of all that lives in a moment."""
        return sum(a.bytes for a in self.at(moment))

    def peak(self) -> int:
        """The number of the moment with most bytes, the first if there are several."""
        return max(range(len(self.moments)), key=self.total)

    def kept(self) -> tuple[Allocation, ...]:
        """What forward leaves to backward: activations, so without parameters and tokens."""
        return tuple(
            a for a in self.at(self.turn) if a.first < self.turn and a.part not in {"model", "text"}
        )

    def parts(self, moment: int) -> dict[str, int]:
        """Bytes of each part of the model in a moment."""
        parts = dict.fromkeys(("model", "text", "streams", "attention", "feed-forward", "loss"), 0)
        for allocation in self.at(moment):
            parts[allocation.part] += allocation.bytes
        return parts


def notes_plan(shape: Shape) -> dict[str, int]:
    """What the course notes count: one vector a position for the input, and for each sublayer.

    With 2^20 positions of 512 numbers in float32 that is 2 GiB each, 12 · 2 + 12 · 2 + 2 = 50 GiB.
    """
    sublayers = _sublayers(shape.n_layers)
    return dict.fromkeys(("input", *sublayers), shape.stream)


def memory_plan(shape: Shape, mode: str, *, materialised: bool = False) -> Plan:
    """List what lives in memory in one training step, and when.

    It is any step but the first, in which Adam has no moments yet.

    Args:
        shape: All sizes.
        mode: A key of `MODES`.
        materialised: Whether attention writes its weights down, length × length numbers a head. By
            default it is torch's fused one, which never does (Dao et al. 2022, FlashAttention,
            https://arxiv.org/abs/2205.14135).

    Raises:
        ValueError: If mode is unknown, or materialised with a mode that attends in buckets.
    """
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}: it must be one of {', '.join(MODES)}")
    if materialised and mode in {"lsh", "chunked"}:
        raise ValueError(
            f"materialised is True and mode is {mode!r}: attention in buckets never has all weights; "
            "it must be False, or mode one of inference, standard, checkpointed, reversible"
        )
    forward = ("embedding", *_sublayers(shape.n_layers), "loss")
    backward = tuple(f"{name}, backward" for name in reversed(forward))
    moments = forward if mode == "inference" else (*forward, *backward, "update")
    found = allocations(shape, mode, len(forward), materialised=materialised)
    return Plan(moments, len(forward), tuple(found))


def _sublayers(n_layers: int) -> tuple[str, ...]:
    names = ("attention", "feed-forward")
    return tuple(f"{name} {layer}" for layer in range(1, n_layers + 1) for name in names)
