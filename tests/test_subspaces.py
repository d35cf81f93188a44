"""The thought experiment: questions that are what they say, heads that read only what they may."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import subspaces
from companion.subspaces import D_MODEL, N_HEADS, SCHEMES, SIZE, Reader, accuracy, draw, shares


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def closest(vectors, codes):
    """For each vector, the code with the largest dot product."""
    return (vectors @ codes.T).argmax(dim=-1)


@given(st.integers(1, 12), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_the_answers_can_be_read_off_the_words(batch, seed):
    asked = draw(batch, generator(seed))
    codes = subspaces.codes()
    words = asked.words.unflatten(-1, (4, SIZE))  # (batch, words, subspaces, size)
    query = asked.query.unflatten(-1, (4, SIZE))[:, 0]  # (batch, subspaces, size)
    for a, b in itertools.product(range(4), repeat=2):
        marks = closest(words[:, :, a], codes[a, :4])  # (batch, words)
        sought = closest(query[:, a], codes[a, :4])  # (batch,)
        found = (marks == sought[:, None]).nonzero()
        assert len(found) == batch  # one word of each sentence
        contents = closest(words[:, :, b], codes[b, 4:])
        assert torch.equal(contents[tuple(found.T)], asked.answers[:, a, b])


def test_marks_and_contents_do_not_repeat_within_a_sentence():
    words = draw(20, generator()).words.unflatten(-1, (4, SIZE))
    codes = subspaces.codes()
    for part in range(4):
        for kind in (codes[part, :4], codes[part, 4:]):
            named = closest(words[:, :, part], kind)
            assert torch.equal(named.sort(dim=1)[0], torch.arange(4).expand(20, 4))


def test_redundant_sentences_have_the_same_contents_in_all_subspaces():
    answers = draw(50, generator(), redundancy=1.0).answers  # (50, 4, 4)
    assert torch.equal(answers, answers[:, :, :1].expand_as(answers))
    answers = draw(2000, generator(), redundancy=0.5).answers
    same = (answers == answers[:, :, :1]).all(dim=2).all(dim=1).float().mean().item()
    assert same == pytest.approx(0.5, abs=0.05)


def test_a_rotation_turns_the_embedding_and_keeps_the_answers():
    turn = subspaces.random_rotation(3)
    torch.testing.assert_close(turn @ turn.T, torch.eye(D_MODEL), atol=1e-5, rtol=0)
    plain, turned = draw(5, generator()), draw(5, generator(), rotation=turn)
    torch.testing.assert_close(turned.words @ turn.T, plain.words, atol=1e-4, rtol=0)
    torch.testing.assert_close(turned.query @ turn.T, plain.query, atol=1e-4, rtol=0)
    assert torch.equal(turned.answers, plain.answers)


@pytest.mark.parametrize("arguments", [{"batch": 0}, {"redundancy": -0.1}, {"redundancy": 1.1}])
def test_what_cannot_be_drawn_is_refused(arguments):
    with pytest.raises(ValueError, match="batch must be at least 1, redundancy from 0 to 1"):
        draw(**{"batch": 2, "generator": generator(), **arguments})


def test_the_schemes_are_those_of_the_notes():
    sizes = {name: sorted(map(len, scheme)) for name, scheme in SCHEMES.items()}
    assert sizes == {
        "one each": [1] * 8,
        "4 × one, 4 × three": [1] * 4 + [3] * 4,
        "5 × two, 3 × one": [1] * 3 + [2] * 5,
        "5 × two, 3 × three": [2] * 5 + [3] * 3,
        "learned": [4] * 8,
    }
    for scheme in SCHEMES.values():
        assert {part for head in scheme for part in head} == set(range(4))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_heads_read_only_what_they_may_after_training_too(scheme):
    model = subspaces.train(scheme, steps=3, batch=4)
    for name in ("query", "key", "value"):
        read = shares(getattr(model.attention, name).weight) > 0
        for head, parts in enumerate(scheme):
            assert read[head].nonzero().flatten().tolist() == sorted(parts)


def test_a_head_that_reads_one_subspace_does_not_notice_another():
    model = Reader(SCHEMES["one each"])
    asked = draw(3, generator())
    changed = asked.words.clone()
    changed[..., SIZE:] += 1.0
    before = model.attention.project(asked.query, asked.words)
    after = model.attention.project(asked.query, changed)
    for old, new in zip(before[1:], after[1:], strict=True):  # keys and values
        assert torch.equal(old[:, :2], new[:, :2])  # heads of the first subspace
        assert not torch.allclose(old[:, 2:], new[:, 2:])


def test_training_learns_what_lies_within_a_subspace_and_guesses_across():
    right = accuracy(subspaces.train(SCHEMES["one each"]))
    assert right.shape == (4, 4)
    assert right.diagonal().min() > 0.9
    across = right[~torch.eye(4, dtype=torch.bool)]
    assert across.mean().item() == pytest.approx(0.25, abs=0.05)


def test_training_leaves_the_random_numbers_alone_and_is_repeatable():
    state = torch.get_rng_state()
    one, other = (subspaces.train(SCHEMES["learned"], steps=2, batch=4) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name])


def test_shares_of_a_known_matrix():
    weight = torch.zeros(D_MODEL, D_MODEL)
    weight[:8, :SIZE] = 1.0  # the first head reads the first subspace alone
    weight[8:, :] = 1.0
    expected = torch.full((N_HEADS, 4), 0.25)
    expected[0] = torch.tensor([1.0, 0, 0, 0])
    torch.testing.assert_close(shares(weight), expected)
    turn = subspaces.random_rotation()
    torch.testing.assert_close(shares(weight @ turn, rotation=turn), expected, atol=1e-4, rtol=0)
    assert not torch.allclose(shares(weight @ turn), expected, atol=0.1)


@pytest.mark.parametrize(
    "reads", [((0,), ()), torch.zeros(8, D_MODEL).bool(), torch.ones(8, 3).bool()]
)
def test_a_head_must_read_something(reads):
    with pytest.raises(ValueError, match="each head must read something"):
        Reader(reads)
