"""Where a restored node lies until it is put in place, so that a crash at any step leaves all or nothing.

    DATA/.restoring-…            the stage: everything that was read and verified
    DATA/.restoring-…/filling    a database is being filled: only `isogloss restore` can say how far that came
    DATA/.restoring-…/plan.json  the restore is decided; what is left of it is done by whoever comes next
    CONFIG/.restoring-at         which stage: files that were just set aside do not say where data is

Once the plan is on the disk, every step is a rename that can be seen to have been done, and `finish` goes on
where it stopped. The stage's lock, which ends with its process, keeps two from doing it at once.
"""

from __future__ import annotations

import errno
import fcntl
import filecmp
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.backup.fault import BackupFault

STAGE, BEFORE = ".restoring-", ".before-"
POINTER = f"{STAGE}at"
PLAN, FILLING = "plan.json", "filling"


class Move(msgspec.Struct, frozen=True):
    source: str
    to: str


class _Gone(Exception):
    """A stage that another process has finished."""


class Plan(msgspec.Struct, frozen=True):
    """backup: which one it is of. aside: what is in the way, until all of it was moved. put: folders of the
    stage, whose entries go into other folders. kept: folders that what was in the way is in.
    """

    backup: str
    configuration: str
    aside: tuple[Move, ...]
    put: tuple[Move, ...]
    kept: tuple[str, ...]


@contextmanager
def staged(data: Path, configuration: Path) -> Iterator[Path]:
    """A new stage, locked. At the end it is gone, unless it was decided and is not finished."""
    places = {*(data, *data.parents), *(configuration, *configuration.parents)}
    made = sorted((each for each in places if not each.exists()), reverse=True)  # the deepest first
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    stage = data / f"{STAGE}{secrets.token_hex(4)}"
    stage.mkdir(mode=0o700)
    with _locked(stage):
        try:
            yield stage
        finally:
            if not (stage / PLAN).exists():
                _forget(stage, configuration)
                for each in made:
                    if each.is_dir() and not any(each.iterdir()):
                        each.rmdir()


def filling(stage: Path, configuration: Path) -> None:
    """From now on a database may have been given up for the backup's."""
    _point(stage, configuration)
    (stage / FILLING).touch()
    _sync(stage)


def decide(stage: Path, plan: Plan) -> None:
    """Everything is on the disk, then the plan is. Raises OSError: then nothing is decided."""
    for folder, _, files in os.walk(stage):
        for each in files:
            _sync(Path(folder) / each)
        _sync(Path(folder))
    _point(stage, Path(plan.configuration))
    _write(stage / PLAN, msgspec.json.encode(plan))


def finish(stage: Path) -> Plan:
    """Do what is left of a plan. The caller has the lock. Raises BackupFault, OSError: then it stays."""
    plan = _read(stage / PLAN)
    for each in plan.aside:
        source, to = Path(each.source), Path(each.to)
        if os.path.lexists(source) and not os.path.lexists(to):
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            source.rename(to)
            _sync(to.parent)
            _sync(source.parent)
    if plan.aside:  # what stands there from now on is not in the way
        plan = msgspec.structs.replace(plan, aside=())
        _write(stage / PLAN, msgspec.json.encode(plan))
    for each in plan.put:
        if Path(each.source).is_dir():
            _moved(Path(each.source), Path(each.to))
    (stage / PLAN).unlink()
    _sync(stage)
    _forget(stage, Path(plan.configuration))
    return plan


def resume(configuration: Path, data: Path | None) -> list[Plan]:
    """Finish what was decided and cut off, and clear away what was not decided. data: where it is known.
    Returns the plans that were finished. Raises BackupFault where another process is at it, or a database was
    being filled.
    """
    finished = []
    for stage in _left(configuration, data):
        try:
            with _locked(stage):
                if (stage / PLAN).exists():
                    finished.append(finish(stage))
                elif (stage / FILLING).exists():
                    raise BackupFault(
                        f"a restore was cut off while it filled the database ({stage}); run it again, with "
                        "--force"
                    )
                else:
                    _forget(stage, configuration)
        except _Gone:
            _forget(stage, configuration)
        except OSError as error:
            raise BackupFault(
                f"a restore that was cut off cannot be finished: {error.filename}: {error.strerror}"
            ) from error
    return finished


def give_up(data: Path, configuration: Path) -> None:
    """Clear away a restore that was cut off while it filled the database: it is begun anew."""
    for stage in _left(configuration, data):
        if (stage / FILLING).exists() and not (stage / PLAN).exists():
            with _locked(stage):
                _forget(stage, configuration)


def _left(configuration: Path, data: Path | None) -> list[Path]:
    found = (
        {each.resolve() for each in data.glob(f"{STAGE}*") if each.is_dir()} if data is not None else set()
    )
    pointed = _pointed(configuration)
    if pointed is not None and pointed.name.startswith(STAGE):
        found.add(pointed)
    return sorted(found)


@contextmanager
def _locked(stage: Path) -> Iterator[None]:
    """Raises BackupFault where another process has it, _Gone where whoever had it has finished."""
    try:
        handle = os.open(stage, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as gone:
        raise _Gone from gone
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFault(f"a restore is at work in {stage.parent}") from None
        yield
    finally:
        os.close(handle)


def _point(stage: Path, configuration: Path) -> None:
    configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(configuration / POINTER, str(stage.resolve()).encode())


def _forget(stage: Path, configuration: Path) -> None:
    if _pointed(configuration) == stage.resolve():
        (configuration / POINTER).unlink()
    shutil.rmtree(stage, ignore_errors=True)


def _pointed(configuration: Path) -> Path | None:
    try:
        return Path((configuration / POINTER).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _read(file: Path) -> Plan:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Plan)
    except msgspec.DecodeError as error:
        raise BackupFault(f"{file} cannot be read ({error})") from None


def _write(file: Path, content: bytes) -> None:
    """There as a whole, or not."""
    part = file.with_name(f"{STAGE}{file.name}.part")
    part.write_bytes(content)
    _sync(part)
    part.replace(file)
    _sync(file.parent)


def _moved(source: Path, to: Path) -> None:
    """Renamed, entry by entry; copied where it is another file system. Raises BackupFault where something
    else has come to be.
    """
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in sorted(source.iterdir()):
        target = to / each.name
        if each.is_dir() and (target.is_dir() or each.stat().st_dev != to.stat().st_dev):
            _moved(each, target)
        elif not target.exists():
            _taken(each, target)
        elif filecmp.cmp(each, target, shallow=False):  # copied before it was cut off
            each.unlink()
        else:
            raise BackupFault(f"{target} came to be meanwhile; move it away and do this again")
    _sync(to)


def _taken(each: Path, target: Path) -> None:
    try:
        each.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f"{STAGE}{target.name}.part")
        shutil.copy2(each, part)
        _sync(part)
        part.rename(target)
        _sync(target.parent)
        each.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems have nothing to do for folders
            raise
    finally:
        os.close(handle)
