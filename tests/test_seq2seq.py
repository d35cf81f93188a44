"""Sequence to sequence: torch's and our own LSTM, padding, forcing and steps, and what it can learn."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.alignment import KINDS
from companion.beam import beam_search
from companion.recurrent import LSTMCell, unroll
from companion.seq2seq import Encoder, Seq2Seq, State

N_SOURCE, N_TARGET = 11, 13
EVERY = [*KINDS, None]
# Not "dot" both ways: that is refused.
BUILT = [(kind, both) for kind in EVERY for both in (False, True) if (kind, both) != ("dot", True)]


def model(attention="additive", *, both_ways=False, seed=0, **options):
    torch.manual_seed(seed)
    sizes = {"d_embedding": 5, "d": 6} | options
    return Seq2Seq(N_SOURCE, N_TARGET, attention=attention, both_ways=both_ways, **sizes).eval()


def sentences(*lengths, n=None, high=N_SOURCE, seed=0):
    """Random words, filled up with 0."""
    drawn = torch.Generator().manual_seed(seed)
    rows = torch.randint(1, high, (len(lengths), n or max(lengths)), generator=drawn)
    for row, length in zip(rows, lengths, strict=True):
        row[length:] = 0
    return rows


def rows(state, index):
    return State(**{f.name: getattr(state, f.name)[index] for f in fields(state)})


# The encoder.


def cell_like(lstm, suffix):
    """Our cell, with the weights of torch's."""
    cell = LSTMCell(lstm.input_size, lstm.hidden_size)
    with torch.no_grad():
        cell.input.weight.copy_(getattr(lstm, f"weight_ih_{suffix}"))
        cell.hidden.weight.copy_(getattr(lstm, f"weight_hh_{suffix}"))
        biases = getattr(lstm, f"bias_ih_{suffix}") + getattr(lstm, f"bias_hh_{suffix}")
        cell.input.bias.copy_(biases)
    return cell


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_the_encoder_is_our_lstm(n, d, both_ways, seed):
    torch.manual_seed(seed)
    encoder = Encoder(N_SOURCE, 3, d, both_ways=both_ways)
    source = sentences(n, n, seed=seed)
    memory, hidden, _ = encoder(source)
    x = encoder.embedding(source)
    forward = unroll(cell_like(encoder.lstm, "l0"), x)
    torch.testing.assert_close(memory[..., :d], forward)
    torch.testing.assert_close(hidden[:, :d], forward[:, -1])
    if both_ways:
        backward = unroll(cell_like(encoder.lstm, "l0_reverse"), x.flip(1)).flip(1)
        torch.testing.assert_close(memory[..., d:], backward)
        torch.testing.assert_close(hidden[:, d:], backward[:, 0])
    assert memory.shape[-1] == encoder.d_memory == (2 * d if both_ways else d)


def test_the_cell_is_that_after_the_last_word():
    encoder = Encoder(N_SOURCE, 3, 4)
    source = sentences(5)
    cell = cell_like(encoder.lstm, "l0")
    state = cell.start(1)
    for word in encoder.embedding(source).unbind(dim=1):
        _, state = cell(word, state)
    torch.testing.assert_close(encoder(source)[2], state[1])


@pytest.mark.parametrize("both_ways", [False, True])
def test_padding_changes_nothing_the_encoder_says(both_ways):
    encoder = Encoder(N_SOURCE, 3, 4, both_ways=both_ways)
    source = sentences(3, 6, 1)
    memory, hidden, cell = encoder(source)
    for i, length in enumerate((3, 6, 1)):
        alone = encoder(source[i : i + 1, :length])
        torch.testing.assert_close(memory[i : i + 1, :length], alone[0])
        torch.testing.assert_close(hidden[i : i + 1], alone[1])
        torch.testing.assert_close(cell[i : i + 1], alone[2])
        assert (memory[i, length:] == 0).all()


# The whole.


@pytest.mark.parametrize(("attention", "both_ways"), BUILT)
def test_a_sentence_gives_the_same_in_any_batch(attention, both_ways):
    net = model(attention, both_ways=both_ways)
    lengths = (4, 7, 2)
    source, target = sentences(*lengths, n=9), sentences(5, 5, 5, high=N_TARGET, seed=1)
    logits, weights = net.forced(source, target)
    assert logits.shape == (3, 5, N_TARGET)
    for i, length in enumerate(lengths):
        alone, looks = net.forced(source[i : i + 1, :length], target[i : i + 1])
        torch.testing.assert_close(logits[i : i + 1], alone)
        if attention:
            torch.testing.assert_close(weights[i : i + 1, :, :length], looks)
            assert (weights[i, :, length:] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))


