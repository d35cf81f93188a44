"""The exercise "longest match": right ways pass, and each common mistake gets its own hint."""

import pytest

from companion.exercises import check

UNKNOWN = ["[UNK]"]


def said(capsys, function):
    """The one line that the check prints."""
    check("longest match", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def in_a_loop(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and ("##" if start else "") + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return UNKNOWN
        pieces.append(("##" if start else "") + word[start:end])
        start = end
    return pieces


def by_itself(word, vocabulary, mark=""):
    """Recursive."""
    if not word:
        return []
    for end in range(len(word), 0, -1):
        if mark + word[:end] in vocabulary:
            rest = by_itself(word[end:], vocabulary, "##")
            return UNKNOWN if rest == UNKNOWN else [mark + word[:end], *rest]
    return UNKNOWN


@pytest.mark.parametrize("function", [in_a_loop, by_itself])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ longest match: all 5 properties hold."


def steps(word, vocabulary, *, mark="##", shortest=False, stuck=None):
    """In as many wrong ways as one likes."""
    pieces, start = [], 0
    while start < len(word):
        prefix = mark if start else ""
        ends = [e for e in range(start + 1, len(word) + 1) if prefix + word[start:e] in vocabulary]
        if not ends:
            return stuck(pieces) if stuck else UNKNOWN
        end = min(ends) if shortest else max(ends)
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def from_the_right(word, vocabulary):
    pieces, end = [], len(word)
    while end:
        for start in range(end):
            token = ("##" if start else "") + word[start:end]
            if token in vocabulary:
                pieces = [token, *pieces]
                end = start
                break
        else:
            return UNKNOWN
    return pieces


def fewest(word, vocabulary):
    def cuts(start):
        if start == len(word):
            return [[]]
        tokens = [
            ("##" if start else "") + word[start:end] for end in range(start + 1, len(word) + 1)
        ]
        ends = range(start + 1, len(word) + 1)
        return [
            [token, *rest]
            for token, end in zip(tokens, ends, strict=True)
            if token in vocabulary
            for rest in cuts(end)
        ]

    return min(cuts(0), key=len, default=UNKNOWN)


WRONG = {
    "bare": (
        lambda word, vocabulary: [t.removeprefix("##") for t in in_a_loop(word, vocabulary)],
        "have lost their ##, on the word 'bookings'.",
        "as it stands in the vocabulary",
    ),
    "looked up bare": (
        lambda word, vocabulary: steps(word, vocabulary, mark=""),
        "were looked up without ##",
        "'##' + word[start:end]",
    ),
    "shortest": (
        lambda word, vocabulary: steps(word, vocabulary, shortest=True),
        "the shortest piece",
        "run down from the end",
    ),
    "stuck": (
        lambda word, vocabulary: steps(word, vocabulary, stuck=lambda pieces: pieces),
        "is not unknown",
        "for all of the word",
    ),
    "unknown rest": (
        lambda word, vocabulary: steps(word, vocabulary, stuck=lambda pieces: [*pieces, "[UNK]"]),
        "only the rest",
        "for all of the word",
    ),
    "whole": (
        lambda word, vocabulary: [word] if word in vocabulary else UNKNOWN,
        "as a whole, or not at all",
        "Look for pieces too",
    ),
    "from the right": (from_the_right, "from its end", "Begin on the left"),
    "fewest": (fewest, "fewer pieces", "never goes back"),
    "letters": (lambda word, _: list(word), "the result is ['b', 'o',", "Take the longest token"),
    "a text": (
        lambda word, _: word,
        "returned 'bookings', expected a list of texts",
        "pieces = []",
    ),
    "numbers": (lambda _word, _: [1], "returned [1], expected a list", "append each token"),
    "raises": (lambda word, _: word[99], "raised IndexError", "the largest end first"),
    "nothing": (lambda _word, _vocabulary: None, "returned None", "return"),
    "no function": (3, "not a function", "Hand over the name"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ longest match: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after
