"""Applied configurations, kept under data_dir/config-history: whole copies of the files, to go back to.

    000007/version.json      who applied it, when, why, and what it changed
    000007/files/…           the YAML files and lists of rates as they were; never secrets or certificates
    current.json             which one runs, and what the folder held when it was applied

A version is written under another name, forced to the disk and then renamed; `current.json` is replaced by a
rename as well. Whatever ends in the middle, the disk or the machine, the version before stays whole, and the
one that runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import structlog

FOLDER = "config-history"
MAX_FILES = 3000
MAX_BYTES = 128 * 1024 * 1024
DRAFT = ".draft-"

log = structlog.get_logger("config")


class HistoryFault(Exception):
    """Nothing could be kept, or what was kept cannot be read; nothing has changed."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """at: epoch seconds. by: a token's name, or what the node did it for. how: start, apply or rollback. of:
    the version that was gone back to, 0 else. digest: of the files. changes: in words, from the one before.
    """

    number: int
    at: float
    by: str
    why: str = ""
    how: Literal["start", "apply", "rollback"] = "apply"
    of: int = 0
    forced: bool = False
    digest: str = ""
    changes: tuple[str, ...] = ()


class Current(msgspec.Struct, frozen=True):
    """The version that runs. folder: of the node's files; seen: their digest when it was applied."""

    number: int
    folder: str
    seen: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A copy of files that is no version yet. texts: where they are."""

    folder: Path
    digest: str

    @property
    def texts(self) -> Path:
        return self.folder / "files"


def files_of(folder: Path) -> Iterator[Path]:
    """What a configuration is written in, in order: YAML files, those of lines, and lists of rates."""
    found = [
        *folder.glob("*.y*ml"),
        *folder.glob("lines/*.y*ml"),
        *folder.glob("markets/*.y*ml"),
        *folder.glob("markets/*.tbx"),
        *folder.glob("knowledge/*.md"),
        *folder.glob("*.csv"),
        *folder.glob("*/*.csv"),
    ]
    return (path for path in sorted(found) if not path.name.startswith("."))


def digest_of(folder: Path) -> str:
    """What tells one state of a folder's files from another. Raises HistoryFault."""
    try:
        return _digest((path.relative_to(folder), path.read_bytes()) for path in files_of(folder))
    except OSError as fault:
        raise HistoryFault(f"{folder} cannot be read ({fault.strerror})") from fault


class History:
    """Blocks: to be used from a worker thread. kept: so many versions, the oldest give way."""

    def __init__(self, data: Path, kept: int) -> None:
        self.folder = data / FOLDER
        self.kept = kept

    # --- looking ----------------------------------------------------------------------------------

    def versions(self) -> list[Version]:
        """The newest first; what cannot be read is left out."""
        found = (self.find(int(path.name)) for path in self._folders())
        return [version for version in found if version is not None]

    def find(self, number: int) -> Version | None:
        path = self._at(number) / "version.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Version)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as fault:
            log.warning("a kept configuration cannot be read", file=str(path), why=str(fault))
            return None

    def texts(self, number: int) -> Path:
        return self._at(number) / "files"

    def current(self) -> Current | None:
        try:
            return msgspec.json.decode((self.folder / "current.json").read_bytes(), type=Current)
        except (OSError, msgspec.DecodeError):
            return None

    # --- keeping ----------------------------------------------------------------------------------

    def draft(self, source: Path) -> Draft:
        """A copy of a folder's files, to be looked at before anything is made of it. Raises HistoryFault."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.folder))
        except OSError as fault:
            raise self._full(fault) from fault
        whole = False
        try:
            digest = _digest(self._copied(source, made / "files"))
            whole = True
        except OSError as fault:
            raise self._full(fault) from fault
        finally:
            if not whole:
                shutil.rmtree(made, ignore_errors=True)
        return Draft(made, digest)

    def drop(self, draft: Draft) -> None:
        shutil.rmtree(draft.folder, ignore_errors=True)

    def keep(self, draft: Draft, version: Version, current: Current) -> None:
        """The draft is a version from now on, and the current one. Raises HistoryFault: then it is not."""
        try:
            (draft.folder / "version.json").write_bytes(msgspec.json.encode(version))
            for path in (*draft.folder.rglob("*"), draft.folder):
                _sync(path)
            draft.folder.rename(self._at(version.number))
            self.point(current)
        except OSError as fault:
            shutil.rmtree(self._at(version.number), ignore_errors=True)
            self.drop(draft)
            raise self._full(fault) from fault
        self._thin(version.number)

    def point(self, current: Current) -> None:
        """This is the version that runs. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self.folder / "current.new"
        new.write_bytes(msgspec.json.encode(current))
        _sync(new)
        new.rename(self.folder / "current.json")
        _sync(self.folder)

    def withdraw(self, number: int, former: Current | None) -> None:
        """A version was kept that could not be run after all."""
        if former is not None:
            self.point(former)
        shutil.rmtree(self._at(number), ignore_errors=True)

    def next_number(self) -> int:
        current = self.current()
        newest = max((int(path.name) for path in self._folders()), default=0)
        return max(newest, current.number if current else 0) + 1

    def tidy(self) -> None:
        """Remove what an earlier life left unfinished."""
        for path in self.folder.glob(f"{DRAFT}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _at(self, number: int) -> Path:
        return self.folder / f"{number:06d}"

    def _folders(self) -> list[Path]:
        found = self.folder.glob("[0-9]*") if self.folder.is_dir() else ()
        return sorted((path for path in found if path.name.isdecimal()), reverse=True)

    def _thin(self, running: int) -> None:
        """Let the oldest go, never the one that runs."""
        others = [path for path in self._folders() if int(path.name) != running]
        for path in others[self.kept - 1 :]:
            shutil.rmtree(path, ignore_errors=True)

    def _copied(self, source: Path, to: Path) -> Iterator[tuple[Path, bytes]]:
        """Each file's name and content, as it is copied."""
        size = 0
        to.mkdir()
        for count, path in enumerate(files_of(source)):
            name, content = path.relative_to(source), path.read_bytes()
            size += len(content)
            if count >= MAX_FILES or size > MAX_BYTES:
                raise HistoryFault(f"{source} holds over {MAX_FILES} files or {MAX_BYTES} bytes; use fewer")
            (to / name).parent.mkdir(exist_ok=True)
            (to / name).write_bytes(content)
            yield name, content

    def _full(self, fault: OSError) -> HistoryFault:
        reason = fault.strerror or str(fault)
        return HistoryFault(
            f"the configuration could not be kept under {self.folder} ({reason}); make room there, or let "
            "the node write there, and try again"
        )


def _digest(files: Iterable[tuple[Path, bytes]]) -> str:
    found = hashlib.sha256()
    for name, content in files:
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def _sync(path: Path) -> None:
    """Force a file, or what a folder lists, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
