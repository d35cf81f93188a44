"""The resolver that the book ships: its card is true, and it does what the chapters say of it."""

import pytest
import torch

from companion.corpora import winograd, wsc
from companion.models import card, load
from companion.models.resolver import encode, resolve, shipped

NOTES = [note for twins in winograd.NOTES for note in twins]
VOCABULARY = winograd.vocabulary()
MODEL = load("resolver")
WORD, CAUSAL = MODEL.variants["word"], MODEL.variants["causal"]


def row(schema):
    return encode(schema.words, VOCABULARY)[None]


# The card.


@pytest.fixture(scope="module")
def figures():
    return {metric.name: metric for metric in shipped.evaluate(MODEL, None)}


def test_the_card_says_what_is_measured(figures):
    told = card("resolver")["figures"]
    assert [figure["name"] for figure in told] == list(figures)
    for figure in told:
        measured = figures[figure["name"]]
        counted = figure["name"].endswith((" accuracy", " masked"))
        tolerance = 2 / figure["items"] if counted else 1e-3  # two sentences
        assert measured.items == figure["items"]
        assert measured.figure == pytest.approx(figure["figure"], abs=tolerance + 1e-6), figure


def test_the_word_variant_resolves_what_training_never_showed(figures):
    assert figures["word composition accuracy"].figure == 1
    assert figures["word frames accuracy"].figure >= 0.98
    assert figures["word composition right"].figure >= 0.97
    assert figures["word composition wrong"].figure <= 0.02


def test_a_model_that_does_not_see_the_cue_can_only_guess(figures):
    for split in ("frames", "facts"):
        assert figures[f"causal {split} accuracy"].figure == pytest.approx(0.5, abs=0.1)


# The networks.


def test_the_variants_differ_in_one_thing_each():
    assert list(MODEL.variants) == list(shipped.VARIANTS)
    plain = {"word_values": True, "residual": True, "causal": False}
    for name, options in shipped.VARIANTS.items():
        network = MODEL.variants[name]
        assert {option: getattr(network, option) for option in plain} == plain | options
        assert len(options) == (name != "word")


def test_all_networks_are_asked_side_by_side():
    tokens = torch.cat([row(note) for note in NOTES[:2]])
    with torch.no_grad():
        logits, weights = MODEL(tokens)
        for i, network in enumerate(MODEL.variants.values()):
            expected = network.logits_and_weights(tokens)
            torch.testing.assert_close((logits[i], weights[i]), expected, rtol=0, atol=0)
    n = tokens.shape[1]
    assert logits.shape == (len(MODEL.variants), 2, n, len(VOCABULARY))
    assert weights.shape == (len(MODEL.variants), 2, 2, 4, n, n)


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.words[note.cue])
def test_the_notes_twins_flip(note):
    told = resolve(WORD, note.sentence)
    assert told.choice == note.answer
    assert told.probabilities[note.answer] > 0.8
    looks = told.trace.layers[-1].weights[:, note.pronoun].mean(dim=0)
    assert looks.argmax() == note.antecedent


@pytest.mark.parametrize("twins", winograd.NOTES, ids=lambda twins: twins[0].answer)
def test_the_causal_network_cannot_tell_twins_apart_before_the_cue(twins):
    one, other = twins
    before = slice(one.cue)
    with torch.no_grad():
        (logits, weights), (others, moved) = (
            CAUSAL.logits_and_weights(row(note)) for note in twins
        )
        (_, seeing), (_, turned) = (WORD.logits_and_weights(row(note)) for note in twins)
    assert one.pronoun < one.cue == other.cue
    assert torch.equal(logits[:, before], others[:, before])
    assert torch.equal(weights[..., before, :], moved[..., before, :])
    assert not torch.equal(weights[..., one.cue, :], moved[..., one.cue, :])
    assert not torch.allclose(seeing[..., one.pronoun, :], turned[..., one.pronoun, :])
    names = [resolve(CAUSAL, note.sentence).probabilities for note in twins]
    assert names[0] == names[1]


# On a collection of schemas.


def problem(text, *candidates):
    at = text.index(" it ") + 1
    return wsc.Problem(text, (at, at + 2), candidates or ("The animal", "the street"), 0)


TIRED = "The animal didn't cross the street because it was too tired."


@pytest.mark.parametrize("correct", [0, 1])
def test_candidates_are_scored_at_the_pronoun(correct):
    note = NOTES[correct]
    words = TIRED.replace("tired", note.words[note.cue])
    told = shipped.choose(WORD, problem(words))
    assert (told[1] > told[0]) == bool(correct)
    with torch.no_grad():
        logits = WORD(row(note))[0, note.pronoun]
    names = [logits[VOCABULARY.index(name)].item() for name in ("animal", "street")]
    assert told == pytest.approx(names, abs=1e-5)
    assert shipped.choose(WORD, problem(words, "street", "an animal"))[::-1] == told


@pytest.mark.parametrize(
    "unknown",
    [
        problem("The xylophone didn't cross the street because it was too tired."),
        problem(TIRED, "The animal", "the xylophone"),
        problem(TIRED, "The animal", "..."),
        problem(TIRED.removesuffix("tired.") + "too " * 25 + "tired."),
    ],
    ids=["a word", "a candidate", "no candidate", "too long"],
)
def test_what_it_cannot_read_it_does_not_answer(unknown):
    assert shipped.choose(WORD, unknown) is None


def test_it_learns_from_its_own_generator():
    with pytest.raises(ValueError, match="--data: the resolver learns from its own generator"):
        shipped.train("data.xml", 0, None)
