"""Beam search: against brute force, a plain version of itself, and transformers."""

import importlib.util
import itertools
import math
import re
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.beam import STOPPING, Candidate, beam_search, gnmt, power
from companion.decoding import greedy
from companion.recurrent import LSTMCell

INF = math.inf
WORDS = ("I", "am", "hungry", "<eos>", "<sos>")
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


def searched(width, *, start=(SOS,), longest=2, **options):
    return beam_search(slide, torch.tensor(start), end=EOS, width=width, longest=longest, **options)


def texts(found):
    return [" ".join(WORDS[token] for token in text.tokens) for text in found.hypotheses]


# The slide --------------------------------------------------------------------------------------


def test_a_beam_of_two_finds_the_likeliest_pair_of_the_slide():
    (narrow,), (wide,), (wider,) = (searched(width) for width in (1, 2, 3))
    assert texts(narrow) == ["I am"]
    assert texts(wide) == ["am I", "I am"]
    assert texts(wider) == ["am I", "I am", "I hungry"]
    joint = [math.exp(text.log_probability) for text in wider.hypotheses]
    assert joint == pytest.approx([0.28, 0.25, 0.15])
    assert not any(text.ended for text in wider.hypotheses)


def test_the_tree_of_the_slide():
    (found,) = searched(2, keep_tree=True)
    first, second = found.tree
    assert [(WORDS[c.token], c.fate) for c in first] == [
        ("I", "kept"),
        ("am", "kept"),
        ("hungry", "pruned"),  # <eos> cannot come first, so it is no candidate
    ]
    pairs = [(WORDS[first[c.parent].token], WORDS[c.token], c.fate) for c in second]
    assert pairs == [
        ("am", "I", "cut"),
        ("I", "am", "cut"),
        ("I", "hungry", "pruned"),
        ("am", "hungry", "pruned"),
    ]
    assert searched(2)[0].tree == []


def test_with_equal_probabilities_the_earlier_beginning_and_the_lower_token_come_first():
    def even(tokens, state):
        return torch.zeros(len(tokens), 6), state

    (found,) = beam_search(even, torch.tensor([0]), end=5, width=3, longest=2, keep_tree=True)
    assert [text.tokens for text in found.hypotheses] == [[0, 0], [0, 1], [0, 2]]
    assert [(c.parent, c.token) for c in found.tree[1]] == [(0, token) for token in range(6)]


# A small model whose next token depends on all before it ----------------------------------------


class Machine:
    """A recurrent network with random weights; `start` sentences differ in their first state."""

    def __init__(self, vocabulary, seed, sentences=1, spread=2.0):
        drawn = torch.Generator().manual_seed(seed)
        make = {"generator": drawn, "dtype": torch.float64}
        self.words = torch.randn(vocabulary + 1, 5, **make)
        self.again = torch.randn(5, 5, **make)
        self.out = spread * torch.randn(5, vocabulary, **make)
        self.state = {"h": [torch.randn(sentences, 5, **make)]}
        self.start = torch.full((sentences,), vocabulary)

    def step(self, tokens, state):
        h = torch.tanh(self.words[tokens] + state["h"][0] @ self.again)
        return h @ self.out, {"h": [h]}

    def only(self, sentence):
        """Start and state of one sentence."""
        return self.start[:1], {"h": [self.state["h"][0][sentence : sentence + 1]]}

    def after(self, sentence, text):
        """Log-probabilities of what follows a text."""
        tokens, state = self.only(sentence)
        for token in (*text, None):
            logits, state = self.step(tokens, state)
            tokens = torch.tensor([token or 0])
        return logits[0].log_softmax(-1).tolist()


def every_text(machine, ends, longest, sentence=0):
    """All texts there can be, and their log-probabilities."""
    begun, done = {(): 0.0}, {}
    for _ in range(longest):
        more = {
            (*text, token): total + odds
            for text, total in begun.items()
            for token, odds in enumerate(machine.after(sentence, text))
        }
        done |= {text: total for text, total in more.items() if text[-1] in ends}
        begun = {text: total for text, total in more.items() if text[-1] not in ends}
    return done | begun


