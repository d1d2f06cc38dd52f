"""A restore that is killed at any step has not begun, or is finished by the next or by the node's start."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.backup import stage as stages
from engine.backup.fault import BackupFault
from engine.backup.restoring import Restored, restore
from engine.backup.stage import STAGE, filling, resume, staged
from engine.backup.writing import write
from engine.command import serve
from engine.command.fault import CommandFault
from engine.history import FOLDER
from engine.journal import Journal
from tests.engine.backup.stand import House
from tests.engine.backup.test_backup import PASSPHRASE, STAMP, STORE, passphrase, silent, tree
from tests.engine.backup.test_backup import quick as quick
from tests.engine.store_samples import T0, ended, record

# What changes a file or a folder, of what Python tells its auditors of (PEP 578).
STEPS = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.move",
)


def killed(work: Callable[[], object], at: int, below: Path, armed: Callable[[], bool]) -> bool:
    """Whether a process of its own that did the work was killed before the step of that number, of those
    below a folder once `armed` says so; else it came to its end.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def step(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
            if not (writes or event in STEPS) or not str(args[0]).startswith(str(below)) or not armed():
                return
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(step)
        try:
            work()
        finally:
            os._exit(0 if sys.exception() is None else 1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def few(house: House) -> None:
    """No more files than a try needs, of which there are many."""
    shutil.rmtree(house.data / FOLDER)
    for each in house.folder.rglob("*"):
        if each.is_file() and each.name not in ("node.yaml", "queues.yaml", "hooks.yaml", "crm"):
            each.unlink()


class Place:
    """A node that is in the way of a restored one."""

    def __init__(self, folder: Path) -> None:
        house = House(folder / "made")
        house.live()
        config = house.config()
        few(house)
        house.recording("2026-03-02/c2-1.opus", b"OggS second")
        self.backup = folder / "b"
        write(config, self.backup, now=T0, passphrase=PASSPHRASE, recordings="whole")
        self.new = tree(house.data, *STORE), tree(house.folder)
        old = House(folder / "old")
        few(old)
        with Journal(old.url, "n1") as journal:
            journal.finish(ended("old"), record("old"))
            journal.flush()
        (old.folder / "queues.yaml").write_text((old.folder / "queues.yaml").read_text() + "# as it was\n")
        self.folder, self.into = folder, folder / "node"
        self.keep("untouched", folder / "old")
        self.old = tree(old.data, *STORE), tree(old.folder)

    def keep(self, name: str, of: Path) -> None:
        shutil.copytree(of, self.folder / name)

    def anew(self, name: str) -> None:
        """As it was kept under that name, at the very same path."""
        shutil.rmtree(self.into, ignore_errors=True)
        shutil.copytree(self.folder / name, self.into)

    def restore(self) -> Restored:
        wanted = {"store_url": None, "stamp": STAMP, "force": True, "tell": silent}
        return restore(self.backup, passphrase, into=self.into, **wanted)

    def resume(self) -> int:
        """As a node does that starts and is told where its configuration is, and no more."""
        return len(resume(self.into / "config", None))

    @property
    def decided(self) -> bool:
        return any((self.into / "data").glob(f"{STAGE}*/plan.json"))

    def standing(self) -> str:
        """Which node is there: all of it, with nothing left of the way to it."""
        there = tuple(tree(self.into / each, *STORE) for each in ("data", "config"))
        aside = tuple(tree(self.into / each / f".before-{STAMP}", *STORE) for each in ("data", "config"))
        without = tuple(
            {name: held for name, held in each.items() if name[:8] != ".before-"} for each in there
        )
        assert not any(STAGE in name for each in there for name in each)
        if without == self.old:
            return "old"
        assert without == self.new and aside == self.old
        with Journal(f"sqlite:///{self.into}/data/isogloss.db", "n1") as journal:
            assert journal.record("c1") is not None and journal.record("old") is None
        return "new"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """As `untouched`; and as `decided`, where a restore was killed before its first step that counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.backup.archive._secret", lambda secret, salt: f"{secret} {salt}".ljust(32))
        made = Place(tmp_path_factory.mktemp("killed"))
        made.anew("untouched")
        assert killed(made.restore, 1, made.into, lambda: made.decided)
        made.keep("decided", made.into)
        yield made


def test_once_it_is_decided_it_is_finished_wherever_it_was_killed(place: Place) -> None:
    for at in range(1, 1000):
        place.anew("decided")
        assert killed(place.resume, at, place.into, lambda: True)
        undone = place.decided
        if at % 4 == 0:  # and so is who finishes it
            killed(place.resume, 2, place.into, lambda: True)
        place.resume()
        if not undone:  # what was left was to be cleared away
            resume(place.into / "config", place.into / "data")
        assert place.standing() == "new", at
        if not undone:
            break
    assert at > 20


@pytest.mark.parametrize("at", [1, 4, 20])
def test_before_it_is_decided_nothing_has_changed_and_it_can_be_done_again(place: Place, at: int) -> None:
    place.anew("untouched")
    assert killed(place.restore, at, place.into, lambda: not place.decided)
    resume(place.into / "config", place.into / "data")
    assert place.standing() == "old"
    place.restore()
    assert place.standing() == "new"


def test_the_same_restore_again_finishes_it_and_says_so(place: Place) -> None:
    place.anew("decided")
    found = place.restore()
    assert place.standing() == "new" and "was cut off is finished" in found.notes[0]
    assert found.aside == [place.into / each / f".before-{STAMP}" for each in ("data", "config")]
    assert found.audit is not None and found.audit.whole


def test_a_node_that_starts_finishes_it_before_it_reads_anything(place: Place) -> None:
    place.anew("decided")
    serve._resume(Namespace(config=place.into / "config", data=place.into / "data"))
    assert place.standing() == "new"


def test_a_file_that_is_missed_on_the_way_costs_nothing_of_the_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.anew("decided")

    def missed(source: Path, to: Path) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(to))

    with monkeypatch.context() as patch:
        patch.setattr(stages, "_moved", missed)
        with pytest.raises(BackupFault, match="cannot be finished"):
            place.resume()
    assert place.decided and place.resume() == 1 and place.standing() == "new"


def test_two_do_not_do_it_at_once(place: Place) -> None:
    place.anew("decided")
    (stage,) = (place.into / "data").glob(f"{STAGE}*")
    with stages._locked(stage):
        with pytest.raises(BackupFault, match="a restore is at work"):
            place.resume()
        with pytest.raises(CommandFault, match="a restore is at work"):
            serve._resume(Namespace(config=place.into / "config", data=None))
    assert place.resume() == 1 and place.standing() == "new"


def test_what_came_to_be_meanwhile_is_not_written_over(place: Place) -> None:
    place.anew("decided")
    strange = place.into / "data" / f".before-{STAMP}"
    killed(place.resume, 12, place.into, strange.exists)
    taken = place.into / "data" / "audit.anchor"
    taken.unlink(missing_ok=True)
    (stage,) = (place.into / "data").glob(f"{STAGE}*")
    if not (stage / "data" / "audit.anchor").exists():
        pytest.skip("it was there already")
    taken.write_text("somebody else's")
    with pytest.raises(BackupFault, match=r"audit\.anchor came to be meanwhile"):
        place.resume()
    taken.unlink()
    assert place.resume() == 1 and place.standing() == "new"


def test_a_restore_that_was_filling_a_database_is_done_again_and_no_node_starts_with_it(
    tmp_path: Path,
) -> None:
    config, data = tmp_path / "config", tmp_path / "data"

    def fill() -> None:
        with staged(data, config) as stage:
            filling(stage, config)
            (stage / "here").touch()

    assert killed(fill, 1, data, lambda: any(data.glob(f"{STAGE}*/filling")))
    for where in (data, None):
        with pytest.raises(BackupFault, match=r"while it filled the database.*--force"):
            resume(config, where)
    stages.give_up(data, config)
    assert resume(config, data) == [] and not any(data.iterdir()) and not any(config.iterdir())


def test_files_go_to_another_file_system_by_copies_that_are_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, to = tmp_path / "a", tmp_path / "b"
    (source / "day").mkdir(parents=True)
    for name in ("one", "day/two", "day/three"):
        (source / name).write_text(name)
    (to / "day").mkdir(parents=True)
    (to / "day" / "two").write_text("day/two")  # copied, and killed before the other was removed
    real = Path.rename

    def across(self: Path, target: Path) -> Path:
        if source in self.parents:
            raise OSError(errno.EXDEV, "another file system")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", across)
    stages._moved(source, to)
    assert tree(to) == {"one": b"one", "day/two": b"day/two", "day/three": b"day/three"} and not tree(source)
