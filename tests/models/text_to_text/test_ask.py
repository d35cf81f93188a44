"""What the model writes, what that counts as, and what the widget is made of."""

import pytest
import torch

from companion.encoder_decoder import EncoderDecoder
from companion.models import load, text_to_text
from companion.models.text_to_text import pieces
from companion.models.text_to_text.ask import LONGEST, MORE, answer, read
from companion.models.text_to_text.graph import reader
from companion.models.text_to_text.measure import measure, pearson, score
from companion.models.text_to_text.prepare import prepare
from companion.models.translator.recipe import END
from companion.text_to_text import TEMPLATES

LINES = ["cola sentence: We sleep.", "translate English to German: Anna books a room.", "?"]


@pytest.fixture(scope="module")
def model():
    return load("text_to_text")


def by_hand(model, line):
    """The likeliest next token, again and again, each time from the beginning."""
    source = torch.tensor([read(0, line)])
    written, total = [], 0.0
    for _ in range(min(LONGEST, source.shape[1] + MORE)):
        with torch.no_grad():
            hidden = model(source, torch.tensor([[END, *written]]))[0, -1]
            odds = model.score(hidden).log_softmax(-1)
        token = int(odds.argmax())
        total += float(odds[token])
        if token == END:
            return written, total, True
        written.append(token)
    return written, total, False


def test_it_writes_the_likeliest_token_each_time(model):
    for line, one in zip(LINES, answer(model, LINES), strict=True):
        written, total, ended = by_hand(model, line)
        assert one.tokens == written
        assert one.log_probability == pytest.approx(total, abs=1e-3)
        assert one.ended == ended
        assert one.text == pieces.decode(written).strip()


def test_an_answer_does_not_depend_on_its_neighbours(model):
    together = answer(model, LINES)
    assert [one.tokens for one in together] == [answer(model, [x])[0].tokens for x in LINES]


def test_what_finds_no_end_is_cut():
    torch.manual_seed(0)
    lost = EncoderDecoder(pieces.SIZE, d_model=8, n_heads=1, n_layers=1, d_ff=8).eval()
    with torch.no_grad():
        lost.words.weight[END] = 0
    (one,) = answer(lost, ["We sleep."])
    if not one.ended:
        assert len(one.tokens) == len(read(0, "We sleep.")) + MORE


def test_errors(model):
    with pytest.raises(ValueError, match=r"lines\[1\] is empty"):
        answer(model, ["a", "  "])
    with pytest.raises(ValueError, match=r"lines\[0\] has \d+ tokens: it must have at most 200"):
        answer(model, ["x1 " * 200])


class TestScores:
    def test_each_task_has_its_own(self):
        assert score("question", ["a", "b"], ["a", "c"]) == {"exact": 50}
        assert score("cola", ["acceptable", "no"], ["acceptable"] * 2)["accuracy"] == 50
        assert score("translate", ["Wir essen Suppe heute ."], ["Wir essen Suppe heute ."])[
            "BLEU"
        ] == pytest.approx(100)
        assert score("summarize", ["a b"], ["a c"])["ROUGE-L"] == pytest.approx(50)
        found = score("stsb", ["1.0", "3.0", "5.0"], ["1.0", "2.0", "3.0"])
        assert found["Pearson"] == pytest.approx(1)

    def test_what_is_no_number_counts_as_minus_one(self):
        meant = ["1.0", "3.0", "5.0"]
        found = score("stsb", ["1.0", "3.0", "acceptable"], meant)["Pearson"]
        assert found == pytest.approx(pearson([1, 3, -1], [1, 3, 5]))
        assert found < 0

    def test_one_answer_for_all_correlates_with_nothing(self):
        assert score("stsb", ["1.0"] * 3, ["1.0", "2.0", "5.0"])["Pearson"] == 0

    def test_one_example_is_too_few(self, model):
        with pytest.raises(ValueError, match="1 were given; at least 2"):
            measure(model, "cola", [None])


class TestPrepare:
    def test_it_is_what_the_model_writes(self, model):
        lines = {"cola": LINES[:1], "translate": LINES[1:2]}
        made = prepare(model, lines)
        assert made["names"] == pieces.names()
        assert made["templates"] == {task: TEMPLATES[task] for task in lines}
        for example, one in zip(made["examples"], answer(model, LINES[:2]), strict=True):
            assert (example["ids"], example["text"]) == (one.tokens, one.text)

    def test_errors(self, model):
        with pytest.raises(ValueError, match="cola has none"):
            prepare(model, {"cola": []})
        with pytest.raises(ValueError, match="is not written for the task stsb"):
            prepare(model, {"stsb": LINES[:1]})
        with pytest.raises(ValueError, match="no task is written like that"):
            prepare(model, {"stsb": ["Hello"]})


def test_the_graph_takes_what_the_model_reads(model):
    graph = reader(model)
    ids = read(0, "question: " + "Which hotel? " * 30)
    layers, heads, d_k = 2, 4, 24
    empty = torch.zeros(layers, 1, heads, 0, d_k).numpy()
    found = graph.answer(
        {
            "source": torch.tensor([ids]).numpy(),
            "tokens": torch.tensor([END]).numpy(),
            "past_keys": empty,
            "past_values": empty,
        }
    )
    assert found["logits"].shape == (1, pieces.SIZE)
    assert int(found["logits"].argmax()) == (by_hand(model, pieces.decode(ids[:-1]))[0] or [END])[0]


def test_its_names_are_exported():
    assert set(text_to_text.__all__) == {"Answer", "answer", "measure", "numbered", "prepare"}
