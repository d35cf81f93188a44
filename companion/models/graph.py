"""From torch to ONNX: the same graph for the reader's browser, inner tensors included."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Graph:
    """What runs for a widget: a module, the names of what goes in, and of what comes out.

    Attributes:
        module: takes the inputs in this order, and gives a tuple in the order of outputs.
        inputs: by name, an example of each.
        axes: by the input's name, its axes whose size may vary: number -> (name, least, most).
        outputs: names of what the module gives.
    """

    module: nn.Module
    inputs: dict[str, Tensor]
    axes: dict[str, dict[int, tuple[str, int, int]]]
    outputs: tuple[str, ...]

    def answer(self, arrays: Arrays) -> Arrays:
        """Run the module in torch, as ONNX runs it on the page.

        Raises:
            ValueError: If an input is missing, unknown, of a shape or type that does not fit, or
                holds a number that the module has no row for.
        """
        if set(arrays) != set(self.inputs):
            raise ValueError(f"arrays: {sorted(self.inputs)} are needed, not {sorted(arrays)}")
        tensors = [self._checked(name, arrays[name]) for name in self.inputs]
        try:
            with torch.no_grad():
                given = self.module(*tensors)
        except IndexError as error:
            raise ValueError(f"arrays: a number is too large or too small ({error})") from error
        return {name: t.numpy() for name, t in zip(self.outputs, given, strict=True)}

    def _checked(self, name: str, array: np.ndarray) -> Tensor:
        example, vary = self.inputs[name], self.axes.get(name, {})
        given = np.array(array)
        try:
            tensor = torch.from_numpy(given)
        except TypeError as error:  # such as text
            raise ValueError(
                f"{name}: {given.dtype} was given, {example.dtype} is needed"
            ) from error
        if tensor.dtype != example.dtype or tensor.dim() != example.dim():
            raise ValueError(
                f"{name}: {tensor.dtype} with {tensor.dim()} axes was given, {example.dtype} with "
                f"{example.dim()} is needed"
            )
        for axis, size in enumerate(tensor.shape):
            _, least, most = vary.get(axis, ("", example.shape[axis], example.shape[axis]))
            if not least <= size <= most:
                raise ValueError(f"{name}: axis {axis} has size {size}, not {least} to {most}")
        return tensor


def export(graph: Graph, path: Path, stored: torch.dtype = torch.float32) -> None:
    """Write a graph as ONNX; an interruption leaves what was at `path` as it was.

    Args:
        graph: what to write; it computes with 32 bits.
        path: the file.
        stored: torch.float16 writes the weights with 16 bits: half the file. They are made 32 again
            when it is loaded.

    Raises:
        ValueError: If there is no folder for the file, or path is itself a folder.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"path: no file can be written at {path}: it must be a file in a folder")
    shapes = [
        {
            axis: torch.export.Dim(label, min=least, max=most)
            for axis, (label, least, most) in graph.axes.get(name, {}).items()
        }
        for name in graph.inputs
    ]
    partial = path.with_name(f"{path.name}.partial")
    # It tells of each part of torchvision that it does not find.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter warns of its own parts
        torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            partial,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _finish(partial, stored)
    os.replace(partial, path)  # noqa: PTH105


def _finish(path: Path, stored: torch.dtype) -> None:
    import onnx  # noqa: PLC0415 - takes half a second, and only who exports needs it

    model = onnx.load(path)
    # What only tells where in the code a node came from: up to a tenth of the file.
    for node in model.graph.node:
        del node.metadata_props[:]
    del model.graph.value_info[:]
    if stored == torch.float16:
        _halve(model.graph)
    onnx.save(model, path)


def _halve(graph: Any) -> None:  # noqa: ANN401 - onnx is imported where it is needed
    """Replace each weight by one of 16 bits and a node that makes it 32."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    casts = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        half = numpy_helper.to_array(weight).astype(np.float16)
        casts.append(
            helper.make_node("Cast", [f"{weight.name}.half"], [weight.name], to=TensorProto.FLOAT)
        )
        weight.CopyFrom(numpy_helper.from_array(half, f"{weight.name}.half"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


@dataclass(frozen=True)
class Live:
    """A model as a widget asks it: by `answer` where there is a kernel, by `name` on the page.

    Attributes:
        name: the page asks `_static/models/NAME.onnx`.
        answer: arrays in, arrays out.
        encode: a text in, the numbers of its tokens and the text of each out; None if the model
            takes no text (on the page `_static/models/NAME.json` has the tokenizer).
    """

    name: str
    answer: Callable[[Arrays], Arrays]
    encode: Callable[[str], tuple[list[int], list[str]]] | None = None
