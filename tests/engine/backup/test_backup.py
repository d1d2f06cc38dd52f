"""A node in one file, and the same node made of it; nothing is lost on the way, nothing in the way is."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from engine.backup import restoring, writing
from engine.backup.archive import Reader
from engine.backup.fault import BackupFault, Broken
from engine.backup.restoring import check, restore
from engine.backup.store import check_sqlite, copy_sqlite
from engine.beginning import begin
from engine.journal import Journal
from engine.store.rows import Line
from engine.store.spill import SpillFile
from tests.engine.backup.stand import House
from tests.engine.command.conftest import shell as shell
from tests.engine.command.stand import Shell
from tests.engine.store_samples import T0, ended, record

PASSPHRASE = "correct horse battery staple"
STAMP = "20260302T091500Z"


def silent(what: str, done: int, of: int) -> None:
    pass


def passphrase() -> str:
    return PASSPHRASE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase's derivation takes its time on purpose."""
    monkeypatch.setattr("engine.backup.archive._secret", lambda secret, salt: f"{secret} {salt}".ljust(32))


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.live()
    return made


def write(house: House, to: Path, **how: Any) -> writing.Written:
    return writing.write(house.config(), to, now=T0, **{"passphrase": PASSPHRASE, **how})


def put(file: Path, into: Path | None, **how: Any) -> restoring.Restored:
    wanted = {"store_url": None, "stamp": STAMP, "force": False, "tell": silent, **how}
    return restore(file, passphrase, into=into, **wanted)


def tree(folder: Path, *without: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }


STORE = ("isogloss.db", "isogloss.db-wal", "isogloss.db-shm")


def test_the_same_node_comes_back_elsewhere(house: House, tmp_path: Path) -> None:
    made = write(house, tmp_path / "b", recordings="whole")
    found = put(tmp_path / "b", tmp_path / "new")
    assert tree(tmp_path / "new" / "data", *STORE) == tree(house.data, *STORE)
    assert tree(tmp_path / "new" / "config") == tree(house.folder)
    assert (found.audit.whole, found.audit.rows, found.missing) == (True, 5, [])
    assert (made.gone, (tmp_path / "b").stat().st_mode & 0o777) == (0, 0o600)
    with Journal(f"sqlite:///{tmp_path}/new/data/isogloss.db", "n1") as journal:
        assert journal.record("c1") == record("c1") and journal.accounts.user("maria") is not None
    again = begin(tmp_path / "new" / "config", {}, tmp_path / "new" / "data")
    assert again.version.number == 2  # another folder is another start; the first version is kept
    assert (tmp_path / "new" / "data" / "secrets" / "accounts" / "alice").stat().st_mode & 0o777 == 0o600


def test_it_comes_back_to_where_it_was_and_what_was_there_is_set_aside(house: House, tmp_path: Path) -> None:
    write(house, tmp_path / "b")
    before = tree(house.data, *STORE)
    with Journal(house.url, "n1", spill=house.data / "journal.spill") as journal:
        journal.finish(ended("later"), record("later"))
        journal.flush()
    (house.folder / "lines").mkdir(exist_ok=True)
    (house.folder / "lines" / "stray.yaml").write_text("nonsense")
    with pytest.raises(BackupFault, match=r"is not empty \(.*--force, which sets aside"):
        put(tmp_path / "b", None)
    found = put(tmp_path / "b", None, force=True)
    assert {each.name for each in found.aside} == {f".before-{STAMP}"}
    assert tree(house.data, *STORE).items() >= before.items()  # recordings stayed where they were
    assert not (house.folder / "lines" / "stray.yaml").exists() and load(house.folder, {})
    with Journal(house.url, "n1") as journal:
        assert journal.record("later") is None
    with Journal(f"sqlite:///{found.aside[0]}/isogloss.db", "n1") as journal:
        assert journal.record("later") is not None


def test_a_node_that_runs_is_not_restored_over(house: House, tmp_path: Path) -> None:
    write(house, tmp_path / "b")
    spill = SpillFile(house.data / "journal.spill", Line)
    before = tree(house.data)
    with pytest.raises(BackupFault, match="a node runs from"):
        put(tmp_path / "b", None, force=True)
    assert tree(house.data) == before
    spill.close()


