"""Bringing the tables to what this release writes; run at every start, by every node.

The migrations lie beside this file, in the wheel as in a checkout.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from engine.store.errors import StoreTooNew, StoreUnavailable

FOLDER = Path(__file__).parent / "migrations"
PG_LOCK = 0x15_06_10_55  # any number that is only ours: nodes that start together migrate one after the other


def upgrade(engine: Engine) -> None:
    """Make or change the tables until they are this release's.

    Raises StoreUnavailable when the store does not answer, StoreTooNew when a later release has been here.
    """
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PG_LOCK})
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            _bring_up(connection)
    except OperationalError as error:
        raise StoreUnavailable(str(error.orig)) from error


def current(connection: Connection) -> str | None:
    """The revision the tables are at, None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration over an open connection; there is no alembic.ini."""
    config = Config()
    # Alembic reads % in options as its own.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _bring_up(connection: Connection) -> None:
    config = configuration(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    at = current(connection)
    if at is not None and at not in known:
        raise StoreTooNew(f"the store is at revision {at}, which this release does not know")
    command.upgrade(config, "head")
