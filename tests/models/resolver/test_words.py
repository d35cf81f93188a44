"""From text to words and numbers: nothing typed is lost, and an unknown word is named."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.corpora import winograd
from companion.models.resolver import encode, tokenize
from companion.models.resolver.words import word_spans

VOCABULARY = winograd.vocabulary()
SPACES = " \t\n\r\f\v\u00a0"
PUNCTUATION = ".,;:!?\"'“”‘’()[]…–—-"
LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LOWER[ord("’")] = "'"

properties = settings(deadline=None)

# Texts in which spaces and punctuation are frequent, and texts of anything.
texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*SPACES, *PUNCTUATION, "It", "didn", "t", "É", "K", "İ", "😀"])).map(
        "".join
    ),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The animal didn’t cross.", ["the", "animal", "didn't", "cross"]),
        ("“It” — (was) [too] wide…", ["it", "was", "too", "wide"]),
        ("a well-known fact; 3.14!", ["a", "well-known", "fact", "3.14"]),
        ("'tis the dogs'", ["tis", "the", "dogs"]),
        ("non\u00a0breaking\ttab\nline", ["non", "breaking", "tab", "line"]),
        ("ÉCOLE Straße <mask>", ["École", "straße", "<mask>"]),
        (
            "R&D #1 50% a/b @y ^_~ `$` {+} \\ | = *",
            ["r&d", "#1", "50%", "a/b", "@y", "^_~", "`$`", "{+}", "\\", "|", "=", "*"],
        ),
        ("", []),
        (" - ... ' ", []),
    ],
)
def test_words(text, words):
    assert tokenize(text) == tuple(words)


@properties
@given(texts)
def test_the_spans_are_where_the_words_are(text):
    spans = word_spans(text)
    assert tuple(text[slice(*span)].translate(LOWER) for span in spans) == tokenize(text)
    ends = [0, *(end for span in spans for end in span), len(text)]
    assert ends == sorted(ends)
    assert all(start < stop for start, stop in spans)


@properties
@given(texts)
def test_nothing_but_spaces_and_punctuation_is_lost(text):
    kept = {i for span in word_spans(text) for i in range(*span)}
    lost = {letter for i, letter in enumerate(text) if i not in kept}
    assert lost <= set(SPACES + PUNCTUATION)


@properties
@given(texts)
def test_a_word_has_no_space_and_no_punctuation_around_it(text):
    for word in tokenize(text):
        assert word == word.strip(SPACES + PUNCTUATION)
        assert not set(SPACES) & set(word)


@properties
@given(texts)
def test_words_cut_again_are_the_same(text):
    words = tokenize(text)
    for between in (" ", "  ", "\n", " — ", "\u00a0"):
        assert tokenize(between.join(words)) == words


@properties
@given(st.lists(st.sampled_from(VOCABULARY)))
def test_encode_numbers_words(words):
    numbers = encode(words, VOCABULARY)
    assert numbers.dtype == torch.long
    assert numbers.shape == (len(words),)
    assert [VOCABULARY[i] for i in numbers] == words


def test_the_corpus_is_cut_as_it_was_joined():
    for schema in winograd.generate(300, seed=0):
        assert tokenize(schema.sentence) == schema.words
        typed = schema.sentence.capitalize().replace("'", "’") + "."
        assert tokenize(typed) == schema.words


@pytest.mark.parametrize(
    ("word", "tried"),
    [("stret", "street"), ("animl", "animal"), ("xylophone", r"one of vocabulary\(\)")],
)
def test_unknown_words_are_named_with_words_like_them(word, tried):
    with pytest.raises(ValueError, match=rf"word '{word}' is not in the vocabulary: try {tried}"):
        encode(["the", word], VOCABULARY)
