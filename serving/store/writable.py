"""Whether the database takes writes, asked without writing a row.

It is asked what it would refuse at once: a file or a disk that may only be read, a server that is a standby or was made
read-only. Whether the disk has room is known only to a commit. So once a write has failed, one is tried as well that
changes nothing, until it succeeds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from sqlalchemy import Connection, Engine, text

from features.errors import LeadQualityError
from features.text import Text
from serving.store.errors import StoreDownError, outside

NO_REVISION = "-"
READ_ONLY = Text("the database may only be read", "die Datenbank darf nur gelesen werden")


def check_takes_writes(engine: Engine) -> None:
    """Return if a transaction that writes could begin.

    Raises
    ------
    StoreDownError
        If it could not.
    """
    with outside():
        if engine.name == "sqlite":
            _begin_and_end(engine)
        else:
            _ask_the_server(engine)


def try_commit(connection: Connection, wanted: Sequence[None]) -> list[LeadQualityError | None]:
    """Make the database write to its log what comes to nothing, as one of the writer's jobs."""
    if connection.dialect.name == "sqlite":
        # There and back again: an update to the value that stands there already would write nothing.
        (revision,) = connection.execute(text("SELECT version_num FROM alembic_version")).one()
        for number in (NO_REVISION, revision):
            connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    else:
        connection.execute(text("SELECT txid_current()"))  # its commit is then one that stands in the log
    return [None] * len(wanted)


def _begin_and_end(engine: Engine) -> None:
    """Take the write lock for a moment, unless somebody has it: then writing works."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        (usual_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE")  # SQLite begins to read if it may not write, and says nothing
            cursor.execute("UPDATE alembic_version SET version_num = version_num WHERE 0")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        finally:
            connection.rollback()
            cursor.execute(f"PRAGMA busy_timeout = {usual_ms}").close()


def _ask_the_server(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.execute(text("SHOW transaction_read_only")).scalar() == "on":  # on a standby, too
            raise StoreDownError(READ_ONLY)
