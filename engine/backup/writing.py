"""Writing a backup: whole under its name, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from config.schema import Config
from engine.backup.archive import PIECE, Entry, Header, Writer
from engine.backup.contents import Contents, Found, Recordings, contents
from engine.backup.fault import BackupFault
from engine.backup.store import copy_sqlite, dump_postgres
from engine.release import VERSION
from engine.store import database

STORE, RECORDINGS_LIST = "store", "recordings.json"
SPARE = 16 * 1024 * 1024  # bytes that are left on the disk

Progress = Callable[[str, int, int], None]  # what, bytes done, of


class Kept(msgspec.Struct, frozen=True):
    """A recording that is listed, not held. file: as its call's record has it."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Written:
    """header: of the file. entries: what is in it. bytes: of the file. gone: recordings that were deleted
    while it was written.
    """

    header: Header
    entries: list[Entry]
    bytes: int
    gone: int


def write(
    config: Config,
    to: Path,
    *,
    now: float,
    passphrase: str,
    recordings: Recordings = "list",
    force: bool = False,
    tell: Progress = lambda what, done, of: None,
) -> Written:
    """passphrase: "" leaves secrets out. now: epoch seconds. Raises BackupFault."""
    if to.exists() and not force:
        raise BackupFault(f"{to} is there already; name another file, or --force")
    if not to.parent.is_dir():
        raise BackupFault(f"there is no folder {to.parent}; make it first")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as scratch:
            return _write(config, to, Path(scratch), now, passphrase, recordings, tell)
    except OSError as error:
        raise BackupFault(
            f"{error.filename or to}: {error.strerror or error}; nothing was written"
        ) from error


def _write(
    config: Config, to: Path, scratch: Path, now: float, passphrase: str, recordings: Recordings,
    tell: Progress,
) -> Written:  # fmt: skip
    found = contents(config, with_secrets=bool(passphrase), recordings=recordings)
    copy = scratch / STORE
    kind = _copied(config, copy, tell)
    header = Header(
        node=config.node.name,
        made_at=now,
        release=VERSION,
        store=kind,
        store_path=_store_path(config),
        configuration=str(config.folder.resolve()),
        data=str(config.node.data_dir.resolve()),
        recordings=recordings,
        folders=found.folders,
        needs=found.needs,
        secrets=bool(passphrase),
    )
    every = [
        *found.files,
        Found(Entry("store", STORE, copy.stat().st_size), copy),
        *_recorded(found, recordings),
    ]
    size = sum(each.entry.size for each in every)
    free = shutil.disk_usage(to.parent).free
    if recordings == "whole" and size + SPARE > free:
        raise BackupFault(f"{to.parent} has {free} bytes free, and {size} are to be kept; make room")
    part, gone = scratch / "part", 0
    with part.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        present = [each for each in every if each.content is not None or each.file.is_file()]
        gone = len(every) - len(present)
        writer = Writer(file, header, passphrase, [each.entry for each in present])
        done = 0
        for each in present:
            writer.add(_pieces(each))
            done += each.entry.size
            tell("writing", done, size)
        writer.close()
        file.flush()
        os.fsync(file.fileno())
        total = file.tell()
    part.replace(to)
    _sync(to.parent)
    return Written(writer.header, [each.entry for each in present], total, gone)


def _store_path(config: Config) -> str:
    """As store.yaml has it, but for one that leads out of the data: that is told as where it is."""
    path = config.store.path
    return str((config.node.data_dir / path).resolve() if ".." in path.parts else path)


def _copied(config: Config, copy: Path, tell: Progress) -> Literal["sqlite", "postgresql"]:
    url = database.url_of(config)
    path = database.sqlite_file(database.parse(url))
    if path is None:
        tell("dumping the store", 0, 0)
        dump_postgres(url, copy)
        return "postgresql"
    copy_sqlite(path, copy, lambda done, of: tell("copying the store", done, of))
    return "sqlite"


def _recorded(found: Contents, recordings: Recordings) -> Iterator[Found]:
    """The files, or their list."""
    if recordings == "whole":
        yield from found.recordings
    elif recordings == "list":
        kept = [Kept("/".join(each.file.parts[-2:]), each.entry.size) for each in found.recordings]
        content = msgspec.json.encode(kept)
        yield Found(Entry("recordings", RECORDINGS_LIST, len(content)), Path(), content)


def _pieces(found: Found) -> Iterator[bytes]:
    """As long as was listed; a recording that goes on being written is kept up to there."""
    if found.content is not None:
        yield found.content
        return
    left = found.entry.size
    with found.file.open("rb") as file:
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some file systems cannot
        os.fsync(handle)
    os.close(handle)