def plainly(machine, ends, width, longest, score, sentence=0):
    """Beam search as it is told, with lists, and to the very end."""
    begun, done = [((), 0.0)], []
    for length in range(1, longest + 1):
        more = [
            ((*text, token), total + odds)
            for text, total in begun
            for token, odds in enumerate(machine.after(sentence, text))
        ]
        more.sort(key=lambda pair: -pair[1])
        ending = [length == longest or text[-1] in ends for text, _ in more]
        first = zip(more[:width], ending, strict=False)
        done += [(score(total, length), text) for (text, total), ends_ in first if ends_]
        going = [pair for pair, ends_ in zip(more, ending, strict=True) if not ends_]
        # No more are looked at than these, so it can be that fewer go on than the beam is wide.
        looked = {text for text, _ in more[: width * (1 + len(ends))]}
        begun = [pair for pair in going if pair[0] in looked][:width]
    return sorted(done, key=lambda pair: -pair[0])[:width]


SETTINGS = {
    "alpha": st.sampled_from([-0.5, 0.0, 0.6, 1.0, 2.0]),
    "penalty": st.sampled_from([gnmt, power]),
}
SEEDS = st.integers(0, 10_000)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, vocabulary=st.integers(2, 4), longest=st.integers(1, 4), **SETTINGS)
def test_a_beam_as_wide_as_all_texts_finds_the_best(seed, vocabulary, longest, alpha, penalty):
    machine = Machine(vocabulary, seed)
    every = every_text(machine, {0}, longest)
    assert sum(map(math.exp, every.values())) == pytest.approx(1)
    options = {"end": 0, "longest": longest, "alpha": alpha, "penalty": penalty}
    width = vocabulary**longest
    (found,) = beam_search(machine.step, machine.start, machine.state, width=width, **options)
    best = sorted(
        (total / penalty(len(text), alpha) for text, total in every.items()), reverse=True
    )
    assert [text.score for text in found.hypotheses] == pytest.approx(best[:width])
    for text in found.hypotheses:
        assert text.log_probability == pytest.approx(every[tuple(text.tokens)])
        assert text.score == pytest.approx(text.log_probability / penalty(len(text.tokens), alpha))
        assert text.ended == (text.tokens[-1] == 0)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, width=st.integers(1, 4), longest=st.integers(1, 4), **SETTINGS)
def test_pruning_never_finds_more_than_there_is(seed, width, longest, alpha, penalty):
    machine = Machine(4, seed)
    every = every_text(machine, {0}, longest)
    best = max(total / penalty(len(text), alpha) for text, total in every.items())
    options = {"end": 0, "width": width, "longest": longest, "alpha": alpha, "penalty": penalty}
    for stopping in STOPPING:
        (found,) = beam_search(
            machine.step, machine.start, machine.state, stopping=stopping, **options
        )
        assert found.hypotheses[0].score <= best + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    width=st.integers(1, 5),
    longest=st.integers(1, 6),
    ends=st.sampled_from([(0,), (2, 1)]),
    **SETTINGS,
)
def test_a_certain_search_finds_what_searching_to_the_end_finds(
    seed, width, longest, ends, alpha, penalty
):
    machine = Machine(5, seed)
    expected = plainly(machine, ends, width, longest, lambda total, n: total / penalty(n, alpha))
    (found,) = beam_search(
        machine.step,
        machine.start,
        machine.state,
        end=ends,
        width=width,
        longest=longest,
        alpha=alpha,
        penalty=penalty,
    )
    assert [tuple(text.tokens) for text in found.hypotheses] == [text for _, text in expected]
    assert [text.score for text in found.hypotheses] == pytest.approx([s for s, _ in expected])


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, width=st.integers(1, 4), alpha=st.sampled_from([-1.0, 0.0]))
def test_without_a_reward_for_length_likely_is_certain(seed, width, alpha):
    machine = Machine(5, seed)
    one, two = (
        beam_search(
            machine.step,
            machine.start,
            machine.state,
            end=0,
            width=width,
            longest=6,
            alpha=alpha,
            stopping=stopping,
        )
        for stopping in ("likely", "certain")
    )
    assert one == two


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, longest=st.integers(1, 8), stopping=st.sampled_from(STOPPING))
def test_a_beam_of_one_is_greedy(seed, longest, stopping):
    machine = Machine(6, seed, sentences=3)
    options = {"end": 0, "longest": longest}
    expected = greedy(machine.step, machine.start, machine.state, **options)
    alpha = 0.0 if stopping == "certain" else 1.3
    found = beam_search(
        machine.step,
        machine.start,
        machine.state,
        width=1,
        stopping=stopping,
        alpha=alpha,
        **options,
    )
    for sentence, text in zip(found, expected, strict=True):
        (best,) = sentence.hypotheses
        assert (best.tokens, best.ended) == (text.tokens, text.ended)
        assert best.log_probability == pytest.approx(text.log_probability)
        assert best.score == pytest.approx(text.score / gnmt(len(best.tokens), alpha))


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    sentences=st.integers(2, 4),
    width=st.integers(1, 4),
    stopping=st.sampled_from(STOPPING),
    **SETTINGS,
)
def test_together_is_one_by_one(seed, sentences, width, stopping, alpha, penalty):
    machine = Machine(6, seed, sentences)
    options = {"end": 0, "width": width, "longest": 7, "keep_tree": True}
    options |= {"alpha": alpha, "penalty": penalty, "stopping": stopping}
    together = beam_search(machine.step, machine.start, machine.state, **options)
    for number, found in enumerate(together):
        (alone,) = beam_search(machine.step, *machine.only(number), **options)
        same(found.hypotheses, alone.hypotheses)
        assert [[(c.parent, c.token, c.fate) for c in level] for level in found.tree] == [
            [(c.parent, c.token, c.fate) for c in level] for level in alone.tree
        ]


