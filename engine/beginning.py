"""Which configuration a node starts with.

The files in its folder, as long as nothing is wrong with them. A node that was told to go back to a former
version starts with that one until somebody changes the files; and one whose files have faults, in the middle
of an edit maybe, goes on with the version that ran before, and says so: a restart in the night must not wait
for an editor. A node that has run no configuration from this folder yet refuses to start with faults.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from config.document import Known
from config.fault import ConfigError, Fault
from config.load import data_dir, load
from config.schema import Config
from engine.history import Current, History, HistoryFault, Version, digest_of

log = structlog.get_logger("config")


@dataclass
class Beginning:
    """faults: of the files, where the version that ran before was taken instead."""

    declared: Config
    history: History
    version: Version
    faults: list[Fault] = field(default_factory=list)


def begin(
    folder: Path, env: Mapping[str, str], data: Path | None = None, known: Known | None = None
) -> Beginning:
    """data: the folder for data, where it is not the configured one. known: files that were read before.
    Raises ConfigError.
    """
    where = data or data_dir(folder)
    if where is None:  # nothing is known of a former version either
        load(folder, env)
        raise ConfigError([])
    history = History(where, kept=2)
    history.tidy()
    standing = _standing(history, folder)
    if standing is not None and standing.seen == _digest(folder):
        former = _former(history, standing, folder, env)
        if former is not None:
            return former
    try:
        return _fresh(history, folder, env, known)
    except ConfigError as error:
        former = _former(history, standing, folder, env)
        if former is None:
            raise
        former.faults = error.faults
        for fault in error.faults[:20]:
            log.error("the files have a fault; the version of before goes on", fault=str(fault))
        return former


def _standing(history: History, folder: Path) -> Current | None:
    """What ran last, if it came from this folder."""
    current = history.current()
    return current if current is not None and current.folder == str(folder.resolve()) else None


def _digest(folder: Path) -> str:
    try:
        return digest_of(folder)
    except HistoryFault:
        return ""


def _former(
    history: History, standing: Current | None, folder: Path, env: Mapping[str, str]
) -> Beginning | None:
    version = history.find(standing.number) if standing is not None else None
    if version is None:
        return None
    try:
        declared = load(folder, env, history.texts(version.number))
    except ConfigError as error:
        log.error("the version of before cannot be taken", version=version.number, why=str(error))
        return None
    history.kept = declared.node.changes.kept
    return Beginning(declared, history, version)


def _fresh(history: History, folder: Path, env: Mapping[str, str], known: Known | None) -> Beginning:
    """The files as they are, kept as a version if it can be. Raises ConfigError."""
    try:
        draft = history.draft(folder)
    except HistoryFault as fault:
        if not folder.is_dir():
            load(folder, env)
        log.warning("this configuration is not kept: there is no going back to it", why=str(fault))
        return Beginning(
            load(folder, env), history, Version(number=0, at=time.time(), by="node", how="start")
        )
    try:
        declared = load(folder, env, draft.texts, known)
        history.kept = declared.node.changes.kept
        version = Version(
            number=history.next_number(), at=time.time(), by="node", how="start", digest=draft.digest
        )
        history.keep(draft, version, Current(version.number, str(folder.resolve()), draft.digest))
    except HistoryFault as fault:
        log.warning("this configuration is not kept: there is no going back to it", why=str(fault))
        version = msgspec.structs.replace(version, number=0)
    finally:
        history.drop(draft)
    return Beginning(declared, history, version)
