"""The exercise "longest match": cut a word as WordPiece does.

From the chapter "What is a token?".
"""

from collections.abc import Callable, Collection

import torch

from companion.exercises.trial import Mistake, WrongAnswerError, call
from companion.tokenization import raw_characters
from companion.wordpiece import WordPiece

_UNKNOWN = "[UNK]"
# Where the mistakes below part: booking ends in ##king, and tabled is not table + ##d.
_KNOWN = """
    [UNK] b bo book re un tab table ing s able ##book ##b ##o ##ok ##ook ##k ##ing ##in ##g ##s ##ings ##king
    ##led ##bled ##ta ##tab ##tabl ##table ##ble ##e ##le ##a ##able ##ed
"""
_ASKED = """
    bookings booking tabled book rebooking unbookable booktable unable booked table bookz zbook boxes
    bookableness retab x
"""
_PIECES, _WORDS = frozenset(_KNOWN.split()), _ASKED.split()


def check_longest_match(function: Callable[[str, set[str]], list[str]]) -> int:
    """Check `longest_match(word, vocabulary)`; return the number of properties.

    Args:
        function: takes a word and a set of tokens; gives the list of tokens, as WordPiece cuts.
    """
    for word in _WORDS:
        on = f"the word {word!r}"
        hint = "Try word[start:end] for the largest end first; begin again at end."
        _check(_pieces(function, word, on, hint), word, on)
    return 5  # longest first, from the left, the prefix, all of the word, unknown as a whole


def _pieces(function: Callable, word: str, on: str, hint: str) -> list[str]:
    """Call the reader's function, and return the list of texts that it gives."""
    given: list[object] = []

    def asked(*arguments: object) -> object:
        given.append(function(*arguments))
        return None if given[0] is None else torch.zeros(1)

    call(asked if callable(function) else function, (word, set(_PIECES)), on, hint)
    pieces = given[0]
    if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
        raise WrongAnswerError(
            f"returned {pieces!r:.60}, expected a list of texts, on {on}.",
            "Begin with pieces = [], append each token, and return pieces.",
        )
    return pieces


def _check(found: list[str], word: str, on: str) -> None:
    expected = _longest_match(word, _PIECES)
    if found == expected:
        return
    for mistake in _MISTAKES:
        if found == mistake.result(word, _PIECES):
            raise WrongAnswerError(f"{mistake.found[:-1]}, on {on}.", mistake.hint)
    raise WrongAnswerError(
        f"on {on}, the result is {found}, expected {expected}.",
        "Take the longest token that the rest of the word begins with, until nothing is left.",
    )


def _longest_match(word: str, vocabulary: Collection[str]) -> list[str]:
    return [piece.token for piece in WordPiece(sorted(vocabulary)).cut(raw_characters(word))]


def _cut(
    word: str,
    vocabulary: Collection[str],
    *,
    prefix: str = "##",
    shortest: bool = False,
) -> tuple[list[str], int]:
    """Cut as far as it goes; return the pieces, and how many characters they cover."""
    pieces, start = [], 0
    while start < len(word):
        mark = prefix if start else ""
        ends = range(start + 1, len(word) + 1)
        fitting = [end for end in ends if mark + word[start:end] in vocabulary]
        if not fitting:
            break
        end = fitting[0] if shortest else fitting[-1]
        pieces.append(mark + word[start:end])
        start = end
    return pieces, start


def _whole(cut: tuple[list[str], int], word: str) -> list[str]:
    return cut[0] if cut[1] == len(word) else [_UNKNOWN]


def _from_the_right(word: str, vocabulary: Collection[str]) -> list[str]:
    pieces: list[str] = []
    end = len(word)
    while end:
        marked = [("##" if start else "") + word[start:end] for start in range(end)]
        start = next((i for i, token in enumerate(marked) if token in vocabulary), None)
        if start is None:
            return [_UNKNOWN]
        pieces.insert(0, marked[start])
        end = start
    return pieces


def _unknown_rest(word: str, vocabulary: Collection[str]) -> list[str]:
    pieces, done = _cut(word, vocabulary)
    return pieces if done == len(word) else [*pieces, _UNKNOWN]


def _clever(word: str, vocabulary: Collection[str]) -> list[str]:
    """The fewest pieces; of those, the first found with longer pieces first."""
    best: list[list[str] | None] = [[], *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(end):
            before, token = best[start], ("##" if start else "") + word[start:end]
            if before is not None and token in vocabulary:
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = [*before, token]
    return best[-1] or [_UNKNOWN]


_MISTAKES = (
    Mistake(
        lambda word, vocabulary: [
            token.removeprefix("##") for token in _longest_match(word, vocabulary)
        ],
        "the pieces inside the word have lost their ##.",
        "Append the token as it stands in the vocabulary: with ## unless it begins the word.",
    ),
    Mistake(
        lambda word, vocabulary: _whole(_cut(word, vocabulary, prefix=""), word),
        "pieces inside the word were looked up without ##.",
        "From the second piece on, look for '##' + word[start:end].",
    ),
    Mistake(
        lambda word, vocabulary: _whole(_cut(word, vocabulary, shortest=True), word),
        "the shortest piece that fits was taken.",
        "Let `end` run down from the end of the word, and stop at the first token that is known.",
    ),
    Mistake(
        lambda word, vocabulary: _cut(word, vocabulary)[0],
        "a word that cannot be cut to its end is not unknown.",
        "If one part fits no token, return ['[UNK]'] for all of the word.",
    ),
    Mistake(
        _unknown_rest,
        "only the rest that cannot be cut is unknown.",
        "If one part fits no token, return ['[UNK]'] for all of the word.",
    ),
    Mistake(
        lambda word, vocabulary: [word] if word in vocabulary else [_UNKNOWN],
        "a word is taken as a whole, or not at all.",
        "Look for pieces too: the longest that the word begins with, then one for the rest.",
    ),
    Mistake(
        _from_the_right,
        "the word was cut from its end.",
        "Begin on the left, and take the longest piece there.",
    ),
    Mistake(
        _clever,
        "a cut into fewer pieces was looked for.",
        "WordPiece never goes back: it takes the longest piece, even where that leads nowhere.",
    ),
)
