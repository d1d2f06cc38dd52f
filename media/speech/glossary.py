"""Glossaries as files: CSV with a column each language, and TBX (ISO 30042, of 2008 and of 2019).

CSV: the first line names the columns. `term` is the term's name; `es` the word in a language or a region
(`es-MX`); `es.plural`, `es.gender` (m, f, n), `es.genitive`, and `es.also`, other words for it with |
between.

TBX: of each concept the first term of a language that is not deprecated is used, the others are understood.
Files come from anywhere: they are bounded, and XML with entities of its own is refused.

    GlossaryFault     .line, .problem, .remedy
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from media.speech.market import Forms, Term

MAX_BYTES = 8 * 1024 * 1024
MAX_TERMS = 20_000
MAX_CHARS = 100  # of a word
MAX_DEPTH = 30
TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
COLUMNS = ("plural", "gender", "genitive", "also")
GENDERS = {"m": "m", "f": "f", "n": "n", "masculine": "m", "feminine": "f", "neuter": "n"}


class GlossaryFault(Exception):
    """What cannot be read, where, and what to do. line: from 1; 0 for the whole file."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"line {line}: {problem}; {remedy}")
        self.line, self.problem, self.remedy = line, problem, remedy


def read(data: bytes, name: str) -> tuple[list[Term], list[GlossaryFault]]:
    """The sound terms of a file's content, and what is wrong with it. name: of the file, whose ending tells
    what it is.
    """
    if len(data) > MAX_BYTES:
        return [], [GlossaryFault(0, f"is over {MAX_BYTES} bytes", "split it")]
    if name.lower().endswith(".csv"):
        return _csv(data)
    if name.lower().endswith((".tbx", ".xml")):
        return _tbx(data)
    return [], [GlossaryFault(0, "is neither CSV nor TBX", "name it .csv or .tbx")]


# --- CSV --------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> tuple[list[Term], list[GlossaryFault]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [GlossaryFault(0, "is not UTF-8 text", "save it as UTF-8")]
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    terms: dict[str, Term] = {}
    faults: list[GlossaryFault] = []
    try:
        header = [each.strip() for each in next(rows, [])]
        faults += _header(header)
        if faults:
            return [], faults
        for row in rows:
            if any(each.strip() for each in row) and not row[0].startswith("#"):
                _add(terms, _row(header, row, rows.line_num), rows.line_num, faults)
    except csv.Error as error:
        faults.append(GlossaryFault(rows.line_num, f"is not CSV ({error})", "check its quotes"))
    except GlossaryFault as fault:
        faults.append(fault)
    return list(terms.values()), faults


def _header(header: Sequence[str]) -> Iterator[GlossaryFault]:
    if header[:1] != ["term"]:
        yield GlossaryFault(1, "does not begin with the column `term`", "name the columns in the first line")
    for at, column in enumerate(header[1:], 1):
        tag, _, what = column.partition(".")
        if not TAG.fullmatch(tag) or (what and what not in COLUMNS):
            known = ", ".join(f"es.{each}" for each in COLUMNS)
            yield GlossaryFault(
                1, f"{column[:40]!r} is no column", f"write a language, such as es, or {known}"
            )
        elif column in header[:at]:
            yield GlossaryFault(1, f"the column {column} is there twice", "keep one of the two")
        elif what and tag not in header:
            yield GlossaryFault(1, f"{column} has no column {tag} beside it", f"add the column {tag}")


def _row(header: Sequence[str], row: Sequence[str], line: int) -> Term:
    """Raises GlossaryFault."""
    if len(row) > len(header):
        raise GlossaryFault(
            line, "has more values than there are columns", "put a value with commas in quotes"
        )
    values = dict(zip(header, (" ".join(each.split()) for each in row)))
    name = values["term"]
    if not name or max(map(len, values.values())) > 4 * MAX_CHARS:
        raise GlossaryFault(line, "has no term, or a value without end", "give each term a short name")
    forms = {}
    for tag in header[1:]:
        if "." in tag or not values.get(tag):
            continue
        extra = {what: values.get(f"{tag}.{what}", "") for what in COLUMNS}
        gender = extra["gender"].lower()
        if gender and gender not in GENDERS:
            raise GlossaryFault(line, f"{extra['gender']!r} is no gender", "write m, f or n, or nothing")
        also = tuple(each.strip() for each in extra["also"].split("|") if each.strip())
        forms[tag] = Forms(values[tag], extra["plural"], GENDERS.get(gender, ""), extra["genitive"], also)
    return Term(name, forms)


