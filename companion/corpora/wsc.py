"""A reader of Winograd schema collections, and a collection of our own.

A Winograd schema is a sentence with a pronoun and two nouns it could stand for; its twin differs in
a word or two, and in the answer: Levesque, Davis and Morgenstern 2012, "The Winograd Schema
Challenge" (KR).
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from companion.corpora.gzipped import unzip

Span = tuple[int, int]
Record = dict[str, Any]

_ARTICLE = re.compile(r"(?:the|an?)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One sentence, and the question what its pronoun stands for.

    Attributes:
        text: the sentence, or a few.
        pronoun: where the pronoun is in text: first character, one past the last.
        candidates: the two nouns, as the collection gives them, such as "The city councilmen".
        correct: 0 or 1, the candidate that the pronoun stands for.
        source: where the problem is from; may be empty.
    """

    text: str
    pronoun: Span
    candidates: tuple[str, str]
    correct: int
    source: str = ""

    @property
    def answer(self) -> str:
        """The candidate that the pronoun stands for."""
        return self.candidates[self.correct]

    @property
    def spans(self) -> tuple[Span | None, Span | None]:
        """Where each candidate is in the text; None where it does not occur.

        Capitals do not matter, and the candidate's article, if it has one, may be another in the
        text, or missing there. Of several places it is the last before the pronoun, or else the
        first after it.
        """
        first, second = (_find(name, self.text, self.pronoun) for name in self.candidates)
        return first, second


def read(path: str | Path) -> list[Problem]:
    """Read a collection of Winograd schemas.

    The file may be gzipped, and a folder will do that holds just one file of XML. Its layout is told by what is in it, not by its name:

    - XML of the Winograd Schema Challenge collection (Davis, Morgenstern and Ortiz):
      `<collection>` of `<schema>`, each with text/txt1, text/pron, text/txt2, answers/answer,
      correctAnswer and source. Runs of whitespace become one space.
    - JSON (a list) or JSON lines with the fields of Hugging Face's `winograd_wsc`: text, pronoun,
      pronoun_loc, options, label, source.
    - JSON (a list) or JSON lines of SuperGLUE's WSC: text, label, target with span1_index,
      span1_text, span2_index, span2_text (or these four beside text). Each record says of one
      candidate whether it is right, so records with the same text and pronoun are joined. **Left
      out** are those that do not make a problem together: no candidate is right, several are, or
      none is wrong. If the pronoun is not at its word, it is taken where it occurs nearest.

    Of more than two candidates, the right one and the first of the wrong ones stay, in the order of
    the file. Nothing else is left out: a record that cannot be read is an error.

    Raises:
        ValueError: If the file has another layout, a faulty record, a document type declaration (a
            way to make a small file fill the memory), or no problem.
    """
    try:
        data = unzip(_file(Path(path)).read_bytes())
        xml = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        problems = _from_xml(data) if xml else _from_json(data)
    except (ValueError, LookupError) as error:  # LookupError: an encoding that Python does not know
        raise ValueError(f"path {str(path)!r} cannot be read: {error}") from error
    if not problems:
        raise ValueError(f"path {str(path)!r} holds no problem: it must hold at least one")
    return problems


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted([*path.glob("*.xml"), *path.glob("*.xml.gz")])
    if len(found) != 1:
        raise ValueError(f"the folder holds {len(found)} files of XML: it must hold one")
    return found[0]


def pairs(problems: Sequence[Problem]) -> list[tuple[Problem, Problem]]:
    """Find the twins: neighbours with the same two candidates and the other answer.

    Capitals and the candidates' order do not matter. No problem is in two pairs.
    """
    found = []
    following = 0
    for i in range(len(problems) - 1):
        if i >= following and _twins(problems[i], problems[i + 1]):
            found.append((problems[i], problems[i + 1]))
            following = i + 2
    return found


def collection() -> list[Problem]:
    """Our own collection, twins one after the other; the first two pairs are the course notes'."""
    return read(Path(__file__).with_name("winograd_collection.xml"))


def _twins(one: Problem, other: Problem) -> bool:
    same = {name.lower() for name in one.candidates} == {name.lower() for name in other.candidates}
    return same and one.answer.lower() != other.answer.lower()


def _find(name: str, text: str, pronoun: Span) -> Span | None:
    bare = _ARTICLE.sub("", name, count=1) if _ARTICLE.match(name) else name
    if not bare:
        return None
    words = r"\s+".join(map(re.escape, bare.split()))
    article = rf"(?:\b{_ARTICLE.pattern})?" if bare != name else ""
    found = re.finditer(rf"{article}(?<!\w){words}(?!\w)", text, re.IGNORECASE)
    spans = [match.span() for match in found]
    before = [span for span in spans if span[1] <= pronoun[0]]
    after = [span for span in spans if span[0] >= pronoun[1]]
    return (before[-1:] + after[:1] or [None])[0]


def _problem(
    text: str, pronoun: Span, options: Sequence[str], correct: int, source: str
) -> Problem:
    if not 0 <= correct < len(options):
        raise ValueError(f"answer number {correct} is not among {len(options)} candidates")
    wrong = [i for i, name in enumerate(options) if name.lower() != options[correct].lower()]
    if not wrong:
        raise ValueError(f"candidates are {list(options)}: they must be at least two")
    first, second = sorted((correct, wrong[0]))
    return Problem(text, pronoun, (options[first], options[second]), int(correct > first), source)


