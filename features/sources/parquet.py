"""A Parquet file -> one Arrow table with its types as stored, strings stripped."""

from __future__ import annotations

from collections import Counter

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
        raise HistoryError([_damaged(file, failure)]) from failure
    problems = [_twice(file, name, n) for name, n in Counter(table.column_names).items() if n > 1]
    if not len(table):
        problems.append(_no_rows(file))
    if problems:
        raise HistoryError(problems)
    columns = [_plain(column, missing) for column in table.columns]
    row = np.arange(FIRST_ROW, FIRST_ROW + len(table), dtype=np.int64)
    notes = (_how(file, len(table)),)
    plain = pa.Table.from_arrays(columns, names=table.column_names)
    return FileTable(plain, row, notes, export_id_of(table.schema.metadata))


def _plain(column: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), missing)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return cleaned_strings(column.cast(pa.large_string()), missing)
    return column.cast(pa.float64()) if pa.types.is_decimal(kind) else column


def _damaged(file: str, failure: Exception) -> Problem:
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


def _how(file: str, n_rows: int) -> Text:
    return Text(en=f"{file}: {whole(n_rows, 'en')} rows, Parquet", de=f"{file}: {whole(n_rows, 'de')} Zeilen, Parquet")
