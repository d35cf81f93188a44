"""The quiz, answered as a person answers it."""

from typing import ClassVar

import pytest
from axe import violations
from playwright.sync_api import Locator, Page, expect

from companion.widgets import Quiz

QUESTIONS = [
    {
        "question": "What does the causal mask hide?",
        "answers": [
            {"text": "padding", "why": "That is the padding mask."},
            {"text": "what comes later", "why": "A query sees itself and the past.", "right": True},
            {"text": "<b>nothing</b>", "why": "<i>It hides the future.</i>"},
        ],
    },
    {
        "question": "Is a < b && c > d?",
        "answers": [
            {"text": "yes", "why": "Indeed.", "right": True},
            {"text": "</script><script>alert(1)</script>", "why": "This is no answer."},
        ],
    },
    {
        "question": "👩‍👩‍👧‍👦 или שלום?",
        "answers": [
            {"text": "x" * 200, "why": "y" * 200},
            {"text": "both", "why": "Both.", "right": True},
        ],
    },
]


@pytest.fixture
def page(saved, open_page):
    return open_page(saved(Quiz(QUESTIONS)))


class _Reader:
    """What a person finds in a quiz."""

    ANSWERS: ClassVar = [[a["text"] for a in q["answers"]] for q in QUESTIONS]

    def __init__(self, page: Page) -> None:
        self.page = page

    def answer(self, text: str) -> Locator:
        return self.page.get_by_role("radio", name=text, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def expect_question(self, number: int, right: int) -> None:
        expect(
            self.page.get_by_text(f"Question {number} of 3 · {right} right so far")
        ).to_be_visible()
        group = self.page.get_by_role("group", name=QUESTIONS[number - 1]["question"])
        expect(group).to_be_visible()
        assert group.get_by_role("radio").count() == len(self.ANSWERS[number - 1])
        assert group.locator(".answer").all_inner_texts() == self.ANSWERS[number - 1]

    def expect_verdict(self, text: str) -> None:
        expect(self.page.get_by_role("status")).to_have_text(text)


def test_answer_by_mouse(page):
    quiz = _Reader(page)
    quiz.expect_question(1, right=0)
    quiz.expect_verdict("")
    page.get_by_text("padding", exact=True).click()
    quiz.expect_verdict("✗ Not this one. That is the padding mask.")
    quiz.expect_question(1, right=0)
    page.get_by_text("what comes later").click()
    quiz.expect_verdict("✓ Right. A query sees itself and the past.")
    quiz.expect_question(1, right=1)
    expect(quiz.answer("what comes later")).to_be_checked()
    expect(quiz.answer("padding")).not_to_be_checked()


def test_answer_by_touch(saved, open_page):
    page = open_page(saved(Quiz(QUESTIONS)), touch=True, width=390)
    page.get_by_text("what comes later").tap()
    _Reader(page).expect_verdict("✓ Right. A query sees itself and the past.")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_answer_by_keyboard_keeps_the_focus(page):
    quiz = _Reader(page)
    page.keyboard.press("Tab")
    expect(quiz.answer("padding")).to_be_focused()
    page.keyboard.press("Space")
    quiz.expect_verdict("✗ Not this one. That is the padding mask.")
    expect(quiz.answer("padding")).to_be_focused()
    page.keyboard.press("ArrowDown")
    quiz.expect_verdict("✓ Right. A query sees itself and the past.")
    expect(quiz.answer("what comes later")).to_be_focused()
    expect(quiz.answer("what comes later")).to_be_checked()
    page.keyboard.press("Tab")  # one stop for the radio group; Back is disabled
    expect(quiz.button("Next")).to_be_focused()
    page.keyboard.press("Enter")
    quiz.expect_question(2, right=1)


def test_back_and_next_keep_the_answers(page):
    quiz = _Reader(page)
    expect(quiz.button("Back")).to_be_disabled()
    quiz.answer("what comes later").check()
    quiz.button("Next").click()
    quiz.expect_question(2, right=1)
    quiz.expect_verdict("")
    quiz.answer("yes").check()
    quiz.button("Next").click()
    quiz.expect_question(3, right=2)
    expect(quiz.button("Next")).to_be_disabled()
    quiz.answer("x" * 200).check()
    quiz.expect_verdict("✗ Not this one. " + "y" * 200)
    quiz.button("Back").click()
    expect(quiz.answer("yes")).to_be_checked()
    quiz.expect_verdict("✓ Right. Indeed.")
    quiz.button("Back").click()
    expect(quiz.answer("what comes later")).to_be_checked()
    quiz.answer("padding").check()
    quiz.expect_question(1, right=1)


def test_focus_is_not_lost_at_the_last_question(page):
    quiz = _Reader(page)
    quiz.button("Next").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    quiz.expect_question(3, right=0)
    page.keyboard.press("Shift+Tab")
    expect(quiz.button("Back")).to_be_focused()


def test_markup_is_shown_as_text(page):
    quiz = _Reader(page)
    quiz.answer("<b>nothing</b>").check()
    quiz.expect_verdict("✗ Not this one. <i>It hides the future.</i>")
    quiz.button("Next").click()
    quiz.answer("</script><script>alert(1)</script>").check()
    quiz.expect_question(2, right=0)
    assert page.locator(".companion-widget").locator("b, i, script:not([type])").count() == 0


def test_two_quizzes_are_independent(saved, open_page):
    page = open_page(saved(Quiz(QUESTIONS), Quiz(QUESTIONS[:1])))
    first, second = page.locator(".companion-widget").all()
    first.get_by_role("radio", name="padding").check()
    second.get_by_role("radio", name="what comes later").check()
    expect(first.get_by_role("radio", name="padding")).to_be_checked()
    expect(first.get_by_role("status")).to_contain_text("✗")
    expect(second.get_by_role("status")).to_contain_text("✓")


def test_without_javascript_the_answers_are_folded_away(saved, open_page):
    page = open_page(saved(Quiz(QUESTIONS)), scripts=False)
    for question in QUESTIONS:
        expect(page.get_by_text(question["question"])).to_be_visible()
    first = page.locator("details").first
    assert first.inner_text() == "Answer"
    first.get_by_text("Answer").click()
    assert first.inner_text().endswith("what comes later A query sees itself and the past.")
    assert page.locator("b, i").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_no_higher_than_was_kept_free(saved, open_page, scheme, width):
    page = open_page(saved(Quiz(QUESTIONS)), scheme=scheme, width=width)
    place = page.locator(".companion-widget")
    kept = float(place.evaluate("(e) => parseFloat(getComputedStyle(e).minHeight)"))
    for answers in _Reader.ANSWERS:
        assert violations(page) == []
        for text in answers:
            _Reader(page).answer(text).check()
            assert place.locator(".widget").bounding_box()["height"] <= kept
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        if answers is not _Reader.ANSWERS[-1]:
            _Reader(page).button("Next").click()
