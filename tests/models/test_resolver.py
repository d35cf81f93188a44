"""The resolver's recipe: it learns, it repeats, and the chapter's model resolves the notes."""

import pytest
import torch

from companion.corpora import winograd
from companion.models.resolver import bar, encode, evaluate, resolve, train

TINY = {"d_model": 16, "n_heads": 2, "d_ff": 16, "dropout": 0.1, "sentences": 200}
NOTES = [note for twins in winograd.NOTES for note in twins]


@pytest.fixture(scope="module")
def chapter_model():
    return train()[0]


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.words[note.cue])
def test_the_chapters_model_resolves_the_notes(chapter_model, note):
    told = resolve(chapter_model, note.sentence)
    assert told.choice == note.answer
    assert told.pronoun == note.pronoun
    assert told.probabilities[note.answer] > 0.8
    assert evaluate(chapter_model, [note]).right > 0.8


def test_the_chapters_model_resolves_what_it_never_saw(chapter_model):
    told = evaluate(chapter_model, winograd.held_out(150, seed=1))
    assert told.accuracy >= 0.95
    assert told.right > 0.8
    assert told.wrong < 0.2


def test_other_words_look_at_themselves(chapter_model):
    note = NOTES[0]
    weights = resolve(chapter_model, note.sentence).trace.layers[-1].weights.mean(dim=0)
    own = [weights[i, i] for i, word in enumerate(note.words) if word not in {"it", "the"}]
    assert sum(own) / len(own) > 0.5


def test_a_short_training_lowers_the_loss():
    steps = []
    model, losses = train(
        steps=60, learning_rate=1e-2, **TINY, on_step=lambda *step: steps.append(step)
    )
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    assert steps == list(enumerate(losses, start=1))
    assert not model.training


def test_a_seed_says_it_all():
    one, again, other = (train(steps=5, seed=seed, **TINY) for seed in (3, 3, 4))
    assert one[1] == again[1] != other[1]
    torch.testing.assert_close(one[0].state_dict(), again[0].state_dict(), rtol=0, atol=0)


def test_what_is_global_is_left_as_found():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(steps=2, **TINY)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_sizes_reach_the_model():
    model, _ = train(steps=1, **TINY, n_layers=3, word_values=False)
    assert len(model.looks) == 3
    assert not model.word_values


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"batch": -1}, {"sentences": 0}, {"learning_rate": 0}]
)
def test_numbers_that_do_not_do(wrong):
    (name, given), *_ = wrong.items()
    with pytest.raises(ValueError, match=f"{name} is {given}: it must be above 0"):
        train(**TINY | wrong)


def test_unknown_words_are_named_with_words_like_them():
    with pytest.raises(ValueError, match=r"'stret' is not in the vocabulary: try street"):
        encode(["the", "stret"], winograd.vocabulary())
    with pytest.raises(ValueError, match=r"'xylophone' is not in the vocabulary: try one of"):
        encode(["xylophone"], winograd.vocabulary())


def test_encode_numbers_words():
    vocabulary = winograd.vocabulary()
    words = ["the", "animal"]
    assert [vocabulary[i] for i in encode(words, vocabulary)] == words


def test_capitals_and_punctuation_do_not_matter():
    model, _ = train(steps=1, **TINY)
    plain = resolve(model, "the animal didn't cross the street because it was too tired")
    typed = resolve(model, "The animal didn’t cross the street because it was too tired.")
    assert typed.words == plain.words
    assert typed.probabilities == plain.probabilities
    assert list(plain.probabilities) == ["animal", "street"]
    assert plain.choice == max(plain.probabilities, key=plain.probabilities.get)


@pytest.mark.parametrize("sentence", ["the animal stopped the street", "it was too wide", ""])
def test_a_sentence_must_have_a_pronoun_and_two_nouns(sentence):
    model, _ = train(steps=1, **TINY)
    with pytest.raises(ValueError, match="must have one it or they, and two of: activists"):
        resolve(model, sentence)


def test_evaluate_needs_sentences():
    model, _ = train(steps=1, **TINY)
    with pytest.raises(ValueError, match="schemas is 0"):
        evaluate(model, [])


def test_the_bar_fills_on_one_line(capsys):
    draw = bar(2)
    draw(1, 0.5)
    draw(2, 0.25)
    shown = capsys.readouterr().err
    assert shown.count("\r") == 2
    assert shown.endswith(f"[{'#' * 30}] 2/2  loss 0.250\n")
