"""The trace of a token in Python: what it says and draws, what it holds, and what it refuses."""

from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
import traitlets

from companion.language_model import LanguageModel
from companion.models.summarizer import prepare_trace as preparing
from companion.models.summarizer.graph import reader
from companion.widgets import TokenTrace

WORDS = ["we", " book", " a", " table", " for", " two", "<end>", "\x00", "<&>"]
TEXTS = ["we book a table", "we book a table for two"]


def encode(text):
    pieces = [word if i == 0 else f" {word}" for i, word in enumerate(text.split())]
    return [WORDS.index(piece) for piece in pieces], pieces, 0


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return LanguageModel(len(WORDS), d_model=16, n_heads=2, n_layers=3, d_ff=24).eval()


@pytest.fixture(scope="module")
def examples(model):
    return preparing.examples(model, TEXTS, encode)


@pytest.fixture
def widget(examples):
    """`widget(…)`: the widget, with other examples or another state."""

    def make(**changes):
        live = SimpleNamespace(name="none", encode=encode)
        return TokenTrace(live, **({"vocabulary": WORDS, "examples": examples} | changes))

    return make


class TestPrepared:
    def test_states_and_weights_are_those_of_the_model(self, model, examples):
        for text, example in zip(TEXTS, examples, strict=True):
            ids, pieces, _ = encode(text)
            reading = model.read(torch.tensor([ids]))
            assert example["pieces"] == pieces
            np.testing.assert_allclose(example["states"], reading.states[0].detach(), atol=1e-6)
            np.testing.assert_allclose(example["weights"], reading.weights[0].detach(), atol=1e-6)

    def test_the_last_stage_says_what_the_model_says(self, model, examples):
        ids, *_ = encode(TEXTS[1])
        odds = model(torch.tensor([ids]))[0].softmax(dim=-1)
        for at in range(len(ids)):
            expected = odds[at].topk(5)
            assert examples[1]["best"][-1, at].tolist() == expected.indices.tolist()
            assert examples[1]["odds"][-1, at] == pytest.approx(expected.values.tolist(), abs=1e-6)

    def test_each_stage_says_what_the_output_layer_makes_of_its_vector(self, model, examples):
        example = examples[0]
        for stage in range(7):
            vector = torch.from_numpy(example["states"][stage, 2])
            shares = (model.norm(vector) @ model.words.weight.T).softmax(dim=-1)
            assert example["best"][stage, 2, 0] == shares.argmax()
            assert example["odds"][stage, 2, 0] == pytest.approx(shares.max().item(), abs=1e-6)

    def test_a_text_without_tokens_is_refused(self, model):
        with pytest.raises(ValueError, match="texts: of '' no token can be followed"):
            preparing.examples(model, [""], encode)

    def test_what_is_given_is_read_and_not_followed(self, model, examples):
        [late] = preparing.examples(model, TEXTS[1:], lambda text: (*encode(text)[:2], 4))
        assert late["pieces"] == examples[1]["pieces"]
        for name, axis in {"states": 1, "weights": 2, "best": 1, "odds": 1}.items():
            whole = np.moveaxis(examples[1][name], axis, 0)
            np.testing.assert_array_equal(np.moveaxis(late[name], axis, 0), whole[4:])

    def test_what_is_asked_live_is_what_is_prepared(self, model, examples):
        """The page asks the graph of one position; the answer is the example's."""
        ids, *_ = encode(TEXTS[1])
        nothing = np.zeros((3, 2, 0, 8), np.float32)
        asked = {
            "tokens": np.array([ids]),
            "at": np.array([3]),
            "past_keys": nothing,
            "past_values": nothing,
        }
        found = reader(model).answer(asked)
        np.testing.assert_allclose(found["states"][:, 0], examples[1]["states"][:, 3], atol=1e-6)
        np.testing.assert_allclose(
            found["weights"][:, :, 0], examples[1]["weights"][:, :, 3], atol=1e-6
        )
        assert found["logits"][:, 0].argmax(-1).tolist() == examples[1]["best"][:, 3, 0].tolist()


