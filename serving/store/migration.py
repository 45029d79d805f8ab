"""Bringing the tables of a database to this release's state, with alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from features.text import Text
from serving.store.engine import WRITES
from serving.store.errors import NotMigratedError

HEAD = "0010"
SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 4_711_202_601  # any constant: the number under which migrating processes wait for each other on PostgreSQL


def migrate(engine: Engine) -> None:
    """Run every migration that is missing, in one transaction; a second process waits for the first.

    Raises
    ------
    NotMigratedError
        If the database was migrated by a later release.
    """
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if engine.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            words = Text(
                f"the store was written by another release: {error}",
                f"der Speicher stammt von einer anderen Version des Dienstes: {error}",
            )
            raise NotMigratedError(words) from error


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None if it has no tables of ours."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
