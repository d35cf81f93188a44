"""What a resolver is asked, and what is made in advance for the widget."""

import json

import numpy as np
import pytest
import torch

from companion.corpora import winograd
from companion.models import load
from companion.models.resolver import encode, prepare, resolve
from companion.models.resolver.prepare import scores_of
from companion.models.resolver.scorable import WordTokenizer, scorable
from companion.models.resolver.words import tokenize
from companion.scoring import METHODS, score

TWINS = [tuple(note.sentence for note in twins) for twins in winograd.NOTES]
SENTENCES = [sentence for twins in TWINS for sentence in twins]
TIRED, WIDE = TWINS[0]
VOCABULARY = winograd.vocabulary()
MODEL = load("resolver")
WORD, CAUSAL = MODEL.variants["word"], MODEL.variants["causal"]


# Asking.


def test_a_resolution_is_what_the_model_computes():
    told = resolve(WORD, TIRED)
    tokens = encode(told.words, VOCABULARY)
    with torch.no_grad():
        share = WORD(tokens[None])[0, told.pronoun].softmax(dim=-1)
    assert told.words[told.pronoun] == "it"
    assert list(told.probabilities) == ["animal", "street"]
    for noun, given in told.probabilities.items():
        assert given == pytest.approx(share[VOCABULARY.index(noun)].item(), abs=1e-6)
    assert told.choice == max(told.probabilities, key=told.probabilities.get)
    assert told.trace.logits.shape == (len(told.words), len(VOCABULARY))


def test_capitals_and_punctuation_do_not_matter():
    plain, typed = (
        resolve(WORD, TIRED),
        resolve(WORD, "“" + TIRED.capitalize().replace("'", "’") + "!”"),
    )
    assert typed.words == plain.words
    assert typed.probabilities == plain.probabilities


@pytest.mark.parametrize(
    "sentence",
    [
        "the animal stopped the street",
        "it was too wide",
        "",
        "the dog avoided it because it was wide",
        "the dog avoided the dog because it was wide",
    ],
)
def test_a_sentence_must_have_a_pronoun_and_two_nouns(sentence):
    with pytest.raises(ValueError, match="must have one it or they, and two of: activists"):
        resolve(WORD, sentence)


def test_a_sentence_must_be_of_known_words():
    with pytest.raises(ValueError, match="word 'stret' is not in the vocabulary: try street"):
        resolve(WORD, TIRED.replace("street", "stret"))


def test_a_sentence_must_not_be_too_long():
    with pytest.raises(ValueError, match="tokens has 36 words: it must have at most 32"):
        resolve(WORD, TIRED + " too" * 25)


# In the clothes of transformers.


@pytest.mark.parametrize("text", [*SENTENCES, "“The animal” — it!"])
def test_the_tokenizer_says_where_its_words_are(text):
    encoded = WordTokenizer()(text, return_offsets_mapping=True)
    words = [VOCABULARY[i] for i in encoded["input_ids"]]
    assert tuple(words) == tokenize(text)
    assert [text[slice(*span)].lower() for span in encoded["offset_mapping"]] == words
    assert WordTokenizer()(text) == {"input_ids": encoded["input_ids"]}
    assert VOCABULARY[WordTokenizer().mask_token_id] == "<mask>"


def test_a_scorable_model_gives_logits_and_attentions():
    model, _ = scorable(WORD)
    tokens = torch.stack([encode(tokenize(sentence), VOCABULARY) for sentence in TWINS[0]])
    with torch.no_grad():
        logits, weights = WORD.logits_and_weights(tokens)
        told = model(input_ids=tokens, output_attentions=True)
    assert torch.equal(told.logits, logits)
    assert torch.equal(torch.stack(told.attentions, dim=1), weights)
    assert not model(input_ids=tokens).attentions


def test_a_text_that_is_too_long_is_named():
    model, tokenizer = scorable(WORD)
    text = TIRED + " too" * 25
    at = text.index("it ")
    with pytest.raises(ValueError, match="text has 36 words: it must have at most 32"):
        score(model, tokenizer, text, (at, at + 2), [(4, 10), (28, 34)], method="attention")


@pytest.mark.parametrize("method", ["attention", "masked-lm"])
def test_a_causal_resolver_is_known_as_one(method):
    model, tokenizer = scorable(CAUSAL)
    at = TIRED.index("it ")
    with pytest.raises(ValueError, match="model is causal"):
        score(model, tokenizer, TIRED, (at, at + 2), [(4, 10), (28, 34)], method=method)


