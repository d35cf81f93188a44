"""The exercise "masked words": right ways pass, and each common mistake gets its own hint."""

import pytest
import torch

from companion.exercises import check


def said(capsys, function):
    """The one line that the check prints."""
    check("masked words", function)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    return printed.out.strip()


def by_where(tokens, chosen, fate, other, mask):
    seen = torch.where(chosen & (fate < 0.9), other, tokens)
    seen = torch.where(chosen & (fate < 0.8), mask, seen)
    return torch.stack([seen, torch.where(chosen, tokens, -100)])


def by_index(tokens, chosen, fate, other, mask):
    seen, asked = tokens.clone(), tokens.clone()
    seen[chosen & (fate < 0.8)] = mask
    replaced = chosen & (fate >= 0.8) & (fate < 0.9)
    seen[replaced] = other[replaced]
    asked[~chosen] = -100
    return torch.stack([seen, asked])


def in_a_loop(tokens, chosen, fate, other, mask):
    seen, asked = [], []
    for token, is_chosen, share, another in zip(tokens, chosen, fate, other, strict=True):
        asked.append(int(token) if is_chosen else -100)
        if not is_chosen or share >= 0.9:
            seen.append(int(token))
        else:
            seen.append(mask if share < 0.8 else int(another))
    return torch.tensor([seen, asked])


@pytest.mark.parametrize("function", [by_where, by_index, in_a_loop])
def test_right(capsys, function):
    assert said(capsys, function) == "✓ masked words: all 6 properties hold."


def with_shares(low, high):
    def function(tokens, chosen, fate, other, mask):
        seen = torch.where(chosen & (fate < high), other, tokens)
        seen = torch.where(chosen & (fate < low), mask, seen)
        return torch.stack([seen, torch.where(chosen, tokens, -100)])

    return function


def asks(condition):
    """Right in what is seen; asked for where `condition(seen, tokens, chosen, fate)` is."""

    def function(tokens, chosen, fate, other, mask):
        seen = by_where(tokens, chosen, fate, other, mask)[0]
        asked = torch.where(condition(seen, tokens, chosen, fate), tokens, -100)
        return torch.stack([seen, asked])

    return function


def everywhere(tokens, chosen, fate, other, mask):
    seen = by_where(tokens, torch.ones_like(chosen), fate, other, mask)[0]
    return torch.stack([seen, torch.where(chosen, tokens, -100)])


def zeros(*given):
    found = by_where(*given)
    return torch.where(found == -100, 0, found)


def what_is_seen(*given):
    seen, asked = by_where(*given)
    return torch.stack([seen, torch.where(asked == -100, -100, seen)])


def in_place(tokens, chosen, fate, other, mask):
    result = by_where(tokens, chosen, fate, other, mask)
    tokens[chosen] = mask
    return result


WRONG = {
    "all hidden": (with_shares(1, 1), "every chosen token is hidden.", "Of the others"),
    "none kept": (with_shares(0.8, 1), "no chosen token is left as it is", "asked all the same"),
    "none replaced": (with_shares(0.8, 0.8), "no chosen token is replaced", "`other` says"),
    "the other way": (with_shares(0.1, 0.2), "one in ten is hidden", "Turn the shares round"),
    "changed only": (asks(lambda s, x, c, f: s != x), "are not asked for", "`chosen` alone"),  # noqa: ARG005
    "hidden only": (
        asks(lambda s, x, c, f: c & (f < 0.8)),  # noqa: ARG005
        "only what is hidden is asked for",
        "replaced and kept ones too",
    ),
    "not chosen": (everywhere, "tokens that were not chosen", "`chosen &`"),
    "all asked": (asks(lambda s, x, c, f: torch.ones_like(c)), "every token is asked", "-100"),  # noqa: ARG005
    "zeros": (zeros, "0 stands where nothing is asked", "-100"),
    "seen asked": (what_is_seen, "what is asked for is what is seen", "`tokens`"),
    "swapped": (lambda *given: by_where(*given).flip(0), "comes before", "[seen, asked]"),
    "one row": (lambda *given: by_where(*given)[0], "returned shape (40,)", "torch.stack"),
    "in place": (in_place, "what was handed in has changed", "torch.where does"),
    "other shares": (with_shares(0.5, 0.6), "seen is ", "Below .8 a chosen token is hidden"),
    "raises": (lambda x, *_: x[100], "raised IndexError", "torch.where"),
    "nothing": (lambda *_: None, "returned None", "return"),
}


@pytest.mark.parametrize(("function", "found", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(capsys, function, found, hint):
    line = said(capsys, function)
    assert line.startswith("✗ masked words: ")
    before, after = line.split(" Hint: ")
    assert found in before
    assert hint in after
