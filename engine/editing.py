"""Files of the configuration as people edit them from the console: read, written whole, put back as they run.

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
from pathlib import Path

EDITABLE = re.compile(r"(agents|queues|numbers|routing)\.yaml|(lines|markets)/[A-Za-z0-9_-]{1,64}\.yaml")
MOST_BYTES = 48 * 1024  # of a file; what a browser sends at once is bounded, too

_writing = threading.Lock()  # from looking at what is there until it is replaced


class NotEditable(Exception):
    """There is no such file, or it is not one that is edited from here."""


class ChangedMeanwhile(Exception):
    """Somebody else wrote it after it was read."""


class NoText(ValueError):
    """It is too long, or no text."""


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


def write(folder: Path, name: str, text: str, expected: str) -> Text:
    """In place of the one of this digest, by a rename, so that nobody reads half of it. Raises NotEditable,
    ChangedMeanwhile, NoText, OSError.
    """
    path, data = _path(folder, name), text.replace("\r\n", "\n").encode("utf-8", "replace")
    if len(data) > MOST_BYTES or "\0" in text:
        raise NoText(f"a file edited here is text of {MOST_BYTES // 1024} KiB at most")
    with _writing:
        if read(folder, name).digest != expected:
            raise ChangedMeanwhile(name)
        _replace(path, data)
    return Text(name, data.decode(), digest_of(data))


def _replace(path: Path, data: bytes) -> None:
    new, mode = path.with_name(f".{path.name}.new"), path.stat().st_mode & 0o777
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
