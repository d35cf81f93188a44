"""A widget with a model behind it, in the kernel: what it is asked, and what it replies."""

from types import SimpleNamespace

import numpy as np
import pytest

from companion.widgets import LiveWidget


def double(arrays):
    if (arrays["x"] < 0).any():
        raise ValueError("x: must not be negative")
    return {"y": 2 * arrays["x"].astype(np.float32)}


@pytest.fixture
def asked(monkeypatch):
    """`asked(content, buffers)`: the replies of a widget to one question."""
    sent = []
    widget = LiveWidget(
        SimpleNamespace(name="double", answer=double, encode=lambda text: ([len(text)], [text]))
    )
    monkeypatch.setattr(widget, "send", lambda *message: sent.append(message))

    def ask(content, buffers):
        sent.clear()
        widget._handle_custom_msg(content, buffers)  # noqa: SLF001
        return sent

    return ask


def question(values):
    array = np.array(values, dtype="<i8")
    return {"id": 7, "inputs": [["x", "int64", list(array.shape)]]}, [memoryview(array.tobytes())]


def test_a_question_is_answered_with_arrays(asked):
    [(content, [buffer])] = asked(*question([[1, 2, 3]]))
    assert content == {"id": 7, "outputs": [["y", "float32", [1, 3]]]}
    assert np.frombuffer(buffer, "<f4").tolist() == [2, 4, 6]


def test_what_cannot_be_answered_is_said(asked):
    assert asked(*question([-1])) == [({"id": 7, "error": "x: must not be negative"},)]


def test_a_text_is_answered_with_its_tokens(asked):
    assert asked({"id": "encode 1", "text": "ab"}, []) == [
        ({"id": "encode 1", "ids": [2], "pieces": ["ab"]},)
    ]


def test_a_question_that_is_none_is_said(asked):
    content, _ = question([1, 2])
    [(reply,)] = asked(content, [memoryview(b"\0" * 8)])
    assert reply["id"] == 7
    assert "reshape" in reply["error"]


def test_the_page_learns_the_models_name():
    assert LiveWidget(SimpleNamespace(name="double", answer=double)).live == "double"