def same(one, other, within=1e-6):
    """Whether two lists of hypotheses are the same up to rounding."""
    assert [(text.tokens, text.ended) for text in one] == [
        (text.tokens, text.ended) for text in other
    ]
    assert [text.score for text in one] == pytest.approx([text.score for text in other], abs=within)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, width=st.integers(1, 4), longest=st.integers(1, 6), **SETTINGS)
def test_the_tree_tells_where_each_hypothesis_came_from(seed, width, longest, alpha, penalty):
    machine = Machine(5, seed)
    (found,) = beam_search(
        machine.step,
        machine.start,
        machine.state,
        end=0,
        width=width,
        longest=longest,
        alpha=alpha,
        penalty=penalty,
        keep_tree=True,
    )
    grown = {}
    above = [Candidate(0, -1, 0.0, 0.0, "kept")]
    known = [()]
    for length, level in enumerate(found.tree, start=1):
        assert [c.log_probability for c in level] == sorted(
            (c.log_probability for c in level), reverse=True
        )
        fates = [c.fate for c in level]
        assert fates.count("kept") == (
            0 if length == longest else min(width, sum(c.token != 0 for c in level))
        )
        assert fates.count("ended") + fates.count("cut") <= width
        assert ("cut" in fates) <= (length == longest)
        now = []
        for c in level:
            assert above[c.parent].fate == "kept"
            assert c.log_probability <= above[c.parent].log_probability
            assert c.score == pytest.approx(c.log_probability / penalty(length, alpha))
            now.append((*known[c.parent], c.token))
            if c.fate in ("ended", "cut"):
                grown[now[-1]] = c
        above, known = level, now
    for text in found.hypotheses:
        leaf = grown[tuple(text.tokens)]
        assert leaf.score == text.score
        assert leaf.fate == ("ended" if text.ended else "cut")
    scores = sorted((c.score for c in grown.values()), reverse=True)
    assert [text.score for text in found.hypotheses] == scores[:width]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, width=st.integers(1, 12), longest=st.integers(1, 4))
def test_what_cannot_come_is_never_found(seed, width, longest):
    machine = Machine(3, seed)

    def step(tokens, state):
        logits, state = machine.step(tokens, state)
        logits[:, 1] = -INF
        return logits, state

    (found,) = beam_search(
        step, machine.start, machine.state, end=0, width=width, longest=longest, keep_tree=True
    )
    # An end can follow any number of 2s, or there is no end: that is all.
    assert len(found.hypotheses) <= longest + 1
    assert all(1 not in text.tokens and text.score > -INF for text in found.hypotheses)
    assert all(c.token != 1 for level in found.tree for c in level)
    if width > longest:
        assert len(found.hypotheses) == longest + 1


def test_where_every_token_is_an_end():
    machine = Machine(2, 0)
    (found,) = beam_search(
        machine.step, machine.start, machine.state, end=[0, 1], width=3, longest=5
    )
    assert sorted(text.tokens for text in found.hypotheses) == [[0], [1]]


def test_a_sentence_that_is_done_takes_no_more_time():
    rows = []

    def step(tokens, state):
        rows.append(len(tokens))
        logits = torch.zeros(len(tokens), 6)
        logits[:, EOS] = torch.where(state <= len(rows), 20.0, -20.0)
        return logits, state

    found = beam_search(
        step, torch.tensor([SOS] * 3), torch.tensor([1, 9, 4]), end=EOS, width=2, longest=6
    )
    assert rows == [3, 6, 4, 4, 2, 2]
    assert [len(sentence.hypotheses[0].tokens) for sentence in found] == [1, 6, 4]