# XML of the Winograd Schema Challenge collection.


class _Tree(ET.TreeBuilder):
    # Called before the declaration's entities are read, which could grow without bounds.
    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError(f"the XML declares a document type, {name!r}: it must declare none")


def _from_xml(data: bytes) -> list[Problem]:
    try:
        root = ET.fromstring(data, ET.XMLParser(target=_Tree()))  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(f"the XML is not well formed ({error})") from error
    if root.tag != "collection":
        raise ValueError(f"the XML holds <{root.tag}>: it must hold <collection>")
    return list(_numbered("schema", root.iter("schema"), _schema))


def _schema(schema: ET.Element) -> Problem:
    left, pronoun, right = (_inside(schema, f"text/{tag}") for tag in ("txt1", "pron", "txt2"))
    letter = _inside(schema, "correctAnswer")
    if not pronoun or not re.fullmatch(r"[A-Za-z]\W*", letter):
        raise ValueError(
            f"pron is {pronoun!r} and correctAnswer {letter!r}: there must be a pronoun and a letter"
        )
    start = left + " " * _spaced_before(left)
    text = start + pronoun + " " * _spaced_after(left, right) + right
    options = [_squeeze("".join(answer.itertext())) for answer in schema.iterfind("answers/answer")]
    correct = ord(letter[0].upper()) - ord("A")
    span = len(start), len(start) + len(pronoun)
    return _problem(text, span, options, correct, _inside(schema, "source"))


def _inside(schema: ET.Element, path: str) -> str:
    found = schema.find(path)
    return "" if found is None else _squeeze("".join(found.itertext()))


def _squeeze(text: str) -> str:
    return " ".join(text.split())


# The files have whitespace around every pronoun, and so do not say where the sentence had some.
def _spaced_before(left: str) -> bool:
    opens = left.endswith('"') and left.count('"') % 2 == 1
    return bool(left) and not opens and left[-1] not in "([“‘"


def _spaced_after(left: str, right: str) -> bool:
    closes = right.startswith('"') and left.count('"') % 2 == 1
    return bool(right) and not closes and not re.match(r"[.,;:!?)\]”’]|'\w{1,2}\b", right)


# JSON of Hugging Face's winograd_wsc and of SuperGLUE.


def _from_json(data: bytes) -> list[Problem]:
    text = data.decode("utf-8-sig")
    lines = filter(str.strip, text.split("\n"))
    whole = text.lstrip().startswith("[")
    records = json.loads(text) if whole else list(_numbered("record", lines, json.loads))
    if not all(isinstance(record, dict) for record in records):
        raise ValueError("the JSON must be a list, or lines, of objects")
    if not records:
        return []
    first = records[0]
    if "options" in first:
        return list(_numbered("record", records, _options))
    if "target" in first or "span1_text" in first:
        return _join(_numbered("record", records, _candidate))
    known = "options (winograd_wsc) or target (SuperGLUE)"
    raise ValueError(f"the first record has {list(first)}: it must have a field {known}")


def _options(record: Record) -> Problem:
    text, pronoun = _field(record, "text", str), _field(record, "pronoun", str)
    options = [str(option) for option in _field(record, "options", list)]
    start = _field(record, "pronoun_loc", int)
    span = start, start + len(pronoun)
    if start < 0 or not pronoun or text[slice(*span)].lower() != pronoun.lower():
        raise ValueError(f"pronoun_loc is {start}, but {pronoun!r} is not there in {text!r}")
    source = str(record.get("source") or "")
    return _problem(text, span, options, _field(record, "label", int), source)


Candidate = tuple[str, Span, str, bool]


def _candidate(record: Record) -> Candidate:
    target = _field(record, "target", dict) if "target" in record else record
    text, pronoun = _field(record, "text", str), _field(target, "span2_text", str).strip()
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    index = _field(target, "span2_index", int)
    places = [match.start() for match in re.finditer(re.escape(pronoun), text, re.IGNORECASE)]
    if not 0 <= index < len(starts) or not pronoun or not places:
        raise ValueError(f"span2_text {pronoun!r} is not at word {index} of {text!r}")
    start = min(places, key=lambda place: abs(place - starts[index]))
    name = _squeeze(_field(target, "span1_text", str))
    return text, (start, start + len(pronoun)), name, bool(_field(record, "label", int))


def _join(candidates: Iterable[Candidate]) -> list[Problem]:
    grouped: dict[tuple[str, Span], dict[str, tuple[str, bool]]] = {}
    for text, pronoun, name, right in candidates:
        grouped.setdefault((text, pronoun), {})[name.lower()] = name, right
    problems = []
    for (text, pronoun), named in grouped.items():
        names, rights = zip(*named.values(), strict=True)
        if sum(rights) == 1 and len(names) > 1:
            problems.append(_problem(text, pronoun, names, rights.index(True), ""))
    return problems


def _field(record: Record, name: str, kind: type) -> Any:  # noqa: ANN401
    value = record.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"field {name!r} is {value!r}: it must be of type {kind.__name__}")  # noqa: TRY004
    return value


def _numbered(what: str, records: Iterable[Any], make: Any) -> Iterator[Any]:  # noqa: ANN401
    for number, record in enumerate(records, start=1):
        try:
            yield make(record)
        except ValueError as error:
            raise ValueError(f"{what} {number}: {error}") from error