class TestWidget:
    def test_its_arrays_hold_the_tokens_of_all_examples(self, widget, examples):
        made, short = widget(), len(examples[0]["pieces"])
        assert made.states.shape == (10, 7, 16)
        assert made.weights.shape == (10, 3, 2, 6)
        for at in range(6):
            np.testing.assert_allclose(
                made.states[short + at], examples[1]["states"][:, at], atol=1e-2
            )
            np.testing.assert_allclose(
                made.weights[short + at], examples[1]["weights"][:, :, at], atol=1e-3
            )
        assert not made.weights[:short, ..., short:].any()

    def test_it_says_what_it_shows(self, widget, examples):
        said = widget().describe()
        first, last = np.linalg.norm(examples[0]["states"][[0, -1], -1], axis=-1)
        word, share = examples[0]["best"][-1, -1, 0], examples[0]["odds"][-1, -1, 0]
        assert said == (
            f"“table” on its way through 3 layers: its vector is {first:.2f} long at first and "
            f"{last:.2f} at last; the model then goes on with “{WORDS[word].strip()}” ({share:.0%})."
        )
        assert "“book” on its way" in widget(example=1, token=1).describe()

    def test_a_token_that_is_only_given_cannot_be_chosen(self, widget, model, examples):
        late = preparing.examples(model, TEXTS[1:], lambda text: (*encode(text)[:2], 4))
        made = widget(examples=[*late, *examples], token=2)
        assert made.chosen[1:] == (4, 0)
        made.example = 2
        assert made.chosen[1:] == (2, 2 + 4 + 2)
        np.testing.assert_allclose(made.states[8], examples[1]["states"][:, 2], atol=1e-2)

    def test_its_picture_has_a_bar_for_each_stage(self, widget):
        svg = ET.fromstring(widget().picture())  # noqa: S314
        text = "".join(svg.itertext())
        assert "embedding" in text
        assert "+ attention 1" in text
        assert "+ feed-forward 3" in text
        bars = [
            float(bar.get("width"))
            for bar in svg.iter("{http://www.w3.org/2000/svg}rect")
            if bar.get("width") != "100%"
        ]
        lengths = widget().lengths()
        assert bars == [pytest.approx(200 * x / lengths.max(), abs=0.51) for x in lengths]

    def test_tokens_that_xml_cannot_write(self, widget, examples):
        for word in (WORDS.index("\x00"), WORDS.index("<&>")):
            odd = examples[0] | {"best": np.full_like(examples[0]["best"], word)}
            ET.fromstring(widget(examples=[odd]).picture())  # noqa: S314

    def test_longer_texts_take_more_room(self, widget):
        torch.manual_seed(0)
        model = LanguageModel(len(WORDS), d_model=16, n_heads=2, n_layers=3, d_ff=24)
        for begin in (0, 30):
            long = preparing.examples(model, [""], lambda _, b=begin: ([0] * 40, ["we\n"] * 40, b))
            both = zip(widget(examples=long).heights, widget().heights, strict=True)
            assert all(more > less for more, less in both)

    def test_a_token_after_the_end_is_the_last(self, widget):
        assert widget(example=0, token=5).chosen[1] == 3


class TestRefused:
    def test_no_examples(self, widget):
        with pytest.raises(ValueError, match="examples: the list is empty"):
            widget(examples=[])

    def test_an_example_that_lacks_something(self, widget, examples):
        broken = {name: examples[0][name] for name in ("pieces", "begin", "states", "best")}
        with pytest.raises(ValueError, match="number 1 has no weights, odds"):
            widget(examples=[examples[0], broken])

    @pytest.mark.parametrize("begin", [4, -1])
    def test_nothing_to_follow(self, widget, examples, begin):
        with pytest.raises(ValueError, match=f"begin of number 0 is {begin}; of its 4 tokens"):
            widget(examples=[examples[0] | {"begin": begin}])

    @pytest.mark.parametrize("name", ["separator", "end"])
    def test_a_special_token_that_there_is_not(self, widget, name):
        with pytest.raises(ValueError, match=f"{name}: '<stop>' is not among the tokens"):
            widget(**{name: "<stop>"})

    @pytest.mark.parametrize("name", ["states", "weights", "best", "odds"])
    def test_shapes_that_do_not_fit(self, widget, examples, name):
        broken = examples[1] | {name: examples[1][name][:-1]}
        with pytest.raises(ValueError, match=rf"{name} of number 1 has shape .* it must be \("):
            widget(examples=[examples[0], broken])

    def test_a_token_that_has_no_text(self, widget):
        with pytest.raises(ValueError, match="not among the 2 of the vocabulary"):
            widget(vocabulary=WORDS[:2])

    @pytest.mark.parametrize(
        ("state", "message"),
        [
            ({"example": 2}, "example: 2 was given, there are 2"),
            ({"token": 6}, "token: 6 was given, there are 6"),
            ({"stage": 7}, "stage: 7 was given, there are 7"),
            ({"head": 2}, "head: 2 was given, there are 2"),
            ({"head": -2}, "head"),
            ({"token": -2}, "token"),
        ],
    )
    def test_choices_out_of_range(self, widget, state, message):
        with pytest.raises(traitlets.TraitError, match=message):
            widget(**state)


def test_a_model_of_the_usual_size_is_within_the_budget():
    torch.manual_seed(0)
    model = LanguageModel(2048, d_ff=8)
    words = [f" word{i}" for i in range(2048)]
    read = preparing.examples(model, ["", ""], lambda _: (list(range(60)), words[:60], 50))
    made = TokenTrace(SimpleNamespace(name="x"), vocabulary=words, examples=read)
    assert len(made.to_html()) < 200_000
