"""A thought experiment, run: heads that may read only some parts of an embedding.

An embedding of four *subspaces* put side by side, and eight heads. In each subspace a word has a
mark and a content. One query asks in every subspace for the word with a certain mark, and for the
contents of that word in all four: 16 questions. Where mark and content lie in one subspace, a head
that reads it alone can answer; the other 12 need an interface of two.

Explained in chapters/week2-transformers/many-heads.ipynb.
"""

import itertools
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from companion.attention import MultiHeadAttention

SUBSPACES = ("phonology", "morphology", "syntax", "semantics")
SIZE = 16  # numbers in a subspace
D_MODEL = SIZE * len(SUBSPACES)
N_HEADS = 8
WORDS = 4  # in a sentence; as many marks and as many contents
_ALL = tuple(range(len(SUBSPACES)))
# Which subspaces each of the eight heads reads.
SCHEMES: dict[str, tuple[tuple[int, ...], ...]] = {
    "one each": tuple((head // 2,) for head in range(N_HEADS)),
    "4 × one, 4 × three": (*itertools.combinations(_ALL, 1), *itertools.combinations(_ALL, 3)),
    "5 × two, 3 × one": ((0, 1), (1, 2), (2, 3), (0, 3), (0, 2), (1,), (2,), (3,)),
    "5 × two, 3 × three": ((0, 1), (1, 2), (2, 3), (0, 3), (0, 2), (0, 1, 2), (0, 1, 3), (1, 2, 3)),
    "learned": (_ALL,) * N_HEADS,
}


@dataclass(frozen=True)
class Questions:
    """Sentences, and what is asked of them.

    Attributes:
        query: (batch, 1, d_model), the marks of the words that are sought, one in each subspace.
        words: (batch, WORDS, d_model), in any order.
        answers: (batch, 4, 4), at [:, a, b] the content in subspace b of the word with the sought
            mark in subspace a.
    """

    query: Tensor
    words: Tensor
    answers: Tensor


def draw(
    batch: int,
    generator: torch.Generator,
    *,
    redundancy: float = 0.0,
    rotation: Tensor | None = None,
) -> Questions:
    """Draw sentences: within one, no two words share a mark or a content of a subspace.

    Args:
        batch: number of sentences.
        generator: of random numbers.
        redundancy: share of sentences in which all subspaces hold the same contents.
        rotation: (d_model, d_model), orthogonal; turns the embedding, so that its subspaces are no
            longer runs of neighbouring numbers.

    Raises:
        ValueError: If batch is below 1, or redundancy is not from 0 to 1.
    """
    if batch < 1 or not 0 <= redundancy <= 1:
        raise ValueError(
            f"batch is {batch} and redundancy {redundancy}: batch must be at least 1, "
            "redundancy from 0 to 1"
        )
    shape = (batch, len(SUBSPACES), WORDS)
    marks = torch.rand(shape, generator=generator).argsort(dim=-1)
    contents = torch.rand(shape, generator=generator).argsort(dim=-1)
    same = torch.rand(batch, 1, 1, generator=generator) < redundancy
    contents = torch.where(same, contents[:, :1], contents)  # (batch, 4, WORDS)
    sought = torch.randint(WORDS, shape[:2], generator=generator)[..., None]  # (batch, 4, 1)
    answers = (
        contents[:, None].expand(-1, 4, -1, -1).gather(3, sought[..., None].expand(-1, -1, 4, 1))
    )
    coded, every = codes(), torch.arange(len(SUBSPACES))[:, None]
    pieces = coded[every, marks] + coded[every, WORDS + contents]  # (batch, 4, WORDS, SIZE)
    words = pieces.transpose(1, 2).flatten(start_dim=2)  # (batch, WORDS, d_model)
    query = coded[every, marks.gather(2, sought)].flatten(start_dim=1)[
        :, None
    ]  # (batch, 1, d_model)
    words = words + 0.1 * torch.randn(words.shape, generator=generator)
    if rotation is not None:
        query, words = query @ rotation, words @ rotation
    return Questions(query, words, answers[..., 0])


class Reader(nn.Module):
    """One layer of attention whose heads read only some columns of the embedding.

    Args:
        reads: for each head, the subspaces that its queries, keys and values may be made from; or
            a boolean (heads, d_model), True for each number that it may read.

    Raises:
        ValueError: If a head reads nothing, or a boolean reads has another shape.
    """

    def __init__(self, reads: tuple[tuple[int, ...], ...] | Tensor) -> None:
        super().__init__()
        open_to = reads if isinstance(reads, Tensor) else columns(reads)
        if open_to.dim() != 2 or open_to.shape[1] != D_MODEL or not open_to.any(dim=1).all():
            raise ValueError(
                f"reads has shape {tuple(open_to.shape)}: it must be (heads, {D_MODEL}), and each "
                "head must read something"
            )
        heads = len(open_to)
        self.attention = MultiHeadAttention(D_MODEL, heads, bias=False)
        self.answer = nn.Linear(D_MODEL, len(SUBSPACES) ** 2 * WORDS)
        rows = open_to.float().repeat_interleave(D_MODEL // heads, dim=0)  # (d_model, d_model)
        for name in ("query", "key", "value"):
            weight = getattr(self.attention, name).weight
            # As large an output as if the head read everything: only what it reads shall differ.
            with torch.no_grad():
                weight *= rows * (D_MODEL / rows.sum(dim=1, keepdim=True)).sqrt()
            # What starts at zero and has no gradient stays zero.
            weight.register_hook(lambda gradient: gradient * rows)

    def forward(self, asked: Questions) -> Tensor:
        """Score the contents: (batch, 4, 4, WORDS)."""
        seen, _ = self.attention(asked.query, asked.words)  # (batch, 1, d_model)
        return self.answer(seen).unflatten(-1, (len(SUBSPACES), len(SUBSPACES), WORDS))[:, 0]


def columns(scheme: tuple[tuple[int, ...], ...]) -> Tensor:
    """Which numbers of the embedding each head may read: boolean, (heads, d_model)."""
    opened = torch.zeros(len(scheme), len(SUBSPACES), dtype=torch.bool)
    for head, subspaces in enumerate(scheme):
        opened[head, list(subspaces)] = True
    return opened.repeat_interleave(SIZE, dim=1)


def train(
    reads: tuple[tuple[int, ...], ...] | Tensor,
    *,
    steps: int = 300,
    batch: int = 96,
    seed: int = 0,
    redundancy: float = 0.0,
    rotation: Tensor | None = None,
) -> Reader:
    """Train a reader to answer all 16 questions; torch's global random numbers stay as they were.

    Raises:
        ValueError: As `Reader` and `draw` do.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Reader(reads)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, steps)
    for _ in range(steps):
        asked = draw(batch, generator, redundancy=redundancy, rotation=rotation)
        scores, answers = model(asked).flatten(end_dim=2), asked.answers.flatten()
        optimizer.zero_grad()
        nn.functional.cross_entropy(scores, answers).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(
    model: Reader, *, redundancy: float = 0.0, rotation: Tensor | None = None, batch: int = 2000
) -> Tensor:
    """Share of right answers to each question on new sentences: (4, 4), as `Questions.answers`.

    The diagonal is what lies within one subspace. Chance is 1/4.
    """
    generator = torch.Generator().manual_seed(2**31)  # no sentence of the training
    asked = draw(batch, generator, redundancy=redundancy, rotation=rotation)
    return (model(asked).argmax(dim=-1) == asked.answers).float().mean(dim=0)


def shares(weight: Tensor, n_heads: int = N_HEADS, rotation: Tensor | None = None) -> Tensor:
    """How much of each head's projection reads each subspace: (heads, 4), each row sums to 1.

    Args:
        weight: (d_model, d_model), as torch keeps it, a row for each number that comes out.
        n_heads: number of heads.
        rotation: the one that the embedding was turned by.
    """
    weight = weight.detach() if rotation is None else weight.detach() @ rotation.T
    squares = weight.square().reshape(n_heads, -1, len(SUBSPACES), SIZE).sum(dim=(1, 3))
    return squares / squares.sum(dim=1, keepdim=True)  # (heads, 4)


def random_rotation(seed: int = 0) -> Tensor:
    """Return an orthogonal matrix, (d_model, d_model)."""
    drawn = torch.randn(D_MODEL, D_MODEL, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(drawn)[0]


@cache
def codes() -> Tensor:
    """The vectors of marks, then contents, in each subspace: (4, 2 * WORDS, SIZE), orthogonal."""
    drawn = torch.randn(len(SUBSPACES), SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return torch.linalg.qr(drawn)[0][:, : 2 * WORDS] * (SIZE / 2) ** 0.5
