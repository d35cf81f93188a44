"""What runs on the page: the Reformer itself, token by token."""

import itertools

import numpy as np
import onnxruntime
import pytest
import torch

from companion.models import graph
from companion.models.chatbot import recipe
from companion.models.chatbot.graph import ALL_PAIRS, ROUNDS, reader
from companion.models.summarizer.pieces import SIZE

LENGTH = 90
ASKED = [*range(ROUNDS + 1), ALL_PAIRS]


@pytest.fixture(scope="module")
def model():
    """A network with weights so large that who is met matters."""
    torch.manual_seed(0)
    model = recipe.network(chunk=8, window=8, n_layers=4).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(3)
    return model


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(SIZE, (1, LENGTH), generator=torch.Generator().manual_seed(1))


def read(chat, tokens, rounds, pieces):
    """Logits and weights after the last token, read in pieces of so many tokens."""
    state = chat.nothing()
    for piece in tokens.split(pieces, dim=1):
        logits, weights, *state = chat(piece, torch.tensor([rounds]), *state)
    return logits, weights


@pytest.mark.parametrize("rounds", ASKED)
@torch.no_grad()
def test_token_by_token_it_says_what_it_says_at_once(model, tokens, rounds):
    """Because of where buckets are cut, nothing that was computed of a text is changed by what follows."""
    chat = reader(model).module
    logits, weights = read(chat, tokens, rounds, LENGTH)
    for pieces in (1, 7):
        again, looked = read(chat, tokens, rounds, pieces)
        torch.testing.assert_close(again, logits, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(looked, weights, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(chat.score(tokens[0], rounds)[-1], logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rounds", [1, 2, 4])
@torch.no_grad()
def test_it_is_the_reformer(model, tokens, rounds, monkeypatch):
    """With the rotations of the graph, which the network otherwise draws anew for each text."""
    chat = reader(model).module
    for number, block in enumerate(model.stack.blocks):
        if number % 2:
            rotations = chat.get_buffer(f"rotations_{number}")[:rounds]
            monkeypatch.setattr(block.f, "_rotations", lambda _, drawn=rotations: (drawn,))
    torch.testing.assert_close(
        chat.score(tokens[0], rounds), model(tokens)[0], rtol=1e-4, atol=1e-4
    )


@torch.no_grad()
def test_all_pairs_is_one_chunk_for_all(model, tokens, monkeypatch):
    """Full attention of queries that are keys: a position looks at itself only if it is the first."""
    chat = reader(model).module
    expected = chat.score(tokens[0], ALL_PAIRS)
    for block in model.stack.blocks[1::2]:
        monkeypatch.setattr(block.f, "_meet", lambda x: earlier(x.shape[1]))
    torch.testing.assert_close(model(tokens)[0], expected, rtol=1e-4, atol=1e-4)


def earlier(n):
    seen = torch.ones(n, n, dtype=torch.bool).tril(-1)
    seen[0, 0] = True
    return seen


@torch.no_grad()
def test_what_is_looked_at_sums_to_1_and_rounds_matter(model, tokens):
    chat = reader(model).module
    found = [read(chat, tokens, rounds, LENGTH) for rounds in ASKED]
    for _, weights in found:
        assert weights.shape == (4, 4, LENGTH)
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(4, 4))
    alone = found[0][1][1::2]
    assert torch.equal(alone[..., -1], torch.ones_like(alone[..., -1]))
    for (one, _), (other, _) in itertools.pairwise(found):
        assert not torch.allclose(one, other)


def test_onnx_answers_as_torch_does(model, tokens, tmp_path):
    made = reader(model)
    path = tmp_path / "chat.onnx"
    graph.export(made, path)
    session = onnxruntime.InferenceSession(path)
    state = dict(zip(("past_keys", "past_values"), made.module.nothing(), strict=True))
    arrays = {name: each.numpy() for name, each in state.items()}
    for rounds in ASKED:
        for piece in (tokens[:, :50], tokens[:, 50:51]):
            given = {"tokens": piece.numpy(), "rounds": np.array([rounds]), **arrays}
            found = dict(zip(made.outputs, session.run(None, given), strict=True))
            expected = made.answer(given)
            for name, array in expected.items():
                np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-4)
            arrays = {"past_keys": expected["keys"], "past_values": expected["values"]}
        arrays = {name: each.numpy() for name, each in state.items()}
