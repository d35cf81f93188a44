"""Byte pairs: the same merges as the library `tokenizers` learns, and the same cuts."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from companion.byte_pair_encoding import (
    BytePairEncoding,
    by_count,
    learn,
    merged,
    merges,
    symbols,
)
from companion.corpora import dialogues
from companion.tokenization import bert_words, raw_characters, spelled, split_words
from companion.wordpiece import learn_wordpieces

WORDS = st.dictionaries(
    st.one_of(
        st.text("ab", min_size=1, max_size=9),
        st.text("abcdé漢🙂", min_size=1, max_size=9),
        st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=5),
    ),
    st.integers(1, 5),
    min_size=1,
    max_size=10,
)
# The words of many a lecture, after those of the paper.
LOWER = {"low": 5, "lower": 2, "newest": 6, "widest": 3}


def library(words, size, special=("[UNK]",), *, wordpiece=False, **how):
    """The library's vocabulary, in its order, and its merges (None for WordPiece)."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]") if wordpiece else models.BPE())  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = (trainers.WordPieceTrainer if wordpiece else trainers.BpeTrainer)(
        vocab_size=size, special_tokens=list(special), show_progress=False, **how
    )
    tokenizer.train_from_iterator(
        [" ".join(word for word in words for _ in range(words[word]))], trainer
    )
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = sorted(model["vocab"], key=model["vocab"].get)
    return vocabulary, model.get("merges") and [tuple(pair) for pair in model["merges"]]


def pairs(steps):
    return [(step.left, step.right) for step in steps] or None


@given(WORDS, st.integers(1, 60))
def test_the_library_learns_the_same(words, size):
    vocabulary, learned = learn(words, size)
    theirs, their_merges = library(words, size)
    assert vocabulary == theirs
    assert pairs(learned) == (their_merges or None)


@given(WORDS, st.integers(1, 60))
def test_with_a_mark_at_the_end_of_words_too(words, size):
    """The library takes such symbols in an order that changes from run to run: so it is asked for it."""
    theirs, their_merges = library(words, size, end_of_word_suffix="</w>")
    single = len(set("".join(words))) + len({word[-1] for word in words})
    vocabulary, learned = learn(words, size, suffix="</w>", alphabet=theirs[1 : 1 + single])
    assert vocabulary == theirs
    assert pairs(learned) == (their_merges or None)


@given(WORDS, st.integers(1, 60))
def test_the_library_s_wordpieces_are_byte_pairs(words, size):
    theirs, _ = library(words, size, wordpiece=True, continuing_subword_prefix="##")
    single = len(set("".join(words))) + len({c for word in words for c in word[1:]})
    assert learn_wordpieces(words, size, alphabet=theirs[1 : 1 + single]) == theirs


@given(WORDS, st.integers(1, 60))
def test_and_once_the_order_is_fixed_nothing_is_left_open(words, size):
    """As special tokens, the symbols have an order in the library as well."""
    later = sorted({f"##{c}" for word in words for c in word[1:]})
    theirs, _ = library(words, size, ["[UNK]", *later], wordpiece=True)
    alphabet = [*later, *sorted(set("".join(words)))]
    assert learn_wordpieces(words, size, alphabet=alphabet) == theirs


def test_on_dialogues():
    words = Counter(
        spelled(word)
        for dialogue in dialogues.generate(60, seed=1)
        for turn in dialogue.turns
        for word in bert_words(turn.utterance)
    )
    vocabulary, learned = learn(words, 500)
    assert (vocabulary, pairs(learned)) == library(words, 500)
    assert len(vocabulary) == 500


def test_an_example_by_hand():
    spelled_words = {symbols(word, suffix="</w>"): n for word, n in LOWER.items()}
    alphabet = sorted({symbol for word in spelled_words for symbol in word})
    steps = list(merges(spelled_words, alphabet))
    assert [(step.joined, step.count) for step in steps[:4]] == [
        ("es", 9), ("est</w>", 9), ("lo", 7), ("ew", 6)
    ]  # fmt: skip


@given(WORDS)
def test_each_step_takes_a_pair_that_none_beats(words):
    """Counted anew after every step, as the lab does it."""
    spelled_words = Counter({symbols(word): n for word, n in words.items()})
    for step in merges(spelled_words, sorted(set("".join(words)))):
        counted = Counter()
        for word, n in spelled_words.items():
            for pair in pairwise(word):
                counted[pair] += n
        assert step.count == counted[step.left, step.right] == max(counted.values())
        after = Counter()
        for word, n in spelled_words.items():
            after[merged(word, (step.left, step.right), step.joined)] += n
        spelled_words = after
    assert all(len(word) == 1 for word in spelled_words)


@given(
    WORDS, st.integers(1, 40), st.text("abcdé漢🙂z ", max_size=20), st.sampled_from(["", "</w>"])
)
def test_texts_are_cut_as_the_library_does(words, size, text, suffix):
    vocabulary, learned = learn(words, size, suffix=suffix)
    model = models.BPE(
        {token: i for i, token in enumerate(vocabulary)},
        [step[:2] for step in learned],
        unk_token="[UNK]",  # noqa: S106
        **({"end_of_word_suffix": suffix} if suffix else {}),
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    theirs = tokenizer.encode(text)
    found = BytePairEncoding(vocabulary, learned, suffix=suffix, words=_words_as_they_are).encode(
        text
    )
    assert [piece.token for piece in found] == theirs.tokens
    assert [(piece.start, piece.end) for piece in found] == theirs.offsets


def _words_as_they_are(text):
    return split_words(raw_characters(text))


def test_the_pair_that_was_learned_first_is_joined_first():
    vocabulary = ["[UNK]", *"abc", "bc", "ab", "abc"]
    model = BytePairEncoding(vocabulary, [("b", "c"), ("a", "b"), ("a", "bc")])
    assert [piece.token for piece in model.encode("abc ab abz")] == ["abc", "ab", "ab", "[UNK]"]


def test_a_pair_that_overlaps_itself():
    assert merged(("a", "a", "a"), ("a", "a"), "aa") == ("aa", "a")
    assert merged((), ("a", "a"), "aa") == ()


def test_symbols():
    assert symbols("abc", "##", "</w>") == ("a", "##b", "##c</w>")
    assert symbols("a", "##", "</w>") == ("a</w>",)


def test_what_cannot_be_learned():
    assert learn({}, 5) == (["[UNK]"], [])
    assert learn({"ab": 0}, 5) == (["[UNK]", "a", "b"], [])
    with pytest.raises(ValueError, match="alphabet: 'b' is missing; add it"):
        learn({"ab": 1}, 5, alphabet=["a"])


def test_a_value_of_one_s_own():
    words = {"ab": 1, "cd": 5}
    _, [first, *_] = learn(words, 9, value=lambda *pair: -by_count(*pair))
    assert first.joined == "ab"


def test_merges_and_vocabulary_must_fit():
    with pytest.raises(ValueError, match="merges: 'ab' is not in the vocabulary; add it"):
        BytePairEncoding(["[UNK]", "a", "b"], [("a", "b")])
    with pytest.raises(ValueError, match=r"unknown is '\[UNK\]'"):
        BytePairEncoding(["a"], [])
