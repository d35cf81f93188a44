"""The widget of mixing rates in Python: what it holds, says, draws and refuses."""

from xml.etree import ElementTree as ET

import pytest
import traitlets

from companion.widgets import MixingRates

SETS = {"ours": {"a<b": 100, "c": 2500}, "theirs": {"d": 1}}


def test_it_says_the_largest_and_the_smallest_task():
    assert MixingRates(SETS).describe() == (
        "ours: 2 tasks, from c with 2,500 examples to a<b with 100"
    )
    assert MixingRates(SETS, chosen=1).describe().startswith("theirs: 1 task,")


def test_it_draws_a_bar_for_each_task():
    drawn = ET.fromstring(MixingRates(SETS).picture())  # noqa: S314
    text = "".join(drawn.itertext())
    assert text == "c2,500a<b100"
    assert int(drawn.get("height")) > 100


def test_more_tasks_take_more_room():
    more = {"ours": {str(i): 1 for i in range(9)}}
    pairs = zip(MixingRates(SETS).heights, MixingRates(more).heights, strict=True)
    assert all(a < b for a, b in pairs)


@pytest.mark.parametrize(
    ("sets", "state", "error", "told"),
    [
        ({}, {}, ValueError, "sets: there is none"),
        ({"a": {}}, {}, ValueError, "sets: 'a' is {}; give at least one task"),
        ({"a": {"b": 0}}, {}, ValueError, "and each an example"),
        (SETS, {"chosen": 2}, traitlets.TraitError, "chosen is 2: there are 2 sets"),
        (SETS, {"temperature": 0.5}, traitlets.TraitError, "at least 1, or 0 for equal mixing"),
        (SETS, {"limit": -1}, traitlets.TraitError, "limit"),
    ],
)
def test_what_does_not_fit_is_refused(sets, state, error, told):
    with pytest.raises(error, match=told):
        MixingRates(sets, **state)
