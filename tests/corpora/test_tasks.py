"""Five tasks of our own: what goes in, what should come out, and by which rule."""

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.corpora import dialogues, pairs, tasks
from companion.text_to_text import LABELS, TEMPLATES, read_input, read_score

# ruff: noqa: S311 - nothing here is secret

DRAWS = (tasks.generate, tasks.held_out)


@pytest.mark.parametrize("task", TEMPLATES)
@pytest.mark.parametrize("draw", DRAWS)
def test_every_example_is_written_for_its_task(task, draw):
    found = draw(task, 30, 5)
    assert len(found) == 30
    assert all(read_input(one.source)[0] == task and one.target for one in found)
    assert found == draw(task, 30, 5)
    assert found != draw(task, 30, 6)


@pytest.mark.parametrize("task", TEMPLATES)
def test_what_is_held_out_is_not_trained_on(task):
    known = {one.source for one in tasks.generate(task, 300, 0)}
    new = {one.source for one in tasks.held_out(task, 100, 1)}
    assert not known & new


@pytest.mark.parametrize("draw", DRAWS)
def test_errors(draw):
    with pytest.raises(ValueError, match="task is 'rte': it must be one of translate"):
        draw("rte", 1, 0)
    with pytest.raises(ValueError, match="n is 0"):
        draw("cola", 0, 0)


def test_about_half_the_sentences_are_broken():
    labels = Counter(one.target for one in tasks.generate("cola", 600, 0))
    assert set(labels) == set(LABELS)
    assert 0.35 < labels["unacceptable"] / 600 < 0.5  # not every sentence can be broken


def sentences(n=200):
    return [each.source for each in pairs.generate(n, 3, 7)]


def test_a_broken_sentence_differs_in_one_place_and_is_none_of_the_grammars():
    whole = {each.source for length in tasks.LENGTHS for each in pairs.generate(400, 9, length)}
    rng = random.Random(0)
    changed = 0
    for sentence in sentences():
        wrong = tasks.broken(sentence, rng)
        if wrong is None:
            continue
        changed += 1
        differ = [i for i, (a, b) in enumerate(zip(sentence, wrong, strict=True)) if a != b]
        assert len(differ) == 1 or (
            len(differ) == 2 and sorted(sentence) == sorted(wrong) and differ[1] == differ[0] + 1
        )
        assert wrong not in whole
    assert changed > 150


def test_a_sentence_that_cannot_be_broken_is_let_be():
    assert tasks.broken(("Anna", "slept", "."), random.Random(0)) is None


class TestSimilarity:
    @pytest.mark.parametrize(
        ("one", "other", "score"),
        [
            ("Anna books a hotel", "Anna books a hotel", 5),
            ("Anna books a hotel", "Ben buys a soup", 1),
            ("Anna books a hotel", "Anna books a room", 1 + 4 * 2 / 3),
            ("Anna books a hotel", "hotel Anna the books", 5),  # it does not see order
            ("Anna books a hotel", "Anna", 1 + 4 * 2 / 4),
            ("she and I", "they", 5),  # nothing of content in either
            ("she", "Anna", 1),
        ],
    )
    def test_it_is_the_f1_of_the_content_words(self, one, other, score):
        assert tasks.similarity(one.split(), other.split()) == pytest.approx(score)

    @given(st.sampled_from(sentences()), st.sampled_from(sentences()))
    def test_it_is_symmetric_and_from_1_to_5(self, one, other):
        score = tasks.similarity(one, other)
        assert 1 <= score <= 5
        assert score == tasks.similarity(other, one)
        assert tasks.similarity(one, one) == 5

    @settings(max_examples=50)
    @given(st.sampled_from(sentences()), st.integers(0, 1000))
    def test_rewording_changes_content_words_alone(self, sentence, seed):
        assert tasks.reworded(sentence, 0, random.Random(seed)) == sentence
        for old, new in zip(
            sentence, tasks.reworded(sentence, 1, random.Random(seed)), strict=True
        ):
            assert (old in tasks.KINDS) == (old != new)
            assert old == new or new in tasks.KINDS[old]

    def test_scores_of_all_sizes_are_met(self):
        found = Counter(one.target for one in tasks.generate("stsb", 500, 0))
        assert len(found) >= 9
        assert all(read_score(text) for text in found)
        assert max(found.values()) < 250


class TestDialogues:
    def test_the_answer_is_the_last_value_of_its_slot(self):
        for one in tasks.generate("question", 60, 2):
            texts = read_input(one.source)[1]
            if re.search("where|Where|Which (city|hotel|movie|rest|dent)", texts["question"]):
                assert one.target in texts["context"]

    def test_a_change_of_mind_counts(self):
        changed = [
            d
            for d in dialogues.generate(300, 4)
            if any(a.act == "NEGATE" for t in d.turns for f in t.frames for a in f.actions)
        ]
        assert changed
        for dialogue in changed:
            last = [f.state for t in dialogue.turns for f in t.frames if f.state][-1]
            assert set(tasks.answers(dialogue).values()) <= {v[0] for v in last.values.values()}

    def test_dialogues_are_short_and_stand_in_one_line(self):
        for one in tasks.generate("summarize", 40, 2):
            text = read_input(one.source)[1]["text"]
            assert "\n" not in text
            assert len(re.findall(r"User:|Agent:", text)) <= tasks.TURNS