def test_a_store_that_is_written_to_is_copied_as_of_one_moment(
    house: House, tmp_path: Path, monkeypatch
) -> None:
    """A writer commits between any two steps of the copy."""
    monkeypatch.setattr("engine.backup.store.PAGES", 3)
    wrote = 0
    with closing(sqlite3.connect(house.data / "isogloss.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE busy (a, b)")
        other.execute("INSERT INTO busy VALUES (0, 0)")

        def meanwhile(done: int, of: int) -> None:
            nonlocal wrote
            wrote += 1
            other.execute("UPDATE busy SET a = a + 1")
            other.execute("UPDATE busy SET b = b + 1")

        copy_sqlite(house.data / "isogloss.db", tmp_path / "copy", meanwhile)
    check_sqlite(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT a, b FROM busy").fetchall() == [(0, 0)] and wrote > 10
    assert not (tmp_path / "copy-wal").exists()


def test_secrets_are_sealed_or_left_out(house: House, tmp_path: Path) -> None:
    write(house, tmp_path / "sealed", recordings="whole")
    write(house, tmp_path / "open", passphrase="")
    kept = {"data/secrets/accounts/alice", "data/tls/key.pem", "configuration/private/crm"}
    for name, wanted in (("sealed", kept), ("open", set())):
        with (tmp_path / name).open("rb") as file:
            reader = Reader(file)
            names = {f"{entry.place}/{entry.path}" for entry, _ in reader.entries(passphrase)}
        assert names & kept == wanted and "configuration/queues.yaml" in names
    found = check(tmp_path / "open", passphrase, silent)
    assert any("holds no secrets" in each for each in found.notes)


def test_what_lies_elsewhere_is_named(house: House, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef0123456789")
    api = house.folder / "api.yaml"
    tokens = f"tokens:\n  a: {{token: {{env: SOME_TOKEN}}}}\n  b: {{token: {{file: {tmp_path}/token}}}}\n"
    text = api.read_text()
    start = text.index("tokens:")
    api.write_text(text[:start] + tokens)
    made = writing.write(house.config(SOME_TOKEN="x" * 30), tmp_path / "b", now=T0, passphrase=PASSPHRASE)
    assert made.header.needs == ("environment variable SOME_TOKEN", f"file {tmp_path}/token")


def test_a_store_that_store_yaml_puts_beside_the_data_is_told_as_where_it_is(
    house: House, tmp_path: Path
) -> None:
    (house.data / "isogloss.db").rename(tmp_path / "beside.db")
    (house.folder / "store.yaml").write_text("path: ../beside.db\n")
    write(house, tmp_path / "b")
    found = put(tmp_path / "b", tmp_path / "new")
    assert found.header.store_path == str(tmp_path / "beside.db")
    assert (tmp_path / "new" / "data" / "beside.db").is_file()
    assert any("change it" in note for note in found.notes)


def test_recordings_that_are_listed_alone_are_missed(house: House, tmp_path: Path) -> None:
    write(house, tmp_path / "b")
    assert put(tmp_path / "b", tmp_path / "here").missing == []  # they are where they were
    (house.data / "recordings" / "2026-03-02" / "c1-1.opus").unlink()
    assert put(tmp_path / "b", tmp_path / "there").missing == ["2026-03-02/c1-1.opus"]


def test_recordings_elsewhere_go_back_there_or_beside(house: House, tmp_path: Path) -> None:
    house.recording("../../far/2026-03-02/c9-1.opus", b"far away")
    media = house.folder / "media.yaml"
    media.write_text(media.read_text().replace("directory: recordings ", f"directory: {tmp_path}/far "))
    write(house, tmp_path / "b", recordings="whole")
    put(tmp_path / "b", tmp_path / "new")
    assert (tmp_path / "new" / "recordings" / "0" / "2026-03-02" / "c9-1.opus").read_bytes() == b"far away"


def test_a_recording_that_grows_or_goes_meanwhile_is_no_trouble(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grows = house.recording("2026-03-02/grows.opus", b"begun")
    goes = house.recording("2026-03-02/goes.opus", b"old")
    real = writing.contents

    def later(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        grows.write_bytes(b"begun and more")
        goes.unlink()
        return found

    monkeypatch.setattr(writing, "contents", later)
    assert write(house, tmp_path / "b", recordings="whole").gone == 1
    put(tmp_path / "b", tmp_path / "new")
    assert (tmp_path / "new" / "data" / "recordings" / "2026-03-02" / "grows.opus").read_bytes() == b"begun"


class Usage:
    free = 5


def test_a_disk_that_is_full_leaves_nothing_half(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    to = tmp_path / "out" / "b"
    write(house, to)
    old = to.read_bytes()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fails(self: Any, pieces: Any) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr("engine.backup.archive.Writer.add", fails)
        with pytest.raises(BackupFault, match="No space left on device; nothing was written"):
            write(house, to, force=True)
    assert to.read_bytes() == old and [each.name for each in (tmp_path / "out").iterdir()] == ["b"]
    with monkeypatch.context() as patch:
        patch.setattr("engine.backup.restoring.os.fsync", lambda handle: (_ for _ in ()).throw(full))
        with pytest.raises(BackupFault, match="No space left"):
            put(to, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda path: Usage())
        with pytest.raises(BackupFault, match="make room"):
            put(to, tmp_path / "new")
        with pytest.raises(BackupFault, match="make room"):
            write(house, to, force=True, recordings="whole")


def test_what_is_there_is_not_written_over(house: House, tmp_path: Path) -> None:
    write(house, tmp_path / "b")
    with pytest.raises(BackupFault, match="is there already; name another file, or --force"):
        write(house, tmp_path / "b")
    with pytest.raises(BackupFault, match="there is no folder"):
        write(house, tmp_path / "nowhere" / "b")
    write(house, tmp_path / "b", force=True)


@pytest.mark.parametrize("all", [True, False])
def test_a_damaged_file_is_refused_before_anything_is_put(house: House, tmp_path: Path, all: bool) -> None:
    write(house, tmp_path / "b")
    data = bytearray((tmp_path / "b").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(Broken):
        put(tmp_path / "b", tmp_path / "new") if all else check(tmp_path / "b", passphrase, silent)
    assert not (tmp_path / "new").exists()


def test_an_audit_log_that_was_changed_is_told_and_forced(house: House, tmp_path: Path) -> None:
    with closing(sqlite3.connect(house.data / "isogloss.db")) as raw:
        raw.execute("UPDATE audit SET who = 'nobody' WHERE seq = 3")
        raw.commit()
    write(house, tmp_path / "b")
    found = check(tmp_path / "b", passphrase, silent)
    assert found.audit is not None and found.audit.first_bad == 3
    with pytest.raises(BackupFault, match=r"not whole \(row 3 was changed\); --force"):
        put(tmp_path / "b", tmp_path / "new")
    put(tmp_path / "b", tmp_path / "new", force=True)


# --- as it is typed -------------------------------------------------------------------------------


def test_it_is_made_checked_and_restored_by_its_words(
    house: House, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("backup", tmp_path / "b", "--config", house.folder, "--data", house.data)
    said = shell(*words)
    assert said.status == 2 and "--passphrase-file" in said.err and "--without-secrets" in said.err
    monkeypatch.setenv("ISOGLOSS_BACKUP_PASSPHRASE", PASSPHRASE)
    said = shell(*words)
    assert said.status == 0 and said.lines[-1].endswith(" bytes, sealed"), said.err
    assert any(line.split()[:2] == ["data/secrets", "2"] for line in said.lines)
    told = shell("restore", tmp_path / "b", "--check", "--json").json
    assert (told["sealed"], told["audit"]["whole"], told["holds"]["store"]["files"]) == (True, True, 1)
    assert "salt" not in told
    said = shell("restore", tmp_path / "b", "--into", tmp_path / "new")
    assert (
        said.lines[-1]
        == f"Start it: isogloss serve --config {tmp_path}/new/config --data {tmp_path}/new/data"
    )
    assert "The audit log is whole: 5 rows, anchored at row 5." in said.lines
    assert (
        shell("audit", "verify", "--config", tmp_path / "new/config", "--data", tmp_path / "new/data").status
        == 0
    )


def test_what_is_no_backup_is_said_to_be_none(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    said = shell("restore", tmp_path / "x", "--check")
    assert (said.status, said.err) == (
        1,
        f"isogloss restore: {tmp_path}/x: this is no backup, or one of a later release\n",
    )
    assert "No such file" in shell("restore", tmp_path / "y").err
    (tmp_path / "short").write_text("short")
    said = shell("backup", tmp_path / "b", "--passphrase-file", tmp_path / "short")
    assert said.status == 2 and "12 characters or more" in said.err


def test_a_wrong_passphrase_is_said_to_be_one(
    house: House, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(house, tmp_path / "b")
    monkeypatch.setenv("ISOGLOSS_BACKUP_PASSPHRASE", "some other passphrase")
    said = shell("restore", tmp_path / "b", "--check")
    assert said.status == 2 and "is not the one that it was sealed with" in said.err
    assert json.loads((tmp_path / "b").read_bytes().split(b"\n")[1])["node"]
