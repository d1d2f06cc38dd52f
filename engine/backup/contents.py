"""What belongs to a node, file by file: what a backup lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from config.schema import Config
from config.secret import Secret
from engine.access.access import ANCHOR, SPILL
from engine.backup.archive import Entry, Place
from engine.history import DRAFT, FOLDER, files_of
from engine.recording import folders

STATE = (ANCHOR, SPILL, "journal.spill")
CARDS = "cards"
SECRETS = ("secrets", "tls", "between")  # folders of the node's data
SKIPPED = frozenset({"markets", "knowledge", "specs"})  # of a configuration: texts, with no secrets in them

Recordings = Literal["list", "whole", "none"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file and where it belongs. content: where it was read already, for it may change or go."""

    entry: Entry
    file: Path
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """files: small ones, read at once, in the order in which they have to be read: before the store is, so
    that nothing of them points beyond it. recordings: on disk, to be read when they are written. needs: what
    the configuration names that lies elsewhere.
    """

    files: list[Found]
    recordings: list[Found]
    folders: tuple[str, ...]
    needs: tuple[str, ...]


def contents(config: Config, *, with_secrets: bool, recordings: Recordings) -> Contents:
    """Reads all but recordings. Raises OSError."""
    data, folder = config.node.data_dir, config.folder
    inside, needs = _named(config)
    files = [*_read(data, "data", _state(data)), *_read(data, "data", _history(data))]
    if with_secrets:
        files += _read(data, "data", (each for name in SECRETS for each in _below(data / name)))
    files += _read(folder, "configuration", [*files_of(folder), *folder.glob("prompts/*.yaml")])
    if with_secrets:
        files += _read(folder, "configuration", inside)
    known = {(each.entry.place, each.entry.path): each for each in files}
    found, outside = _recordings(config) if recordings != "none" else ([], ())
    return Contents(list(known.values()), found, outside, needs)


def _state(data: Path) -> Iterator[Path]:
    """Spills before the anchor is of no interest, but both come before the store: an entry that goes from
    one to the other meanwhile is then in both, which is once.
    """
    yield from (data / name for name in STATE if (data / name).is_file())
    yield from _below(data / CARDS)


def _history(data: Path) -> Iterator[Path]:
    for each in _below(data / FOLDER):
        if not any(part.startswith(DRAFT) for part in each.relative_to(data).parts):
            yield each


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _read(root: Path, place: Place, paths: Iterable[Path]) -> list[Found]:
    found = []
    for path in paths:
        content = path.read_bytes()
        private = path.stat().st_mode & 0o077 == 0
        entry = Entry(place, path.relative_to(root).as_posix(), len(content), private)
        found.append(Found(entry, path, content))
    return found


def _recordings(config: Config) -> tuple[list[Found], tuple[str, ...]]:
    """Those below the node's data belong to it; others to folders of their own, which are numbered."""
    data = config.node.data_dir.resolve()
    found: list[Found] = []
    outside: list[str] = []
    for folder in (each.resolve() for each in folders(config)):
        if folder.is_relative_to(data):
            place, before = "data", folder.relative_to(data).as_posix()
        else:
            place, before = "recordings", str(len(outside))
            outside.append(str(folder))
        for path in _below(folder):
            name = f"{before}/{path.relative_to(folder).as_posix()}"
            entry = Entry(place, name, path.stat().st_size)  # type: ignore[arg-type]
            found.append(Found(entry, path))
    return found, tuple(outside)


def _named(config: Config) -> tuple[list[Path], tuple[str, ...]]:
    """Files with secrets, keys and certificates in the configuration's folder; and what lies elsewhere."""
    folder = config.folder.resolve()
    inside: list[Path] = []
    needs: list[str] = []
    for each in walked(config):
        if isinstance(each, Secret):
            kind, _, name = each.source.partition(":")
            if kind == "env":
                needs.append(f"environment variable {name}")
            if kind != "file":
                continue
            each = Path(name)
        path = each.resolve()
        if not path.is_file():
            continue
        if path.is_relative_to(folder):
            inside.append(config.folder / path.relative_to(folder))
        elif not path.is_relative_to(config.node.data_dir.resolve()):
            needs.append(f"file {path}")
    return inside, tuple(sorted(set(needs)))


def walked(value: Any) -> Iterator[Secret | Path]:
    """Every secret and path that a configuration holds."""
    if isinstance(value, Secret | Path):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            if each.name not in SKIPPED:
                yield from walked(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from walked(each)
    elif isinstance(value, tuple | list | frozenset):
        for each in value:
            yield from walked(each)
