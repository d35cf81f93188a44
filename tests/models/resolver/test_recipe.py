"""The resolver's recipe: it learns, it repeats, and the chapter's model resolves the notes."""

import pytest
import torch

from companion.corpora import winograd
from companion.models.resolver import STEPS, WIDE, evaluate, recipe, resolve, train

TINY = {"d_model": 16, "n_heads": 2, "d_ff": 16, "dropout": 0.1, "sentences": 200, "batch": 16}
NOTES = [note for twins in winograd.NOTES for note in twins]
VOCABULARY = winograd.vocabulary()


def losses_of(model, seed=0):
    """The losses on sentences of another seed, each without its random numbers."""
    drawn = recipe.examples(500, seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        naming = recipe.naming_loss(model, drawn, 400)
        return naming.item(), recipe.masked_loss(model, drawn, 400).item()


# The chapter's model.


@pytest.fixture(scope="module")
def chapter_model():
    return train(**WIDE)[0]


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


def test_the_chapters_model_has_the_papers_width(chapter_model):
    attention = chapter_model.looks[-1].attention
    assert (attention.d_model, attention.n_heads) == (512, 8)
    assert not chapter_model.residual


# Training.


def test_a_short_training_lowers_both_losses():
    small = {"d_model": 32, "n_heads": 4, "d_ff": 32, "sentences": 500, "batch": 32}
    steps = []
    model, losses = train(
        **small,
        steps=100,
        warm_up=10,
        learning_rate=1e-2,
        on_step=lambda *step: steps.append(step),
    )
    first, _ = train(**small, steps=1, learning_rate=1e-9)
    for before, after in zip(losses_of(first), losses_of(model), strict=True):
        assert after < 0.7 * before
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    assert steps == list(enumerate(losses, start=1))
    assert len(losses) == 100
    assert not model.training


def test_a_seed_says_it_all():
    one, again, other = (train(steps=5, seed=seed, **TINY) for seed in (3, 3, 4))
    assert one[1] == again[1] != other[1]
    torch.testing.assert_close(one[0].state_dict(), again[0].state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("seed", [-1, 2**64 - 1])
def test_any_seed_of_torch_will_do(seed):
    assert len(train(steps=1, seed=seed, **TINY)[1]) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_global_is_left_as_found(fails):
    def stop(*_):
        if fails:
            raise KeyboardInterrupt

    found = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        state = torch.get_rng_state()
        if fails:
            with pytest.raises(KeyboardInterrupt):
                train(steps=2, on_step=stop, **TINY)
        else:
            train(steps=2, on_step=stop, **TINY)
        assert torch.equal(state, torch.get_rng_state())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(found)


def test_what_was_drawn_before_changes_nothing():
    losses = train(steps=2, **TINY)[1]
    torch.rand(3)
    assert train(steps=2, **TINY)[1] == losses


def test_sizes_reach_the_model():
    model, _ = train(steps=1, **TINY, n_layers=3, word_values=False, residual=False, causal=True)
    assert len(model.looks) == 3
    assert model.words.weight.shape == (len(VOCABULARY), 16)
    assert (model.word_values, model.residual, model.causal) == (False, False, True)


def test_the_masked_words_weigh_what_they_are_told_to():
    one, half, none = (train(steps=1, masked=m, **TINY)[1][0] for m in (1, 0.5, 0))
    assert one - half == pytest.approx(half - none, rel=1e-4)
    assert half > none


@pytest.mark.parametrize("few", [{"batch": 2}, {"batch": 3}, {"sentences": 1}, {"warm_up": 1}])
def test_the_least_that_will_do(few):
    _, losses = train(steps=2, **TINY | few)
    assert all(0 < loss < 100 for loss in losses)


@pytest.mark.parametrize("name", ["steps", "sentences", "learning_rate", "warm_up"])
@pytest.mark.parametrize("given", [0, -1])
def test_numbers_that_do_not_do(name, given):
    with pytest.raises(ValueError, match=f"{name} is {given}: it must be above 0"):
        train(**TINY | {name: given})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"batch": 1}, "batch is 1 .*: batch must be at least 2"),
        ({"masked": -0.1}, "masked -0.1: .* masked at least 0"),
        ({"seed": 2**64}, f"seed is {2**64}: it must be from"),
        ({"n_heads": 3}, "d_model is 16 and n_heads is 3"),
        ({"n_layers": 0}, "n_layers is 0: it must be at least 1"),
    ],
)
def test_other_numbers_that_do_not_do(wrong, message):
    with pytest.raises(ValueError, match=message):
        train(**{"steps": 1} | TINY | wrong)


