"""Backups that somebody made who knows the format: nothing of them is put outside of where they go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine.backup.archive import Entry, Reader, Writer
from engine.backup.fault import BackupFault, Broken
from engine.backup.restoring import check, restore
from engine.backup.stage import PLAN, POINTER, STAGE
from tests.engine.backup.stand import House
from tests.engine.backup.test_backup import STAMP, silent, tree, write

PLANTED = b'{"backup":"","configuration":"/","aside":[],"put":[{"source":"/srv/a","to":"/srv/b"}],"kept":[]}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A backup that seals nothing, which anybody can make another of."""
    house = House(tmp_path)
    house.live()
    write(house, tmp_path / "file", passphrase="")
    return tmp_path / "file"


def forged(file: Path, store_path: str = "isogloss.db", planted: Sequence[Entry] = ()) -> Path:
    """The same with another place for its store, and files of somebody's own."""
    with file.open("rb") as opened:
        reader = Reader(opened)
        held = [(entry, b"".join(content)) for entry, content in reader.entries(lambda: "")]
    held += [(entry, PLANTED) for entry in planted]
    evil = file.with_name("evil")
    with evil.open("wb") as opened:
        header = msgspec.structs.replace(reader.header, store_path=store_path)
        writer = Writer(opened, header, "", [entry for entry, _ in held])
        for _, content in held:
            writer.add([content])
        writer.close()
    return evil


def put(file: Path, into: Path) -> None:
    restore(file, lambda: "", into=into, store_url=None, stamp=STAMP, force=False, tell=silent)


@pytest.mark.parametrize(
    "store_path",
    [
        "../../../../somebody/file",
        "../../../new2/file",
        "a/../../../x",
        "",
        ".",
        "..",
        "/",
        "//",
        "/..",
        "/var/lib/..",
        "a//b",
        "a\\..\\b",
        "a\nb",
        f"{STAGE}x/{PLAN}",
        f"/var/lib/{STAGE}x",
    ],
)
def test_a_store_that_leads_out_of_the_data_is_refused_by_whoever_reads_it(
    file: Path, tmp_path: Path, store_path: str
) -> None:
    precious = tmp_path / "somebody" / "file"
    precious.parent.mkdir()
    precious.write_text("precious")
    evil = forged(file, store_path)
    before = tree(tmp_path)
    for read in (lambda: check(evil, lambda: "", silent), lambda: put(evil, tmp_path / "new")):
        with pytest.raises(Broken, match="no file of a node"):
            read()
    assert tree(tmp_path) == before and not (tmp_path / "new").exists()


@pytest.mark.parametrize("store_path", ["audit.anchor", "cards", "/elsewhere/audit.anchor", "audit.anchor/x"])
def test_a_store_takes_the_place_of_nothing_else(file: Path, tmp_path: Path, store_path: str) -> None:
    with pytest.raises(BackupFault):
        put(forged(file, store_path), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "planted",
    [
        Entry("data", f"{STAGE}x/{PLAN}", len(PLANTED)),
        Entry("data", f"{STAGE.upper()}x/{PLAN}", len(PLANTED)),
        Entry("configuration", POINTER, len(PLANTED)),
    ],
)
def test_what_the_next_start_would_take_for_a_restore_of_its_own_is_refused(
    file: Path, tmp_path: Path, planted: Entry
) -> None:
    """A plan says what is moved where, anywhere on the disk."""
    evil = forged(file, planted=[planted])
    with pytest.raises(Broken, match="no file of a node"):
        check(evil, lambda: "", silent)
    with pytest.raises(Broken, match="no file of a node"):
        put(evil, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("store_path", ["isogloss.db", "stores/own.db", "/srv/stores/own.db"])
def test_a_store_that_has_a_place_goes_there(file: Path, tmp_path: Path, store_path: str) -> None:
    put(forged(file, store_path), tmp_path / "new")
    below = Path(store_path).name if store_path.startswith("/") else store_path
    assert (tmp_path / "new" / "data" / below).read_bytes().startswith(b"SQLite format 3")
