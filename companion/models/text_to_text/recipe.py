"""How one model learns several tasks: their examples are put together and shuffled, and that is all.

The network, the loss and the batches are the translator's: to it, a summary is a translation too.
"""

from collections.abc import Mapping, Sequence

from companion.corpora import tasks
from companion.corpora.tasks import Example
from companion.encoder_decoder import EncoderDecoder
from companion.models.progress import OnStep
from companion.models.text_to_text.pieces import SIZE, encode
from companion.models.translator import recipe as translator
from companion.models.translator.recipe import END

NETWORK = {"d_model": 96, "n_heads": 4, "n_layers": 2, "d_ff": 192}


def draw(sizes: Mapping[str, int], seed: int) -> list[Example]:
    """Draw so many examples of each task, to train on, and put them together."""
    return [one for task, n in sizes.items() for one in tasks.generate(task, n, seed)]


def numbered(examples: Sequence[Example]) -> list[translator.Pair]:
    """Return the tokens of source and target, each with its end."""

    def read(text: str) -> list[int]:
        return [*encode(text)[0], END]

    return [(read(one.source), read(one.target)) for one in examples]


def train(
    examples: Sequence[Example],
    seed: int = 0,
    *,
    steps: int,
    tokens: int = 700,
    learning_rate: float = 3e-3,
    on_step: OnStep | None = None,
    held_out: Sequence[Example] = (),
    **sizes: float,
) -> EncoderDecoder:
    """Train a model on examples of any tasks.

    Args:
        examples: what to learn from.
        seed: of the first weights and of the order of the examples.
        steps: number of batches.
        tokens: a batch has about twice as many, of sources and targets together.
        learning_rate: the highest; it rises in the first tenth of the steps, then falls.
        on_step: hears the step, from 1, and its loss.
        held_out: if there are any, the loss on them is noted in the model's `history`.
        sizes: of the network, where it is not `NETWORK`; see `EncoderDecoder`.

    Raises:
        ValueError: If there are no examples, or a number is not above 0.
    """
    return translator.train(
        numbered(examples),
        SIZE,
        seed,
        steps=steps,
        tokens=tokens,
        learning_rate=learning_rate,
        warm_up=max(1, steps // 10),
        smoothing=0.0,
        on_step=on_step,
        held_out=numbered(held_out),
        **(NETWORK | sizes),
    )
