"""BERT, GPT-2 and the like, by their name on the Hugging Face hub or from a folder."""

from collections.abc import Callable
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from companion.corpora.wsc import Problem
from companion.models.evaluation import Choose
from companion.question_answering import best_span
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
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM  # noqa: PLC0415
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES  # noqa: PLC0415

    def kind(model_type: str) -> Any:  # noqa: ANN401
        masked = model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        return AutoModelForMaskedLM if masked else AutoModelForCausalLM

    return _load(name, kind, "the head that predicts words")


def load_reader(name: str) -> tuple[nn.Module, Any]:
    """Load a model that marks answers in a text, and its tokenizer, for `find_answer`.

    Args:
        name: such as "bert-large-uncased-whole-word-masking-finetuned-squad" (then this needs the
            internet), or a folder.

    Raises:
        ValueError: As for `load`; a model that was not fine-tuned on questions lacks the head.
    """
    from transformers import AutoModelForQuestionAnswering  # noqa: PLC0415

    return _load(name, lambda _: AutoModelForQuestionAnswering, "the head that marks answers")


def _load(name: str, kind: Callable[[str], Any], head: str) -> tuple[nn.Module, Any]:
    from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415

    try:
        config = AutoConfig.from_pretrained(name)
        model, found = kind(config.model_type).from_pretrained(
            name, attn_implementation="eager", output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"name: {name!r} cannot be loaded ({reason})") from error
    missing = sorted(found["missing_keys"])
    if missing:
        raise ValueError(
            f"name: the weights of {name!r} lack {', '.join(missing[:3])}: it was saved without {head}"
        )
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        # transformers makes up an empty one where there is none, and says nothing.
        raise ValueError(f"name: {name!r} has no tokenizer: save it beside the weights")
    return model.eval(), tokenizer


def find_answer(model: nn.Module, tokenizer: Any, question: str, text: str) -> str:  # noqa: ANN401
    """Find the span of a text that answers a question best, as the text has it.

    The tokenizer puts [CLS] and [SEP] around question and text, and tells which token is of which.

    Args:
        model: from `load_reader`.
        tokenizer: its own; a fast one, as it has to know each token's characters.
        question: in the model's language.
        text: where the answer stands.

    Raises:
        ValueError: If the text has no token, or there are more tokens than the model has positions.
    """
    given = tokenizer(question, text, return_tensors="pt", return_offsets_mapping=True)
    offsets = given.pop("offset_mapping")[0].tolist()
    n, most = len(offsets), model.config.max_position_embeddings
    if n > most:
        raise ValueError(f"text: question and text have {n} tokens; the model reads {most}")
    allowed = torch.tensor([part == 1 for part in given.sequence_ids(0)])
    if not allowed.any():
        raise ValueError("text has no token: there must be a word in it")
    with torch.no_grad():
        says = model(**given)
    found = best_span(says.start_logits[0], says.end_logits[0], allowed)
    return text[offsets[found.first][0] : offsets[found.last][1]]


@torch.no_grad()
def attentions(name: str, text: str) -> tuple[list[str], list[Tensor]]:
    """Let a model read a text, and tell where each head looked, for `companion.bertviz_views`.

    Args:
        name: as for `load`.
        text: what it reads.

    Returns:
        The n tokens, those that the tokenizer adds included, and of each layer the weights,
        (1, heads, n, n).

    Raises:
        ValueError: As for `load`; or if text is empty, or has more tokens than the model takes.
    """
    if not text.strip():
        raise ValueError("text is empty: it must have at least one token")
    model, tokenizer = load(name)
    given = tokenizer(text, return_tensors="pt")
    n, longest = given["input_ids"].shape[1], model.config.max_position_embeddings
    if n > longest:
        raise ValueError(f"text has {n} tokens: {name!r} takes at most {longest}")
    looked = model(**given, output_attentions=True).attentions
    return tokenizer.convert_ids_to_tokens(given["input_ids"][0].tolist()), list(looked)


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
