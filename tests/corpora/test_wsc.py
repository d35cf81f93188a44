"""The reader of Winograd schema collections, and our own collection."""

import gzip
import itertools
import json
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from companion.corpora import wsc

OURS = wsc.collection()
PRONOUNS = {"he", "she", "it", "they", "him", "her", "them", "his", "its", "their"}

# The stray whitespace, the full stop after the letter and the encoding are those of the real file.
REAL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<?xml-stylesheet type="text/xsl" href="WSExample.xsl"?>

<collection>

<schema>
<text>
<txt1>
The waiter at the caf\u00e9 asked the cook\nfor salt, since
</txt1>
<pron> he  </pron>
<txt2>
had none.
</txt2>
</text>
<quote>
<pron> he </pron>
<quote2> had none </quote2>
</quote>
<answers>
<answer> The waiter </answer>
<answer>the cook  </answer>
</answers>
<correctAnswer> A.  </correctAnswer>
<source> A book\n(1999) </source>
</schema>

<schema>
<text>
<txt1>
We saw the swans, the geese and the ducks, and fed</txt1>
<pron>them</pron><txt2>.</txt2>
</text>
<answers>
<answer>the swans</answer>
<answer>the geese</answer>
<answer>the ducks</answer>
</answers>
<correctAnswer> C </correctAnswer>
</schema>
</collection>
"""


def write(path, text, *, zipped=False, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


def lines(records):
    return "\n".join(map(json.dumps, records)) + "\n\n"


def schema(left="We saw a cat near a dog, and", pron="it", right="barked.", letter="B"):
    return (
        f"<collection><schema><text><txt1>{left}</txt1><pron>{pron}</pron><txt2>{right}</txt2>"
        "</text><answers><answer>a cat</answer><answer>a dog</answer></answers>"
        f"<correctAnswer>{letter}</correctAnswer></schema></collection>"
    )


# Our own collection.


def test_our_collection_begins_with_the_pairs_of_the_notes():
    assert [(problem.text, problem.answer, problem.source) for problem in OURS[:4]] == [
        (f"The animal didn't cross the street because it was too {cue}.", answer, "(course notes)")
        for cue, answer in (("tired", "The animal"), ("wide", "the street"))
    ] + [
        (
            f"The city councilmen refused the demonstrators a permit because they {cue} violence.",
            answer,
            "(Winograd 1972)",
        )
        for cue, answer in (("feared", "The city councilmen"), ("advocated", "the demonstrators"))
    ]
    assert {problem.source for problem in OURS[4:]} == {"attention-companion"}


def test_our_collection_is_made_of_pairs():
    twins = wsc.pairs(OURS)
    assert len(twins) >= 46
    assert list(itertools.chain(*twins)) == OURS
    for one, other in twins:
        assert one.text != other.text
        assert one.candidates == other.candidates
        assert {one.correct, other.correct} == {0, 1}


def test_our_collection_has_no_duplicates():
    assert max(Counter(problem.text.lower() for problem in OURS).values()) == 1
    assert max(Counter(frozenset(problem.candidates) for problem in OURS).values()) == 2


@pytest.mark.parametrize("problem", OURS, ids=lambda problem: problem.text)
def test_pronouns_and_candidates_are_where_they_are_said_to_be(problem):
    assert problem.text[slice(*problem.pronoun)].lower() in PRONOUNS
    for name, span in zip(problem.candidates, problem.spans, strict=True):
        assert problem.text[slice(*span)].lower() == name.lower()
        assert span[1] <= problem.pronoun[0] or span[0] >= problem.pronoun[1]
    assert problem.text == " ".join(problem.text.split())
    assert problem.text[0].isupper()
    assert problem.text.endswith(".")


@pytest.mark.parametrize(("one", "other"), wsc.pairs(OURS), ids=lambda problem: problem.text)
def test_twins_differ_in_one_place_of_a_few_words(one, other):
    here, there = one.text.split(), other.text.split()
    start = next(i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b)
    end = next(i for i, (a, b) in enumerate(zip(here[::-1], there[::-1], strict=False)) if a != b)
    assert len(here) - start - end <= 4
    assert len(there) - start - end <= 4


def test_our_collection_has_pronouns_of_every_kind_before_and_after():
    found = {problem.text[slice(*problem.pronoun)].lower() for problem in OURS}
    assert found >= {"he", "she", "it", "they", "him", "her", "them"}
    assert sum(problem.spans[0][0] > problem.pronoun[0] for problem in OURS) >= 6


# XML.


@pytest.mark.parametrize("zipped", [False, True])
def test_xml_as_the_real_file_has_it(tmp_path, zipped):
    path = write(tmp_path / "any.name", REAL, zipped=zipped, encoding="iso-8859-1")
    salt, ducks = wsc.read(path)
    assert salt.text == "The waiter at the café asked the cook for salt, since he had none."
    assert salt.text[slice(*salt.pronoun)] == "he"
    assert (salt.candidates, salt.answer) == (("The waiter", "the cook"), "The waiter")
    assert salt.source == "A book (1999)"
    assert ducks.text == "We saw the swans, the geese and the ducks, and fed them."
    assert (ducks.candidates, ducks.answer) == (("the swans", "the ducks"), "the ducks")
    assert ducks.source == ""


@pytest.mark.parametrize(
    ("left", "pron", "right", "text"),
    [
        ("A", "it", "", "A it"),
        ("", "It", "b", "It b"),
        ("A (since", "it", ") b", "A (since it) b"),
        ('A, "', "It", 'b"', 'A, "It b"'),
        ('"A" or', "it", '"b"', '"A" or it "b"'),
        ('"A', "it", '" b', '"A it" b'),
        ("A", "it", "'s b", "A it's b"),
        ("A", "it", "; b", "A it; b"),
    ],
)
def test_spaces_around_the_pronoun(tmp_path, left, pron, right, text):
    (problem,) = wsc.read(write(tmp_path / "x", schema(left, pron, right)))
    assert problem.text == text
    assert problem.text[slice(*problem.pronoun)] == pron


PRINTED = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")))
WORDS = PRINTED.filter(str.strip)
GAPS = st.text(" \t\n", max_size=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


def element(tag, text, gap):
    return f"<{tag}>{gap}{escape(text)}{gap}</{tag}>"


@settings(deadline=None)
@given(PRINTED, WORDS, PRINTED, st.lists(WORDS, min_size=2, max_size=2), st.data())
def test_what_an_xml_file_says_is_what_is_read(folder, left, pron, right, options, data):
    squeezed = [" ".join(option.split()) for option in options]
    assume(squeezed[0].lower() != squeezed[1].lower())
    letter, gap, source = data.draw(st.sampled_from("AB")), data.draw(GAPS), data.draw(PRINTED)
    parts = zip(("txt1", "pron", "txt2"), (left, pron, right), strict=True)
    text = "".join(element(tag, part, gap) for tag, part in parts)
    answers = "".join(element("answer", option, gap) for option in options)
    xml = (
        f"<collection><schema><text>{text}</text><answers>{answers}</answers>"
        f"{element('correctAnswer', letter + data.draw(st.sampled_from(['', '.'])), gap)}"
        f"{element('source', source, gap)}</schema></collection>"
    )
    (problem,) = wsc.read(write(folder / "x", xml, zipped=data.draw(st.booleans())))
    pronoun = " ".join(pron.split())
    start, stop = problem.pronoun
    assert problem.text[start:stop] == pronoun
    assert problem.text[:start].split() == left.split()
    assert problem.text[stop:].split() == right.split()
    assert list(problem.candidates) == squeezed
    assert problem.correct == "AB".index(letter)
    assert problem.source == " ".join(source.split())


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<collection>", "not well formed"),
        ("<html></html>", "holds <html>: it must hold <collection>"),
        ("<collection/>", "holds no problem: it must hold at least one"),
        (schema(letter="D"), "schema 1: answer number 3 is not among 2 candidates"),
        (schema(letter="both"), "schema 1: pron is 'it' and correctAnswer 'both'"),
        (schema(pron=" "), "schema 1: pron is '' and"),
        (schema().replace("dog</a", "CAT</a"), r"schema 1: candidates are \['a cat', 'a CAT'\]"),
        (
            '<!DOCTYPE lolz [<!ENTITY a "b">]>' + schema(),
            "declares a document type, 'lolz': it must declare none",
        ),
    ],
)
def test_xml_that_does_not_do(tmp_path, xml, message):
    with pytest.raises(ValueError, match=rf"path '.*x' .*{message}"):
        wsc.read(write(tmp_path / "x", xml))


def test_entities_are_refused_before_they_grow(tmp_path):
    levels = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 20}">' for i in range(20))
    bomb = f'<!DOCTYPE c [<!ENTITY e0 "ha">{levels}]>' + schema(right="&e20;")
    with pytest.raises(ValueError, match="declares a document type"):
        wsc.read(write(tmp_path / "x", bomb))


# JSON.

HUGGING_FACE = [
    {
        "text": f"We saw a cat near a dog, and it {verb}.",
        "pronoun": "it",
        "pronoun_loc": 29,
        "quote": f"it {verb}",
        "quote_loc": 29,
        "options": ["A cat", "a dog"],
        "label": label,
        "source": "us",
    }
    for label, verb in enumerate(("purred", "barked"))
]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dump", [json.dumps, lines, lambda records: "\ufeff" + lines(records)])
def test_the_fields_of_hugging_face(tmp_path, dump, zipped):
    problems = wsc.read(write(tmp_path / "x", dump(HUGGING_FACE), zipped=zipped))
    assert [problem.answer for problem in problems] == ["A cat", "a dog"]
    assert wsc.pairs(problems) == [tuple(problems)]
    for problem in problems:
        assert problem.text[slice(*problem.pronoun)] == "it"
        assert problem.spans == ((7, 12), (18, 23))
        assert problem.source == "us"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pronoun_loc": 3}, "pronoun_loc is 3, but 'it' is not there in 'We saw"),
        ({"pronoun_loc": -2}, "pronoun_loc is -2"),
        ({"pronoun": ""}, "pronoun_loc is 29, but ''"),
        ({"label": -1}, "answer number -1 is not among 2"),
        ({"label": "A"}, "field 'label' is 'A': it must be of type int"),
        ({"text": None}, "field 'text' is None: it must be of type str"),
        ({"options": ["a cat"], "label": 0}, r"candidates are \['a cat'\]: they must be at least"),
    ],
)
def test_records_that_do_not_do(tmp_path, wrong, message):
    path = write(tmp_path / "x", lines([HUGGING_FACE[0], HUGGING_FACE[1] | wrong]))
    with pytest.raises(ValueError, match=f"record 2: {message}"):
        wsc.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no problem"),
        ("[]", "holds no problem"),
        ("[1]", "must be a list, or lines, of objects"),
        ('{"a": 1', "record 1: Expecting"),
        ('{"a": 1}', r"first record has \['a'\]: it must have a field options .* or target"),
    ],
)
def test_json_that_does_not_do(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        wsc.read(write(tmp_path / "x", text))


def test_damaged_gzip(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(REAL.encode())[:-9])
    with pytest.raises(ValueError, match="gzipped data is damaged"):
        wsc.read(path)


TEXT = "Ann told Bea and Cleo that \n'She had won'."


def claim(name, label, *, text=TEXT, word=6, pronoun="She"):
    target = {"span1_index": 0, "span1_text": name, "span2_index": word, "span2_text": pronoun}
    return {"idx": 0, "text": text, "label": label, "target": target}


def test_lines_of_superglue_are_joined(tmp_path):
    other = TEXT.replace("won", "lost")
    records = [
        claim("Ann", label=True),
        claim("Bea", label=True, text=other),
        claim("Bea", label=False),
        claim("Cleo", label=False),
        claim("Ann", label=False, text=other),
    ]
    won, lost = wsc.read(write(tmp_path / "x", lines(records)))
    assert (won.candidates, won.answer) == (("Ann", "Bea"), "Ann")
    assert (lost.candidates, lost.answer) == (("Bea", "Ann"), "Bea")
    assert won.text == TEXT
    assert won.text[slice(*won.pronoun)] == "She"
    assert wsc.pairs([won, lost]) == [(won, lost)]
    flat = [{k: v for k, v in (r | r["target"]).items() if k != "target"} for r in records]
    assert wsc.read(write(tmp_path / "y", json.dumps(flat))) == [won, lost]


@pytest.mark.parametrize(
    "left_out",
    [
        [claim("Ann", label=True)],
        [claim("Ann", label=False), claim("Bea", label=False)],
        [claim("Ann", label=True), claim("Bea", label=True), claim("Cleo", label=False)],
        [claim("Ann", label=True), claim("ann", label=True)],
    ],
)
def test_lines_of_superglue_that_make_no_problem(tmp_path, left_out):
    kept = [claim("x", label=True, text="x y She"), claim("y", label=False, text="x y She")]
    for record in kept:
        record["target"]["span2_index"] = 2
    (problem,) = wsc.read(write(tmp_path / "x", lines(left_out + kept)))
    assert problem.text == "x y She"
    with pytest.raises(ValueError, match="holds no problem"):
        wsc.read(write(tmp_path / "x", lines(left_out)))


@pytest.mark.parametrize("wrong", [{"word": 10}, {"word": -1}, {"pronoun": "they"}])
def test_a_pronoun_of_superglue_must_be_in_the_text(tmp_path, wrong):
    with pytest.raises(
        ValueError, match=r"record 1: span2_text '.*' is not at word -?\d+ of .Ann told"
    ):
        wsc.read(write(tmp_path / "x", lines([claim("Ann", label=True, **wrong)])))


def test_a_line_of_superglue_without_a_label(tmp_path):
    with pytest.raises(ValueError, match="record 1: field 'label' is None"):
        wsc.read(write(tmp_path / "x", lines([claim("Ann", label=None)])))


def test_a_target_of_superglue_must_be_an_object(tmp_path):
    with pytest.raises(ValueError, match="record 1: field 'target' is 'Ann': it must be of type"):
        wsc.read(write(tmp_path / "x", lines([claim("Ann", label=True) | {"target": "Ann"}])))


# Places and pairs.


def problem(text, *candidates, pronoun="it", correct=0):
    start = text.index(f" {pronoun} ") + 1
    return wsc.Problem(text, (start, start + len(pronoun)), candidates, correct)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A cat", "the cat"),  # another article
        ("the Dog", "a  dog"),  # other whitespace
        ("dog", "dog"),
        ("the bird", "bird"),  # the article is missing
        ("an owl", None),
        ("he", None),  # part of a word
        ("c.t", None),  # no pattern
        ("it", "it"),  # not the pronoun itself
        ("", None),
        ("the", "the"),
    ],
)
def test_where_a_candidate_is(name, found):
    text = "We heard the cat chase a  dog, when it saw bird and it."
    span, _ = problem(text, name, "x").spans
    assert (None if span is None else text[slice(*span)]) == found


def test_the_last_place_before_the_pronoun_or_else_the_first_after_it():
    spans = problem("A cat, a cat, so it saw a dog, a dog and a cat.", "the cat", "the dog").spans
    assert spans == ((7, 12), (24, 29))


def test_pairs_are_neighbours_with_other_answers():
    cat, dog = (problem("A cat, a dog: it ran", "a cat", "a dog", correct=i) for i in (0, 1))
    turned = problem("A cat, a dog: it sat", "A dog", "A cat", correct=0)
    owl = problem("A cat, an owl: it sat", "a cat", "an owl", correct=1)
    assert wsc.pairs([cat, dog]) == [(cat, dog)]
    assert wsc.pairs([cat, turned]) == [(cat, turned)]
    assert wsc.pairs([dog, turned]) == []
    assert wsc.pairs([cat, owl, dog]) == []
    assert wsc.pairs([cat, dog, cat]) == [(cat, dog)]
    assert wsc.pairs([cat, dog, cat, dog]) == [(cat, dog), (cat, dog)]
    assert wsc.pairs([cat]) == wsc.pairs([]) == []


def test_a_folder_with_one_file_of_xml_will_do(tmp_path):
    source = Path(wsc.__file__).with_name("winograd_collection.xml")
    with pytest.raises(ValueError, match="the folder holds 0 files of XML: it must hold one"):
        wsc.read(tmp_path)
    (tmp_path / "notes.txt").write_text("not this one")
    (tmp_path / "WSCollection.xml.gz").write_bytes(gzip.compress(source.read_bytes()))
    assert wsc.read(tmp_path) == wsc.collection()
    (tmp_path / "again.xml").write_bytes(source.read_bytes())
    with pytest.raises(ValueError, match="the folder holds 2 files"):
        wsc.read(tmp_path)


def test_an_unknown_encoding_is_said(tmp_path):
    path = tmp_path / "wsc.xml"
    path.write_text('<?xml version="1.0" encoding="foo"?><collection/>')
    with pytest.raises(ValueError, match="cannot be read: unknown encoding"):
        wsc.read(path)
