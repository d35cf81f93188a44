"""Writing a summary: greedy, with a cache, and with where each token looked."""

import pytest
import torch

from companion.language_model import LanguageModel
from companion.models.summarizer import pieces, prepare, summarize

TEXT = "User: A table for 2 at Oven.\nAgent: Done!\n"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return LanguageModel(pieces.SIZE, d_model=16, n_heads=2, n_layers=2, d_ff=16).eval()


def slow(model, text, most):
    """One pass over everything for each token, without a cache."""
    line = [*pieces.encode(text)[0], pieces.SEPARATOR]
    given, looks = len(line), []
    with torch.no_grad():
        while len(line) < given + most:
            reading = model.read(torch.tensor([line]))
            token = int(reading.logits[0, -1].argmax())
            if token == pieces.END:
                break
            looks.append(reading.weights[0, -1, :, -1, :given].mean(dim=0))
            line.append(token)
    return line[given:], torch.stack(looks)


def test_it_takes_the_likeliest_token_again_and_again(model):
    told = summarize(model, TEXT, most=12)
    tokens, looks = slow(model, TEXT, 12)
    assert told.tokens == tokens
    torch.testing.assert_close(told.sources, looks)
    assert told.text == pieces.decode(tokens).strip()
    assert told.ended == (len(tokens) < 12)


def test_it_stops_at_the_end(model):
    with torch.no_grad():
        model.words.weight[pieces.END] += 50 * model.words.weight[pieces.SEPARATOR]
        told = summarize(model, TEXT)
        model.words.weight[pieces.END] -= 50 * model.words.weight[pieces.SEPARATOR]
    assert told.ended
    assert len(told.tokens) < 120


@pytest.mark.parametrize(
    ("text", "most", "told"),
    [
        ("", 5, "text is empty"),
        (TEXT, 0, "most is 0"),
        ("User: again\n" * 400, 5, r"text has \d+ tokens: it must have at most 895"),
    ],
)
def test_what_cannot_be_summarized_is_said(model, text, most, told):
    with pytest.raises(ValueError, match=told):
        summarize(model, text, most=most)


def test_what_the_widget_is_made_of(model):
    made = prepare(model, {"one": TEXT, "two": TEXT + TEXT})
    one, two = made["examples"]
    assert (one["title"], two["title"]) == ("one", "two")
    assert sum(one["lengths"]) == len(TEXT.encode())
    told = summarize(model, TEXT)
    assert (one["ids"], one["summary"], one["ended"]) == (told.tokens, told.text, told.ended)
    n = len(one["lengths"])
    torch.testing.assert_close(
        torch.from_numpy(made["sources"][0, : len(told.tokens), :n]), told.sources[:, :-1]
    )
    assert not made["sources"][0, :, n:].any()
    assert made["sizes"] == {
        "layers": 2, "heads": 2, "d_k": 8, "separator": 1, "end": 0, "most": 120, "longest": 900,
    }  # fmt: skip
    assert made["names"] == pieces.names()


def test_there_must_be_a_dialogue(model):
    with pytest.raises(ValueError, match="dialogues is empty"):
        prepare(model, {})
