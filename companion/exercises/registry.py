"""All exercises by name, and the one function that a chapter calls."""

from collections.abc import Callable

from torch import Tensor

from companion.exercises.angular_hash import check_angular_hash
from companion.exercises.attention import check_attention
from companion.exercises.axial import check_axial
from companion.exercises.beam_step import check_beam_step
from companion.exercises.best_span import check_best_span
from companion.exercises.causal import check_causal
from companion.exercises.chunk_mask import check_chunk_mask
from companion.exercises.clipped_precision import check_clipped_precision
from companion.exercises.decoder_mask import check_decoder_mask
from companion.exercises.heads import check_heads
from companion.exercises.inverse import check_inverse
from companion.exercises.layer_norm import check_layer_norm
from companion.exercises.longest_match import check_longest_match
from companion.exercises.loss_mask import check_loss_mask
from companion.exercises.masked_words import check_masked_words
from companion.exercises.maximum_attention import check_maximum_attention
from companion.exercises.mean_of_words import check_mean_of_words
from companion.exercises.mixing_rates import check_mixing_rates
from companion.exercises.perplexity import check_perplexity
from companion.exercises.rnn import check_rnn
from companion.exercises.shifted import check_shifted
from companion.exercises.sinusoids import check_sinusoids
from companion.exercises.smoothed_loss import check_smoothed_loss
from companion.exercises.soft_look_up import check_soft_look_up
from companion.exercises.top_p import check_top_p
from companion.exercises.trial import WrongAnswerError

EXERCISES: dict[str, Callable[[Callable[..., Tensor]], int]] = {
    "angular hash": check_angular_hash,
    "attention": check_attention,
    "axial positions": check_axial,
    "beam step": check_beam_step,
    "best span": check_best_span,
    "causal": check_causal,
    "chunk mask": check_chunk_mask,
    "clipped precision": check_clipped_precision,
    "decoder mask": check_decoder_mask,
    "heads": check_heads,
    "inverse": check_inverse,
    "layer norm": check_layer_norm,
    "longest match": check_longest_match,
    "loss mask": check_loss_mask,
    "masked words": check_masked_words,
    "maximum attention": check_maximum_attention,
    "mean of words": check_mean_of_words,
    "mixing rates": check_mixing_rates,
    "perplexity": check_perplexity,
    "rnn": check_rnn,
    "sinusoids": check_sinusoids,
    "smoothed loss": check_smoothed_loss,
    "soft look-up": check_soft_look_up,
    "teacher forcing": check_shifted,
    "top-p": check_top_p,
}


def check(name: str, function: Callable[..., Tensor]) -> None:
    """Try a reader's function and print whether it is right, or what is wrong and a hint.

    A wrong function raises nothing: the reader learns more from the hint than from a traceback.

    Args:
        name: Which exercise, a key of `EXERCISES`.
        function: The reader's function.

    Raises:
        ValueError: If there is no such exercise.
    """
    if name not in EXERCISES:
        raise ValueError(f"name is {name!r}: it must be one of {', '.join(sorted(EXERCISES))}")
    try:
        n_properties = EXERCISES[name](function)
    except WrongAnswerError as wrong:
        print(f"✗ {name}: {wrong}")  # noqa: T201
    else:
        print(f"✓ {name}: all {n_properties} properties hold.")  # noqa: T201
