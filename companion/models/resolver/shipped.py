"""The resolver that the book ships: four networks, alike but for one thing each."""

from pathlib import Path

import torch
from torch import Tensor, nn

from companion.corpora import winograd as corpus
from companion.corpora import wsc
from companion.models import registry
from companion.models.evaluation import evaluate as judge
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.resolver import recipe
from companion.models.resolver.words import encode, tokenize
from companion.winograd import Resolver

SUMMARY = (
    "what does “it” refer to? A small encoder, and three that differ from it in one thing each"
)
# In this order they are in the arrays: values from the words alone; as usual; the same from another
# random start; no look at later words.
VARIANTS = {
    "word": {},
    "ordinary": {"word_values": False},
    "restarted": {"word_values": False},
    "causal": {"causal": True},
}
# Of the random starts 0 to 6, that after which an ordinary network looks least at the right noun.
_STARTS = {"restarted": 6}
STEPS = len(VARIANTS) * recipe.STEPS
CARD = {
    "data": "sentences made by companion/corpora/winograd.py: 12,000, and 3,000 facts",
    "licence": "MIT, as the code that makes the data",
    "recipe": "companion/models/resolver/recipe.py, train() with its own numbers, once for each of "
    "word, ordinary (word_values=False), restarted (the same, seed + 6: of seven random starts, the "
    "one after which it looks least at the right noun) and causal (causal=True)",
    "tolerance": "accuracies of the variant `word` and the seeds 0 and 1: .01; attention: .03; the "
    "other variants: accuracy .05, attention .5 (a processor that adds in another order trains another model)",
    "limits": "knows some 190 words; confident nonsense on combinations that make none; two nouns "
    "of the same kind cannot be told apart; at chance on sentences of other people",
}
_ITEMS = 1000


class Resolvers(nn.Module):
    """The networks side by side."""

    def __init__(self) -> None:
        super().__init__()
        size = len(corpus.vocabulary())
        self.variants = nn.ModuleDict(
            {name: Resolver(size, **options) for name, options in VARIANTS.items()}
        )

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Let each read the sentences.

        Args:
            tokens: (batch, n), as for `Resolver.forward`.

        Returns:
            Logits, (variants, batch, n, vocabulary), and weights, (variants, batch, layers, heads,
            n, n).
        """
        read = [model.logits_and_weights(tokens) for model in self.variants.values()]
        logits, weights = zip(*read, strict=True)
        return torch.stack(logits), torch.stack(weights)


def build() -> Resolvers:
    """Return the networks before training."""
    return Resolvers()


def train(data: Path | None, seed: int, on_step: OnStep | None) -> Resolvers:
    """Train the networks one after the other.

    Raises:
        ValueError: If data is given: the generator is all that they learn from.
    """
    if data is not None:
        raise ValueError("--data: the resolver learns from its own generator; leave it out")
    trained = build()
    for number, (name, options) in enumerate(VARIANTS.items()):
        before = number * recipe.STEPS
        step = on_step and (lambda i, loss, before=before: on_step(before + i, loss))
        start = seed + _STARTS.get(name, 0)
        trained.variants[name], _ = recipe.train(
            steps=recipe.STEPS, seed=start, on_step=step, **options
        )
    return trained.eval()


def evaluate(model: Resolvers, data: Path | None) -> list[registry.Metric]:
    """Measure on held-out sentences of the generator, or on a collection of Winograd schemas.

    Args:
        model: the networks.
        data: a file that `companion.corpora.wsc.read` reads, or None.

    Raises:
        ValueError: If the file cannot be read.
    """
    return _on_generated(model) if data is None else _on_schemas(model, data)


def graph(model: Resolvers) -> Graph:
    """Return what runs in the reader's browser."""
    return Graph(
        model,
        inputs={"tokens": torch.randint(2, 100, (3, 11))},
        axes={"tokens": {0: ("batch", 1, 70), 1: ("n", 2, 32)}},
        outputs=("logits", "weights"),
    )


def _on_generated(model: Resolvers) -> list[registry.Metric]:
    metrics = []
    for name, network in model.variants.items():
        for split in corpus.SPLITS:
            told = recipe.evaluate(network, corpus.held_out(_ITEMS, 1, split))
            for figure, value in vars(told).items():
                metrics.append(registry.Metric(f"{name} {split} {figure}", value, _ITEMS))
    return metrics


def _on_schemas(model: Resolvers, data: Path) -> list[registry.Metric]:
    problems = wsc.read(data)
    report = judge(lambda problem: choose(model.variants["word"], problem), problems)
    low, high = report.interval
    twins = [registry.Metric("accuracy on pairs", report.pair_accuracy, report.pairs)]
    return [
        registry.Metric("accuracy", report.accuracy, report.problems),
        registry.Metric("accuracy, 95 % interval from", low, report.problems),
        registry.Metric("accuracy, 95 % interval to", high, report.problems),
        *(twins if report.pairs else []),
        registry.Metric(
            "share answered (unanswered ones count half)", report.answered, report.problems
        ),
    ]


@torch.no_grad()
def choose(model: Resolver, problem: wsc.Problem) -> tuple[float, float] | None:
    """Score both candidates at the pronoun; None where a word is not in the vocabulary."""
    start, _ = problem.pronoun
    vocabulary = corpus.vocabulary()
    words, heads = tokenize(problem.text), [tokenize(name)[-1:] for name in problem.candidates]
    known = set(vocabulary)
    if not known.issuperset(words) or not all(head and head[0] in known for head in heads):
        return None
    if len(words) > model.positions.num_embeddings:
        return None
    logits = model(encode(words, vocabulary)[None])[0]  # (n, vocabulary)
    at = len(tokenize(problem.text[:start]))
    first, second = (logits[at, vocabulary.index(head[0])].item() for head in heads)
    return first, second
