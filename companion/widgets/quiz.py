"""A quiz: questions kept as data beside the chapter, one shown at a time."""

import html
import json
import math
from pathlib import Path
from typing import Any

import traitlets as t

from companion.widgets.host import Widget


class Quiz(Widget):
    """A few questions on what was just read; each answer says why it is right or wrong.

    Args:
        questions: a list of {"question": text, "answers": [{"text": …, "why": …, "right": true}, …]};
            each question has at least two answers, one of them right. All of it is plain text.

    Raises:
        ValueError: a question that is not of this form; the message says which.
    """

    questions = t.List().tag(sync=True)
    chosen = t.List(t.Int()).tag(sync=True)

    def __init__(self, questions: list[dict[str, Any]]) -> None:
        if not isinstance(questions, list | tuple) or not questions:
            raise ValueError(
                f"questions: a list of at least one question is needed, not {questions!r:.60}"
            )
        for number, question in enumerate(questions, 1):
            _check(number, question)
        super().__init__(questions=questions, chosen=[-1] * len(questions))

    @classmethod
    def load(cls, path: str | Path) -> "Quiz":
        """Return the quiz kept in the JSON file at `path`.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is no JSON, or a question is not of the form the class describes.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"path: there is no file {str(path)!r} in {str(Path.cwd())!r}")
        try:
            questions = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"path: {str(path)!r} is not JSON: {error}") from error
        return cls(questions)

    def describe(self) -> str:
        """Return how many questions there are."""
        count = len(self.questions)
        return f"A quiz of {count} question{'s' if count > 1 else ''}."

    def still(self) -> str:
        """Return the questions as a list, each with its right answer folded away."""
        items = []
        for question in self.questions:
            right = next(answer for answer in question["answers"] if answer.get("right"))
            items.append(
                f"<li>{html.escape(question['question'])}<details><summary>Answer</summary>"
                f"{html.escape(right['text'])} {html.escape(right['why'])}</details></li>"
            )
        return f"<ol>{''.join(items)}</ol>"

    @property
    def heights(self) -> tuple[int, int]:
        """Pixels to keep free, (on a wide page, on a phone), for the highest question."""
        return (
            max(_height(question, letters=78, verdict=48) for question in self.questions),
            max(_height(question, letters=38, verdict=96) for question in self.questions),
        )


def _height(question: dict[str, Any], letters: int, verdict: int) -> int:
    """Pixels that a question takes, where a line has room for so many letters; as in the style sheet."""

    def lines(text: str, room: int = letters) -> int:
        return 22 * max(1, math.ceil(len(text) / room))

    answers = question["answers"]
    choices = sum(max(40, lines(answer["text"], letters - 6) + 18) + 6 for answer in answers)
    told = max(verdict, *(lines("✗ Not this one. " + answer["why"]) for answer in answers))
    return 126 + lines(question["question"]) + choices + told


def _check(number: int, question: object) -> None:
    problem = None
    if not isinstance(question, dict) or set(question) != {"question", "answers"}:
        problem = 'give {"question": …, "answers": […]}'
    elif not isinstance(question["question"], str):
        problem = f'"question" is a text, not {question["question"]!r:.60}'
    elif not isinstance(question["answers"], list | tuple) or len(question["answers"]) < 2:
        problem = 'give "answers", a list of at least two'
    elif not all(map(_is_answer, question["answers"])):
        problem = 'each answer is {"text": …, "why": …} and, for one of them, "right": true'
    elif sum(answer.get("right", False) for answer in question["answers"]) != 1:
        problem = "exactly one answer must be right"
    if problem:
        raise ValueError(f"questions: question {number} is not of the right form: {problem}")


def _is_answer(answer: object) -> bool:
    return (
        isinstance(answer, dict)
        and {"text", "why"} <= set(answer) <= {"text", "why", "right"}
        and all(isinstance(answer[name], str) for name in ("text", "why"))
        and isinstance(answer.get("right", False), bool)
    )