def test_penalties():
    assert [gnmt(n, 0.6) for n in (1, 7)] == [1, 2**0.6]
    assert [power(n, 0.6) for n in (1, 7)] == [1, 7**0.6]
    assert gnmt(9, 0) == power(9, 0) == 1


@pytest.mark.parametrize("penalty", [gnmt, power])
def test_a_length_penalty_changes_what_is_best(penalty):
    def step(tokens, state):  # it ends with probability .4, or goes on in one way
        return torch.tensor([0.4, 0.6]).log().expand(len(tokens), 2), state

    def best(alpha):
        (found,) = beam_search(
            step, torch.tensor([1]), end=0, width=3, longest=6, alpha=alpha, penalty=penalty
        )
        return found.hypotheses[0]

    short, long = best(0.0), best(4.0)
    assert (short.tokens, long.tokens) == ([0], [1] * 6)
    assert short.score == pytest.approx(math.log(0.4))
    assert long.score == pytest.approx(6 * math.log(0.6) / penalty(6, 4.0))


# Caches -----------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, width=st.integers(1, 4))
def test_the_state_of_an_lstm_follows_its_beam(seed, width):
    torch.manual_seed(seed)
    words, cell = torch.nn.Embedding(8, 6).double(), LSTMCell(6, 6).double()
    out = torch.nn.Linear(6, 7).double()
    torch.nn.init.normal_(out.weight, std=3)

    def kept(tokens, state):
        h, state = cell(words(tokens), state)
        return out(h), state

    def again(tokens, text):
        text = torch.cat([text, tokens[:, None]], dim=1)
        state = cell.start(len(text))
        for column in text.unbind(dim=1):
            h, state = cell(words(column), state)
        return out(h), text

    start = torch.tensor([7, 3])
    options = {"end": 0, "width": width, "longest": 8, "alpha": 1.0}
    ways = ((kept, cell.start(2)), (again, torch.zeros(2, 0, dtype=torch.long)))
    one, two = (beam_search(step, start, state, **options) for step, state in ways)
    for a, b in zip(one, two, strict=True):
        same(a.hypotheses, b.hypotheses)


# transformers -----------------------------------------------------------------------------------

PATH = Path(__file__).parents[1] / "benchmarks" / "decoding.py"
VOCABULARY, SENTENCES, LONGEST = 40, 5, 12


