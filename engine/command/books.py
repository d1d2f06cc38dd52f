"""The store as commands open it: users and the audit log, whether or not a node runs.

Whoever can read the store's file or knows its URL may do this; the audit log says which user of the machine
it was.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from config.load import load
from config.schema import Config
from config.secret import SecretMissing
from engine.access.errors import AccessError
from engine.command.fault import CommandFault, Told
from engine.store import database
from engine.store.accounts import Accounts
from engine.store.errors import StoreError
from engine.store.migrate import upgrade
from engine.store.trail import Trail


@dataclass(frozen=True, slots=True)
class Books:
    """data: the node's folder."""

    accounts: Accounts
    trail: Trail
    node: str
    data: Path


def declared(options: argparse.Namespace) -> Config:
    """The configuration, with the folder for data that was named. Raises ConfigError."""
    config = load(options.config, os.environ)
    if options.data is None:
        return config
    return replace(config, node=replace(config.node, data_dir=options.data))


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Books]:
    """Raises ConfigError, and CommandFault for all that goes wrong meanwhile."""
    config = declared(options)
    try:
        engine = database.connect(database.url_of(config))
        try:
            upgrade(engine)
            yield Books(Accounts(engine), Trail(engine), config.node.name, config.node.data_dir)
        finally:
            engine.dispose()
    except (AccessError, StoreError, SecretMissing, DBAPIError, OSError) as error:
        raise CommandFault(str(getattr(error, "orig", None) or error)) from error


def show(options: argparse.Namespace, told: Told, said: list[str]) -> None:
    print(json.dumps(told, ensure_ascii=False) if options.json else "\n".join(said))
