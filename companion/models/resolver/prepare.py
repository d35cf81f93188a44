"""What the widget `WinogradResolver` is made of: the resolver's words, and answers made in advance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from companion.corpora import winograd as corpus
from companion.models.resolver.ask import resolve
from companion.models.resolver.scorable import scorable
from companion.models.resolver.shipped import VARIANTS, Resolvers
from companion.models.resolver.words import tokenize, word_spans
from companion.scoring import METHODS, score
from companion.winograd import Resolver

Scores = tuple[float, float]


def prepare(model: Resolvers, twins: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Answer pairs of sentences in advance.

    Args:
        model: the networks.
        twins: pairs of sentences of equal length, each with a pronoun and two nouns.

    Returns:
        The arguments of `WinogradResolver` besides the model.

    Raises:
        ValueError: If there are no pairs, or a sentence cannot be read.
    """
    if not twins:
        raise ValueError("twins is empty: there must be at least one pair of sentences")
    sentences = [sentence for pair in twins for sentence in pair]
    most = max(len(tokenize(sentence)) for sentence in sentences)
    networks = list(model.variants.values())
    layers, heads = len(networks[0].looks), networks[0].looks[0].attention.n_heads
    weights = np.zeros((len(sentences), len(networks), layers, heads, most, most), np.float32)
    answers = []
    for number, sentence in enumerate(sentences):
        answers.append(_answer(networks, sentence))
        n = len(answers[-1]["words"])
        for variant, network in enumerate(networks):
            for layer, trace in enumerate(resolve(network, sentence).trace.layers):
                weights[number, variant, layer, :, :n, :n] = trace.weights.numpy()
    pairs = [
        {"label": _label(first), "twins": [first, second]}
        for first, second in zip(answers[::2], answers[1::2], strict=True)
    ]
    vocabulary = corpus.vocabulary()
    return {
        "pairs": pairs,
        "weights": weights,
        "vocabulary": vocabulary,
        "nouns": sorted(corpus.nouns()),
        "pronouns": sorted(corpus.PRONOUNS),
        "variants": list(VARIANTS),
        "longest": networks[0].positions.num_embeddings,
    }


def _label(answer: dict[str, Any]) -> str:
    return " or ".join(answer["words"][i] for i in answer["candidates"]) + "?"


def _answer(networks: Sequence[Resolver], sentence: str) -> dict[str, Any]:
    told = resolve(networks[0], sentence)
    nouns = list(told.probabilities)
    if len(nouns) != 2:
        raise ValueError(f"sentence {sentence!r} must have two nouns, not {len(nouns)}")
    places = [told.words.index(noun) for noun in nouns]
    scores = {"naming": [_naming(network, sentence, nouns) for network in networks]}
    for method in METHODS:
        scores[method] = [scores_of(network, sentence, method) for network in networks]
    return {
        "words": list(told.words),
        "pronoun": told.pronoun,
        "candidates": places,
        "scores": scores,
    }


def _naming(network: Resolver, sentence: str, nouns: Sequence[str]) -> Scores:
    told = resolve(network, sentence)
    first, second = (torch.tensor(told.probabilities[noun]).log().item() for noun in nouns)
    return first, second


def scores_of(network: Resolver, sentence: str, method: str) -> Scores | None:
    """Score the two nouns of a sentence by a method of `companion.scoring`.

    In the pronoun's place there stands *the* and the noun. A causal network cannot be asked at the
    pronoun ("attention", "masked-lm"), where it has not yet seen what decides: None. By substitution
    it can: it fills in masked words, as the others do, from what comes before them.
    """
    if network.causal and method in {"attention", "masked-lm"}:
        return None
    told = resolve(network, sentence)
    spans = word_spans(sentence)
    places = [spans[told.words.index(noun)] for noun in told.probabilities]
    names = [f"the {noun}" for noun in told.probabilities]
    model, tokenizer = scorable(network)
    model.causal = False  # trained to fill in masked words, not to go on with a text
    candidates = places if method == "attention" else names
    return score(model, tokenizer, sentence, spans[told.pronoun], candidates, method=method)