# In advance.


@pytest.fixture(scope="module")
def prepared():
    return prepare(MODEL, TWINS)


def test_what_is_prepared(prepared):
    assert prepared["vocabulary"] == VOCABULARY
    assert prepared["nouns"] == sorted(winograd.nouns())
    assert prepared["pronouns"] == ["it", "they"]
    assert prepared["variants"] == list(MODEL.variants)
    assert prepared["longest"] == 32
    labels = [pair["label"] for pair in prepared["pairs"]]
    assert labels == ["animal or street?", "councilmen or demonstrators?"]
    twins = [twin for pair in prepared["pairs"] for twin in pair["twins"]]
    for twin, note in zip(twins, (n for pair in winograd.NOTES for n in pair), strict=True):
        assert tuple(twin["words"]) == note.words
        assert twin["pronoun"] == note.pronoun
        assert twin["candidates"] == sorted([note.antecedent, note.distractor])
        assert set(twin["scores"]) == {"naming", *METHODS}
    json.dumps({key: value for key, value in prepared.items() if key != "weights"}, allow_nan=False)


def test_weights_are_those_of_each_network(prepared):
    weights = prepared["weights"]
    longest = max(len(sentence.split()) for sentence in SENTENCES)
    assert weights.shape == (4, len(MODEL.variants), 2, 4, longest, longest)
    assert weights.dtype == np.float32
    for number, sentence in enumerate(SENTENCES):
        tokens = encode(tokenize(sentence), VOCABULARY)[None]
        n = tokens.shape[1]
        with torch.no_grad():
            expected = MODEL(tokens)[1][:, 0].numpy()
        np.testing.assert_allclose(weights[number, ..., :n, :n], expected, atol=1e-6)
        assert not weights[number, ..., n:, :].any()
        assert not weights[number, ..., n:].any()


def test_scores_are_those_of_each_network(prepared):
    for number, sentence in enumerate(SENTENCES):
        scores = prepared["pairs"][number // 2]["twins"][number % 2]["scores"]
        for given in scores.values():
            assert len(given) == len(MODEL.variants)
        for i, network in enumerate(MODEL.variants.values()):
            odds = list(resolve(network, sentence).probabilities.values())
            assert np.exp(scores["naming"][i]) == pytest.approx(odds, rel=1e-4)
            for method in METHODS:
                assert scores[method][i] == scores_of(network, sentence, method)
                refused = network.causal and method in {"attention", "masked-lm"}
                assert (scores[method][i] is None) == refused


@pytest.mark.parametrize("twins", winograd.NOTES, ids=lambda twins: twins[0].answer)
def test_a_masked_noun_is_scored_with_the_before_it(twins):
    for note in twins:
        at = note.pronoun
        words = (*note.words[:at], "<mask>", "<mask>", *note.words[at + 1 :])
        with torch.no_grad():
            both = WORD(encode(words, VOCABULARY)[None])[0].log_softmax(dim=-1)
        told = scores_of(WORD, note.sentence, "masked-lm")
        first, second = sorted([note.antecedent, note.distractor])
        nouns = [VOCABULARY.index(note.words[place]) for place in (first, second)]
        the = both[at, VOCABULARY.index("the")].item()
        expected = [(the + both[at + 1, noun].item()) / 2 for noun in nouns]
        assert told == pytest.approx(expected, abs=1e-4)


def test_sentences_of_other_lengths_stand_beside_each_other():
    longer = TIRED.replace("the animal", "the dog").replace("street", "swamp")
    short = "the dog avoided the road because it was too wide"
    told = prepare(MODEL, [(longer, longer.replace("tired", "deep")), (short, short)])
    assert told["weights"].shape[-1] == len(longer.split())
    assert not told["weights"][2:, ..., len(short.split()) :].any()


@pytest.mark.parametrize(
    ("twins", "message"),
    [
        ([], "twins is empty: there must be at least one pair"),
        ([(TIRED, "the animal stopped")], "must have one it or they"),
        ([(TIRED, TIRED.replace("street", "stret"))], "word 'stret' is not in the vocabulary"),
        (
            [(TIRED, "the dog stopped the cat at the road because it was wide")],
            "must have two nouns, not 3",
        ),
    ],
)
def test_twins_that_do_not_do(twins, message):
    with pytest.raises(ValueError, match=message):
        prepare(MODEL, twins)
