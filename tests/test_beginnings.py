"""The table of beginnings: enough to repeat every search, and no more than that."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.beam import beam_search, gnmt, power
from companion.beginnings import beginnings
from companion.decoding import log_probabilities

EOS, SOS = 3, 4
AFTER = torch.tensor(
    [
        [0.1, 0.5, 0.3, 0.1],
        [0.7, 0.05, 0.2, 0.05],
        [0.25, 0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.4, 0.1, 0.0],
    ]
)


def slide(tokens, state):
    return AFTER.log()[tokens], state


class Machine:
    """A model whose next token depends on all before it: a recurrent network of random weights."""

    def __init__(self, vocabulary, seed):
        drawn = torch.Generator().manual_seed(seed)
        self.words = torch.randn(vocabulary + 1, 5, generator=drawn)
        self.again = torch.randn(5, 5, generator=drawn)
        self.out = 2 * torch.randn(5, vocabulary, generator=drawn)
        self.start, self.state = torch.tensor([vocabulary]), torch.zeros(1, 5)

    def step(self, tokens, h):
        h = torch.tanh(self.words[tokens] + h @ self.again)
        return h @ self.out, h


def from_table(table, vocabulary):
    """A step that has nothing but the table; its state is the text so far."""
    places = {text: place for place, text in enumerate(table.texts)}

    def step(tokens, text):
        text = torch.cat([text, tokens[:, None]], dim=1)
        rows = [places[tuple(row)] for row in text[:, 1:].tolist()]
        logits = torch.full((len(rows), vocabulary), -1e4)
        logits.scatter_(1, table.tokens[rows], table.log_probabilities[rows])
        return logits, text

    return step


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 5),
    longest=st.integers(1, 6),
    ends=st.sampled_from([(0,), (2, 1)]),
    alpha=st.sampled_from([-0.5, 0.0, 0.6, 2.0]),
    penalty=st.sampled_from([gnmt, power]),
)
def test_with_the_table_alone_every_search_finds_the_same(
    seed, width, longest, ends, alpha, penalty
):
    vocabulary = 7
    machine = Machine(vocabulary, seed)
    table = beginnings(
        machine.step, machine.start, machine.state, end=ends, width=5, longest=longest
    )
    options = {"end": ends, "width": width, "longest": longest, "alpha": alpha}
    (expected,) = beam_search(
        machine.step, machine.start, machine.state, penalty=penalty, **options
    )
    step = from_table(table, vocabulary)
    nothing = torch.zeros(1, 0, dtype=torch.long)
    (found,) = beam_search(step, machine.start, nothing, penalty=penalty, **options)
    assert [text.tokens for text in found.hypotheses] == [
        text.tokens for text in expected.hypotheses
    ]
    for one, other in zip(found.hypotheses, expected.hypotheses, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), longest=st.integers(1, 5))
def test_the_table_is_what_the_model_says(seed, longest):
    machine = Machine(6, seed)
    table = beginnings(machine.step, machine.start, machine.state, end=0, width=2, longest=longest)
    assert table.texts[0] == ()
    assert table.ends == [0]
    assert table.longest == longest
    assert len(set(table.texts)) == len(table.texts)
    for text, tokens, odds in zip(table.texts, table.tokens, table.log_probabilities, strict=True):
        assert 0 not in text
        assert len(text) < longest
        assert text[:-1] in table.texts[: table.texts.index(text) + 1]
        token, state = machine.start, machine.state
        for after in (*text, None):
            logits, state = machine.step(token, state)
            token = torch.tensor([after or 0])
        best = logits[0].sort(descending=True).indices[:4]
        assert tokens.tolist() == best.tolist()
        torch.testing.assert_close(odds, log_probabilities(logits, best[None])[0])


def test_the_slide():
    table = beginnings(slide, torch.tensor([SOS]), end=EOS, width=2, longest=2)
    assert table.texts == [(), (0,), (1,)]
    assert table.tokens.tolist() == [[0, 1, 2, 3], [1, 2, 0, 3], [0, 2, 1, 3]]
    assert table.log_probabilities[0, :3].exp().tolist() == pytest.approx([0.5, 0.4, 0.1])
    assert table.log_probabilities[0, 3] == -math.inf


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": torch.tensor([SOS, SOS])}, "start has 2 tokens: it must be one, of a single"),
        ({"width": 0}, "width is 0: it must be at least 1"),
        ({"longest": 0}, "longest is 0: it must be at least 1"),
        ({"end": None}, "end is None: it must be the number of the token"),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    arguments = {"step": slide, "start": torch.tensor([SOS]), "end": EOS, "width": 2, "longest": 3}
    with pytest.raises(ValueError, match=re.escape(said)):
        beginnings(**arguments | options)
