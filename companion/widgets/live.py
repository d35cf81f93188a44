"""A widget with a model behind it: in a notebook the kernel answers, on the page ONNX does."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import traitlets as t

from companion.widgets.host import Widget

Arrays = dict[str, np.ndarray]


class Model(Protocol):
    """What a widget needs of a model; `companion.models.live` gives one.

    Attributes:
        name: the page asks for the model of this name.
        encode: a text in, the numbers of its tokens and the text of each out; None if the model
            takes no text.
    """

    name: str
    encode: Callable[[str], tuple[list[int], list[str]]] | None

    def answer(self, arrays: Arrays) -> Arrays:
        """Arrays in, arrays out; raises ValueError for what cannot be answered."""


class LiveWidget(Widget):
    """A widget whose module asks a model with lib/live.js.

    A question is a message {id, inputs: [[name, dtype, shape], …]} with a buffer for each input. The
    reply is {id, outputs: [[name, dtype, shape], …]} with a buffer for each, or {id, error}.
    A text is a message {id, text}; the reply is {id, ids, pieces}, or {id, error}.

    Args:
        model: what answers; see `companion.models.live`.
        **state: first values of the traits.
    """

    _esm = "export default { render() {} }"  # each subclass has a module of its own
    live = t.Unicode().tag(sync=True)

    def __init__(self, model: Model, **state: Any) -> None:  # noqa: ANN401
        super().__init__(live=model.name, **state)
        self._model = model
        self.on_msg(self._on_question)

    def _on_question(self, _widget: Widget, content: dict, buffers: list) -> None:
        if "text" in content:
            ids, pieces = self._model.encode(content["text"])
            self.send({"id": content["id"], "ids": ids, "pieces": pieces})
            return
        try:
            arrays = {
                name: np.frombuffer(buffer, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
                for (name, dtype, shape), buffer in zip(content["inputs"], buffers, strict=True)
            }
            found = self._model.answer(arrays)
        except ValueError as error:
            self.send({"id": content["id"], "error": str(error)})
            return
        outputs = [[name, array.dtype.name, list(array.shape)] for name, array in found.items()]
        data = [np.ascontiguousarray(array).tobytes() for array in found.values()]
        self.send({"id": content["id"], "outputs": outputs}, data)
