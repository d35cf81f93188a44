"""Every task as text in and text out, and how tasks are mixed."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.text_to_text import (
    LABELS,
    TEMPLATES,
    mixing_rates,
    places,
    read_input,
    read_label,
    read_score,
    write_input,
    write_label,
    write_score,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SIZES = st.dictionaries(st.text(max_size=5), st.integers(1, 10**9), min_size=1, max_size=8)


class TestInput:
    @pytest.mark.parametrize(
        ("task", "texts", "line"),
        [  # Raffel et al. 2020, figure 1 and appendix D
            ("translate", {"text": "That is good."}, "translate English to German: That is good."),
            (
                "cola",
                {"sentence": "The course is jumping well."},
                "cola sentence: The course is jumping well.",
            ),
            (
                "stsb",
                {
                    "sentence1": "The rhino grazed on the grass.",
                    "sentence2": "A rhino is grazing in a field.",
                },
                (
                    "stsb sentence1: The rhino grazed on the grass. "
                    "sentence2: A rhino is grazing in a field."
                ),
            ),
            ("summarize", {"text": "state authorities …"}, "summarize: state authorities …"),
            (
                "question",
                {"question": "Who?", "context": "Ann came."},
                "question: Who? context: Ann came.",
            ),
        ],
    )
    def test_the_papers_strings(self, task, texts, line):
        assert write_input(task, **texts) == line
        assert read_input(line) == (task, texts)

    @given(task=st.sampled_from(sorted(TEMPLATES)), data=st.data())
    def test_what_is_written_can_be_read(self, task, data):
        marks = (" sentence2: ", " context: ")
        clean = TEXTS.filter(lambda text: not any(mark in f" {text} " for mark in marks))
        texts = {place: data.draw(clean) for place in places(TEMPLATES[task])}
        assert read_input(write_input(task, **texts)) == (task, texts)

    @given(TEXTS)
    def test_a_text_with_braces_stays_as_it_is(self, text):
        assert read_input(write_input("cola", sentence=f"{{{text}}}"))[1] == {
            "sentence": f"{{{text}}}"
        }

    def test_of_two_marks_the_first_divides(self):
        line = write_input("stsb", sentence1="a sentence2: b", sentence2="c")
        assert read_input(line)[1] == {"sentence1": "a", "sentence2": "b sentence2: c"}

    @pytest.mark.parametrize("line", ["", "Summarize: a", "stsb sentence1: a", "hello", "cola: a"])
    def test_other_lines_are_of_no_task(self, line):
        with pytest.raises(ValueError, match="no task is written like that"):
            read_input(line)

    def test_unknown_tasks_and_texts_are_refused(self):
        with pytest.raises(ValueError, match="task is 'rte': it must be one of translate, cola"):
            write_input("rte", text="a")
        with pytest.raises(ValueError, match=r"texts are \['text'\]: stsb needs sentence1, sent"):
            write_input("stsb", text="a")


class TestScore:
    @pytest.mark.parametrize(
        ("score", "text"),
        [(3.25, "3.2"), (1.0, "1.0"), (5, "5.0"), (2.57, "2.6"), (3.8, "3.8"), (4.899, "4.8")],
    )
    def test_it_is_rounded_to_the_nearest_fifth(self, score, text):
        # 3.25 becomes 3.2 in the paper's own example, appendix D.8
        assert write_score(score) == text

    @given(st.floats(1, 5))
    def test_there_are_21_texts_and_each_is_read_as_what_is_near(self, score):
        text = write_score(score)
        assert text in {f"{1 + i / 5:.1f}" for i in range(21)}
        assert abs(read_score(text) - score) <= 0.1 + 1e-9
        assert write_score(read_score(text)) == text

    @pytest.mark.parametrize("score", [0.99, 5.01, -1, math.nan, math.inf])
    def test_scores_off_the_scale_are_refused(self, score):
        with pytest.raises(ValueError, match=r"it must be from 1\.0 to 5\.0"):
            write_score(score)

    @pytest.mark.parametrize("text", ["", "acceptable", "5.2", "0.8", "nan", "inf", "3,8", "3.8."])
    def test_other_texts_are_no_score(self, text):
        assert read_score(text) is None


class TestLabel:
    @pytest.mark.parametrize("acceptable", [True, False])
    def test_round_trip(self, acceptable):
        assert read_label(write_label(acceptable=acceptable)) is acceptable

    @given(TEXTS)
    def test_any_other_text_is_no_label(self, text):
        assert (read_label(text) is None) == (text not in LABELS)


class TestMixing:
    @given(SIZES, st.floats(1, 1e9), st.floats(1, 100))
    def test_rates_sum_to_one_and_keep_the_order(self, sizes, limit, temperature):
        rates = mixing_rates(sizes, limit, temperature)
        assert math.isclose(sum(rates.values()), 1)
        order = sorted(sizes, key=sizes.get)
        assert all(rates[a] <= rates[b] + 1e-12 for a, b in itertools.pairwise(order))

    @given(SIZES)
    def test_temperature_one_without_a_limit_is_proportional(self, sizes):
        total = sum(sizes.values())
        for name, rate in mixing_rates(sizes).items():
            assert math.isclose(rate, sizes[name] / total)

    @given(SIZES, st.floats(1, 1e9))
    def test_without_end_it_is_equal(self, sizes, limit):
        for rates in (mixing_rates(sizes, limit, math.inf), mixing_rates(sizes, limit, 1e6)):
            assert all(abs(rate - 1 / len(sizes)) < 1e-3 for rate in rates.values())

    @given(SIZES)
    def test_a_limit_of_one_is_equal(self, sizes):
        assert all(math.isclose(r, 1 / len(sizes)) for r in mixing_rates(sizes, 1).values())

    def test_it_is_the_papers_formula(self):
        rates = mixing_rates({"a": 900, "b": 100}, limit=300)
        assert rates == pytest.approx({"a": 0.75, "b": 0.25})
        rates = mixing_rates({"a": 900, "b": 100}, temperature=2)
        assert rates == pytest.approx({"a": 0.75, "b": 0.25})

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (({},), "sizes is empty"),
            (({"a": 0},), r"sizes\['a'\] is 0: it must be above 0"),
            (({"a": 1}, 0), "limit is 0: it must be above 0"),
            (({"a": 1}, 5, 0.5), "temperature is 0.5: it must be at least 1"),
            (({"a": 1}, math.nan), "limit is nan"),
            (({"a": 1}, 5, math.nan), "temperature is nan"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, arguments, told):
        with pytest.raises(ValueError, match=told):
            mixing_rates(*arguments)
