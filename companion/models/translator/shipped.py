"""The translator that the book ships, trained on captions of pictures."""

from collections.abc import Sequence
from pathlib import Path

import torch

from companion.corpora import captions, parallel
from companion.encoder_decoder import EncoderDecoder
from companion.models import registry
from companion.models.graph import Graph
from companion.models.progress import OnStep
from companion.models.translator import recipe
from companion.models.translator.ask import WIDTH, translate
from companion.models.translator.graph import reader
from companion.models.translator.pieces import FILE as TOKENIZER
from companion.models.translator.pieces import SIZE, encode

__all__ = ["CARD", "STEPS", "STORED", "SUMMARY", "TOKENIZER", "build", "encode", "evaluate"]
__all__ += ["graph", "train"]

SUMMARY = "a caption in German, please: a Transformer that reads English"
STEPS = 4600
STORED = torch.float16  # half the download; what is measured is what is stored
DROPOUT = 0.3
CARD = {
    "data": "Multi30k (Elliott et al. 2016), 29,000 English captions of pictures with their German "
    "translations, as they are written: nothing lower-cased, nothing cut into words beforehand",
    "licence": "data: for non-commercial research and education; weights: the same",
    "recipe": "companion/models/translator/recipe.py, train() with "
    f"{STEPS} steps of about 3000 target tokens, learning rate .003, dropout {DROPOUT}; tokens by "
    "pieces.learn() from the training captions of both languages; weights rounded to 16 bits",
    "tolerance": "BLEU 1 (a processor that adds in another order trains another model)",
    "limits": "Captions of photographs: people, animals, streets, sports, in the present tense. Of "
    "other texts it makes captions. It was shown one translation of each caption, with the German of "
    "its translators, slips included",
}


def build() -> EncoderDecoder:
    """Return the network before training."""
    return EncoderDecoder(SIZE, dropout=DROPOUT)


def train(data: Path | None, seed: int, on_step: OnStep | None) -> EncoderDecoder:
    """Train on the captions `train.en` and `train.de` in a folder; its `val`, if it has one, is only measured.

    Raises:
        ValueError: If data is missing, or no folder that has them.
    """
    if data is None:
        raise ValueError(
            "--data: the translator learns from Multi30k; give the folder that has its `train.en` "
            "and `train.de`"
        )
    pairs = _numbered(parallel.read_split(data, "train"))
    held_out = _numbered(parallel.read_split(data, "val")) if "val" in parallel.splits(data) else []
    model = recipe.train(
        pairs,
        SIZE,
        seed,
        steps=STEPS,
        learning_rate=3e-3,
        dropout=DROPOUT,
        on_step=on_step,
        held_out=held_out,
    )
    return model.to(STORED).float()


def _numbered(pairs: parallel.Translations) -> list[recipe.Pair]:
    return [tuple([*encode(text)[0], recipe.END] for text in pair) for pair in pairs]


def evaluate(model: EncoderDecoder, data: Path | None) -> list[registry.Metric]:
    """Score translations with sacrebleu: of our own few captions, or of what a folder holds.

    Args:
        model: the network.
        data: a folder with raw text, a sentence a line, such as `val.en` and `val.de`, gzipped or
            not. Each such pair is scored but `train`.

    Raises:
        ValueError: If the folder has no pair, or a file is malformed, with the number of the line.
    """
    if data is None:
        return _scores(model, "our captions", captions.CAPTIONS)
    splits = [split for split in parallel.splits(data) if split != "train"]
    if not splits:
        raise ValueError(f"--data: {data} has no two files such as val.en and val.de")
    return [
        metric
        for split in splits
        for metric in _scores(model, split, parallel.read_split(data, split))
    ]


def graph(model: EncoderDecoder) -> Graph:
    """Return what runs in the reader's browser."""
    return reader(model)


def _scores(
    model: EncoderDecoder, name: str, pairs: Sequence[tuple[str, str]]
) -> list[registry.Metric]:
    # Only who evaluates needs it.
    from sacrebleu.metrics import BLEU  # noqa: PLC0415

    sources, references = zip(*pairs, strict=True)
    found = []
    for width in (1, WIDTH):
        told = [best[0].text for best in translate(model.eval(), sources, width=width)]
        bleu = BLEU()
        score = bleu.corpus_score(told, [references]).score
        how = "greedy" if width == 1 else f"beam of {width}"
        label = f"{name}, {how}, BLEU {bleu.get_signature()}"
        found.append(registry.Metric(label, score, len(pairs)))
    return found
