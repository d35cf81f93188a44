"""What runs on the page: the encoder and its head, several texts of one length at a time."""

import numpy as np
import onnxruntime
import pytest
import torch

from companion.bert import Bert, Pretraining
from companion.models import graph
from companion.models.bert.graph import LONGEST, MOST_TEXTS, reader


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = Pretraining(Bert(50, d_model=16, n_heads=2, n_layers=2, d_ff=32))
    return model.to(torch.float16).float().eval()


def question(texts, n):
    tokens = torch.randint(5, 50, (texts, n), generator=torch.Generator().manual_seed(n)).numpy()
    segments = np.zeros_like(tokens)
    segments[:, n // 2 :] = 1
    return {"tokens": tokens, "segments": segments}


@torch.no_grad()
def test_it_says_what_the_model_says(model):
    given = question(2, 7)
    tokens, segments = map(torch.from_numpy, given.values())
    expected = model.word_head(model.bert(tokens, segments))
    found = reader(model).answer(given)["logits"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_onnx_answers_as_torch_does(model, tmp_path):
    made, path = reader(model), tmp_path / "bert.onnx"
    graph.export(made, path, torch.float16)
    session = onnxruntime.InferenceSession(path)
    for texts, n in ((1, 2), (3, 9), (MOST_TEXTS, LONGEST)):
        given = question(texts, n)
        (found,) = session.run(None, given)
        np.testing.assert_allclose(found, made.answer(given)["logits"], atol=1e-4)


@pytest.mark.parametrize(("texts", "n"), [(MOST_TEXTS + 1, 5), (1, LONGEST + 1), (1, 1)])
def test_what_is_too_much_or_too_little_is_refused(model, texts, n):
    with pytest.raises(ValueError, match=r"tokens: axis \d has size \d+, not"):
        reader(model).answer(question(texts, n))
