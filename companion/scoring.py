"""Let a language model choose what a pronoun stands for, in four ways, without any training.

The model and its tokenizer follow the conventions of transformers, but nothing is imported from
there: any module will do that takes `input_ids` (batch, n) and gives an object with `logits`
(batch, n, vocabulary), and `attentions`, (batch, heads, n, n) of each layer, with
`output_attentions=True`.

Two kinds of model are told apart. A *causal* one predicts each token from those before it, such as
GPT-2. A *masked* one sees the whole text and predicts the tokens that are hidden from it, such as
BERT.
"""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Span = tuple[int, int]
METHODS = ("attention", "substitution-full", "substitution-partial", "masked-lm")

_BATCH = 32
_DETERMINER = re.compile(r"(The|An?|My|Your|His|Her|Its|Our|Their|This|That|These|Those)(?= )")
_POSSESSIVE = {"his", "its", "their", "hers", "theirs"}


def score(
    model: nn.Module,
    tokenizer: Any,  # noqa: ANN401
    text: str,
    pronoun: Span,
    candidates: Sequence[Span | str],
    *,
    method: str,
) -> tuple[float, float]:
    """Score the two nouns that a pronoun could stand for; the higher score is the model's choice.

    - "attention": the maximum attention score. In each head of each layer, the candidate at which
      the pronoun looks more keeps its attention weight, and the other gets none; of several tokens
      the one with the most weight counts. The sums of both candidates are divided by their total.
      Masked models only: at the pronoun a causal model has not seen what comes after it, often the
      word that decides, and then gives both twins the same scores.
    - "substitution-full": the log probability of the text with the candidate in the pronoun's
      place. A causal model multiplies the probabilities of each token after those before it,
      beginning with the first if the tokenizer has a token that opens a text, or else with the
      second. A masked model has no such probability; its pseudo-log-likelihood takes the place: the
      sum over all tokens, each hidden in its turn.
    - "substitution-partial": the same sum, but only over the tokens after the candidate. If there
      are none, both scores are 0.
    - "masked-lm": as many masks as the candidate has tokens take the pronoun's place; the score is
      the average log probability of the candidate's tokens there. Masked models only.

    A candidate in the pronoun's place begins in lower case in the midst of a sentence if it begins
    with "The" or the like, and gets an 's after *his*, *its* or *their*. (*Her* is taken for the
    object, as in "we thanked her".)

    Args:
        model: a language model; it is put in evaluation mode for the call, and left as found. It
            is causal if its attribute `causal` says so, or else if one of its modules `is_causal`.
        tokenizer: called with a text and `return_offsets_mapping=True`, it gives `input_ids` and
            `offset_mapping`; special tokens have empty offsets. It has a `mask_token_id`.
        text: the sentence.
        pronoun: where the pronoun is in text: first character, one past the last.
        candidates: the two nouns, as places in text or, except for "attention", as words.
        method: one of `METHODS`.

    Returns:
        The score of each candidate.

    Raises:
        ValueError: If an argument is not as above, the method does not suit the kind of model, the
            model cannot say which kind it is, or the text is longer than the model takes.

    Source: "attention": Klein and Nabi 2019, https://arxiv.org/abs/1905.13497, section 3, with the
    largest weight of several tokens as in the authors' code; "substitution": Trinh and Le 2018,
    https://arxiv.org/abs/1806.02847, section 3.1; pseudo-log-likelihood: Salazar et al. 2020,
    https://arxiv.org/abs/1910.14659, section 2; "masked-lm": Kocijan et al. 2019,
    https://arxiv.org/abs/1905.06290, section 3.
    """
    _check(text, pronoun, candidates, method)
    reader = _Reader(model, tokenizer, _is_causal(model))
    if reader.causal and method in {"attention", "masked-lm"}:
        why = {
            "attention": "at the pronoun it cannot see the word that decides, which comes later, "
            "so both twins get the same scores",
            "masked-lm": "it has no mask",
        }
        raise ValueError(f"method is {method!r} but model is causal: {why[method]}")
    with _evaluating(model), torch.no_grad():
        if method == "attention":
            return reader.attention(text, pronoun, candidates)
        names = [name if isinstance(name, str) else text[slice(*name)] for name in candidates]
        first, second = (reader.substitution(text, pronoun, name, method) for name in names)
        return first, second


def maximum_attention(looks: Tensor) -> Tensor:
    """Let the heads vote: in each, the candidate that is looked at more keeps its weight.

    Args:
        looks: (..., 2), how much the pronoun looks at each of two candidates, in each head of each
            layer.

    Returns:
        The share of each candidate, (2,); they sum to 1, or are 0 if no head looks at either.

    Source: Klein and Nabi 2019, https://arxiv.org/abs/1905.13497, section 3.
    """
    # Equal weights both stay: else the candidate that is named first would win.
    kept = looks.where(looks == looks.amax(dim=-1, keepdim=True), 0.0)  # (..., 2)
    votes = kept.reshape(-1, 2).sum(dim=0)  # (2,)
    return votes / votes.sum().where(votes.any(), 1.0)


