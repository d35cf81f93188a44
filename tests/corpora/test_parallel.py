"""The reader of parallel text: line by line, and each fault named with its line."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.corpora import parallel

DATA = Path(os.environ.get("COMPANION_DATA", Path(__file__).parents[2] / "data")) / "multi30k"
real = pytest.mark.skipif(
    not (DATA / "val.en.gz").is_file(), reason="needs the data set: COMPANION_DATA/multi30k"
)
ENGLISH = "A dog runs.\nTwo women eat.\n"
GERMAN = "Ein Hund läuft.\nZwei Frauen essen.\n"
BOTH = [("A dog runs.", "Ein Hund läuft."), ("Two women eat.", "Zwei Frauen essen.")]


def write(path, content):
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def both(folder, english=ENGLISH, german=GERMAN):
    return write(folder / "x.en", english), write(folder / "x.de", german)


def test_line_by_line(tmp_path):
    assert parallel.read(*both(tmp_path)) == BOTH


@pytest.mark.parametrize(
    "english",
    [
        ENGLISH.removesuffix("\n"),
        ENGLISH.replace("\n", "\r\n"),
        ENGLISH.replace("\n", "\r"),
        "\ufeff" + ENGLISH,
        "  A dog runs. \nTwo women eat.\t\n",
    ],
)
def test_ends_of_lines_marks_and_spaces_do_not_matter(tmp_path, english):
    assert parallel.read(*both(tmp_path, english)) == BOTH


def test_rarer_marks_do_not_end_a_line(tmp_path):
    english = "A dog\u2028runs.\nTwo\x0bwomen\x85eat.\n"
    pairs = parallel.read(*both(tmp_path, english))
    assert pairs == [("A dog\u2028runs.", BOTH[0][1]), ("Two\x0bwomen\x85eat.", BOTH[1][1])]


@pytest.mark.parametrize(
    "names", [("val.en", "val.de"), ("val.en.gz", "val.de"), ("val.en.gz", "val.de.gz")]
)
def test_a_split_of_a_folder_gzipped_or_not(tmp_path, names):
    for name, text in zip(names, (ENGLISH, GERMAN), strict=True):
        write(tmp_path / name, text)
    assert parallel.read_split(tmp_path, "val") == BOTH
    assert parallel.read_split(tmp_path, "val", ("de", "en")) == [(de, en) for en, de in BOTH]


SENTENCES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1
).filter(lambda text: text.strip() == text and not text.startswith("\ufeff"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("written")
    files = both(folder, *("\n".join(side) + "\n" for side in zip(*pairs, strict=True)))
    assert parallel.read(*files) == pairs


@pytest.mark.parametrize(
    ("english", "german", "message"),
    [
        (
            ENGLISH + "Three.\n",
            GERMAN,
            r"x\.de has 2 lines and .*x\.en has 3: line 3 of .*x\.en has no",
        ),
        (
            ENGLISH,
            "Ein Hund läuft.\n",
            r"x\.de has 1 lines and .*: line 2 of .*x\.en has no transl",
        ),
        ("A dog runs.\n\nTwo.\n", GERMAN + "Drei.\n", r"x\.en', line 2 is empty: each line must"),
        (ENGLISH, "Ein Hund läuft.\n \t\n", r"x\.de', line 2 is empty: each line must hold a sent"),
        (ENGLISH + "\n", GERMAN, r"x\.en', line 3 is empty"),
        ("", GERMAN, r"x\.en' is empty: it must hold a sentence a line"),
        (ENGLISH, GERMAN.encode("latin-1"), r"x\.de', line 1: byte 11 is 0xe4, which is not UTF-8"),
        (ENGLISH, b"Ein\n\xff", r"x\.de', line 2: byte 1 is 0xff, which is not UTF-8: save the"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, english, german, message):
    with pytest.raises(ValueError, match=message):
        parallel.read(*both(tmp_path, english, german))


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(ValueError, match=r"none' cannot be read: .*No such file"):
        parallel.read(tmp_path / "none", tmp_path / "x")
    with pytest.raises(ValueError, match=r"is a folder without train\.en or train\.en\.gz"):
        parallel.read_split(tmp_path, "train")
    with pytest.raises(ValueError, match=r"not a folder: looked there for train\.en or train"):
        parallel.read_split(tmp_path / "none", "train")
    path = write(tmp_path / "x.gz", ENGLISH)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"x\.gz' cannot be read: the gzipped data is damaged"):
        parallel.read(path, path)


@real
def test_the_real_data():
    pairs = parallel.read_split(DATA, "val")
    raw = [
        gzip.decompress((DATA / f"val.{side}.gz").read_bytes()).decode() for side in ("en", "de")
    ]
    assert len(pairs) == 1014
    for i, text in enumerate(raw):
        assert [pair[i] for pair in pairs] == [
            line.strip() for line in text.rstrip("\n").split("\n")
        ]


def test_splits_are_what_a_folder_has_in_both_languages(tmp_path):
    for name in ("b.en", "b.de.gz", "a.en.gz", "a.de", "alone.en", "notes.txt", "c.en.bak", "c.de"):
        write(tmp_path / name, ENGLISH)
    assert parallel.splits(tmp_path) == ["a", "b"]
    assert parallel.splits(tmp_path / "missing") == []
