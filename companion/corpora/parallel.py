"""A reader of parallel text: two raw text files, a sentence a line, one in each language.

Line n of the one is a translation of line n of the other, as in Multi30k (Elliott et al. 2016,
"Multi30K: Multilingual English-German Image Descriptions").
"""

from pathlib import Path

from companion.corpora.gzipped import unzip

Translations = list[tuple[str, str]]  # English, German


def read(source: str | Path, target: str | Path) -> Translations:
    """Read two files, plain or gzipped, in UTF-8.

    Args:
        source: the file of the one language.
        target: the file of the other.

    Returns:
        The pairs of sentences, without spaces around them.

    Raises:
        ValueError: If a file cannot be read, is not UTF-8 or has an empty line, or if one has more lines
            than the other; with the file and the number of the line.
    """
    sides = [(Path(path), _lines(Path(path))) for path in (source, target)]
    (short, few), (long, many) = sorted(sides, key=lambda side: len(side[1]))
    if len(few) != len(many):
        raise ValueError(
            f"{short} has {len(few)} lines and {long} has {len(many)}: line {len(few) + 1} of {long} "
            "has no translation"
        )
    return list(zip(sides[0][1], sides[1][1], strict=True))


def read_split(
    folder: str | Path, split: str, languages: tuple[str, str] = ("en", "de")
) -> Translations:
    """Read the two files of one split in a folder, such as `train.en` and `train.de`.

    Args:
        folder: where the files are, gzipped (`train.en.gz`) or not.
        split: the name before the dot, such as `train` or `val`.
        languages: the names after it.

    Raises:
        ValueError: If a file is missing, with the names looked for; or as for `read`.
    """
    return read(*(_find(Path(folder), f"{split}.{language}") for language in languages))


def splits(folder: str | Path, languages: tuple[str, str] = ("en", "de")) -> list[str]:
    """Return the names of which a folder has a file in each language, such as `val`, in order."""
    names = [
        {path.name.removesuffix(".gz") for path in Path(folder).glob(f"*.{language}*")}
        for language in languages
    ]
    stems = [
        {name.removesuffix(f".{language}") for name in found if name.endswith(f".{language}")}
        for found, language in zip(names, languages, strict=True)
    ]
    return sorted(stems[0] & stems[1])


def _find(folder: Path, name: str) -> Path:
    names = (name, f"{name}.gz")
    for path in (folder / each for each in names):
        if path.is_file():
            return path
    what = "a folder without" if folder.is_dir() else "not a folder: looked there for"
    raise ValueError(f"folder '{folder}' is {what} {' or '.join(names)}")


def _lines(path: Path) -> list[str]:
    try:
        data = unzip(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"path '{path}' cannot be read: {error}") from error
    # Only \n, \r\n and \r end a line: str.splitlines would also cut at rarer marks, and the files
    # would come apart.
    rows = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    if rows == [b""]:
        raise ValueError(f"path '{path}' is empty: it must hold a sentence a line")
    return [_sentence(path, number, row) for number, row in enumerate(rows, start=1)]


def _sentence(path: Path, number: int, row: bytes) -> str:
    try:
        # Some editors put a mark before the first line.
        text = row.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"path '{path}', line {number}: byte {error.start + 1} is {row[error.start]:#04x}, "
            "which is not UTF-8: save the file in that encoding"
        ) from error
    if not text:
        raise ValueError(f"path '{path}', line {number} is empty: each line must hold a sentence")
    return text
