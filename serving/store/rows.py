"""Reading and writing many rows at a time, within what one statement may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

# Stays below the number of parameters that SQLite (32,766) and PostgreSQL (65,535) take in one statement.
ROWS_PER_STATEMENT = 500


def rows_where_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Sequence[Any]
) -> Iterator[Row[Any]]:
    """The rows of `query` whose `column` is one of `values`, however many those are."""
    for start in range(0, len(values), ROWS_PER_STATEMENT):
        part = values[start : start + ROWS_PER_STATEMENT]
        yield from connection.execute(query.where(column.in_(part)))


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose primary key, or another unique column, is not there yet."""
    connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or give those with the same primary key these values."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
