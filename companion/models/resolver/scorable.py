"""A resolver in the clothes of transformers, so that `companion.scoring` can score with it."""

from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn

from companion.corpora import winograd as corpus
from companion.models.resolver.words import encode, tokenize, word_spans
from companion.winograd import Resolver


class WordTokenizer:
    """Gives `input_ids` and `offset_mapping` of a text in the resolver's words."""

    def __init__(self) -> None:
        self.vocabulary = corpus.vocabulary()
        self.mask_token_id = self.vocabulary.index(corpus.MASK)

    def __call__(self, text: str, *, return_offsets_mapping: bool = False) -> dict[str, Any]:
        """Number the words of a text.

        Raises:
            ValueError: If a word is not in the vocabulary.
        """
        encoded = {"input_ids": encode(tokenize(text), self.vocabulary).tolist()}
        if return_offsets_mapping:
            encoded["offset_mapping"] = word_spans(text)
        return encoded


class Scorable(nn.Module):
    """A resolver that is called with `input_ids` and gives `logits` and `attentions`."""

    def __init__(self, model: Resolver) -> None:
        super().__init__()
        self.model, self.causal = model, model.causal

    def forward(self, input_ids: Tensor, *, output_attentions: bool = False) -> SimpleNamespace:
        """Score each word of the vocabulary at each place of (batch, n) words."""
        if input_ids.shape[1] > self.model.positions.num_embeddings:
            longest = self.model.positions.num_embeddings
            raise ValueError(f"text has {input_ids.shape[1]} words: it must have at most {longest}")
        logits, weights = self.model.logits_and_weights(input_ids)
        layers = weights.unbind(dim=1) if output_attentions else ()  # (batch, heads, n, n) each
        return SimpleNamespace(logits=logits, attentions=layers)


def scorable(model: Resolver) -> tuple[Scorable, WordTokenizer]:
    """Return a model and a tokenizer for `companion.scoring.score`."""
    return Scorable(model), WordTokenizer()
