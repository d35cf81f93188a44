"""A quiz: questions kept as data beside the chapter, one shown at a time."""

import html
import json
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
        for number, question in enumerate(questions, 1):
            _check(number, question)
        if not questions:
            raise ValueError("questions: the list is empty; give at least one question")
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
        except json.JSONDecodeError as error:
            raise ValueError(f"path: {str(path)!r} is not JSON: {error}") from error
        return cls(questions)

    def describe(self) -> str:
        """Return how many questions there are."""
        return f"A quiz of {len(self.questions)} questions."

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
        """Pixels to keep free, (on a wide page, on a phone), for the longest question."""
        longest = max(
            len(q["question"]) + sum(len(a["text"]) for a in q["answers"]) for q in self.questions
        )
        answers = max(len(question["answers"]) for question in self.questions)
        return (200 + 52 * answers + longest // 6, 230 + 62 * answers + longest // 2)


def _check(number: int, question: object) -> None:
    problem = None
    if not isinstance(question, dict) or set(question) != {"question", "answers"}:
        problem = 'give {"question": …, "answers": […]}'
    elif len(question["answers"]) < 2:
        problem = "give at least two answers"
    elif any(
        not {"text", "why"} <= set(answer) <= {"text", "why", "right"}
        for answer in question["answers"]
    ):
        problem = 'each answer is {"text": …, "why": …} and, for one of them, "right": true'
    elif sum(bool(answer.get("right")) for answer in question["answers"]) != 1:
        problem = "exactly one answer must be right"
    if problem:
        raise ValueError(f"questions: question {number} is not of the right form: {problem}")
