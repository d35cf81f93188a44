"""One question to the reader: offsets, chances, the graph, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.bert import Bert, SpanReader
from companion.models.bert import pieces
from companion.models.graph import export
from companion.models.reader.ask import read
from companion.models.reader.graph import reader
from companion.models.reader.prepare import prepare

torch.manual_seed(0)
MODEL = SpanReader(Bert(pieces.SIZE, d_model=16, n_heads=2, n_layers=1, d_ff=16)).eval()
TEXT = "User: A table in Zürich, please.\nAgent: For when?\n"
# Lone surrogates are no text: a browser, too, hands over none.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=150, deadline=None)
@given(words, words)
def test_any_text_is_answered_from_itself_or_refused(text, question):
    if not text.strip() or not question.strip() or not pieces.encode(text)[0]:
        with pytest.raises(ValueError, match=r"is empty|no word"):
            read(MODEL, text, question)
        return
    found = read(MODEL, text, question)
    answer = found.answer
    assert answer.text == text[answer.start : answer.end]
    assert all(0 <= a < b <= len(text) for a, b in found.offsets)
    assert found.offsets == sorted(found.offsets)


def test_chances_are_those_of_all_tokens():
    found = read(MODEL, TEXT, "Where?")
    assert len(found.start) == len(found.end) == len(found.offsets)
    for chances, none in zip((found.start, found.end), found.none, strict=True):
        assert 0 < sum(chances) + none < 1  # the question's own tokens have the rest


@pytest.mark.parametrize(
    ("text", "question", "told"),
    [
        ("", "Where?", "text is empty"),
        (" \n", "Where?", "text is empty"),
        (TEXT, "  ", "question is empty"),
        ("\u200b\u0301", "Where?", "text has no word that can be read"),
        ("a " * 400, "Where?", "405 tokens together; at most 384"),
    ],
)
def test_what_cannot_be_read_is_refused(text, question, told):
    with pytest.raises(ValueError, match=told):
        read(MODEL, text, question)


def test_the_graph_gives_the_logits_that_answers_are_read_off():
    graph = reader(MODEL)
    tokens, segments = pieces.join(pieces.encode("Where?")[0], pieces.encode(TEXT)[0])
    given = {"tokens": np.array([tokens]), "segments": np.array([segments])}
    found = graph.answer(given)
    assert found["start"].shape == found["end"].shape == (len(tokens),)
    chance = torch.tensor(found["start"]).softmax(dim=-1)[4:-1]
    assert chance.tolist() == pytest.approx(read(MODEL, TEXT, "Where?").start, abs=1e-6)


def test_onnx_gives_what_torch_gives(tmp_path):
    import onnxruntime  # noqa: PLC0415 - takes half a second

    graph = reader(MODEL)
    export(graph, tmp_path / "reader.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "reader.onnx")
    for n in (4, 9, 60):
        tokens = np.random.default_rng(n).integers(5, pieces.SIZE, (1, n))
        given = {"tokens": tokens, "segments": (np.arange(n) > 3)[None].astype(np.int64)}
        for found, right in zip(
            session.run(None, given), graph.answer(given).values(), strict=True
        ):
            np.testing.assert_allclose(found, right, atol=1e-5)


def test_questions_are_answered_in_advance_as_they_are_asked():
    asked = ("Where?", "For how many people?")
    made = prepare(MODEL, {"a table": (TEXT, asked), "short": ("User: Rome.\n", ["Where?"])})
    assert made["logits"].shape == (3, 2, max(made["examples"][0]["lengths"]))
    for question, told in zip(asked, made["examples"][0]["answers"], strict=True):
        assert told == read(MODEL, TEXT, question).answer.text
    assert made["vocabulary"] == pieces.names()
    with pytest.raises(ValueError, match="dialogues is empty"):
        prepare(MODEL, {})
