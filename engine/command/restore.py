"""`isogloss restore FILE`: a node made of a backup, or a backup looked at (`--check`).

Exit status: 1 where the file, its store or its audit log is not as it was written.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache

from engine.access.proof import told
from engine.backup.fault import BackupFault, Broken
from engine.backup.restoring import Restored, check, restore, targets
from engine.command.backup import Progress, described, given, held
from engine.command.fault import DONE, REFUSED, CommandFault


def run(options: argparse.Namespace) -> int:
    tell = Progress(options.json)
    passphrase = cache(lambda: given(options))
    try:
        if options.check:
            found = check(options.file, passphrase, tell)
        else:
            found = restore(
                options.file,
                passphrase,
                into=options.into,
                store_url=_store_url(options),
                stamp=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
                force=options.force,
                tell=tell,
            )
    except Broken as error:
        tell.end()
        print(f"isogloss restore: {options.file}: {error}", file=sys.stderr)
        return REFUSED
    except BackupFault as error:
        raise CommandFault(str(error)) from error
    finally:
        tell.end()
    _show(options, found)
    return DONE if found.audit is None or found.audit.whole else REFUSED


def _store_url(options: argparse.Namespace) -> str | None:
    if options.store_file is None:
        return None
    try:
        return str(options.store_file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFault(f"{options.store_file} cannot be read ({error})") from error


def _show(options: argparse.Namespace, found: Restored) -> None:
    if options.json:
        more = {
            "checked": options.check,
            "audit": asdict(found.audit) if found.audit is not None else None,
            "missing": found.missing,
            "aside": [str(each) for each in found.aside],
            "notes": found.notes,
        }
        print(json.dumps(described(found.header, found.entries) | more, ensure_ascii=False))
        return
    made = datetime.fromtimestamp(found.header.made_at).astimezone()
    print(f"Node {found.header.node} of {made:%Y-%m-%d %H:%M:%S}, release {found.header.release}.")
    print("\n".join(held(found.entries)))
    if found.audit is not None:
        print(told(found.audit))
    for each in found.aside:
        print(f"Set aside: {each}")
    for note in found.notes:
        print(f"{note[0].upper()}{note[1:]}.")
    if found.missing:
        print(f"{len(found.missing)} of the recordings it lists are not there, such as {found.missing[0]}.")
    if options.check:
        print("Every file of it is as it was written.")
        return
    there = targets(found.header, options.into)
    print(f"Start it: isogloss serve --config {there.configuration} --data {there.data}")
