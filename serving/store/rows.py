"""Reading and writing many rows at a time, within what one statement may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

from serving.store.tables import Moment, stored_moment

# Stays below the number of parameters that SQLite (32,766) and PostgreSQL (65,535) take in one statement.
ROWS_PER_STATEMENT = 500
VALUES = "values"
NewRow: TypeAlias = dict[str, Any]


def where_in(query: Select[Any], column: ColumnElement[Any]) -> Select[Any]:
    """`query` for `rows_of`: put together once, not at each call, which would cost more than running it."""
    return query.where(column.in_(bindparam(VALUES, expanding=True)))


def rows_of(connection: Connection, query: Select[Any], values: Sequence[Any]) -> Iterator[Row[Any]]:
    """The rows of a query that `where_in` made, for these values, however many they are."""
    for start in range(0, len(values), ROWS_PER_STATEMENT):
        yield from connection.execute(query, {VALUES: values[start : start + ROWS_PER_STATEMENT]})


def insert_all(connection: Connection, table: Table, rows: Sequence[NewRow]) -> None:
    """Insert rows; each names the same columns."""
    _run(connection, table, rows, "insert")


def insert_missing(connection: Connection, table: Table, rows: Sequence[NewRow]) -> None:
    """Insert the rows whose primary key, or another unique column, is not there yet."""
    _run(connection, table, rows, "insert missing")


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[NewRow]) -> None:
    """Insert rows, or give those with the same primary key these values."""
    _run(connection, table, rows, "replace")


class _Statement(NamedTuple):
    """A statement as the driver takes it, its columns in the driver's order, and where moments stand among them."""

    sql: str
    names: tuple[str, ...]
    moments: tuple[int, ...]


def _run(connection: Connection, table: Table, rows: Sequence[NewRow], how: str) -> None:
    """Run a statement for all rows, past SQLAlchemy's processing of every value, which costs more than the writing."""
    dialect = connection.dialect
    statement = _statement(table, tuple(rows[0]), how, dialect.name)
    given = [[row[name] for name in statement.names] for row in rows]
    for values in given:
        for place in statement.moments:
            values[place] = stored_moment(values[place], dialect.name)
    if dialect.positional:
        connection.exec_driver_sql(statement.sql, list(map(tuple, given)))
    else:
        connection.exec_driver_sql(statement.sql, [dict(zip(statement.names, values, strict=True)) for values in given])


@cache
def _statement(table: Table, names: tuple[str, ...], how: str, dialect_name: str) -> _Statement:
    statement = sqlite.insert(table) if dialect_name == "sqlite" else postgresql.insert(table)
    if how == "insert missing":
        statement = statement.on_conflict_do_nothing()
    elif how == "replace":
        keys = [column.name for column in table.primary_key]
        others = {name: statement.excluded[name] for name in names if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
    dialect = sqlite.dialect(paramstyle="qmark") if dialect_name == "sqlite" else psycopg.dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    ordered = tuple(compiled.positiontup or names)
    moments = tuple(place for place, name in enumerate(ordered) if isinstance(table.columns[name].type, Moment))
    return _Statement(str(compiled), ordered, moments)