@pytest.mark.parametrize("attention", EVERY)
def test_step_by_step_is_the_same_as_at_once(attention):
    net = model(attention)
    source, target = sentences(4, 6), sentences(5, 5, high=N_TARGET, seed=1)
    logits, weights = net.forced(source, target)
    torch.testing.assert_close(net(source, target), logits)
    state = net.read(source)
    for i, words in enumerate(target.unbind(dim=1)):
        scores, state = net.step(words, state)
        torch.testing.assert_close(scores, logits[:, i])
        torch.testing.assert_close(state.weights, weights[:, i])


@pytest.mark.parametrize("attention", EVERY)
def test_rows_of_a_state_can_change_their_order_and_multiply(attention):
    net = model(attention)
    source, words = sentences(4, 6, 2), torch.tensor([3, 1, 2])
    _, state = net.step(words, net.read(source))
    order = torch.tensor([2, 0, 0, 1])
    logits, _ = net.step(words, state)
    again, _ = net.step(words[order], rows(state, order))
    torch.testing.assert_close(again, logits[order])


@pytest.mark.parametrize("attention", EVERY)
def test_a_word_changes_only_what_comes_after(attention):
    net = model(attention)
    source, target = sentences(6), sentences(7, high=N_TARGET, seed=1)
    changed = target.clone()
    changed[0, 4] = target[0, 4] % (N_TARGET - 1) + 1
    before, after = net(source, target), net(source, changed)
    torch.testing.assert_close(after[:, :4], before[:, :4], rtol=0, atol=0)
    assert not torch.allclose(after[:, 4], before[:, 4])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_looked_up_does_not_know_its_order(kind):
    net = model(kind)
    state = net.read(sentences(6, 6))
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    parts = {name: getattr(state, name)[:, order] for name in ("memory", "keys", "mask", "weights")}
    words = torch.tensor([1, 2])
    logits, after = net.step(words, state)
    again, permuted = net.step(words, replace(state, **parts))
    torch.testing.assert_close(again, logits)
    torch.testing.assert_close(permuted.weights, after.weights[:, order])


def test_without_attention_one_vector_is_all_there_is():
    net = model(None)
    state = net.read(sentences(5, 9))
    assert state.memory.shape == (2, 1, 6)
    context, weights = net.look(state)
    _, after = net.step(torch.tensor([1, 2]), state)
    torch.testing.assert_close(net.look(after)[0], context)  # whatever has been written
    assert (weights == 1).all()
    assert sum(t[0].numel() for t in (state.memory, state.hidden, state.cell)) == 3 * 6


def test_with_attention_the_memory_grows_with_the_sentence():
    for n in (3, 8):
        assert model("dot").read(sentences(n)).memory.shape == (1, n, 6)


def test_attention_is_that_of_the_formula():
    net = model("additive")
    state = net.read(sentences(5))
    score = net.score
    for words in (torch.tensor([3]), torch.tensor([7])):
        _, after = net.step(words, state)
        energies = [
            (
                score.judge.weight
                @ torch.tanh(score.of_query.weight @ state.hidden[0] + score.of_key.weight @ h)
            ).item()
            for h in state.memory[0]
        ]
        torch.testing.assert_close(after.weights[0], torch.tensor(energies).softmax(0))
        state = after


@pytest.mark.parametrize(("attention", "both_ways"), BUILT)
def test_parameters_are_counted(attention, both_ways):
    e, d = 5, 6
    m = 2 * d if both_ways else d
    encoder = N_SOURCE * e + (1 + both_ways) * (4 * d * (e + d) + 8 * d)  # torch has two biases
    decoder = 4 * d * (e + m + d) + 4 * d
    rest = 2 * (m * d + d) + (d + m) * e + e + N_TARGET * e + e * N_TARGET + N_TARGET
    score = {"additive": d * d + m * d + d, "multiplicative": m * d, "dot": 0, None: 0}[attention]
    net = model(attention, both_ways=both_ways)
    assert sum(p.numel() for p in net.parameters()) == encoder + decoder + rest + score


@pytest.mark.parametrize("attention", EVERY)
def test_gradients_agree_with_finite_differences(attention):
    net = model(attention, d_embedding=2, d=3).double()
    source, target = sentences(3, 2), sentences(2, 2, high=N_TARGET, seed=1)
    names, parameters = zip(*net.named_parameters(), strict=True)

    def loss(*values):
        with_these = dict(zip(names, values, strict=True))
        logits = torch.func.functional_call(net, with_these, (source, target))
        return functional.cross_entropy(logits.flatten(0, 1), torch.tensor([1, 2, 3, 4]))

    inputs = tuple(p.detach().clone().requires_grad_() for p in parameters)
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(loss, inputs, fast_mode=True)


