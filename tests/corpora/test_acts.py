"""What the assistant does in a turn: from annotations, and from its words alone."""

import pytest

from companion.corpora import dialogues
from companion.corpora.acts import ACTS, Judge, act_of, system_turns
from companion.corpora.sgd import Action, Frame, Turn


def turn(*acts):
    return Turn("SYSTEM", "", tuple(Frame("A_1", (Action(act),)) for act in acts))


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        (["REQUEST"], "asked"),
        (["REQ_MORE"], "asked"),
        (["OFFER"], "offered"),
        (["OFFER_INTENT"], "offered"),
        (["CONFIRM"], "confirmed"),
        (["GOODBYE"], "said goodbye"),
        (["INFORM"], "informed"),
        (["NOTIFY_SUCCESS", "INFORM"], "informed"),
        (["NOTIFY_FAILURE", "REQ_MORE"], "informed"),
        (["INFORM_COUNT", "OFFER"], "offered"),
        (["INFORM", "OFFER"], "offered"),
        (["REQUEST", "CONFIRM"], "confirmed"),
        (["INFORM_COUNT"], None),
        ([], None),
    ],
)
def test_the_first_that_counts(acts, expected):
    assert act_of(turn(*acts)) == expected
    assert act_of(turn(*reversed(acts))) == expected
    assert expected in {*ACTS, None}


def test_a_judge_learns_what_turns_do():
    judge = Judge(system_turns(dialogues.generate(300, 0)))
    new = list(system_turns(dialogues.held_out(60, 1, "names")))
    assert {act for _, act in new} == set(ACTS)
    right = sum(judge(text) == act for text, act in new) / len(new)
    assert right > 0.97


def test_it_answers_for_words_it_never_met():
    judge = Judge([("Which city?", "asked"), ("Goodbye!", "said goodbye")])
    assert judge("Which xyzzy?") == "asked"
    assert judge("") in ACTS


def test_the_user_is_not_judged():
    texts = [text for text, _ in system_turns(dialogues.generate(3, 0))]
    said = [t.utterance for d in dialogues.generate(3, 0) for t in d.turns if t.speaker == "USER"]
    assert texts
    assert not set(texts) & set(said)


def test_without_turns_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match="turns is empty: a judge learns from at least one"):
        Judge([])
