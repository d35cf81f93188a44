"""A model's graph: what it refuses, and that ONNX computes what torch does."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from companion.models import registry
from companion.models.graph import Graph, Live, export

GIVEN = {"tokens": np.array([[1, 2, 0]]), "scale": np.array([2.0], np.float32)}


class Small(nn.Module):
    """Vectors of words times a number, and how many words there are in each sentence."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(5, 4)
        self.dropout = nn.Dropout(0.5)

    def forward(self, tokens, scale):
        return self.dropout(self.words(tokens)) * scale, (tokens != 0).sum(dim=1)


def small():
    return Graph(
        Small().eval(),
        inputs={"tokens": torch.ones(2, 3, dtype=torch.long), "scale": torch.ones(1)},
        axes={"tokens": {0: ("batch", 1, 8), 1: ("n", 2, 6)}},
        outputs=("vectors", "count"),
    )


def check_onnx(path, graph):
    """The file is sound, and has the graph's names and axes."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == list(graph.inputs)
    assert [value.name for value in model.graph.output] == list(graph.outputs)
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        vary = graph.axes.get(value.name, {})
        fixed = graph.inputs[value.name].shape
        told = [dim.dim_param or dim.dim_value for dim in dims]
        assert told == [vary[i][0] if i in vary else size for i, size in enumerate(fixed)]
    assert not list(path.parent.glob(f"{path.name}.*"))  # neither a part of it nor its weights
    return model


def check_parity(path, graph, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for arrays in inputs:
        expected = graph.answer(arrays)
        for name, found in zip(graph.outputs, session.run(None, arrays), strict=True):
            np.testing.assert_allclose(found, expected[name], atol=1e-4, rtol=0)
            assert found.dtype == expected[name].dtype


# Asked in torch.


def test_an_answer_is_what_the_module_computes():
    graph = small()
    told = graph.answer(GIVEN)
    assert list(told) == ["vectors", "count"]
    np.testing.assert_array_equal(told["count"], [2])
    expected = graph.module.words.weight[[1, 2, 0]] * 2
    np.testing.assert_allclose(told["vectors"][0], expected.detach().numpy())


def test_what_was_given_may_be_read_only_and_stays_as_it_was():
    array = np.frombuffer(np.array([1, 2, 3]).tobytes(), np.int64).reshape(1, 3)
    small().answer(GIVEN | {"tokens": array})
    assert array.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, r"arrays: \['scale', 'tokens'\] are needed, not \[\]"),
        ({"tokens": GIVEN["tokens"]}, r"are needed, not \['tokens'\]"),
        (GIVEN | {"words": GIVEN["tokens"]}, r"are needed, not \['scale', 'tokens', 'words'\]"),
    ],
)
def test_names_must_be_those_of_the_inputs(wrong, message):
    with pytest.raises(ValueError, match=message):
        small().answer(wrong)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("tokens", np.ones((1, 3), np.int32), "torch.int32 .* was given, torch.int64 .* is needed"),
        ("tokens", np.ones((1, 3)), "torch.float64 with 2 axes was given, torch.int64"),
        ("tokens", np.array([["a", "b"]]), "<U1 was given, torch.int64 is needed"),
        ("tokens", None, "object was given, torch.int64 is needed"),
        ("tokens", np.ones(3, np.int64), "with 1 axes was given, torch.int64 with 2 is needed"),
        ("tokens", np.ones((9, 3), np.int64), "axis 0 has size 9, not 1 to 8"),
        ("tokens", np.ones((0, 3), np.int64), "axis 0 has size 0, not 1 to 8"),
        ("tokens", np.ones((1, 7), np.int64), "axis 1 has size 7, not 2 to 6"),
        ("tokens", np.ones((1, 1), np.int64), "axis 1 has size 1, not 2 to 6"),
        ("scale", np.ones(2, np.float32), "axis 0 has size 2, not 1 to 1"),
    ],
)
def test_types_and_sizes_must_be_those_of_the_inputs(name, array, message):
    with pytest.raises(ValueError, match=f"^{name}: .*{message}"):
        small().answer(GIVEN | {name: array})


@pytest.mark.parametrize("size", [(1, 2), (8, 6)])
def test_the_least_and_the_most_are_answered(size):
    assert len(small().answer(GIVEN | {"tokens": np.ones(size, np.int64)})["count"]) == size[0]


@pytest.mark.parametrize("number", [5, -1])
def test_a_word_that_the_module_does_not_have(number):
    with pytest.raises(ValueError, match="arrays: a number is too large or too small"):
        small().answer(GIVEN | {"tokens": np.array([[1, number]])})


# Written as ONNX.


def test_a_small_module_as_onnx(tmp_path, capfd):
    graph, path = small(), tmp_path / "small.onnx"
    graph.module.train()
    path.write_text("what was there before", "utf-8")
    export(graph, path)
    assert not graph.module.training
    assert not capfd.readouterr().out
    check_onnx(path, graph)
    rng = np.random.default_rng(0)
    check_parity(
        path,
        graph,
        [
            {"tokens": rng.integers(0, 5, size), "scale": rng.random(1, np.float32)}
            for size in [(1, 2), (2, 3), (8, 6), (5, 4)]
        ],
    )


def test_weights_of_16_bits_in_onnx(tmp_path):
    """Half the file, and what it computes is what the rounded weights compute in 32 bits."""
    graph = small()
    graph.module.words = nn.Embedding(2000, 4)
    graph.module.to(torch.float16).float()
    export(graph, tmp_path / "whole.onnx")
    export(graph, tmp_path / "half.onnx", torch.float16)
    sizes = [(tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "half")]
    assert sizes[0] - sizes[1] == pytest.approx(2000 * 4 * 2, rel=0.05)
    check_onnx(tmp_path / "half.onnx", graph)
    check_parity(tmp_path / "half.onnx", graph, [GIVEN])


def test_a_failed_export_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "small.onnx"
    path.write_text("what was there before", "utf-8")

    def fail(*given, **_):
        given[2].write_text("half", "utf-8")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(KeyboardInterrupt):
        export(small(), path)
    assert path.read_text("utf-8") == "what was there before"


def test_where_no_file_can_be(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "small.onnx"):
        with pytest.raises(ValueError, match=r"path: no file can be written at .*: it must be"):
            export(small(), path)


def test_the_resolver_as_onnx(tmp_path):
    graph, path = registry.graph("resolver"), tmp_path / "resolver.onnx"
    export(graph, path)
    check_onnx(path, graph)
    rng = np.random.default_rng(0)
    (_, fewest, most), (_, shortest, longest) = graph.axes["tokens"].values()
    sizes = [(fewest, shortest), (most, longest), (3, 11), (1, longest), (most, 5)]
    inputs = [rng.integers(2, 100, size) for size in sizes]
    inputs[-1][::2, 3:] = 0  # padding
    check_parity(path, graph, [{"tokens": tokens} for tokens in inputs])


# As a widget asks it.


def test_the_resolver_as_a_widget_asks_it():
    live, graph = registry.live("resolver"), registry.graph("resolver")
    assert isinstance(live, Live)
    assert live.name == "resolver"
    tokens = {"tokens": np.array([[2, 3, 4], [5, 6, 0]])}
    told, expected = live.answer(tokens), graph.answer(tokens)
    variants, words = len(graph.module.variants), graph.module.variants["word"].words.num_embeddings
    assert told["logits"].shape == (variants, 2, 3, words)
    assert told["weights"].shape == (variants, 2, 2, 4, 3, 3)
    for name, array in expected.items():
        np.testing.assert_array_equal(told[name], array)
    with pytest.raises(ValueError, match="tokens: axis 1 has size 33, not 2 to 32"):
        live.answer({"tokens": np.ones((1, 33), np.int64)})
