"""The file of a backup: a line that names the format, a line that says what it is of, and members.

    file     "ISOGLOSS BACKUP 1\\n", header (a line of JSON), body
    body     gzip of members; where there is a passphrase, sealed as recordings are (media/sealed.py)
    member   a POSIX ustar header of a regular file, content, zeros up to 512 bytes; after the last, zeros

Members are `listing.json`, which names all others in their order, then those, then `ledger.json`: the SHA-256
of each and of the header. They are numbered: where a file goes is in the listing alone, and looked at
(`listed`) before anything is written. What a member's header says beyond a regular file of the expected name
and size is refused: links, devices, long names, and whatever else the format knows.

The sealing secret is scrypt (RFC 7914) of the passphrase: N 2^17, r 8, p 1, 128 MiB.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import secrets
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Literal

import msgspec

from engine.backup.fault import BackupFault, Broken
from engine.backup.stage import STAGE
from media.sealed import SALT, Seal, SealBroken, WrongKey, opened

MAGIC = b"ISOGLOSS BACKUP 1\n"
LISTING, LEDGER = "listing.json", "ledger.json"
MOST_HEADER = 64 * 1024
MOST_LISTING = 256 * 1024 * 1024
MOST_MEMBERS = 2_000_000
MOST_PATH = 1024
BLOCK = tarfile.BLOCKSIZE
PIECE = 1024 * 1024
KEY_ID = "backup"
MIN_PASSPHRASE = 12

Place = Literal["configuration", "data", "store", "recordings"]
Passphrase = Callable[[], str]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """made_at: epoch seconds. store: what `store` holds a copy of; store_path: as store.yaml has it. folders:
    of recordings outside of the node's data. needs: what the configuration names that is not in here. salt:
    of the passphrase, in hex; "" where nothing is sealed.
    """

    node: str
    made_at: float
    release: str
    store: Literal["sqlite", "postgresql"]
    store_path: str
    configuration: str
    data: str
    recordings: Literal["list", "whole", "none"]
    folders: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secrets: bool = False
    salt: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """path: below its place, with slashes. size: bytes. private: its owner's alone."""

    place: Place
    path: str
    size: int
    private: bool = True


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SHA-256 in hex: of the header's line, and of the members in their order."""

    header: str
    members: tuple[str, ...]


# --- writing --------------------------------------------------------------------------------------


