"""A node made of a backup. All of it is read, verified and laid out beside its place first; what is in the
way is set aside, never deleted. How it is put in place whatever happens meanwhile: `engine/backup/stage.py`.
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine.access.proof import Proof, fault_of, proof
from engine.backup.archive import Entry, Header, Passphrase, Reader
from engine.backup.fault import BackupFault, Broken
from engine.backup.stage import BEFORE, STAGE, Move, Plan, decide, filling, finish, give_up, resume, staged
from engine.backup.store import check_postgres, check_sqlite, fill_postgres
from engine.backup.writing import RECORDINGS_LIST, SPARE, STORE, Kept, Progress
from engine.history import files_of
from engine.store import database
from engine.store.errors import StoreError
from engine.store.migrate import upgrade
from engine.store.trail import Trail

LOCK = "journal.spill"  # held by a node that runs
STAYS = ("lost+found", "prompts")  # of the data: no part of any backup


@dataclass(frozen=True, slots=True)
class Targets:
    """recordings: folders for those that were outside of the data, by number."""

    configuration: Path
    data: Path
    recordings: tuple[Path, ...]


@dataclass
class Restored:
    """audit: None where it cannot be told (a dump of PostgreSQL that was not filled in). missing: recordings
    that are listed and not there. aside: where what was in the way is now. notes: what else is to be done.
    """

    header: Header
    entries: list[Entry] = field(default_factory=list)
    audit: Proof | None = None
    missing: list[str] = field(default_factory=list)
    aside: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(file: Path, passphrase: Passphrase, tell: Progress) -> Restored:
    """Read all of it, and look at the store and the audit log. Raises BackupFault."""
    with _reading(file) as reader, tempfile.TemporaryDirectory(prefix="isogloss-check-") as scratch:
        return _laid_out(reader, passphrase, Path(scratch), tell, all=False)


def targets(header: Header, into: Path | None) -> Targets:
    if into is None:
        return Targets(Path(header.configuration), Path(header.data), tuple(map(Path, header.folders)))
    numbered = tuple(into / "recordings" / str(number) for number in range(len(header.folders)))
    return Targets(into / "config", into / "data", numbered)


def restore(
    file: Path,
    passphrase: Passphrase,
    *,
    into: Path | None,
    store_url: str | None,
    stamp: str,
    force: bool,
    tell: Progress,
) -> Restored:
    """store_url: PostgreSQL's, instead of the configured one. stamp: names what is set aside. A restore that
    was cut off is finished first; if it was of the same backup, nothing is left to do. Raises BackupFault:
    then nothing has changed, or the rest is done by the next restore or start.
    """
    with _reading(file) as reader:
        there = targets(reader.header, into)
        with _held(there.data):
            give_up(there.data, there.configuration)
            finished = resume(there.configuration, there.data)
            if any(each.backup == _digest(reader.header) for each in finished):
                with tempfile.TemporaryDirectory(prefix="isogloss-check-") as scratch:
                    found = _laid_out(reader, passphrase, Path(scratch), tell, all=False)
                found.aside = [Path(folder) for each in finished for folder in each.kept]
                found.notes.insert(0, "a restore of it that was cut off is finished")
                return found
        with _held(there.data), staged(there.data, there.configuration) as stage:
            for folder in (there.configuration, there.data):
                _free(folder, force)
            found = _laid_out(reader, passphrase, stage, tell, all=True)
            if found.audit is not None and not found.audit.whole and not force:
                raise BackupFault(
                    f"the audit log in it is not whole ({fault_of(found.audit)}); "
                    "--force restores it as it is"
                )
            if reader.header.store == "postgresql":
                url = store_url or _url(stage)
                filling(stage, there.configuration)
                fill_postgres(url, stage / "store" / STORE, force=force)
                found.audit = _proved(url, stage / "data")
            decide(stage, _planned(there, reader.header, stage, stamp, found))
            finish(stage)
    return found


@contextmanager
def _reading(file: Path) -> Iterator[Reader]:
    try:
        with file.open("rb") as opened:
            yield Reader(opened)
    except OSError as error:
        raise BackupFault(f"{error.filename or file}: {error.strerror or error}") from error
    except StoreError as error:
        raise BackupFault(f"the store in it cannot be used: {error}") from error


# --- before anything is done ----------------------------------------------------------------------


@contextmanager
def _held(data: Path) -> Iterator[None]:
    """Nothing else has the folder meanwhile. Raises BackupFault where a node runs from it."""
    path = data / LOCK
    if not path.exists():
        yield
        return
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupFault(
                f"a node runs from {data}; stop it first, or restore --into another folder"
            ) from None
        yield


def _free(folder: Path, force: bool) -> None:
    if force or not folder.exists():
        return
    there = [each.name for each in folder.iterdir() if not _ours(each.name)]
    if there:
        raise BackupFault(
            f"{folder} is not empty ({', '.join(sorted(there)[:3])}); restore --into another folder, or "
            "--force, which sets aside what is there"
        )


def _ours(name: str) -> bool:
    return name.startswith((STAGE, BEFORE)) or name in STAYS


# --- laying it out --------------------------------------------------------------------------------


def _laid_out(reader: Reader, passphrase: Passphrase, stage: Path, tell: Progress, *, all: bool) -> Restored:
    """Everything read and verified. all: written as well; else only what is to be looked at."""
    found = Restored(reader.header)
    listing: list[Kept] = []
    done = 0
    for entry, content in reader.entries(passphrase):
        if not found.entries and all and reader.bytes + SPARE > shutil.disk_usage(stage).free:
            raise BackupFault(f"{reader.bytes} bytes are needed in {stage.parent}, which has less; make room")
        found.entries.append(entry)
        if (entry.place, entry.path) == ("recordings", RECORDINGS_LIST):
            listing = _listing(b"".join(content))
        elif all or entry.place == "store" or "/" not in entry.path:
            _write(stage / entry.place / entry.path, content, entry.private)
        done += entry.size
        tell("reading", done, reader.bytes)
    for folder in ("data", "store", "configuration"):
        (stage / folder).mkdir(mode=0o700, exist_ok=True)
    copy = stage / "store" / STORE
    if not copy.is_file():
        raise Broken("there is no store in it")
    if reader.header.store == "sqlite":
        check_sqlite(copy)
        found.audit = _proved(f"sqlite:///{copy}", stage / "data")
        with closing(sqlite3.connect(copy)) as last:
            last.execute("PRAGMA journal_mode=DELETE")  # one file again
    else:
        check_postgres(copy)
    folders = [stage / "data", Path(reader.header.data), *map(Path, reader.header.folders)]
    found.missing = [each.file for each in listing if not _somewhere(folders, each.file)]
    found.notes = [f"not in it, and needed: {each}" for each in reader.header.needs]
    if not reader.header.secrets:
        found.notes.append("it holds no secrets: the node makes new ones, or has them put under data/secrets")
    return found


def _write(path: Path, content: Iterable[bytes], private: bool) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600 if private else 0o644)
    with os.fdopen(handle, "wb") as file:
        for piece in content:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _listing(content: bytes) -> list[Kept]:
    try:
        return msgspec.json.decode(content, type=list[Kept])
    except msgspec.DecodeError as error:
        raise Broken(f"its list of recordings cannot be read ({error})") from None


def _somewhere(folders: Iterable[Path], file: str) -> bool:
    return any((folder / file).is_file() or (folder / "recordings" / file).is_file() for folder in folders)


def _proved(store_url: str, data: Path) -> Proof:
    """The audit log, once the tables are those of this release. Raises StoreError."""
    engine = database.connect(store_url)
    try:
        upgrade(engine)
        return proof(Trail(engine), data, node="")
    finally:
        engine.dispose()


def _url(stage: Path) -> str:
    """Of the store, as the configuration in it says. Raises BackupFault."""
    from config.fault import ConfigError
    from config.load import load

    try:
        config = load(stage / "configuration", os.environ)
    except ConfigError as error:
        raise BackupFault(
            f"where its store belongs cannot be told from its configuration; name a --store-file\n{error}"
        ) from error
    if config.store.url is None:
        raise BackupFault("the configuration in it names no store's url; name a --store-file")
    return config.store.url.reveal()


# --- putting it there -----------------------------------------------------------------------------


def _planned(there: Targets, header: Header, stage: Path, stamp: str, found: Restored) -> Plan:
    """What is in the way goes first, then each part is renamed to its place. Raises BackupFault."""
    if header.store == "sqlite":
        name = Path(header.store_path)
        own = stage / "data" / (name.name if name.is_absolute() else name)
        if os.path.lexists(own):
            raise Broken(f"its store would be in the place of another file of it, {header.store_path[:80]!r}")
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (stage / "store" / STORE).rename(own)
        if name.is_absolute():
            found.notes.append(
                f"store.yaml names {name}, and the store is {there.data / name.name}: change it"
            )
    put = [(stage / "data", there.data), (stage / "configuration", there.configuration)]
    put += [(stage / "recordings" / str(number), folder) for number, folder in enumerate(there.recordings)]
    aside = [
        Move(str(path), str(folder / f"{BEFORE}{stamp}" / path.relative_to(folder)))
        for folder, paths in _in_the_way(there, stage, found)
        for path in paths
    ]
    for each in aside:
        if Path(each.source).is_mount():
            raise BackupFault(
                f"{each.source} is a mount, which cannot be set aside; restore --into another folder"
            )
    kept = dict.fromkeys(each.to.partition(f"{BEFORE}{stamp}")[0] + f"{BEFORE}{stamp}" for each in aside)
    found.aside = [Path(each) for each in kept]
    moves = [Move(str(source.absolute()), str(to.absolute())) for source, to in put]
    configuration = str(there.configuration.absolute())
    return Plan(_digest(header), configuration, tuple(aside), tuple(moves), tuple(kept))


def _in_the_way(there: Targets, stage: Path, found: Restored) -> Iterator[tuple[Path, list[Path]]]:
    """By folder, all of them absolute: what is set aside in it."""
    whole = any(entry.place == "data" and entry.path.startswith("recordings/") for entry in found.entries)
    data, configuration = there.data.absolute(), there.configuration.absolute()
    standing = sorted(each for each in data.iterdir() if not _ours(each.name))
    yield data, [each for each in standing if whole or each.name != "recordings"]
    if configuration.exists():
        new = {each.name for each in (stage / "configuration").iterdir()}
        old = [*files_of(configuration), *configuration.glob("prompts/*.yaml")]
        tops = {each.relative_to(configuration).parts[0] for each in old} | new
        yield configuration, [path for each in sorted(tops) if (path := configuration / each).exists()]
    for number, folder in enumerate(there.recordings):
        mine = stage / "recordings" / str(number)
        files = [each.relative_to(mine) for each in sorted(mine.rglob("*")) if each.is_file()]
        yield (
            folder.absolute(),
            [
                path
                for each in files
                if (path := folder.absolute() / each).exists()
                and not filecmp.cmp(path, mine / each, shallow=False)
            ],
        )


def _digest(header: Header) -> str:
    """What tells one backup from another."""
    return hashlib.sha256(msgspec.json.encode(header)).hexdigest()
