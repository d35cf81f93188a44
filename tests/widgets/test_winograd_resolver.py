"""The resolver's widget in Python: what it says and draws, and what it refuses."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets

from companion.corpora import winograd
from companion.models import live, load
from companion.models.resolver import prepare, resolve
from companion.widgets import WinogradResolver

PAIRS = [tuple(note.sentence for note in twins) for twins in winograd.NOTES]


@pytest.fixture(scope="module")
def made():
    return prepare(load("resolver"), PAIRS)


@pytest.fixture
def widget(made):
    return lambda **state: WinogradResolver(live("resolver"), **made | state)


def test_it_says_what_it_shows(widget):
    assert widget().describe() == (
        "“the animal didn't cross the street because it was too tired”: “it” is the animal (100%)."
    )
    assert "“they” are the demonstrators" in widget(pair=1, twin=1).describe()


def test_its_picture_is_the_sentence_and_two_bars(widget):
    svg = ET.fromstring(widget(twin=1).picture())  # noqa: S314
    text = "".join(svg.itertext())
    assert "it was too wide" in text
    _, *rectangles = svg.iter("{http://www.w3.org/2000/svg}rect")
    bars = [float(bar.get("width")) for bar in rectangles]
    assert bars == [pytest.approx(0, abs=1), pytest.approx(400, abs=1)]


def test_longer_sentences_take_more_room(widget):
    short, long = widget(), widget(pair=1)
    assert all(a <= b for a, b in zip(short.heights, long.heights, strict=True))
    assert short.heights[1] < long.heights[1]


def test_its_state_is_within_the_budget(widget):
    assert len(widget().to_html()) < 200_000


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"pair": 2}, "pair: 2 was given, there are 2"),
        ({"variant": 4}, "variant: 4 was given, there are 4"),
        ({"layer": 2}, "layer: 2 was given, there are 2"),
        ({"head": 4}, "head: 4 was given, there are 4"),
        ({"twin": 2}, "twin"),
        ({"method": "guess"}, "method"),
    ],
)
def test_choices_out_of_range(widget, state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        widget(**state)


def test_pairs_and_weights_must_fit(made):
    with pytest.raises(ValueError, match="pairs: the list is empty"):
        WinogradResolver(live("resolver"), **made | {"pairs": []})
    with pytest.raises(ValueError, match=r"weights: shape \(3, .* does not fit 2 pairs"):
        WinogradResolver(live("resolver"), **made | {"weights": made["weights"][:3]})


def test_the_weights_are_the_traces(made):
    network = load("resolver").variants["word"]

    for number, sentence in enumerate(s for pair in PAIRS for s in pair):
        n = len(sentence.split())
        for layer, trace in enumerate(resolve(network, sentence).trace.layers):
            found = made["weights"][number, 0, layer, :, :n, :n]
            np.testing.assert_allclose(found, trace.weights, atol=1e-6)
