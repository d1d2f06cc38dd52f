"""A backup's file: what was written comes back, and nothing else ever does."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Iterable
from functools import cache
from random import Random

import msgspec
import pytest

from engine.backup import archive
from engine.backup.archive import LEDGER, LISTING, MAGIC, Entry, Header, Reader, Writer, listed
from engine.backup.fault import BackupFault, Broken

PASSPHRASE = "correct horse battery staple"
HEADER = Header(
    node="n1", made_at=1.0, release="0.1.0", store="sqlite", store_path="isogloss.db",
    configuration="/etc/isogloss", data="/var/lib/isogloss", recordings="list",
)  # fmt: skip
HELD = {"a": b"", "b": b"x" * 512, "c": Random(1).randbytes(30_000)}


def written(passphrase: str = "", held: dict[str, bytes] = HELD) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, HEADER, passphrase, [Entry("data", name, len(held[name])) for name in held])
    for content in held.values():
        writer.add([content])
    writer.close()
    return file.getvalue()


def quick(made: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file whose secret is derived in no time, which it takes on purpose."""
    monkeypatch.setattr(archive, "_secret", lambda passphrase, salt: f"{passphrase} {salt}".ljust(32))
    return written(PASSPHRASE if made is sealed else "")


sealed = cache(lambda: written(PASSPHRASE))
plain = cache(written)


def read(data: bytes, passphrase: str = PASSPHRASE) -> dict[str, bytes]:
    reader = Reader(io.BytesIO(data))
    return {entry.path: b"".join(content) for entry, content in reader.entries(lambda: passphrase)}


@pytest.mark.parametrize("made", [plain, sealed])
def test_what_was_written_comes_back(made: Callable[[], bytes]) -> None:
    assert read(made()) == HELD


def test_one_that_is_sealed_shows_nothing_of_what_it_holds() -> None:
    assert b"x" * 16 not in sealed() and b"ustar" not in sealed()
    assert Reader(io.BytesIO(sealed())).header.node == "n1"  # what it is of, it tells anybody
    with pytest.raises(BackupFault, match="is not the one that it was sealed with"):
        read(sealed(), "another passphrase")
    with pytest.raises(BackupFault, match="12 characters"):
        read(sealed(), "short")


@pytest.mark.parametrize("made", [plain, sealed])
def test_a_byte_that_was_changed_is_found_wherever_it_stands(
    made: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = quick(made, monkeypatch)
    unread = range(data.index(b"\x1f\x8b") + 4, data.index(b"\x1f\x8b") + 10) if made is plain else ()
    for at in {*range(0, len(data), 97), *range(len(MAGIC) + 300)} - {*unread}:  # gzip: a time, a system
        bad = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with pytest.raises(BackupFault):
            read(bad)


@pytest.mark.parametrize("made", [plain, sealed])
def test_one_that_was_cut_off_is_found_wherever(
    made: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = quick(made, monkeypatch)
    for size in range(0, len(data), 211):
        with pytest.raises(Broken):
            read(data[:size])
    with pytest.raises(BackupFault):
        read(data + b"more")


def test_parts_of_two_backups_make_none() -> None:
    other = written(held=HELD | {"b": b"y" * 512})
    body = other[other.index(b"\n", len(MAGIC)) + 1 :]
    renamed = MAGIC + plain()[len(MAGIC) :].split(b"\n")[0].replace(b'"n1"', b'"n2"') + b"\n" + body
    with pytest.raises(Broken, match="its header is not the one"):
        read(renamed)


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a/", "a\0b", "a\nb", "..\\x", "x" * 1025],
)
def test_a_path_that_leads_out_of_its_place_is_refused(path: str) -> None:
    with pytest.raises(Broken, match="no file of a node"):
        listed(msgspec.json.encode([Entry("data", path, 0)]))


@pytest.mark.parametrize(
    "entries",
    [
        [{"place": "etc", "path": "passwd", "size": 1}],
        [{"place": "data", "path": "a", "size": -1}],
        [{"place": "data", "path": "a", "size": 1}] * 2,
        [{"place": "data", "path": "a", "size": 1, "link": "/etc/passwd"}],
        {"place": "data"},
    ],
)
def test_a_listing_that_is_none_is_refused(entries: object) -> None:
    with pytest.raises(Broken):
        listed(msgspec.json.encode(entries))


def forged(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A file that says what it likes, as somebody makes one who knows the format."""
    body = b"".join(
        info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512) for info, content in members
    )
    return MAGIC + msgspec.json.encode(HEADER) + b"\n" + gzip.compress(body + bytes(1024))


def member(name: str, content: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in changes.items():
        setattr(info, field, value)
    return info, content


LIST = member(LISTING, msgspec.json.encode([Entry("data", "secrets/x", 4)]))


@pytest.mark.parametrize(
    "evil",
    [
        member("00000000", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("00000000", type=tarfile.LNKTYPE, linkname="00000001"),
        member("00000000", b"evil", linkname="/etc/passwd"),
        member("00000000", type=tarfile.DIRTYPE),
        member("00000000", type=tarfile.CHRTYPE),
        member("00000000", b"evil", type=tarfile.XHDTYPE),
        member("00000000", b"evil", type=tarfile.GNUTYPE_LONGNAME),
        member("00000000", b"evil", type=tarfile.GNUTYPE_SPARSE),
        member("../../etc/cron.d/x", b"evil"),
        member("00000000", b"much more"),
        member("00000001", b"evil"),
        member(LEDGER, b"evil"),
    ],
    ids=lambda each: f"{each[0].type!r} {each[0].name}",
)
def test_links_devices_and_strangers_are_refused_before_anything_is_read(
    evil: tuple[tarfile.TarInfo, bytes],
) -> None:
    with pytest.raises(Broken):
        read(forged([LIST, evil]))


def test_a_listing_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_LISTING", 1024)
    with pytest.raises(Broken):
        read(forged([member(LISTING, b" " * 4096)]))


def test_a_file_that_changed_while_it_was_read_makes_no_backup() -> None:
    writer = Writer(io.BytesIO(), HEADER, "", [Entry("data", "a", 5)])
    with pytest.raises(BackupFault, match="changed while it was read"):
        writer.add([b"1234"])
