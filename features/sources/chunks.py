"""Export files of any size, in chunks of rows: the same rows, types and row numbers as `read_files` gives.

A text file is first copied, part by part, to a Parquet file of its texts; from then on every file is read in batches.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import HistoryError, Problem
from features.sources.delimited import FileTable, text_note
from features.sources.files import Files, clashing, ending_of, frame_of, lacking, named_files, read_files
from features.sources.options import ReadOptions
from features.sources.parquet import FIRST_ROW, damaged, parquet_note, parquet_schema, plain
from features.sources.parts import TextParts
from features.sources.table import RawTable, merged
from features.text import Text

ROW = "\0row"  # no column of a file can be called so
WHOLE_FILE = frozenset({"no_rows"})


@dataclass(frozen=True, slots=True)
class _Stored:
    """One file as Parquet.

    Attributes
    ----------
    columns : tuple of str
        All that the file has; a copy may hold fewer.
    schema : pyarrow.Schema
        The columns as they are read.
    is_copy : bool
        Of a text file: then it holds row numbers, too.
    """

    place: Path
    columns: tuple[str, ...]
    schema: pa.Schema
    n_rows: int
    notes: tuple[Text, ...]
    is_copy: bool


@dataclass(frozen=True)
class Chunks:
    """The rows of some files, to be read as often as one likes."""

    files: Mapping[str, _Stored]
    missing: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the files."""
        return next(iter(self.files.values())).columns

    @property
    def n_rows(self) -> int:
        """The rows of all files."""
        return sum(stored.n_rows for stored in self.files.values())

    @property
    def notes(self) -> tuple[Text, ...]:
        """How each file was read."""
        return tuple(note for stored in self.files.values() for note in stored.notes)

    @cached_property
    def kinds(self) -> pa.Schema:
        """The types in which columns are read: in every chunk the same, whatever file it is of."""
        return pa.unify_schemas([stored.schema for stored in self.files.values()], promote_options="permissive")

    def read(self, columns: Sequence[str], n_rows: int) -> Iterator[RawTable]:
        """`columns` of all rows in their order, at most `n_rows` at a time."""
        kinds = pa.schema([self.kinds.field(column) for column in columns])
        for name, stored in self.files.items():
            n_before = 0
            asked = [*columns, ROW] if stored.is_copy else list(columns)
            for batch in _batches(stored.place, name, n_rows, asked):
                yield self._table(name, pa.Table.from_batches([batch]), kinds, n_before)
                n_before += len(batch)

    def _table(self, name: str, table: pa.Table, kinds: pa.Schema, n_before: int) -> RawTable:
        row = np.arange(n_before, n_before + len(table), dtype=np.int64) + FIRST_ROW
        if ROW in table.column_names:
            row = np.asarray(table.column(ROW), dtype=np.int64)
        read = [plain(table.column(kind.name), self.missing).cast(kind.type) for kind in kinds]
        frame = frame_of(dict(zip(kinds.names, read, strict=True)), len(table))
        return RawTable(frame, np.full(len(table), name, dtype=object), row)


def _batches(place: Path, name: str, n_rows: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(place) as opened:
            yield from opened.iter_batches(n_rows, columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as failure:
        raise HistoryError([damaged(name, failure)]) from failure


def chunks_of(files: Files, wanted: Sequence[str], scratch: Path) -> Chunks:
    """The files in chunks; copies of the wanted columns of text files are put into the directory `scratch`.

    Raises
    ------
    HistoryError
        With every problem of every file, as `read_files`.
    """
    paths, problems = named_files(files.pattern)
    stored: dict[str, _Stored] = {}
    for number, (name, path) in enumerate(paths.items()):
        try:
            if ending_of(path, name) == ".parquet":
                stored[name] = _as_it_lies(path, name)
            else:
                stored[name] = _copied(path, name, files.options, wanted, scratch / f"{number}.parquet")
        except HistoryError as error:
            problems.extend(error.problems)
        except (OSError, EOFError, zlib.error):
            read_files(str(path), files.options)  # says what is wrong with it
            raise
    problems += lacking({name: each.columns for name, each in stored.items()})
    schemas = {name: each.schema for name, each in stored.items()}
    if not problems:
        problems = [problem for column in _columns(schemas) for problem in clashing(column, schemas)]
    if problems:
        raise HistoryError(problems)
    return Chunks(stored, files.options.missing)


def _columns(schemas: Mapping[str, pa.Schema]) -> list[str]:
    return list(next(iter(schemas.values())).names)


def _as_it_lies(path: Path, name: str) -> _Stored:
    """A Parquet file, its types as they will be read."""
    schema, n_rows = parquet_schema(path, name)
    return _Stored(path, tuple(schema.names), schema, n_rows, (parquet_note(name, n_rows),), is_copy=False)


def _copied(path: Path, name: str, options: ReadOptions, wanted: Sequence[str], place: Path) -> _Stored:
    """A copy of a text file's wanted columns and row numbers."""
    parts = TextParts.of(path, name, options)
    kept = [column for column in parts.columns if column in wanted]
    schema = pa.schema([(column, pa.large_string()) for column in kept])
    problems: list[Problem] = []
    notes: dict[Text, None] = {}
    n_rows = 0
    with pq.ParquetWriter(place, schema.append(pa.field(ROW, pa.int64()))) as writer:
        for part in parts.read():
            problems += part.problems
            if part.table is not None:
                writer.write_table(_with_rows(part.table, kept))
                n_rows += len(part.table.row)
                notes.update(dict.fromkeys(part.table.notes[1:]))
    if wrong := [problem for problem in problems if problem.code not in WHOLE_FILE] or problems[: not n_rows]:
        raise HistoryError(merged(wrong))
    how = text_note(name, parts.encoding, parts.separator, n_rows)
    return _Stored(place, parts.columns, schema, n_rows, (how, *notes), is_copy=True)


def _with_rows(table: FileTable, kept: Sequence[str]) -> pa.Table:
    """The columns that are kept, empty ones where a part left them out, and the row numbers."""
    empty = pa.nulls(len(table.row), pa.large_string())
    columns = {name: table.table.column(name) if name in table.table.column_names else empty for name in kept}
    return pa.table({**columns, ROW: pa.array(table.row)})
