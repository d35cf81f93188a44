"""How a reader is trained: what it sees, what counts as right, and how it is marked."""

import pytest
import torch

from companion.bert import Bert, SpanReader
from companion.corpora import dialogues, questions
from companion.corpora.questions import Question
from companion.models.bert import pieces
from companion.models.reader import recipe

TINY = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16}
ASKED = questions.ask(dialogues.generate(40, 0), 0)
DRAWN = recipe.examples(ASKED)


def reader(seed=0, **sizes):
    torch.manual_seed(seed)
    return SpanReader(Bert(pieces.SIZE, **TINY | sizes)).eval()


def test_an_example_is_question_and_dialogue_between_the_special_tokens():
    one = recipe.example(Question("User: To Rome.\n", "Where to?", "destination", ((9, 13),)))
    names = [pieces.names()[number] for number in one.tokens]
    assert names[0] == "[CLS]"
    assert names[-1] == "[SEP]"
    assert names[1:5] == ["where", "to", "?", "[SEP]"]
    assert one.segments == [0] * 5 + [1] * (len(names) - 5)
    assert len(one.offsets) == len(names)
    assert one.offsets[:5] == [(0, 0)] * 5
    assert one.offsets[5] == (0, 4)  # User


def test_the_tokens_of_an_answer_are_those_that_touch_it():
    for question, one in zip(ASKED, (recipe.example(q) for q in ASKED), strict=True):
        if not question.answers:
            assert (one.starts, one.ends) == ([0], [0])
        for (first, last), start, end in zip(question.answers, one.starts, one.ends, strict=False):
            assert start <= end
            assert one.offsets[start][0] <= first < one.offsets[start][1]
            assert one.offsets[end][0] < last <= one.offsets[end][1]


def test_longer_ones_are_left_out():
    limit = sorted(len(one.tokens) for one in DRAWN)[20]
    kept = recipe.examples(ASKED, limit)
    assert 21 <= len(kept) < len(DRAWN)
    assert all(len(one.tokens) <= limit for one in kept)


def test_padding_changes_neither_loss_nor_logits():
    model = reader()
    short, long = sorted(DRAWN[:12], key=lambda one: len(one.tokens))[::11]
    assert len(short.tokens) < len(long.tokens)
    _, start, end = recipe.logits(model, [short, long])
    _, alone, alone_end = recipe.logits(model, [short])
    n = len(short.tokens)
    torch.testing.assert_close(start[0, :n], alone[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(end[0, :n], alone_end[0], atol=1e-5, rtol=1e-5)
    assert torch.isneginf(start[0, n:]).all()
    both = recipe.loss(model, [short, long])
    apart = (recipe.loss(model, [short]) + recipe.loss(model, [long])) / 2
    torch.testing.assert_close(both, apart, atol=1e-5, rtol=1e-5)


def test_a_batch_has_about_so_many_tokens_of_like_length():
    torch.manual_seed(0)
    for _ in range(20):
        chosen = recipe.batch(DRAWN, 2000)
        lengths = [len(one.tokens) for one in chosen]
        assert max(lengths) * len(lengths) <= 2000
        assert max(lengths) - min(lengths) < 150


def test_it_learns_where_a_few_answers_stand():
    few = [one for one in DRAWN if one.starts != [0]][:4]
    losses = []
    model = recipe.train(
        few, steps=60, tokens=600, learning_rate=5e-3, warm_up=5,
        on_step=lambda _, value: losses.append(value), **TINY | {"d_model": 32},
    )  # fmt: skip
    assert sum(losses[-5:]) < sum(losses[:5]) / 3
    asked = [q for q in ASKED if q.answers][:4]
    assert recipe.measure(model, asked).f1 > 0.7


def test_a_pretrained_encoder_is_begun_with_and_left_as_it_was():
    begun = reader().bert
    before = {name: tensor.clone() for name, tensor in begun.state_dict().items()}
    model = recipe.train(DRAWN, begun=begun, steps=1, tokens=300, learning_rate=1e-9, warm_up=1)
    for name, tensor in begun.state_dict().items():
        assert torch.equal(tensor, before[name])
        torch.testing.assert_close(model.bert.state_dict()[name], tensor, atol=1e-6, rtol=0)


def test_the_same_seed_gives_the_same_reader():
    one, other = (
        recipe.train(DRAWN, 3, steps=2, tokens=300, **TINY).state_dict() for _ in range(2)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_half_precision_changes_little():
    whole, half = (
        recipe.train(DRAWN, 3, steps=2, tokens=300, half=half, **TINY).state_dict()
        for half in (False, True)
    )
    assert any(not torch.equal(whole[name], half[name]) for name in whole)
    for name in whole:
        assert half[name].dtype is torch.float32
        torch.testing.assert_close(half[name], whole[name], atol=2e-3, rtol=0)


def scores(one, start, end, none=0.0):
    begins, ends = torch.full((2, len(one.tokens)), -9.0)
    begins[start], ends[end] = 5.0, 5.0
    begins[0] = ends[0] = none
    return begins, ends


TEXT = "User: To Zürich, please.\n"
ONE = recipe.example(Question(TEXT, "Where to?", "destination", ((9, 15),)))


def test_an_answer_is_cut_from_the_text_as_it_was_typed():
    found = recipe.answer(TEXT, ONE, *scores(ONE, ONE.starts[0], ONE.ends[0]))
    assert (found.text, found.start, found.end) == ("Zürich", 9, 15)
    assert found.score == 10


def test_no_answer_is_given_below_the_threshold():
    logits = scores(ONE, ONE.starts[0], ONE.ends[0], none=4.0)
    assert recipe.answer(TEXT, ONE, *logits).text == "Zürich"
    refused = recipe.answer(TEXT, ONE, *logits, threshold=3.0)
    assert (refused.text, refused.start, refused.end) == ("", 0, 0)
    assert refused.score == 2


def test_the_question_is_never_the_answer():
    found = recipe.answer(TEXT, ONE, *scores(ONE, 1, 2, none=-20.0))
    assert found.start >= 0
    assert found.text in TEXT
    assert ONE.offsets[ONE.tokens.index(pieces.SEP)] == (0, 0)


def test_marks_are_split_by_whether_there_is_an_answer():
    told = [question for question in ASKED if question.answers][:20]
    untold = [question for question in ASKED if not question.answers][:5]
    score = recipe.measure(reader(), [*told, *untold])
    assert score.items == 25
    mixed = (score.refused + 4 * score.answered) / 5
    assert score.f1 == pytest.approx(mixed)
    assert score.exact <= score.f1


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: recipe.train([], steps=1), "drawn is 0: it must be above 0"),
        (lambda: recipe.train(DRAWN, steps=0), "steps is 0: it must be above 0"),
        (lambda: recipe.measure(reader(), []), "questions: there are none of at most 384 tokens"),
    ],
)
def test_what_makes_no_sense_is_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()
