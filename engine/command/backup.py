"""`isogloss backup FILE`: all that a node needs to be the same node."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
import time
from collections import Counter
from dataclasses import replace

import msgspec

from config.fault import ConfigError
from config.load import data_dir, load
from config.schema import Config
from config.secret import SecretMissing
from engine.backup.archive import MIN_PASSPHRASE, Entry, Header
from engine.backup.fault import BackupFault
from engine.backup.writing import write
from engine.command import terminal
from engine.command.fault import DONE, CommandFault, Told
from engine.command.terminal import Column
from engine.history import History
from engine.store.errors import StoreError

VARIABLE = "ISOGLOSS_BACKUP_PASSPHRASE"
COLUMNS = (Column("holds"), Column("files", right=True), Column("bytes", right=True))


def run(options: argparse.Namespace) -> int:
    config = _declared(options)
    passphrase = "" if options.without_secrets else given(options, anew=True)
    tell = Progress(options.json)
    try:
        made = write(
            config,
            options.file,
            now=time.time(),
            passphrase=passphrase,
            recordings=options.recordings,
            force=options.force,
            tell=tell,
        )
    except (BackupFault, StoreError, SecretMissing) as error:
        raise CommandFault(str(error)) from error
    finally:
        tell.end()
    if options.json:
        print(json.dumps(described(made.header, made.entries) | {"bytes": made.bytes, "gone": made.gone}))
        return DONE
    print("\n".join(held(made.entries)))
    print(f"{options.file}: {made.bytes} bytes{', sealed' if passphrase else ', without secrets'}")
    for each in made.header.needs:
        print(f"not in it, and needed: {each}")
    return DONE


def _declared(options: argparse.Namespace) -> Config:
    """The files, or where they have faults the version that ran last. Raises ConfigError."""
    try:
        config = load(options.config, os.environ)
    except ConfigError:
        where = options.data or data_dir(options.config)
        history = History(where, kept=1) if where is not None else None
        current = history.current() if history is not None else None
        if history is None or current is None:
            raise
        config = load(options.config, os.environ, history.texts(current.number))
    if options.data is None:
        return config
    return replace(config, node=replace(config.node, data_dir=options.data))


def given(options: argparse.Namespace, *, anew: bool = False) -> str:
    """The passphrase. anew: it is being chosen. Raises CommandFault."""
    if options.passphrase_file is not None:
        try:
            found = options.passphrase_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandFault(f"{options.passphrase_file} cannot be read ({error})") from error
    else:
        found = os.environ.get(VARIABLE, "") or _typed(anew)
    if len(found) < MIN_PASSPHRASE:
        raise CommandFault(f"a passphrase has {MIN_PASSPHRASE} characters or more")
    return str(found)


def _typed(anew: bool) -> str:
    if not sys.stdin.isatty():
        less = ", or leave secrets out --without-secrets" if anew else ""
        raise CommandFault(f"it takes a passphrase: name a --passphrase-file, set {VARIABLE}{less}")
    first = getpass.getpass("Passphrase: ")
    if anew and first != getpass.getpass("The same again: "):
        raise CommandFault("the two are not the same")
    return first


def described(header: Header, entries: list[Entry]) -> Told:
    """For programs: what a backup is of, and how much of what is in it."""
    told: Told = msgspec.to_builtins(header)
    del told["salt"]
    counts = Counter(each.place for each in entries)
    sizes = {place: sum(each.size for each in entries if each.place == place) for place in counts}
    return told | {
        "sealed": bool(header.salt),
        "holds": {place: {"files": counts[place], "bytes": sizes[place]} for place in counts},
    }


def held(entries: list[Entry]) -> list[str]:
    """For a person: the same as a table."""
    told: dict[str, tuple[int, int]] = {}
    for each in entries:
        what = each.place if each.place != "data" else f"data/{each.path.partition('/')[0]}"
        files, size = told.get(what, (0, 0))
        told[what] = (files + 1, size + each.size)
    rows = [[what, str(files), str(size)] for what, (files, size) in sorted(told.items())]
    return terminal.of().table(COLUMNS, rows)


class Progress:
    """A line on a terminal that says how far it is."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._last = ""

    def __call__(self, what: str, done: int, of: int) -> None:
        said = f"{what}: {done / of:.0%}" if of else what
        if self._shown and said != self._last:
            self._last = said
            print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._last:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