@pytest.fixture(scope="module")
def peer():
    """The benchmark, which has a model of transformers, and asks it in our way."""
    spec = importlib.util.spec_from_file_location("benchmark_decoding", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def model(peer):
    return peer.bart(VOCABULARY, d_model=64, n_layers=2, ending=4.0)


@pytest.fixture(scope="module")
def source(peer):
    return peer.sources(SENTENCES, 8, VOCABULARY)


def ours(peer, model, source, step, **options):
    options = {"end": peer.END, "longest": LONGEST, "penalty": power} | options
    start = torch.full((len(source),), peer.START)
    return beam_search(step(model), start, (*peer.begun(model, source), None), **options)


EARLY = {"full": True, "likely": False, "certain": "never"}


@pytest.mark.parametrize("stopping", STOPPING)
@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("width", [2, 4, 5])
def test_the_beams_are_those_of_transformers(peer, model, source, width, alpha, stopping):
    expected = model.generate(
        source,
        attention_mask=(source != peer.PAD).long(),
        num_beams=width,
        num_return_sequences=width,
        max_new_tokens=LONGEST,
        do_sample=False,
        length_penalty=alpha,
        early_stopping=EARLY[stopping],
        output_scores=True,
        return_dict_in_generate=True,
    )
    found = ours(peer, model, source, peer.cached_step, width=width, alpha=alpha, stopping=stopping)
    hypotheses = [text for sentence in found for text in sentence.hypotheses]
    texts_ = [peer.up_to_end(text[1:].tolist()) for text in expected.sequences]
    assert [tuple(text.tokens) for text in hypotheses] == texts_
    scores = expected.sequences_scores.tolist()
    assert [text.score for text in hypotheses] == pytest.approx(scores, abs=1e-4, rel=1e-5)


def test_those_settings_do_make_a_difference(peer, model, source):
    """Else the comparison would say little."""
    every = {
        (width, alpha, stopping): tuple(
            tuple(text.tokens)
            for sentence in ours(
                peer,
                model,
                source,
                peer.cached_step,
                width=width,
                alpha=alpha,
                stopping=stopping,
            )
            for text in sentence.hypotheses
        )
        for width, alpha, stopping in itertools.product((1, 4), (0.0, 1.0), STOPPING)
    }
    assert len(set(every.values())) >= 5
    assert len({every[4, 1.0, stopping] for stopping in STOPPING}) == 3
    lengths = {len(text) for found in every.values() for text in found}
    assert min(lengths) < 4
    assert max(lengths) == LONGEST


def test_greedy_is_that_of_transformers(peer, model, source):
    mask = (source != peer.PAD).long()
    expected = model.generate(
        source, attention_mask=mask, num_beams=1, max_new_tokens=LONGEST, do_sample=False
    )
    start = torch.full((SENTENCES,), peer.START)
    found = greedy(
        peer.cached_step(model),
        start,
        (*peer.begun(model, source), None),
        end=peer.END,
        longest=LONGEST,
    )
    assert [tuple(text.tokens) for text in found] == [
        peer.up_to_end(text[1:].tolist()) for text in expected
    ]
    # The log-probability is that of the whole text, read at once.
    for text, words in zip(found, source, strict=True):
        given_ = torch.tensor([[peer.START, *text.tokens[:-1]]])
        logits = model(words[None], mask_of(words, peer), decoder_input_ids=given_).logits[0]
        each = logits.log_softmax(-1).gather(1, torch.tensor(text.tokens)[:, None])
        assert text.log_probability == pytest.approx(each.sum().item(), abs=1e-4)


def mask_of(words, peer):
    return (words != peer.PAD).long()[None]


@pytest.mark.parametrize("ends", [[13, 1], [5, 36, 1]])
def test_several_ends_are_as_in_transformers(peer, model, source, ends):
    expected = model.generate(
        source,
        attention_mask=(source != peer.PAD).long(),
        num_beams=3,
        num_return_sequences=3,
        max_new_tokens=LONGEST,
        do_sample=False,
        eos_token_id=ends,
        output_scores=True,
        return_dict_in_generate=True,
    )
    found = ours(
        peer, model, source, peer.cached_step, width=3, alpha=1.0, stopping="likely", end=ends
    )
    hypotheses = [text for sentence in found for text in sentence.hypotheses]
    assert all(text.ended == (text.tokens[-1] in ends) for text in hypotheses)
    assert len({text.tokens[-1] for text in hypotheses if text.ended}) > 1
    for text, other in zip(hypotheses, expected.sequences, strict=True):
        assert text.tokens == other[1 : 1 + len(text.tokens)].tolist()
    scores = expected.sequences_scores.tolist()
    assert [text.score for text in hypotheses] == pytest.approx(scores, abs=1e-4, rel=1e-5)


def test_the_cache_and_the_batch_change_nothing(peer, model, source):
    options = {"width": 4, "alpha": 0.6, "penalty": gnmt}
    found = ours(peer, model, source, peer.cached_step, **options)
    plain = ours(peer, model, source, peer.plain_step, **options)
    for number, (one, two) in enumerate(zip(found, plain, strict=True)):
        same(one.hypotheses, two.hypotheses, within=1e-4)
        words = source[number : number + 1]
        words = words[:, words[0] != peer.PAD]
        (alone,) = ours(peer, model, words, peer.cached_step, **options)
        same(one.hypotheses, alone.hypotheses, within=1e-4)


# Bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "width is 0: it must be at least 1"),
        ({"alpha": INF}, "alpha is inf: it must be finite"),
        ({"alpha": math.nan}, "alpha is nan: it must be finite"),
        ({"stopping": "never"}, "stopping is 'never': it must be one of full, likely, certain"),
        ({"longest": 0}, "longest is 0: it must be at least 1"),
        ({"end": None}, "end is None: it must be the number of the token"),
        ({"end": 4}, "with end ([4]) in the vocabulary"),
        ({"start": torch.tensor([[SOS]])}, "start is torch.int64 of shape (1, 1): it must be"),
        ({"step": lambda t, s: (AFTER[t] * math.nan, s)}, "largest number is nan"),
        ({"step": lambda t, s: (AFTER[t][0], s)}, "logits of shape (4,): it must be (rows = 1, "),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    arguments = {"step": slide, "start": torch.tensor([SOS]), "end": EOS, "width": 2, "longest": 3}
    with pytest.raises(ValueError, match=re.escape(said)):
        beam_search(**arguments | options)
