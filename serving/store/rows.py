"""Reading and writing many rows at a time, within what one statement may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

# Stays below the number of parameters that SQLite (32,766) and PostgreSQL (65,535) take in one statement.
ROWS_PER_STATEMENT = 500
VALUES = "values"


def rows_where_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Sequence[Any]
) -> Iterator[Row[Any]]:
    """The rows of `query` whose `column` is one of `values`, however many those are."""
    yield from rows_of(connection, where_in(query, column), values)


def where_in(query: Select[Any], column: ColumnElement[Any]) -> Select[Any]:
    """`query` for `rows_of`: put together once, not at each call, which would cost more than running it."""
    return query.where(column.in_(bindparam(VALUES, expanding=True)))


def rows_of(connection: Connection, query: Select[Any], values: Sequence[Any]) -> Iterator[Row[Any]]:
    """The rows of a query that `where_in` made, for these values, however many they are."""
    for start in range(0, len(values), ROWS_PER_STATEMENT):
        yield from connection.execute(query, {VALUES: values[start : start + ROWS_PER_STATEMENT]})


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose primary key, or another unique column, is not there yet."""
    connection.execute(_insert_missing(table, connection.dialect.name), rows)


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or give those with the same primary key these values."""
    connection.execute(_insert_or_replace(table, tuple(rows[0]), connection.dialect.name), rows)


@cache
def _insert_missing(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return _insert(table, dialect).on_conflict_do_nothing()


@cache
def _insert_or_replace(table: Table, names: tuple[str, ...], dialect: str) -> sqlite.Insert | postgresql.Insert:
    statement = _insert(table, dialect)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _insert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
