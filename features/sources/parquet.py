"""A Parquet file -> one Arrow table with its types as stored, strings stripped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import HistoryError, Problem
from features.exported import export_id_of
from features.sources.delimited import FileTable, cleaned_strings
from features.sources.table import in_column
from features.text import Text, whole

FIRST_ROW = 2  # as if there were a header, so that both kinds of file count alike


def read_parquet(data: bytes, file: str, missing: tuple[str, ...]) -> FileTable:
    """The rows of the Parquet file whose bytes are `data`.

    Dictionaries become what they stand for, decimals become floats, other types stay.

    Raises
    ------
    HistoryError
        If the file is damaged, has no rows, or names a column twice.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as failure:
        raise HistoryError([damaged(file, failure)]) from failure
    _require(table.column_names, len(table), file)
    columns = [plain(column, missing) for column in table.columns]
    row = np.arange(FIRST_ROW, FIRST_ROW + len(table), dtype=np.int64)
    read = pa.Table.from_arrays(columns, names=table.column_names)
    return FileTable(read, row, (parquet_note(file, len(table)),), export_id_of(table.schema.metadata))


def parquet_schema(path: Path, file: str) -> tuple[pa.Schema, int]:
    """The columns of a Parquet file in the types in which they are read, and its number of rows.

    Raises
    ------
    HistoryError
        As `read_parquet`.
    """
    try:
        with pq.ParquetFile(path) as opened:
            schema, n_rows = opened.schema_arrow, opened.metadata.num_rows
    except pa.ArrowException as failure:
        raise HistoryError([damaged(file, failure)]) from failure
    _require(schema.names, n_rows, file)
    return pa.schema([(field.name, _plain_type(field.type)) for field in schema]), n_rows


def _require(columns: Sequence[str], n_rows: int, file: str) -> None:
    problems = [_twice(file, name, n) for name, n in Counter(columns).items() if n > 1]
    if not n_rows:
        problems.append(_no_rows(file))
    if problems:
        raise HistoryError(problems)


def plain(column: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    """The column as it is read: texts stripped and null where missing, dictionaries and decimals as what they mean."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = _plain_type(column.type)
    return cleaned_strings(column.cast(kind), missing) if pa.types.is_large_string(kind) else column.cast(kind)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.float64() if pa.types.is_decimal(kind) else kind


def damaged(file: str, failure: Exception) -> Problem:
    """The problem of a Parquet file that cannot be read to its end."""
    what = Text(en="the Parquet file is damaged", de="die Parquet-Datei ist beschädigt")
    expected = Text(en="a complete Parquet file", de="eine vollständige Parquet-Datei")
    return Problem(file, what, expected, str(failure).splitlines()[0][:200], "damaged")


def _twice(file: str, name: str, n: int) -> Problem:
    what = Text(en="the file has this column more than once", de="die Datei enthält diese Spalte mehrfach")
    expected = Text(en="every column name once", de="jeden Spaltennamen nur einmal")
    return Problem(in_column(file, name), what, expected, f"{n} × {name!r}", "duplicate_column")


def _no_rows(file: str) -> Problem:
    what = Text(en="the file has no rows", de="die Datei hat keine Zeilen")
    return Problem(file, what, Text(en="at least one row", de="mindestens eine Zeile"), "", "no_rows")


def parquet_note(file: str, n_rows: int) -> Text:
    """How a Parquet file was read."""
    return Text(en=f"{file}: {whole(n_rows, 'en')} rows, Parquet", de=f"{file}: {whole(n_rows, 'de')} Zeilen, Parquet")
