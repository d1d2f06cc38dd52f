"""Files of the configuration as people edit them from afar: read, written whole, made, removed, put back.

Only what says how calls go: people, queues, numbers, lines, markets. Files about the machine (where it
listens and stores, whom it lets in, which programs it starts) stay with who has the machine: a browser that
somebody took over must not reach further than calls. All of it blocks.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

EDITABLE = re.compile(r"(agents|queues|numbers|routing)\.yaml|(lines|markets)/[A-Za-z0-9_-]{1,64}\.yaml")
MOST_BYTES = 48 * 1024  # of a file; what a browser sends at once is bounded, too
MOST_FILES = 2000  # that are made from here; the history keeps 3,000
NEW = ""  # the digest of a file that is not there yet
DRAFTS = ("lines/carrier.yaml", "lines/gateway.yaml", "lines/ims.yaml")  # shipped, beside all markets

_writing = threading.Lock()  # from looking at what is there until it is replaced


class NotEditable(Exception):
    """There is no such file, or it is not one that is edited from here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no file {name} that is edited from here")


class ChangedMeanwhile(Exception):
    """Somebody else wrote it after it was read. now: its digest, NEW where it is not there."""

    def __init__(self, name: str, now: str = NEW) -> None:
        super().__init__(name)
        self.now = now


class NoText(ValueError):
    """It is too long, or no text."""


class TooMany(Exception):
    """There are as many files as may be made from here."""


@dataclass(frozen=True, slots=True)
class Text:
    """name: below the folder, such as lines/carrier.yaml. digest: what tells this state from another."""

    name: str
    text: str
    digest: str


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listed(folder: Path) -> tuple[str, ...]:
    """Files that may be edited, in order."""
    found = (
        each.relative_to(folder).as_posix() for each in (*folder.glob("*.yaml"), *folder.glob("*/*.yaml"))
    )
    return tuple(
        sorted((name for name in found if EDITABLE.fullmatch(name)), key=lambda name: ("/" in name, name))
    )


def read(folder: Path, name: str) -> Text:
    """Raises NotEditable, NoText."""
    try:
        data = _path(folder, name).read_bytes()
    except OSError as error:
        raise NotEditable(name) from error
    if len(data) > MOST_BYTES:
        raise NoText(f"{name} is over {MOST_BYTES // 1024} KiB; edit it on the machine")
    try:
        return Text(name, data.decode(), digest_of(data))
    except UnicodeDecodeError as error:
        raise NoText(f"{name} is no UTF-8 text") from error


@cache
def drafts(shipped: Path) -> tuple[str, ...]:
    """Files that a new one may begin as. shipped: the folder of those that come with Isogloss."""
    return (*DRAFTS, *(each for each in listed(shipped) if each.startswith("markets/")))


def draft(folder: Path, name: str, shipped: Path, like: str) -> Text:
    """A new file of this name as it may begin, written nowhere. like: one of `drafts`. Raises NotEditable for
    what is none, or is there already.
    """
    if like not in drafts(shipped) or name.partition("/")[0] != like.partition("/")[0]:
        raise NotEditable(like)
    if _path(folder, name).exists():
        raise NotEditable(name)
    return Text(name, read(shipped, like).text, NEW)


def write(folder: Path, name: str, text: str, expected: str) -> Text:
    """In place of the one of this digest, or anew where it is NEW, by a rename, so that nobody reads half of
    it. What is there as it was to be stays. Raises NotEditable, ChangedMeanwhile, NoText, TooMany, OSError.
    """
    path, data = _path(folder, name), text.replace("\r\n", "\n").encode("utf-8", "replace")
    if len(data) > MOST_BYTES or "\0" in text:
        raise NoText(f"a file edited here is text of {MOST_BYTES // 1024} KiB at most")
    with _writing:
        now = read(folder, name).digest if path.exists() else NEW
        if now == digest_of(data):
            return Text(name, data.decode(), now)
        if now != expected:
            raise ChangedMeanwhile(name, now)
        if now == NEW:
            _room(folder, path)
        _replace(path, data)
    return Text(name, data.decode(), digest_of(data))


def remove(folder: Path, name: str, expected: str) -> None:
    """Raises NotEditable, ChangedMeanwhile, NoText, OSError."""
    with _writing:
        now = read(folder, name).digest
        if now != expected:
            raise ChangedMeanwhile(name, now)
        _path(folder, name).unlink()


def _room(folder: Path, path: Path) -> None:
    """For one more. Raises TooMany, OSError."""
    if len(listed(folder)) >= MOST_FILES:
        raise TooMany(f"there are {MOST_FILES} files already; make it on the machine")
    path.parent.mkdir(exist_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """A file that is made here is its owner's alone, as nobody said otherwise."""
    new, mode = path.with_name(f".{path.name}.new"), path.stat().st_mode & 0o777 if path.exists() else 0o600
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def place_of(text: str, wanted: str) -> int:
    """The line that an entry begins in, from 1, which also stands for none. wanted: its name, or a number."""
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7:
        return max(1, int(wanted))
    key = re.compile(rf"\s*(- )?['\"]?{re.escape(wanted)}['\"]?\s*:")
    return next((at for at, line in enumerate(text.splitlines(), 1) if wanted and key.match(line)), 1)


def _path(folder: Path, name: str) -> Path:
    """Raises NotEditable for what is none, or leads out of the folder by a link."""
    path = folder / name
    if (
        not EDITABLE.fullmatch(name)
        or path.is_symlink()
        or not path.resolve().is_relative_to(folder.resolve())
    ):
        raise NotEditable(name)
    return path
