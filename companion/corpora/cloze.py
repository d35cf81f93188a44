"""Questions that nobody wrote, with answers that nobody marked, found in the text of dialogues.

People repeat what matters: a name is offered, chosen, confirmed. Take one of these turns out of the
dialogue, put `what` in place of the name, and ask for it: the rest of the dialogue still says it. And
people ask, and are answered in the next turn.

Sources: Lewis, Denoyer and Riedel 2019, "Unsupervised Question Answering by Cloze Translation",
https://arxiv.org/abs/1906.04980, section 2; Ram et al. 2021, "Few-Shot Question Answering by
Pretraining Span Selection", https://arxiv.org/abs/2101.00438, section 3.1, on spans that recur.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from companion.checks import at_least_one
from companion.corpora import transcript
from companion.corpora.questions import Question
from companion.corpora.sgd import Dialogue

HOLE = "what"
COMMON = 250  # so many of the most frequent words neither begin nor end a span
LONGEST = 6  # words in a span
_WORD = re.compile(r"[^\W_]+(?:[:'.,/&-][^\W_]+)*")
_ASKING = r"\b(?:what|which|where|when|who|how)\b"
_QUESTION = re.compile(rf"([^.!?:]*{_ASKING}[^.!?:]*\?)\s*$", re.IGNORECASE)
_SPEAKER = re.compile(r"\w+: ")

Place = tuple[int, int]  # first character, and one past the last


def common_words(dialogues: Iterable[Dialogue], most: int = COMMON) -> frozenset[str]:
    """Return the words that are met most often in small letters, so that names are not among them."""
    counts = Counter(
        match[0]
        for dialogue in dialogues
        for turn in dialogue.turns
        for match in _WORD.finditer(turn.utterance)
        if match[0].isalpha() and match[0].islower()
    )
    return frozenset(word for word, _ in counts.most_common(most))


def ask(
    dialogues: Iterable[Dialogue],
    common: frozenset[str],
    seed: int,
    *,
    most: int = 4,
    turns: int | None = None,
    unanswerable: float = 0.0,
) -> list[Question]:
    """Draw cloze questions about dialogues.

    Args:
        dialogues: what is asked about; only what is said in them is looked at.
        common: words that make no span, from `common_words`.
        seed: equal seeds give equal questions.
        most: most questions about one dialogue.
        turns: most turns of the text that is asked about, one that says it among them; None: all.
        unanswerable: chance that only turns that do not say it are shown.

    Raises:
        ValueError: If most or turns is below 1, or unanswerable not from 0 to 1.
    """
    cut = _Cut(turns, unanswerable, random.Random(seed))  # noqa: S311
    at_least_one(most=most)
    return [
        question
        for dialogue in dialogues
        for question in _about(transcript.lines(dialogue), common, cut, most)
    ]


def replies(
    dialogues: Iterable[Dialogue],
    common: frozenset[str],
    seed: int,
    *,
    turns: int | None = None,
    unanswerable: float = 0.0,
) -> list[Question]:
    """Take each question that somebody asks in a dialogue, and what the other answers.

    A turn that ends with a question (what, which, where, when, who or how) is taken out; the answer is
    the one name or number in the turn after it, if there is just one.

    Args:
        dialogues: what is looked through; only what is said in them.
        common: words that make no answer, from `common_words`.
        seed: of which turns are kept.
        turns: most turns of the text that is asked about, the answer's among them; None: all.
        unanswerable: chance that only turns that do not say it are shown.

    Raises:
        ValueError: If turns is below 1, or unanswerable not from 0 to 1.
    """
    cut = _Cut(turns, unanswerable, random.Random(seed))  # noqa: S311
    return [
        question for talk in dialogues for question in _asked(transcript.lines(talk), common, cut)
    ]


@dataclass(frozen=True)
class _Cut:
    """Which turns of a dialogue are shown."""

    turns: int | None
    unanswerable: float
    rng: random.Random

    def __post_init__(self) -> None:
        at_least_one(turns=1 if self.turns is None else self.turns)
        if not 0 <= self.unanswerable <= 1:
            raise ValueError(f"unanswerable is {self.unanswerable}: it must be from 0 to 1")

    def question(self, lines: list[str], left_out: int, asked: str, said: str) -> Question | None:
        """Ask about the lines but one; None if all of those that may be shown are left out.

        At most so many are shown, either with one that says it or of those that do not.
        """
        others = [i for i in range(len(lines)) if i != left_out]
        saying = [i for i in others if _places(said, lines[i])]
        if self.rng.random() < self.unanswerable:
            others = [i for i in others if i not in saying]
            kept = self.rng.randrange(len(others)) if others else 0
        else:
            kept = others.index(self.rng.choice(saying))
        if self.turns and len(others) > self.turns:
            first, last = max(0, kept - self.turns + 1), min(kept, len(others) - self.turns)
            begin = self.rng.randint(first, last)
            others = others[begin : begin + self.turns]
        text = "".join(f"{lines[i]}\n" for i in others)
        return Question(text, asked, "", tuple(_places(said, text))) if text else None


def _asked(lines: list[str], common: frozenset[str], cut: _Cut) -> list[Question]:
    questions = []
    for number in range(len(lines) - 1):
        asked = _QUESTION.search(lines[number])
        answers = _telling(lines[number + 1], common)
        if asked and len(answers) == 1:
            said = lines[number + 1][slice(*answers[0])]
            questions.append(cut.question(lines, number, asked[1].strip(), said))
    return [question for question in questions if question]


def _telling(line: str, common: frozenset[str]) -> list[Place]:
    """The runs of words of a line that are not common, of at most LONGEST words."""
    spans: list[Place] = []
    last = ""
    for match in _WORD.finditer(line, _SPEAKER.match(line).end()):
        word = match[0].lower()
        goes_on = bool(spans) and not line[spans[-1][1] : match.start()].strip()
        if word in ("am", "pm") and goes_on and last.isdigit():
            spans[-1] = (spans[-1][0], match.end())
        elif word not in common and len(word) + word.isdecimal() > 1:
            if goes_on:
                spans[-1] = (spans[-1][0], match.end())
            else:
                spans.append(match.span())
        last = match[0][-1]
    return [span for span in spans if len(line[slice(*span)].split()) <= LONGEST]


def _about(lines: list[str], common: frozenset[str], cut: _Cut, most: int) -> list[Question]:
    found = [
        (number, span) for number in range(len(lines)) for span in _spans(lines, number, common)
    ]
    cut.rng.shuffle(found)
    questions = []
    for number, (start, end) in found[:most]:
        line = lines[number]
        hole = _SPEAKER.sub("", line[:start] + HOLE + line[end:], count=1)
        questions.append(cut.question(lines, number, hole, line[start:end]))
    return [question for question in questions if question]


def _spans(lines: Sequence[str], number: int, common: frozenset[str]) -> list[Place]:
    """The longest spans of a line that another line says as well; no two of them overlap."""
    rest = "\n".join(line for i, line in enumerate(lines) if i != number)
    begin = _SPEAKER.match(lines[number]).end()
    words = [match.span() for match in _WORD.finditer(lines[number], begin)]
    spans, at = [], 0
    while at < len(words):
        ends = range(min(len(words), at + LONGEST) - 1, at - 1, -1)
        places = ((words[at][0], words[last][1]) for last in ends)
        span = next((p for p in places if _fits(lines[number][slice(*p)], rest, common)), None)
        if span:
            spans.append(span)
            at = next(i for i, (_, end) in enumerate(words) if end == span[1])
        at += 1
    return spans


def _fits(text: str, rest: str, common: frozenset[str]) -> bool:
    words = [match[0].lower() for match in _WORD.finditer(text)]
    telling = words[0] not in common and (words[-1] not in common or words[-1] in ("am", "pm"))
    long = len(text) > 2 or text.isdecimal()
    # Most spans are said nowhere else, and to look for that is quick.
    return telling and long and text.lower() in rest.lower() and bool(_places(text, rest))


def _places(text: str, rest: str) -> list[Place]:
    """Where a text says the words of another, capitals aside."""
    whole = rf"(?<!\w){re.escape(text)}(?!\w)"
    return [match.span() for match in re.finditer(whole, rest, re.IGNORECASE)]
