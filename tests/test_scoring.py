"""The choices of language models, each beside a slow computation, and what is said of them."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from companion.corpora import wsc
from companion.scoring import METHODS, score

OURS = wsc.collection()
TIRED, WIDE = OURS[:2]
CAUSAL_METHODS = ("substitution-full", "substitution-partial")
LONG = wsc.Problem(
    "The animal didn't cross the street, " * 3 + "because it was too tired.",
    (116, 118),
    ("The animal", "the street"),
    0,
)


def pieces():
    """Words of the collection, some of them cut in two, as BERT's tokenizer would."""
    plain = pre_tokenizers.BertPreTokenizer()
    words = {w for p in OURS for w, _ in plain.pre_tokenize_str(p.text.lower())}
    cut = [part for w in sorted(words) for part in ([w] if len(w) < 5 else [w[:3], "##" + w[3:]])]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(cut)]
    tokenizer = Tokenizer(
        models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]")  # noqa: S106
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = plain
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    return wrapped(tokenizer, **special)


def bytes_(**special):
    """Byte pairs learned from the collection, with the space before a word, as GPT-2 has them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(
        [problem.text for problem in OURS],
        trainers.BpeTrainer(
            vocab_size=700,
            show_progress=False,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return wrapped(tokenizer, **special)


def wrapped(tokenizer, **special):
    named = {f"{name}_token": text for name, text in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


PIECES, BYTES, BARE = pieces(), bytes_(bos="<|endoftext|>"), bytes_()


def bert(kind=BertForMaskedLM, attention="eager", **options):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=16,
        max_position_embeddings=128,
        initializer_range=0.7,
        attn_implementation=attention,
        **options,
    )
    return kind(config).eval()


def gpt2(**options):
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(BYTES),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=128,
        initializer_range=0.7,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
        **options,
    )
    return GPT2LMHeadModel(config).eval()


BERT, GPT2 = bert(), gpt2()
KINDS = {"bert": (BERT, PIECES), "gpt2": (GPT2, BYTES), "gpt2, no opening token": (GPT2, BARE)}


def ask(kind, problem, method):
    model, tokenizer = KINDS[kind]
    return score(model, tokenizer, problem.text, problem.pronoun, problem.spans, method=method)


# The slow computations: one token at a time, nothing shared with what they test.


def count(tokenizer, text):
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


def probability(model, ids, place, token):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits
    return math.log(logits[0, place].softmax(-1)[token].item())


def slow_causal(tokenizer, before, name, after, *, partial):
    ids = tokenizer(before + name + after)["input_ids"]
    first = count(tokenizer, before + name) if partial else 0
    total = 0.0
    for place in range(first, len(ids)):
        given_ids = ([0] if tokenizer is BYTES else []) + ids[:place]
        if given_ids:
            total += probability(GPT2, given_ids, -1, ids[place])
    return total


def slow_masked(before, name, after, *, partial):
    ids = PIECES(before + name + after)["input_ids"]
    first = count(PIECES, before + name) if partial else 0
    total = 0.0
    for place in range(1 + first, len(ids) - 1):
        hidden = [*ids[:place], PIECES.mask_token_id, *ids[place + 1 :]]
        total += probability(BERT, hidden, place, ids[place])
    return total


def slow_fill(before, name, after):
    parts = [PIECES(part, add_special_tokens=False)["input_ids"] for part in (before, name, after)]
    start = 1 + len(parts[0])
    ids = [2, *parts[0], *[PIECES.mask_token_id] * len(parts[1]), *parts[2], 3]
    each = [probability(BERT, ids, start + i, token) for i, token in enumerate(parts[1])]
    return sum(each) / len(each)


def slow_attention(problem):
    ids = PIECES(problem.text)["input_ids"]
    with torch.no_grad():
        layers = BERT(input_ids=torch.tensor([ids]), output_attentions=True).attentions
    places = [
        range(
            1 + count(PIECES, problem.text[:start]),
            1 + count(PIECES, problem.text[:start]) + count(PIECES, problem.text[start:stop]),
        )
        for start, stop in (problem.pronoun, *problem.spans)
    ]
    kept = [0.0, 0.0]
    for layer, head in itertools.product(range(3), range(4)):
        best = [
            max(
                layers[layer][0, head, row, column].item()
                for row, column in itertools.product(places[0], candidate)
            )
            for candidate in places[1:]
        ]
        winner = best.index(max(best))
        kept[winner] += best[winner]
    return kept[0] / sum(kept), kept[1] / sum(kept)


def parts_of(problem):
    start, stop = problem.pronoun
    names = [name.replace("The ", "the ") for name in problem.candidates]
    return [(problem.text[:start], name, problem.text[stop:]) for name in names]


# Problems without possessives or a pronoun that opens a sentence: those have tests of their own.
PLAIN = [
    problem
    for problem in OURS
    if problem.text[slice(*problem.pronoun)] in {"he", "she", "it", "they", "him", "her", "them"}
]
SOME = [*PLAIN[:4], *PLAIN[7::13]]


@pytest.mark.parametrize("problem", SOME, ids=lambda problem: problem.text)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", CAUSAL_METHODS)
def test_substitution(kind, problem, method):
    partial = method == "substitution-partial"
    if kind == "bert":
        slow = [slow_masked(*parts, partial=partial) for parts in parts_of(problem)]
    else:
        tokenizer = KINDS[kind][1]
        slow = [slow_causal(tokenizer, *parts, partial=partial) for parts in parts_of(problem)]
    assert ask(kind, problem, method) == pytest.approx(slow, abs=1e-3)


@pytest.mark.parametrize("problem", SOME, ids=lambda problem: problem.text)
def test_masks_in_the_place_of_the_pronoun(problem):
    slow = [slow_fill(*parts) for parts in parts_of(problem)]
    assert ask("bert", problem, "masked-lm") == pytest.approx(slow, abs=1e-4)


@pytest.mark.parametrize("problem", OURS[::9], ids=lambda problem: problem.text)
def test_the_maximum_attention_score(problem):
    scores = ask("bert", problem, "attention")
    assert scores == pytest.approx(slow_attention(problem), abs=1e-5)
    assert sum(scores) == pytest.approx(1)


def test_equal_attention_is_a_tie():
    model = bert()
    for layer in model.bert.encoder.layer:
        nn.init.zeros_(layer.attention.self.query.weight)
    tie = score(model, PIECES, TIRED.text, TIRED.pronoun, TIRED.spans, method="attention")
    assert tie == pytest.approx((0.5, 0.5), abs=1e-6)


def test_a_long_text_takes_two_batches():
    model, parts, batches = bert(), parts_of(LONG), []
    model.register_forward_pre_hook(
        lambda _, __, inputs: batches.append(len(inputs["input_ids"])), with_kwargs=True
    )
    where = LONG.pronoun, LONG.spans
    told = score(model, PIECES, LONG.text, *where, method="substitution-full")
    assert batches == [size for p in parts for size in (32, count(PIECES, "".join(p)) - 32)]
    assert told == pytest.approx([slow_masked(*each, partial=False) for each in parts], abs=1e-3)


@pytest.mark.parametrize("method", METHODS[1:])
def test_words_do_as_well_as_places(method):
    names = TIRED.candidates
    told = score(BERT, PIECES, TIRED.text, TIRED.pronoun, names, method=method)
    assert told == ask("bert", TIRED, method)


@pytest.mark.parametrize("method", CAUSAL_METHODS)
def test_nothing_after_the_candidate(method):
    problem = wsc.Problem("The dog ran, the cat saw it", (25, 27), ("The dog", "the cat"), 0)
    scores = ask("gpt2", problem, method)
    assert (scores == (0, 0)) == (method == "substitution-partial")


# A model that can be computed in the head: words are numbers, and each follows each.


class Reader:
    def __init__(self):
        self.numbers = {}
        self.read = []

    def __call__(self, text, *, return_offsets_mapping):
        assert return_offsets_mapping
        self.read.append(text)
        words, offsets, start = text.split(" "), [], 0
        for word in words:
            offsets.append((start, start + len(word)))
            start += len(word) + 1
        ids = [self.numbers.setdefault(word, len(self.numbers)) for word in words]
        return {"input_ids": ids, "offset_mapping": offsets}


class Bigrams(nn.Module):
    def __init__(self, causal):
        super().__init__()
        if causal is not None:
            self.causal = causal
        self.table = nn.Parameter(torch.arange(400.0).reshape(20, 20).sin())

    def forward(self, input_ids):
        return SimpleNamespace(logits=self.table[input_ids])


@pytest.mark.parametrize("method", CAUSAL_METHODS)
def test_a_model_of_ours(method):
    model, tokenizer = Bigrams(causal=True), Reader()
    told = score(model, tokenizer, "a b it c d", (4, 6), ["x", "y"], method=method)
    assert tokenizer.numbers == {"a": 0, "b": 1, "x": 2, "c": 3, "d": 4, "y": 5}
    table = model.table.detach().log_softmax(-1)
    for given_score, x in zip(told, (2, 5), strict=True):
        full = [table[0, 1], table[1, x], table[x, 3], table[3, 4]]
        expected = sum(full[2:] if method == "substitution-partial" else full)
        assert given_score == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "pronoun", "candidates", "read"),
    [
        ("a it c", "it", ("The dog", "An owl"), ["a the dog c", "a an owl c"]),
        ("a . It c", "It", ("the dog", "Ann"), ["a . The dog c", "a . Ann c"]),
        ("a his c", "his", ("The boy", "Lars"), ["a the boy's c", "a Lars's c"]),
        ("a their c", "their", ("The boys", "the men"), ["a the boys' c", "a the men's c"]),
        ("Its c", "Its", ("the dog", "Tom's"), ["The dog's c", "Tom's c"]),
        ("a her .", "her", ("Ann", "My aunt"), ["a Ann .", "a my aunt ."]),
        ("a it .", "it", ("Theory", "A. Smith"), ["a Theory .", "a A. Smith ."]),
    ],
)
def test_how_a_candidate_is_written(text, pronoun, candidates, read):
    tokenizer, start = Reader(), text.index(pronoun)
    span = start, start + len(pronoun)
    score(Bigrams(causal=True), tokenizer, text, span, candidates, method="substitution-full")
    assert tokenizer.read == read


def test_a_possessive_ending_is_no_part_of_what_follows():
    model, tokenizer, table = Bigrams(causal=True), Reader(), Bigrams(causal=True).table.detach()
    told = score(model, tokenizer, "a his c", (2, 5), ("x", "y"), method="substitution-partial")
    x, c = tokenizer.numbers["x's"], tokenizer.numbers["c"]
    assert told[0] == pytest.approx(table.log_softmax(-1)[x, c].item(), abs=1e-5)


# What a causal model can see.


def test_at_the_pronoun_a_causal_model_sees_no_difference_between_twins():
    rows = []
    for problem in (TIRED, WIDE):
        ids = BYTES(problem.text, return_tensors="pt")["input_ids"]
        at = count(BYTES, problem.text[: problem.pronoun[1]]) - 1
        assert BYTES.convert_ids_to_tokens(ids[0].tolist())[at] == "Ġit"
        with torch.no_grad():
            layers = GPT2(input_ids=ids, output_attentions=True).attentions
        rows.append(torch.stack(layers)[:, 0, :, at, : at + 1])  # (layers, heads, at + 1)
    assert count(BYTES, TIRED.text) == count(BYTES, WIDE.text)
    assert (rows[0] - rows[1]).abs().max() == 0
    assert rows[0].shape == (2, 2, at + 1)
    assert ask("bert", TIRED, "attention") != ask("bert", WIDE, "attention")


@pytest.mark.parametrize("method", ["attention", "masked-lm"])
@pytest.mark.parametrize(
    "model",
    [
        GPT2,
        gpt2(add_cross_attention=True),  # which is not causal, but the rest is
        bert(BertLMHeadModel, is_decoder=True),
        Bigrams(causal=True),
    ],
    ids=["gpt2", "gpt2 with cross-attention", "bert as a decoder", "ours"],
)
def test_what_a_causal_model_is_refused(model, method):
    why = {"attention": "cannot see the word that decides", "masked-lm": "has no mask"}[method]
    with pytest.raises(ValueError, match=f"method is '{method}' but model is causal: .*{why}"):
        score(model, PIECES, TIRED.text, TIRED.pronoun, TIRED.spans, method=method)


def test_a_model_that_does_not_say_its_kind():
    with pytest.raises(ValueError, match=r"does not say whether it is causal: set model\.causal"):
        score(
            Bigrams(causal=None), Reader(), "a it c", (2, 4), ["x", "y"], method="substitution-full"
        )


def test_a_plain_attribute_has_the_last_word():
    model = bert()
    model.causal = True
    with pytest.raises(ValueError, match="model is causal"):
        score(model, PIECES, TIRED.text, TIRED.pronoun, TIRED.spans, method="masked-lm")


# How it leaves a model, and what it refuses.


@pytest.mark.parametrize("method", METHODS)
def test_the_model_is_left_as_found(method):
    model = bert(hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5).train()
    model.bert.embeddings.eval()
    before = [module.training for module in model.modules()]
    told = score(model, PIECES, TIRED.text, TIRED.pronoun, TIRED.spans, method=method)
    assert told == ask("bert", TIRED, method)
    assert [module.training for module in model.modules()] == before
    assert all(parameter.grad is None for parameter in model.parameters())
    with pytest.raises(ValueError, match="tokens"):
        score(model, PIECES, TIRED.text * 20, TIRED.pronoun, TIRED.spans, method=method)
    assert [module.training for module in model.modules()] == before


def test_attention_must_be_kept():
    model = bert(attention="sdpa")
    with pytest.raises(ValueError, match="no attentions: load it with attn_implementation='eager'"):
        score(model, PIECES, TIRED.text, TIRED.pronoun, TIRED.spans, method="attention")


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_text_longer_than_the_model_takes(kind):
    long = wsc.Problem(TIRED.text * 20, TIRED.pronoun, TIRED.candidates, 0)
    with pytest.raises(ValueError, match=r"text has \d+ tokens: the model takes at most 128"):
        ask(kind, long, "substitution-full")


def test_a_tokenizer_may_take_less_than_the_model():
    tokenizer = pieces()
    tokenizer.model_max_length = 10
    with pytest.raises(ValueError, match="the model takes at most 10"):
        score(BERT, tokenizer, TIRED.text, TIRED.pronoun, TIRED.spans, method="attention")


@pytest.mark.parametrize("method", ["substitution-full", "masked-lm"])
def test_a_masked_model_needs_a_mask(method):
    with pytest.raises(ValueError, match="tokenizer has no mask_token_id"):
        score(BERT, BARE, TIRED.text, TIRED.pronoun, TIRED.spans, method=method)


def test_a_candidate_without_a_token():
    with pytest.raises(ValueError, match="no token for the characters 0 to 1"):
        score(BERT, PIECES, "\u200b it", (2, 4), [(0, 1), (0, 1)], method="attention")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "mas"}, "method is 'mas': it must be one of attention, substitution-full"),
        ({"pronoun": (3, 3)}, r"pronoun is \(3, 3\): it must be a place"),
        ({"pronoun": (3, 99)}, r"pronoun is \(3, 99\)"),
        ({"pronoun": "it"}, "pronoun is 'it'"),
        ({"pronoun": (0.5, 2)}, r"pronoun is \(0.5, 2\)"),
        ({"candidates": [(0, 3)]}, r"candidates is \[\(0, 3\)\]: it must be two"),
        ({"candidates": "xy"}, "candidates is 'xy': it must be two"),
        ({"candidates": [(0, 3), None]}, r"candidates has None: .* in text, or words"),
        ({"candidates": ["x", " "]}, "candidates has ' '"),
        ({"candidates": [(0, 3), (7, 9)]}, r"candidates has \(7, 9\), which overlaps pronoun"),
        (
            {"candidates": ["Ann", "Bea"], "method": "attention"},
            r"candidates has 'Ann': with method 'attention' each must be .*, stop\) in text$",
        ),
    ],
)
def test_arguments_that_do_not_do(wrong, message):
    given_arguments = {"pronoun": (8, 10), "candidates": [(0, 3), (4, 7)], "method": METHODS[1]}
    with pytest.raises(ValueError, match=message):
        score(BERT, PIECES, "Ann Bea it", **given_arguments | wrong)
