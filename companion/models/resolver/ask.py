"""Ask a resolver what the pronoun of a sentence stands for."""

from dataclasses import dataclass

from companion.corpora import winograd as corpus
from companion.models.resolver.words import encode, tokenize
from companion.winograd import Resolver, Trace


@dataclass(frozen=True)
class Resolution:
    """What a model makes of one sentence.

    Attributes:
        words: the sentence as the model read it.
        pronoun: position of the pronoun.
        probabilities: for each candidate noun, its share among all words of the vocabulary.
        choice: the likeliest candidate.
        trace: what attention computed.
    """

    words: tuple[str, ...]
    pronoun: int
    probabilities: dict[str, float]
    choice: str
    trace: Trace


def resolve(model: Resolver, sentence: str) -> Resolution:
    """Ask a model what the pronoun of a sentence, *it* or *they*, stands for.

    Candidates are the nouns that the corpus knows. Capitals and punctuation do not matter.

    Raises:
        ValueError: If a word is unknown, there is no pronoun, or there are fewer than two nouns.
    """
    words = tokenize(sentence)
    tokens = encode(words, corpus.vocabulary())
    found = [i for i, word in enumerate(words) if word in corpus.PRONOUNS]
    nouns = [word for word in words if word in corpus.nouns()]
    if len(found) != 1 or len(set(nouns)) < 2:
        known = ", ".join(sorted(corpus.nouns()))
        raise ValueError(f"sentence {sentence!r} must have one it or they, and two of: {known}")
    trace = model.trace(tokens)
    share = trace.logits[found[0]].softmax(dim=-1)  # (vocabulary,)
    odds = {noun: share[tokens[words.index(noun)]].item() for noun in nouns}
    return Resolution(words, found[0], odds, max(odds, key=odds.__getitem__), trace)
