"""BERT, GPT-2 and the like, by their name on the Hugging Face hub or from a folder, to be scored with."""

from typing import Any

from safetensors import SafetensorError
from torch import nn

from companion.corpora.wsc import Problem
from companion.models.evaluation import Choose
from companion.scoring import score


def load(name: str) -> tuple[nn.Module, Any]:
    """Load a language model and its tokenizer, for `companion.scoring.score`.

    Args:
        name: such as "bert-base-uncased" or "gpt2" (then this needs the internet), or a folder.

    Raises:
        ValueError: If it cannot be had, it is neither a masked nor a causal language model, or its
            weights lack a part (transformers would make up random numbers for it, with a warning),
            or it has no tokenizer.
    """
    # transformers takes seconds to import, and only readers who ask for a big model need it.
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer  # noqa: PLC0415
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES  # noqa: PLC0415

    try:
        config = AutoConfig.from_pretrained(name)
        masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        kind = AutoModelForMaskedLM if masked else AutoModelForCausalLM
        model, found = kind.from_pretrained(
            name, attn_implementation="eager", output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"name: {name!r} cannot be loaded ({reason})") from error
    missing = sorted(found["missing_keys"])
    if missing:
        raise ValueError(
            f"name: the weights of {name!r} lack {', '.join(missing[:3])}: it was saved without the "
            "head that predicts words"
        )
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        # transformers makes up an empty one where there is none, and says nothing.
        raise ValueError(f"name: {name!r} has no tokenizer: save it beside the weights")
    return model.eval(), tokenizer


def chooser(model: nn.Module, tokenizer: Any, method: str) -> Choose:  # noqa: ANN401
    """Make the function with which `companion.models.evaluation.evaluate` asks a model.

    A problem whose candidates do not stand in its text cannot be answered by their places in it
    ("attention").
    """

    def choose(problem: Problem) -> tuple[float, float] | None:
        candidates = problem.spans if method == "attention" else problem.candidates
        if None in candidates:
            return None
        return score(model, tokenizer, problem.text, problem.pronoun, candidates, method=method)

    return choose
