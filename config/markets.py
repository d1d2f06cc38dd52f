"""The folder `markets/`: a file each market, and the glossaries they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from config import document
from config.document import Document
from config.fault import Fault
from config.market import MarketSettings
from config.validate import validate
from media.speech import glossary
from media.speech.market import Market, Term

MAX_MARKETS = 200


@dataclass
class Markets:
    """What was read. terms: by market. documents: by `markets/NAME`."""

    values: dict[str, MarketSettings | None] = field(default_factory=dict)
    terms: dict[str, tuple[Term, ...]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class ShippedMarkets(Mapping[str, Market]):  # noqa: PLW1641, no mapping is hashable
    """Those of a folder that need no check, read when the first is asked for: most nodes never do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _markets(self) -> Mapping[str, Market]:
        read = read_markets(self._folder, self._folder)
        return {name: each.market(read.terms[name]) for name, each in read.values.items() if each}

    def __getitem__(self, name: str) -> Market:
        return self._markets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._markets)

    def __len__(self) -> int:
        return len(self._markets)

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)


def read_markets(texts: Path, named: Path) -> Markets:
    """The markets of a folder. named: how it is called in faults."""
    found = Markets()
    files: dict[Path, tuple[tuple[Term, ...], list[Fault]]] = {}
    for path in _files(texts, named, found.faults):
        read, faults = _document(path, str(named / path.name))
        found.faults += faults
        name = path.stem
        found.documents[f"markets/{name}"] = read
        found.values[name] = None
        if read.broken:
            continue
        value, faults = validate(MarketSettings, read, (), env={}, folder=named, name=name)
        found.faults += faults
        found.values[name] = value
        if value is not None:
            found.terms[name] = _terms(value, texts, named, files)
    found.faults += [fault for _, faults in files.values() for fault in faults]
    return found


def _document(path: Path, file: str) -> tuple[Document, list[Fault]]:
    """What was parsed before is not parsed again: markets are long, and mostly the same."""
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= document.MAX_BYTES else None
    except (OSError, UnicodeDecodeError):
        text = None
    if text is None:
        return document.read(path, file)
    read = _parsed(text)
    return (document.parse(text, file)) if read is None else (replace(read, file=file), [])


@lru_cache(64)
def _parsed(text: str) -> Document | None:
    """None for what has faults, which name its file."""
    read, faults = document.parse(text, "")
    return None if faults else read


def _files(texts: Path, named: Path, faults: list[Fault]) -> list[Path]:
    for path in sorted(texts.glob("*.yml")):
        remedy = f"rename it to {path.stem}.yaml"
        faults.append(Fault(str(named / path.name), 0, "", "is not read", remedy))
    files = sorted(texts.glob("*.yaml"))
    if len(files) > MAX_MARKETS:
        faults.append(Fault(str(named), 0, "", f"holds over {MAX_MARKETS} markets", "use fewer"))
    return files[:MAX_MARKETS]


def _terms(
    market: MarketSettings,
    texts: Path,
    named: Path,
    files: dict[Path, tuple[tuple[Term, ...], list[Fault]]],
) -> tuple[Term, ...]:
    """Those of its glossaries; each file is read once, whoever names it."""
    found: dict[str, Term] = {}
    for path in market.glossaries:
        if path not in files:
            copy = texts / path
            files[path] = _glossary(copy if copy.exists() else named / path, str(named / path))
        found = {**_by_name(files[path][0]), **found}
    return tuple(found.values())


def _by_name(terms: Iterable[Term]) -> Mapping[str, Term]:
    return {each.name: each for each in terms}


def _glossary(path: Path, named: str) -> tuple[tuple[Term, ...], list[Fault]]:
    try:
        with path.open("rb") as opened:
            data = opened.read(glossary.MAX_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        return (), [Fault(named, 0, "", problem, "check that it is there and readable")]
    terms, faults = glossary.read(data, path.name)
    return tuple(terms), [Fault(named, each.line, "", each.problem, each.remedy) for each in faults]