def test_dropout_only_in_training():
    net = model("dot", dropout=0.5)
    source, target = sentences(5), sentences(5, high=N_TARGET, seed=1)
    torch.testing.assert_close(net(source, target), net(source, target), rtol=0, atol=0)
    net.train()
    assert not torch.allclose(net(source, target), net(source, target))


def test_every_sentence_has_words_before_padding():
    net = model()
    target = torch.ones(2, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="source has no word in row 1: each sentence needs one"):
        net(torch.tensor([[1, 2], [0, 0]]), target)
    with pytest.raises(ValueError, match="source has padding before a word in row 0: it must come"):
        net(torch.tensor([[1, 0, 2], [1, 2, 0]]), target)
    for source in (torch.ones(3, dtype=torch.long), torch.ones(2, 0, dtype=torch.long)):
        with pytest.raises(
            ValueError, match=r"source has shape .*: it must be \(batch, n_source\)"
        ):
            net.read(source)
    source = torch.ones(2, 3, dtype=torch.long)
    for wrong in (target[0], target[:1], target[:, :0]):
        with pytest.raises(
            ValueError, match=r"target has shape .* and source \(2, 3\): target must"
        ):
            net(source, wrong)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="d_query is 6 and d_key is 12: a dot product needs them"):
        model("dot", both_ways=True)
    with pytest.raises(ValueError, match="kind is 'soft': it must be one of additive, mult"):
        model("soft")
    for name in ("d", "d_embedding"):
        with pytest.raises(ValueError, match=f"{name} is 0: it must be at least 1"):
            model(**{name: 0})
    with pytest.raises(ValueError, match="n_target is 0: it must be at least 1"):
        Seq2Seq(3, 0)
    with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
        model(dropout=2.0)


def test_another_number_may_stand_for_padding():
    net = model("additive", pad=10)
    short, long = torch.tensor([[1, 2, 10]]), torch.tensor([[1, 2]])
    target = torch.tensor([[1, 2]])
    torch.testing.assert_close(net(short, target), net(long, target))


# What it can learn.


def written(net, source, start, n):
    """Write n words, each time the likeliest."""
    state, words, found = net.read(source), torch.full((len(source),), start), []
    for _ in range(n):
        logits, state = net.step(words, state)
        words = logits.argmax(-1)
        found.append(words)
    return torch.stack(found, dim=1)


@pytest.mark.parametrize("attention", ["additive", None])
def test_it_learns_to_copy(attention):
    torch.manual_seed(0)
    start, n = 1, 4
    net = Seq2Seq(6, 6, d_embedding=16, d=32, attention=attention)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(200):
        source = torch.randint(2, 6, (32, n))
        told = torch.cat([torch.full((32, 1), start), source[:, :-1]], dim=1)
        loss = functional.cross_entropy(net(source, told).flatten(0, 1), source.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    source = torch.randint(2, 6, (200, n))
    with torch.no_grad():
        right = (written(net, source, start, n) == source).all(dim=1).float().mean()
    assert right > 0.9


@pytest.mark.parametrize("attention", EVERY)
def test_a_beam_finds_what_trying_everything_finds(attention):
    """Its state is one that `companion.steps` can reorder, and its steps score as forcing does."""
    net = model(attention)
    source, start, end = sentences(4, 6), 1, 2
    others = [word for word in range(N_TARGET) if word != end]
    with torch.no_grad():
        state = net.read(source)
        starts = torch.tensor([start, start])
        wide = {"width": N_TARGET, "longest": 2, "end": end}
        found = beam_search(net.step, starts, state, **wide)
        for i in range(2):
            told = torch.tensor([[start, word] for word in range(N_TARGET)])
            alone = source[i : i + 1].expand(N_TARGET, -1)
            scores = net(alone, told).log_softmax(-1)  # (N_TARGET, 2, N_TARGET)
            first, second = scores[0, 0], scores[:, 1]
            texts = {(end,): first[end].item()}
            texts |= {
                (a, b): (first[a] + second[a, b]).item() for a in others for b in range(N_TARGET)
            }
            best = max(texts, key=texts.get)
            assert tuple(found[i].hypotheses[0].tokens) == best
            assert found[i].hypotheses[0].log_probability == pytest.approx(texts[best], abs=1e-5)
