"""What runs on the page: the translator itself, a token of each beginning at a time."""

import numpy as np
import onnxruntime
import pytest
import torch

from companion.encoder_decoder import EncoderDecoder
from companion.models import graph
from companion.models.translator.graph import reader
from companion.models.translator.recipe import END

SIZE, LAYERS, HEADS = 300, 2, 2
SOURCE = torch.tensor([[5, 9, 250, 7, END]])


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = EncoderDecoder(SIZE, d_model=16, n_heads=HEADS, n_layers=LAYERS, d_ff=32)
    return model.to(torch.float16).float().eval()


def nothing(rows):
    return np.zeros((LAYERS, rows, HEADS, 0, 8), np.float32)


def questions():
    """Three steps: one beginning, which becomes three, of which two go on."""
    return [(np.array([END]), [0, 0, 0]), (np.array([4, 8, 15]), [2, 0]), (np.array([16, 23]), [])]


@torch.no_grad()
def test_step_by_step_it_says_what_it_says_at_once(model):
    made = reader(model)
    keys = values = nothing(1)
    for tokens, rows in questions():
        told = made.answer(
            {"source": SOURCE.numpy(), "tokens": tokens, "past_keys": keys, "past_values": values}
        )
        keys, values = told["keys"][:, rows], told["values"][:, rows]
    assert told["weights"].shape == (2, LAYERS, HEADS, SOURCE.shape[1])
    for row, text in enumerate([[END, 15, 16], [END, 4, 23]]):
        expected = model.score(model(SOURCE, torch.tensor([text])))[0, -1]
        np.testing.assert_allclose(told["logits"][row], expected, atol=1e-4)


def test_onnx_answers_as_torch_does(model, tmp_path):
    made, path = reader(model), tmp_path / "translator.onnx"
    graph.export(made, path, torch.float16)
    session = onnxruntime.InferenceSession(path)
    keys = values = nothing(1)
    for tokens, rows in questions():
        given = {
            "source": SOURCE.numpy(),
            "tokens": tokens,
            "past_keys": keys,
            "past_values": values,
        }
        expected = made.answer(given)
        found = dict(zip(made.outputs, session.run(None, given), strict=True))
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-4)
        keys, values = expected["keys"][:, rows], expected["values"][:, rows]