@dataclass(frozen=True)
class _Reader:
    model: nn.Module
    tokenizer: Any
    causal: bool

    def attention(
        self, text: str, pronoun: Span, candidates: Sequence[Span]
    ) -> tuple[float, float]:
        ids, offsets = self.encode(text)
        layers = self.model(input_ids=ids[None], output_attentions=True).attentions
        if not layers or layers[0] is None:
            raise ValueError(
                "model gives no attentions: load it with attn_implementation='eager', which keeps "
                "them; the others, such as 'sdpa', do not"
            )
        weights = torch.stack([layer[0].float() for layer in layers])  # (layers, heads, n, n)
        looks = weights[:, :, _tokens(offsets, pronoun)]  # (layers, heads, pronoun's tokens, n)
        pair = [looks[..., _tokens(offsets, s)].amax(dim=(-2, -1)) for s in candidates]
        first, second = maximum_attention(torch.stack(pair, dim=-1)).tolist()
        return first, second

    def substitution(self, text: str, pronoun: Span, name: str, method: str) -> float:
        start, stop = pronoun
        name, ending = _fit(name, text[start:stop])
        end = start + len(name)
        ids, offsets = self.encode(text[:start] + name + ending + text[stop:])
        if method == "masked-lm":
            return self.masked(ids, [_tokens(offsets, (start, end))]).mean().item()
        after = end + len(ending) if method == "substitution-partial" else 0
        places = [i for i, (a, b) in enumerate(offsets) if a < b and b > after]
        if not self.causal:
            return self.masked(ids, [[i] for i in places]).sum().item()
        logits = self.model(input_ids=ids[None]).logits[0]  # (n, vocabulary)
        chain = _log_probability(logits[:-1], ids[1:])  # (n - 1,)
        return chain[[i - 1 for i in places if i > 0]].sum().item()

    def masked(self, ids: Tensor, groups: list[list[int]]) -> Tensor:  # (all groups' tokens,)
        """Hide one group of tokens at a time, and predict the group."""
        mask = getattr(self.tokenizer, "mask_token_id", None)
        if mask is None:
            raise ValueError("tokenizer has no mask_token_id: a masked model needs one")
        found = [torch.zeros(0, device=ids.device)]
        for i in range(0, len(groups), _BATCH):
            some = groups[i : i + _BATCH]
            rows = ids.repeat(len(some), 1)  # (batch, n)
            for row, group in zip(rows, some, strict=True):
                row[group] = mask
            logits = self.model(input_ids=rows).logits  # (batch, n, vocabulary)
            found += [_log_probability(logits[k, g], ids[g]) for k, g in enumerate(some)]
        return torch.cat(found)

    def encode(self, text: str) -> tuple[Tensor, list[Span]]:  # the first is (n,)
        encoded = self.tokenizer(text, return_offsets_mapping=True)
        ids, offsets = list(encoded["input_ids"]), list(encoded["offset_mapping"])
        opening = getattr(self.tokenizer, "bos_token_id", None) if self.causal else None
        if opening is not None and ids[:1] != [opening]:
            ids, offsets = [opening, *ids], [(0, 0), *offsets]
        config = getattr(self.model, "config", None)
        longest = getattr(config, "max_position_embeddings", None) or math.inf
        # RoBERTa's config counts two positions that no token can have; its tokenizer does not.
        longest = min(longest, getattr(self.tokenizer, "model_max_length", math.inf))
        if len(ids) > longest > 0:
            raise ValueError(f"text has {len(ids)} tokens: the model takes at most {longest}")
        return torch.tensor(ids, device=next(self.model.parameters()).device), offsets


def _log_probability(logits: Tensor, ids: Tensor) -> Tensor:  # (k, vocabulary), (k,) -> (k,)
    return logits.float().log_softmax(dim=-1).gather(1, ids[:, None])[:, 0]


def _fit(name: str, pronoun: str) -> tuple[str, str]:
    """Write a candidate as it would stand in the pronoun's place; beside it, its ending."""
    if pronoun[0].isupper():
        name = name[0].upper() + name[1:]
    elif _DETERMINER.match(name):
        name = name[0].lower() + name[1:]
    if pronoun.lower() not in _POSSESSIVE or re.search(r"['’]s?$", name):
        return name, ""
    plural = pronoun.lower().startswith("their") and name.endswith("s")
    return name, "'" if plural else "'s"


def _tokens(offsets: list[Span], span: Span) -> list[int]:
    found = [i for i, (a, b) in enumerate(offsets) if a < b and a < span[1] and b > span[0]]
    if not found:
        raise ValueError(f"tokenizer gives no token for the characters {span[0]} to {span[1]}")
    return found


def _is_causal(model: nn.Module) -> bool:
    said = getattr(model, "causal", None)
    if isinstance(said, bool):
        return said
    # What transformers gives each attention layer. (Its `config.is_decoder` is missing for GPT-2.)
    layers = [module.is_causal for module in model.modules() if hasattr(module, "is_causal")]
    if not layers:
        raise ValueError(
            "model does not say whether it is causal: set model.causal to True (as of GPT-2: each "
            "token sees those before it) or False (as of BERT: each sees all)"
        )
    return any(layers)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _check(text: str, pronoun: Span, candidates: Sequence[Span | str], method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: it must be one of {', '.join(METHODS)}")
    if not _is_span(pronoun, text):
        raise ValueError(f"pronoun is {pronoun!r}: it must be a place (start, stop) in text")
    if isinstance(candidates, str) or len(candidates) != 2:
        raise ValueError(f"candidates is {candidates!r}: it must be two places or words")
    for candidate in candidates:
        if isinstance(candidate, str) and candidate.strip() and method != "attention":
            continue
        if not _is_span(candidate, text):
            words = "" if method == "attention" else ", or words"
            raise ValueError(
                f"candidates has {candidate!r}: with method {method!r} each must be a place "
                f"(start, stop) in text{words}"
            )
        if candidate[0] < pronoun[1] and candidate[1] > pronoun[0]:
            raise ValueError(f"candidates has {candidate!r}, which overlaps pronoun {pronoun!r}")


def _is_span(span: Any, text: str) -> bool:  # noqa: ANN401
    two = isinstance(span, (tuple, list)) and len(span) == 2
    return two and all(isinstance(i, int) for i in span) and 0 <= span[0] < span[1] <= len(text)