class Writer:
    """Entries are written in the order of the listing. The file is whole once it is closed."""

    def __init__(self, file: BinaryIO, header: Header, passphrase: str, entries: Iterable[Entry]) -> None:
        """passphrase: "" to seal nothing."""
        if passphrase:
            header = msgspec.structs.replace(header, salt=secrets.token_hex(SALT))
        line = msgspec.json.encode(header) + b"\n"
        file.write(MAGIC + line)
        self.header = header
        self._digest = hashlib.sha256(line).hexdigest()
        self._sealing = _Sealing(file, _secret(passphrase, header.salt)) if passphrase else None
        self._body = gzip.GzipFile(fileobj=self._sealing or file, mode="wb", compresslevel=1, mtime=0)
        self._entries = list(entries)
        self._digests: list[str] = []
        listing = msgspec.json.encode(self._entries)
        self._member(LISTING, len(listing), [listing])

    def add(self, pieces: Iterable[bytes]) -> None:
        """The next entry's content. Raises BackupFault where it is not as long as was listed."""
        number = len(self._digests) - 1
        self._member(_name(number), self._entries[number].size, pieces)

    def close(self) -> None:
        ledger = msgspec.json.encode(Ledger(self._digest, tuple(self._digests)))
        self._member(LEDGER, len(ledger), [ledger])
        self._body.write(bytes(2 * BLOCK))
        self._body.close()
        if self._sealing is not None:
            self._sealing.end()

    def _member(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._body.write(info.tobuf(tarfile.GNU_FORMAT))
        digest, left = hashlib.sha256(), size
        for piece in pieces:
            digest.update(piece)
            left -= len(piece)
            self._body.write(piece)
        if left:
            raise BackupFault(f"{name} changed while it was read; try again")
        self._body.write(bytes(-size % BLOCK))
        self._digests.append(digest.hexdigest())


class _Sealing(io.RawIOBase):
    """What is written to it goes to a file, sealed."""

    def __init__(self, file: BinaryIO, secret: str) -> None:
        super().__init__()
        self._file = file
        self._seal = Seal(KEY_ID, secret, secrets.token_bytes(SALT))
        self._waiting = bytearray()
        file.write(self._seal.header)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._file.write(self._seal.chunk(bytes(self._waiting[:PIECE])))
            del self._waiting[:PIECE]
        return len(data)

    def end(self) -> None:
        self._file.write(self._seal.chunk(bytes(self._waiting), last=True))


# --- reading --------------------------------------------------------------------------------------


class Reader:
    """header: what the file says it is; known to be true once all members were read. Raises Broken."""

    def __init__(self, file: BinaryIO) -> None:
        if file.read(len(MAGIC)) != MAGIC:
            raise Broken("this is no backup, or one of a later release")
        line = file.readline(MOST_HEADER)
        try:
            self.header = msgspec.json.decode(line, type=Header)
        except msgspec.DecodeError as error:
            raise Broken(f"its header cannot be read ({error})") from None
        if not _has_place(self.header.store_path):
            raise Broken(f"its store is {self.header.store_path[:80]!r}, which is no file of a node")
        self._line = line
        self._file = file

    def entries(self, passphrase: Passphrase) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Each entry with its content, to be read before the next; both raise Broken, BackupFault. Nothing of
        it is known to be as it was written before the last was had. passphrase: asked where it is sealed.
        """
        yield from self._entries(_Body(self._plain(passphrase)))

    def _plain(self, passphrase: Passphrase) -> BinaryIO:
        if not self.header.salt:
            return gzip.GzipFile(fileobj=self._file)  # type: ignore[return-value]
        secret = _secret(passphrase(), self.header.salt)
        pieces = iter(lambda: self._file.read(PIECE), b"")
        plain = io.BufferedReader(_Pieces(opened(pieces, {KEY_ID: secret})))
        return gzip.GzipFile(fileobj=plain)  # type: ignore[return-value]

    def _entries(self, body: _Body) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        entries = listed(b"".join(body.member(LISTING, most=MOST_LISTING)))
        self.bytes = sum(each.size for each in entries)
        for number, entry in enumerate(entries):
            content = body.member(_name(number), size=entry.size)
            yield entry, content
            for _ in content:  # what was not read still counts
                pass
        digests = tuple(body.digests)
        try:
            ledger = msgspec.json.decode(b"".join(body.member(LEDGER, most=MOST_LISTING)), type=Ledger)
        except msgspec.DecodeError as error:
            raise Broken(f"its ledger cannot be read ({error})") from None
        body.end()
        wanted = Ledger(hashlib.sha256(self._line).hexdigest(), digests)
        if ledger.header != wanted.header:
            raise Broken("its header is not the one that it was written with")
        if ledger.members != wanted.members:
            bad = [each.path for each, a, b in zip(entries, wanted.members[1:], ledger.members[1:]) if a != b]
            raise Broken(f"what it holds is not what was written: {', '.join(bad[:3]) or 'its listing'}")


class _Body:
    """Members one after the other, each as it is expected and no other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digests: list[str] = []

    def member(self, name: str, *, size: int | None = None, most: int = 0) -> Iterator[bytes]:
        """The next one's content. size: that it has to have; or else the most that it may."""
        head = self._exactly(BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(head, "ascii", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise Broken(f"it is damaged ({error})") from error
        expected = size if size is not None else min(info.size, most)
        if info.type != tarfile.REGTYPE or info.name != name or info.linkname or info.size != expected:
            raise Broken(f"something else is where {name} should be")
        return self._content(expected)

    def _content(self, size: int) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), size
        while left:
            piece = self._exactly(min(left, PIECE))
            left -= len(piece)
            digest.update(piece)
            yield piece
        self._exactly(-size % BLOCK)
        self.digests.append(digest.hexdigest())

    def end(self) -> None:
        if any(self._exactly(2 * BLOCK)) or self._read(1):
            raise Broken("there is something behind its end")

    def _exactly(self, size: int) -> bytes:
        piece = self._read(size)
        if len(piece) < size:
            raise Broken("it has no end: it was cut off")
        return piece

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except WrongKey as error:
            raise BackupFault("the passphrase is not the one that it was sealed with") from error
        except (SealBroken, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Broken(f"it is damaged or cut off ({error}); take another copy of it") from error


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def listed(data: bytes) -> list[Entry]:
    """A listing, whose every path stays below its place. Raises Broken."""
    try:
        entries = msgspec.json.decode(data, type=list[Entry])
    except msgspec.DecodeError as error:
        raise Broken(f"its listing cannot be read ({error})") from None
    if len(entries) > MOST_MEMBERS:
        raise Broken(f"it lists more than {MOST_MEMBERS} files")
    seen = set()
    for each in entries:
        if not _stays(each.path) or _decides(each) or each.size < 0:
            raise Broken(f"it lists {each.path[:80]!r}, which is no file of a node")
        if (each.place, each.path) in seen:
            raise Broken(f"it lists {each.path[:80]!r} twice")
        seen.add((each.place, each.path))
    return entries


def _stays(path: str) -> bool:
    parts = path.split("/")
    return (
        0 < len(path) <= MOST_PATH
        and not any(part in ("", ".", "..") for part in parts)
        and path.isprintable()
        and "\\" not in path
    )


def _has_place(store_path: str) -> bool:
    """Whether a store has one: below the data, where of an absolute path the name alone goes."""
    path = PurePosixPath(store_path)
    below = path.name if path.is_absolute() else store_path
    return _stays(below) and not below.casefold().startswith(STAGE)


def _decides(entry: Entry) -> bool:
    """Whether it would stand where restores that were cut off say what is left of them: whoever starts the
    node would do what it says, and that may be to move any file anywhere (engine/backup/stage.py).
    """
    return entry.place in ("data", "configuration") and entry.path.casefold().startswith(STAGE)


def _name(number: int) -> str:
    return f"{number:08d}"


def _secret(passphrase: str, salt: str) -> str:
    """What a passphrase seals with. Raises BackupFault."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise BackupFault(f"a passphrase has {MIN_PASSPHRASE} characters or more")
    try:
        raw = bytes.fromhex(salt)
    except ValueError:
        raise Broken("its header has no sound salt") from None
    made = hashlib.scrypt(
        passphrase.encode(), salt=raw, n=2**17, r=8, p=1, maxmem=256 * 1024 * 1024, dklen=32
    )
    return made.hex()
