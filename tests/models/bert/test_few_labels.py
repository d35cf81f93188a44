"""What the widget `FewLabels` is made of: vectors of turns, of an encoder that has read and of one that has not."""

import pytest
import torch

from companion.corpora import turns
from companion.corpora.acts import ACTS
from companion.few_labels import probabilities, softmax_regression
from companion.models import load
from companion.models.bert.few_labels import prepare, untrained, vectors
from companion.models.bert.pieces import encode, join


@pytest.fixture(scope="module")
def encoders():
    return {"pretrained": load("bert").bert, "random": untrained()}


def test_a_vector_is_the_mean_over_tokens_and_layers(encoders):
    encoder, seen = encoders["pretrained"], []
    hooks = [
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        for layer in encoder.layers
    ]
    encoder(torch.tensor([join(encode("Agent: Take care.")[0])[0]]))
    for hook in hooks:
        hook.remove()
    torch.testing.assert_close(
        vectors(encoder, ["Take care."])[0], torch.stack(seen).detach().mean(dim=(0, 1, 2))
    )


def test_turns_do_not_look_at_each_other(encoders):
    texts = ["Goodbye!", "To be sure: a grey sedan, picked up at the airport at ten?"]
    for encoder in encoders.values():
        together = vectors(encoder, texts)
        for text, expected in zip(texts, together, strict=True):
            torch.testing.assert_close(vectors(encoder, [text])[0], expected)


def test_the_untrained_one_is_of_the_same_size_and_always_the_same(encoders):
    shapes = [{n: p.shape for n, p in e.state_dict().items()} for e in encoders.values()]
    assert shapes[0] == shapes[1]
    before = torch.random.get_rng_state()
    one, again, other = untrained(), untrained(), untrained(1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(one.words.weight, again.words.weight)
    assert not torch.equal(one.words.weight, other.words.weight)


def test_what_is_prepared_fits_together(encoders):
    made = prepare(encoders, each=3)
    assert made["classes"] == ACTS
    assert sorted(made["offered"]) == sorted(turns.train(3))
    assert made["held_out"] == turns.held_out()
    for values in made["vectors"].values():
        assert values.shape == (15 + 80, 128)
        torch.testing.assert_close(values.norm(dim=-1), torch.ones(95))
    assert made["offered"] == prepare(encoders, each=3)["offered"]
    assert made["offered"] != prepare(encoders, each=3, seed=1)["offered"]


def test_reading_helps_where_labels_are_few(encoders):
    """The point of the widget, with as many labels as it offers: not a close call."""
    made = prepare(encoders)
    labels, wanted = (
        torch.tensor([act for _, act in made[part]]) for part in ("offered", "held_out")
    )
    right = {}
    for name, values in made["vectors"].items():
        weights = softmax_regression(values[: len(labels)], labels, len(ACTS))
        said = probabilities(weights, values[len(labels) :]).argmax(dim=-1)
        right[name] = int((said == wanted).sum())
    assert right["pretrained"] >= right["random"] + 4
    assert right["random"] > 2 * len(wanted) / len(ACTS)  # which words there are says much


def test_without_texts_there_are_no_vectors(encoders):
    with pytest.raises(ValueError, match="texts is empty"):
        vectors(encoders["random"], [])
    with pytest.raises(ValueError, match="each is 25"):
        prepare(encoders, each=25)
