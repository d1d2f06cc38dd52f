"""Recordings read back: found by their names, opened with the node's keys, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.schema import Config
from engine.recording import folders
from media.duplex import WAV_HEADER, wav_header
from media.sealed import SUFFIX, TAG, SealBroken, Truncated, opened

PIECE = 256 * 1024
NAME = re.compile(r"\d{4}-\d\d-\d\d/[A-Za-z0-9_.-]{1,160}\.(opus|wav)(\.sealed)?")
TYPES = {"opus": "audio/ogg", "wav": "audio/wav"}
_LENGTH = 4  # bytes before each chunk


def find(config: Config, name: str) -> Path | None:
    """The file of a name as call records have it; None for what is no such name, or not here (any more)."""
    name = name.removeprefix(f"{config.node.name}:")
    if not NAME.fullmatch(name):
        return None
    return next((path for folder in folders(config) if _lies(path := folder / name, folder)), None)


def _lies(path: Path, folder: Path) -> bool:
    """Whether there is such a file, in that folder: a link may not lead out of it."""
    try:
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    except OSError:  # too many links
        return False


def plain_name(path: Path) -> str:
    """What the file is called when it is open."""
    return path.name.removesuffix(SUFFIX)


def keys_of(config: Config) -> dict[str, str]:
    """Secrets by key id."""
    return {name: each.reveal() for name, each in config.media.recording.keys.items()}


def sound(path: Path, keys: Mapping[str, str]) -> Iterator[bytes]:
    """The recording as it would be unsealed, in pieces. Raises SealBroken, OSError; what is sound comes
    before.
    """
    pieces = opened(_pieces(path), keys) if path.name.endswith(SUFFIX) else _pieces(path)
    if not plain_name(path).endswith(".wav"):
        yield from pieces
        return
    first = next(iter(pieces), b"")
    if len(first) >= WAV_HEADER:  # written before its size was known
        rate = int.from_bytes(first[24:28], "little")
        first = wav_header(rate, max(0, size(path) - WAV_HEADER)) + first[WAV_HEADER:]
    yield first
    yield from pieces


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def size(path: Path) -> int:
    """Bytes of the file's content."""
    whole = path.stat().st_size
    if not path.name.endswith(SUFFIX):
        return whole
    content = 0
    with path.open("rb") as file:
        head = file.read(9)
        at = 9 + head[8] + 24
        while at + _LENGTH <= whole:
            file.seek(at)
            size = int.from_bytes(file.read(_LENGTH), "little")
            at += _LENGTH + size
            if at > whole or size < TAG:
                break
            content += size - TAG
    return content


def verify(path: Path, keys: Mapping[str, str]) -> str:
    """What is wrong with a file and what to do, "" when it is whole."""
    try:
        for _ in sound(path, keys):
            pass
    except SealBroken as fault:
        return f"{fault}; {fault.remedy}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def decrypt(path: Path, to: Path, keys: Mapping[str, str]) -> str:
    """Write the open file; what was wrong, "" for nothing. A file without its end is written as far as it
    goes; nothing is left of one that was tampered with.
    """
    part = to.with_name(to.name + ".part")
    fault = ""
    try:
        with part.open("wb") as file:
            try:
                for piece in sound(path, keys):
                    file.write(piece)
            except Truncated as cut:
                fault = f"{cut}; {cut.remedy}"
        part.replace(to)
    except SealBroken as broken:
        part.unlink(missing_ok=True)
        return f"{broken}; {broken.remedy}"
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"{error.filename}: {error.strerror}"
    return fault