def test_a_size_that_there_is_not():
    with pytest.raises(TypeError, match="d_modle"):
        train(**TINY, d_modle=3)


def test_the_steps_unless_told():
    assert recipe.train.__kwdefaults__["steps"] == STEPS


# What is trained on.


def test_examples_are_what_they_say():
    drawn, schemas = recipe.examples(40, 5), winograd.generate(40, 5)
    assert len(drawn.facts) == 10
    assert drawn.facts.shape[1] == drawn.named.shape[1] == drawn.tokens.shape[1] + 1
    rows = zip(schemas, drawn.tokens, drawn.pronoun, drawn.names, drawn.named, strict=True)
    for schema, tokens, pronoun, names, named in rows:
        words = [VOCABULARY[i] for i in tokens if i]
        assert tuple(words) == schema.words
        assert pronoun.item() == schema.pronoun
        words[schema.pronoun] = schema.answer
        assert [VOCABULARY[i] for i in names if i] == words
        assert tuple(VOCABULARY[i] for i in named if i) == schema.named
    told = [tuple(VOCABULARY[i] for i in fact if i) for fact in drawn.facts]
    assert told == winograd.facts(10, 5)


class Recorder(torch.nn.Module):
    """Keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, tokens, at):
        self.asked.append((tokens, at))
        return torch.zeros(*at.shape, len(VOCABULARY))


def test_one_word_of_each_sentence_is_masked_mostly_where_the_antecedent_is_named_again():
    model, drawn = Recorder(), recipe.examples(300, 0)
    before = drawn.named.clone()
    torch.manual_seed(0)
    recipe.masked_loss(model, drawn, 1000)
    ((tokens, at),) = model.asked
    mask = VOCABULARY.index(winograd.MASK)
    assert torch.equal((tokens == mask).sum(dim=1), torch.ones(1000, dtype=torch.long))
    assert (tokens.gather(1, at) == mask).all()
    assert torch.equal(drawn.named, before)
    lengths = (tokens != 0).sum(dim=1)
    is_fact = lengths <= 5
    assert is_fact.sum() == 200
    # Where the antecedent is named again there stand "because the <mask>" before the cue.
    because, the = (VOCABULARY.index(word) for word in ("because", "the"))
    sentences, places = tokens[~is_fact], at[~is_fact]
    places = places.clamp(min=2)  # the first two words are none of these
    again = (sentences.gather(1, places - 1) == the) & (sentences.gather(1, places - 2) == because)
    assert 0.65 < again.float().mean() < 0.85


def test_the_pronoun_and_one_other_word_are_named():
    model, drawn = Recorder(), recipe.examples(300, 0)
    torch.manual_seed(0)
    recipe.naming_loss(model, drawn, 400)
    ((tokens, at),) = model.asked
    pronouns = [VOCABULARY.index(word) for word in sorted(winograd.PRONOUNS)]
    assert at.shape == (400, 2)
    assert torch.isin(tokens.gather(1, at[:, :1]), torch.tensor(pronouns)).all()
    assert tokens.gather(1, at).all()
    assert len(at[:, 1].unique()) > 5


# Measuring.


def test_evaluate_is_the_same_one_sentence_at_a_time():
    model, _ = train(steps=5, **TINY)
    schemas = winograd.held_out(20, 0)
    together = evaluate(model, schemas)
    each = [evaluate(model, [schema]) for schema in schemas]
    for name, value in vars(together).items():
        assert value == pytest.approx(sum(vars(one)[name] for one in each) / 20, abs=1e-5)
    for schema, one in zip(schemas, each, strict=True):
        told = resolve(model, schema.sentence)
        assert one.accuracy == (told.choice == schema.answer)
        looks = told.trace.layers[-1].weights[:, schema.pronoun].mean(dim=0)
        assert one.right == pytest.approx(looks[schema.antecedent].item(), abs=1e-5)
        assert one.wrong == pytest.approx(looks[schema.distractor].item(), abs=1e-5)


def test_evaluate_needs_sentences():
    model, _ = train(steps=1, **TINY)
    with pytest.raises(ValueError, match="schemas is 0"):
        evaluate(model, [])
