"""Guesses for the holes of a text, from both sides and from the left; and what the widget is made of."""

import pytest
import torch

from companion.bert import Bert, Pretraining
from companion.models.bert.ask import ROOM, cut, guess, hidden_after, likeliest
from companion.models.bert.pieces import MASK, SIZE, encode, join, names
from companion.models.bert.prepare import prepare

TEXT = "I need a [MASK] for two, please."


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = Pretraining(Bert(SIZE, d_model=16, n_heads=2, n_layers=2, d_ff=32)).eval()
    with torch.no_grad():  # so that what stands around a hole counts
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 4)
    return model


@torch.no_grad()
def shares(model, pieces, place):
    tokens, segments = (torch.tensor([numbers]) for numbers in join(pieces))
    return model.word_head(model.bert(tokens, segments))[0, place + 1].softmax(dim=-1)


def agrees(guesses, expected, most):
    found, numbers = expected.topk(most)
    assert [one.piece for one in guesses] == [names()[number] for number in numbers]
    assert [one.probability for one in guesses] == pytest.approx(found.tolist(), rel=1e-4)


def test_a_hole_is_typed(model):
    pieces = cut(TEXT)
    assert pieces == [*encode("User: I need a")[0], MASK, *encode("for two, please.")[0]]
    (hole,) = guess(model, TEXT, most=3)
    assert hole.place == 5
    agrees(hole.guesses, shares(model, pieces, 5), 3)
    left = pieces[:6] + [MASK] * (len(pieces) - 6)
    assert hidden_after(pieces, 5) == left
    agrees(hole.from_left, shares(model, left, 5), 3)
    assert hole.guesses != hole.from_left


def test_a_text_begins_with_who_speaks():
    for text in ("a table", "User: a table", "user:a table", "USER: A table"):
        assert cut(text) == encode("user: a table")[0]
    assert cut("Agent: a table") == encode("agent: a table")[0]
    assert cut("Users: a table") == encode("user: users: a table")[0]
    assert cut("[MASK] table")[:3] == [*encode("user:")[0], MASK]


def test_a_hole_is_chosen(model):
    chosen = guess(model, "I need a table for two, please.", [5])
    assert chosen == guess(model, TEXT)


def test_holes_hide_one_another(model):
    holes = guess(model, TEXT, [3])
    pieces = cut(TEXT)
    pieces[3] = MASK
    assert [hole.place for hole in holes] == [3, 5]
    for hole in holes:
        agrees(hole.guesses, shares(model, pieces, hole.place), 5)
    # To the right of the first hole, all is hidden, the second hole included.
    agrees(holes[0].from_left, shares(model, hidden_after(pieces, 3), 3), 5)


def test_at_the_end_there_is_nothing_to_the_right(model):
    (hole,) = guess(model, "a table for [MASK]")
    assert hole.guesses == hole.from_left


def test_what_is_seen_at_a_place_may_be_anything(model):
    pieces = cut("a table for two")
    agrees(likeliest(model, pieces, 3), shares(model, pieces, 3), 5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("a table",), r"text 'a table' has no hole: write \[MASK\]"),
        (("",), "has no hole"),
        (("a table", [4]), r"hide is \[4\]: the text has the pieces 0 to 3"),
        (("a table", [-1]), r"hide is \[-1\]"),
        (("[MASK]" * ROOM,), f"text has {ROOM + 2} pieces: it must have at most {ROOM}"),
    ],
)
def test_what_cannot_be_asked_is_said(model, given, told):
    with pytest.raises(ValueError, match=told):
        guess(model, *given)


def test_most_is_positive(model):
    with pytest.raises(ValueError, match="most is 0"):
        guess(model, TEXT, most=0)


def test_what_the_widget_is_made_of(model):
    made = prepare(model, {"a table for two": [3, 5], TEXT: []})
    one, two = made["examples"]
    assert one["ids"] == encode("User: a table for two")[0]
    assert [hole["place"] for hole in one["holes"]] == [3, 5]
    for told, hole in zip(one["holes"], guess(model, one["text"], [3, 5], most=SIZE), strict=True):
        for side, guesses in (("both", hole.guesses), ("left", hole.from_left)):
            pieces = [made["names"][number] for number, _ in told[side]["best"]]
            assert pieces == [each.piece for each in guesses[:5]]
            own = made["names"][one["ids"][hole.place]]
            share, rank = told[side]["own"]
            assert guesses[rank - 1].piece == own
            assert share == pytest.approx(guesses[rank - 1].probability, abs=1e-5)
    assert [hole["both"]["own"] for hole in two["holes"]] == [None]  # nobody knows what was there
    assert made["sizes"]["room"] == ROOM
    assert made["sizes"]["parameters"] == sum(p.numel() for p in model.parameters())
    with pytest.raises(ValueError, match="texts is empty"):
        prepare(model, {})
