"""A copy of an SQLite store, taken while the service writes to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from features.text import Text
from serving.store.errors import StoreDownError, outside

NOT_HERE = Text(
    "only an SQLite store is copied here; for PostgreSQL there is pg_dump",
    "hier wird nur ein Speicher in SQLite kopiert; für PostgreSQL gibt es pg_dump",
)


def back_up(engine: Engine, target: Path) -> None:
    """Write a consistent copy of the store to `target`: whole and on the disk, or not at all.

    Everything that was acknowledged before the call is in it. Nothing that was deleted is: the copy is packed anew.

    Raises
    ------
    StoreDownError
        If the store is no SQLite file, `target` exists, or the copy cannot be made.
    """
    if engine.name != "sqlite":
        raise StoreDownError(NOT_HERE)
    if target.exists():
        raise StoreDownError(
            Text(
                f"{target} exists already; a backup replaces nothing",
                f"{target} gibt es schon; eine Sicherung ersetzt nichts",
            )
        )
    draft = target.with_name(f"{target.name}.part")
    with outside(), _driver_errors():
        draft.unlink(missing_ok=True)
        connection = engine.raw_connection()  # no transaction: a copy is made outside of any
        try:
            connection.cursor().execute("VACUUM INTO ?", (str(draft),))
        finally:
            connection.close()
        _flush(draft)
        draft.rename(target)
        _flush(target.parent)


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Errors of SQLite, which do not come through SQLAlchemy here, as what they mean: the outside failed."""
    try:
        yield
    except sqlite3.Error as error:
        words = Text(f"the copy failed: {error}", f"die Kopie ist gescheitert: {error}")
        raise StoreDownError(words) from error


def _flush(place: Path) -> None:
    """Return when what stands there is on the disk."""
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