def _add(terms: dict[str, Term], term: Term, line: int, faults: list[GlossaryFault]) -> None:
    """Raises GlossaryFault where it is to go no further."""
    if len(terms) >= MAX_TERMS:
        raise GlossaryFault(line, f"has over {MAX_TERMS} terms", "split it by market")
    if term.name in terms:
        faults.append(GlossaryFault(line, f"'{term.name}' is there twice", "keep one of the two"))
    elif not term.forms:
        faults.append(GlossaryFault(line, f"'{term.name}' is in no language", "write its words or remove it"))
    else:
        terms[term.name] = term


# --- TBX --------------------------------------------------------------------------------------------------

CONCEPTS, LANGUAGES, TERMS = ("conceptEntry", "termEntry"), ("langSec", "langSet"), ("termSec", "tig", "ntig")
DEPRECATED = ("deprecatedTerm", "supersededTerm")


@dataclass(slots=True)
class _Word:
    text: str = ""
    gender: str = ""
    plural: bool = False
    deprecated: bool = False


@dataclass(slots=True)
class _Reader:
    """What expat tells, put together."""

    parser: expat.XMLParserType
    terms: dict[str, Term] = field(default_factory=dict)
    faults: list[GlossaryFault] = field(default_factory=list)
    depth: int = 0
    name: str = ""
    language: str = ""
    text: str = ""
    note: str = ""
    words: dict[str, list[_Word]] = field(default_factory=dict)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        self.text = ""
        if self.depth > MAX_DEPTH:
            raise GlossaryFault(self.parser.CurrentLineNumber, "is nested too deep", "export it anew")
        if tag in CONCEPTS:
            self.words = {}
            self.name = attributes.get("id", "")[:MAX_CHARS] or f"concept {len(self.terms) + 1}"
        elif tag in LANGUAGES:
            self.language = attributes.get("xml:lang", attributes.get("lang", "")).replace("_", "-")[:20]
        elif tag in TERMS:
            self.words.setdefault(self.language, []).append(_Word())
        elif tag == "termNote":
            self.note = attributes.get("type", "")

    def data(self, data: str) -> None:
        if len(self.text) < 4 * MAX_CHARS:
            self.text += data

    def end(self, tag: str) -> None:
        self.depth -= 1
        words = self.words.get(self.language)
        said = " ".join(self.text.split())
        if tag == "term" and words:
            words[-1].text = said[:MAX_CHARS]
        elif tag == "termNote" and words:
            self._note(words[-1], said)
        elif tag in LANGUAGES:
            self.language = ""
        elif tag in CONCEPTS:
            forms = {each: form for each in self.words if TAG.fullmatch(each) and (form := self._forms(each))}
            _add(self.terms, Term(self.name, forms), self.parser.CurrentLineNumber, self.faults)
        self.text = ""

    def _note(self, word: _Word, said: str) -> None:
        if self.note == "grammaticalGender":
            word.gender = GENDERS.get(said.lower(), "")
        elif self.note == "grammaticalNumber":
            word.plural = said == "plural"
        elif self.note == "administrativeStatus":
            word.deprecated = said.startswith(DEPRECATED)

    def _forms(self, language: str) -> Forms | None:
        words = [each for each in self.words[language] if each.text]
        good = [each for each in words if not each.deprecated and not each.plural]
        if not good:
            return None
        many = next((each.text for each in words if each.plural and not each.deprecated), "")
        also = tuple(each.text for each in words if each is not good[0] and each.text != many)
        return Forms(good[0].text, many, good[0].gender, "", also[:20])


def _tbx(data: bytes) -> tuple[list[Term], list[GlossaryFault]]:
    parser = expat.ParserCreate()
    reader = _Reader(parser)

    def refused(*_: object) -> None:
        remedy = "export it without entities; only those of XML itself are read"
        raise GlossaryFault(parser.CurrentLineNumber, "declares entities", remedy)

    parser.EntityDeclHandler = refused
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = f"is not XML ({expat.ErrorString(error.code)})"
        reader.faults.append(GlossaryFault(error.lineno, problem, "export it anew"))
    except GlossaryFault as fault:
        reader.faults.append(fault)
    if not reader.terms and not reader.faults:
        reader.faults.append(GlossaryFault(0, "has no concepts", "export it as TBX-Basic"))
    return list(reader.terms.values()), reader.faults
