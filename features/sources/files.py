"""Export files, named by paths or patterns, read as one raw table.

`.csv`, `.tsv` and `.txt` (each also as `.gz`) hold text; `.parquet` holds typed columns. Separator, encoding and
quoting are found per file. Files read together must have the same columns, in any order. All problems of all files
are collected before the error is raised.
"""

from __future__ import annotations

import glob
import gzip
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import HistoryError, Problem
from features.exported import export_id_beside
from features.sources.delimited import FileTable, read_delimited
from features.sources.options import ReadOptions
from features.sources.parquet import read_parquet
from features.sources.table import RawTable, in_column
from features.text import Text, same

__all__ = ["Files", "RawTable", "ReadOptions", "read_files"]

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
ENDINGS = (*TEXT_ENDINGS, ".parquet")
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Files:
    """The source that reads `pattern` from disk each time it is asked."""

    pattern: str | Sequence[str]
    options: ReadOptions = field(default_factory=ReadOptions)

    def read(self) -> RawTable:
        """All rows of all files; see `read_files`."""
        return read_files(self.pattern, self.options)


def read_files(pattern: str | Sequence[str], options: ReadOptions) -> RawTable:
    """All rows of all files that `pattern` names, in the order of the patterns and, within one, of the paths.

    Parameters
    ----------
    pattern : str or sequence of str
        Paths or glob patterns (`**` descends). A file that several of them name is read once.
    options : ReadOptions
        What is known about the text files; Parquet uses only `missing`.

    Raises
    ------
    HistoryError
        With every problem of every file: no file found, unknown ending, damaged or empty files, undecodable
        bytes, rows with a wrong number of cells, columns that are doubled, absent or of clashing types.
    """
    paths, problems = named_files(pattern)
    tables: dict[str, FileTable] = {}
    for name, path in paths.items():
        try:
            tables[name] = _read(path, name, options)
        except HistoryError as error:
            problems.extend(error.problems)
    problems.extend(lacking({name: read.table.column_names for name, read in tables.items()}))
    if problems:
        raise HistoryError(problems)
    return _joined(tables)


def named_files(pattern: str | Sequence[str]) -> tuple[dict[str, Path], list[Problem]]:
    """The files that the patterns name, each once, by name; and a problem for every pattern that names none."""
    paths, problems = _found([pattern] if isinstance(pattern, str) else list(pattern))
    return dict(zip(_names(paths), paths, strict=True)), problems


def _found(patterns: Sequence[str]) -> tuple[list[Path], list[Problem]]:
    """The files that the patterns name, each once, and a problem for every pattern that names none."""
    found: dict[Path, Path] = {}
    problems = []
    for pattern in patterns:
        paths = [path for path in _matches(pattern) if path.is_file()]
        if not paths:
            problems.append(_no_file(pattern))
        for path in paths:
            found.setdefault(path.resolve(), path)
    if not patterns:
        problems.append(_no_file(""))
    return list(found.values()), problems


def _matches(pattern: str) -> list[Path]:
    """A path that exists is meant literally, even when its name holds `[`."""
    exact = Path(pattern).expanduser()
    if pattern and exact.exists():
        return [exact]
    return [Path(path) for path in sorted(glob.glob(str(exact), recursive=True))]


def _names(paths: Sequence[Path]) -> list[str]:
    """The file's name, or the path where two files share a name."""
    times = Counter(path.name for path in paths)
    return [path.name if times[path.name] == 1 else path.as_posix() for path in paths]


def ending_of(path: Path, name: str) -> str:
    """Which of `ENDINGS` a file has; raises HistoryError if none."""
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise HistoryError([_unknown_ending(name, path)])
    return ending


def _read(path: Path, name: str, options: ReadOptions) -> FileTable:
    ending = ending_of(path, name)
    data = _bytes(path, name)
    if ending == ".parquet":
        return read_parquet(data, name, options.missing)
    return replace(read_delimited(data, name, options), export_id=export_id_beside(path))


def _bytes(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix.lower() == ".gz" else data
    except (gzip.BadGzipFile, EOFError, zlib.error) as failure:
        what = Text(en="the gz file is damaged or cut off", de="die gz-Datei ist beschädigt oder abgeschnitten")
        expected = Text(en="a complete gz file", de="eine vollständige gz-Datei")
        raise HistoryError([Problem(name, what, expected, str(failure), "damaged")]) from failure
    except OSError as failure:
        what = Text(en="the file cannot be opened", de="die Datei lässt sich nicht öffnen")
        expected = Text(en="a file that may be read", de="eine lesbare Datei")
        raise HistoryError([Problem(name, what, expected, failure.strerror or str(failure), "unreadable")]) from failure


def lacking(columns: Mapping[str, Sequence[str]]) -> list[Problem]:
    """A problem for every file that lacks columns which another has."""
    every = dict.fromkeys(column for names in columns.values() for column in names)
    what = Text(
        en="columns are missing that other files of this export have",
        de="Spalten fehlen, die andere Dateien dieses Exports haben",
    )
    problems = []
    for name, present in columns.items():
        absent = [column for column in every if column not in present]
        if absent:
            expected = same(", ".join(repr(column) for column in absent))
            seen = ", ".join(repr(column) for column in present)
            problems.append(Problem(name, what, expected, seen[:200], "different_columns"))
    return problems


def _joined(tables: dict[str, FileTable]) -> RawTable:
    order = next(iter(tables.values())).table.column_names
    schemas = {name: read.table.schema for name, read in tables.items()}
    problems = [problem for column in order for problem in clashing(column, schemas)]
    if problems:
        raise HistoryError(problems)
    table = pa.concat_tables([t.table.select(order) for t in tables.values()], promote_options="permissive")
    frame = frame_of(dict(zip(order, table.columns, strict=True)), len(table))
    file = np.concatenate([np.full(len(t.row), name, dtype=object) for name, t in tables.items()])
    row = np.concatenate([t.row for t in tables.values()])
    notes = tuple(note for t in tables.values() for note in t.notes)
    exports = tuple(dict.fromkeys(t.export_id for t in tables.values() if t.export_id))
    return RawTable(frame, file, row, notes, exports)


def clashing(column: str, schemas: Mapping[str, pa.Schema]) -> list[Problem]:
    """A problem if the files store `column` in types that have none in common, such as text and numbers."""
    types = {name: schema.field(column).type for name, schema in schemas.items()}
    try:
        pa.unify_schemas([pa.schema([(column, kind)]) for kind in types.values()], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        what = Text(
            en="the files store this column in different types",
            de="die Dateien speichern diese Spalte verschieden",
        )
        expected = Text(en="the same type in every file", de="denselben Typ in jeder Datei")
        seen = ", ".join(f"{name}: {kind}" for name, kind in types.items())
        return [Problem(in_column(next(iter(types)), column), what, expected, seen[:200], "different_types")]
    return []


def frame_of(columns: Mapping[str, pa.ChunkedArray], n_rows: int) -> pd.DataFrame:
    """The columns as a frame of `n_rows` rows."""
    return pd.DataFrame({name: _series(column) for name, column in columns.items()}, pd.RangeIndex(n_rows), copy=False)


def _series(column: pa.ChunkedArray) -> pd.Series:
    """The column in pandas: `str` for text, and never a float for an integer that has gaps."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.large_string())
    if column.null_count and pa.types.is_integer(column.type):
        column = column.cast(pa.int64())
    kind = _pandas_type(column)
    read: pd.Series = column.to_pandas(date_as_object=False, types_mapper=(lambda _: kind) if kind else None)
    return read


def _pandas_type(column: pa.ChunkedArray) -> pd.api.extensions.ExtensionDtype | None:
    """The pandas type where Arrow's own choice would lose something; None leaves the choice to Arrow."""
    if pa.types.is_large_string(column.type):
        return pd.StringDtype(na_value=np.nan)
    if column.null_count and pa.types.is_integer(column.type):
        return pd.Int64Dtype()
    return pd.BooleanDtype() if column.null_count and pa.types.is_boolean(column.type) else None


def _no_file(pattern: str) -> Problem:
    what = Text(en="no file matches", de="keine Datei passt dazu")
    expected = Text(
        en="the path of a file, or a pattern such as exports/*.csv",
        de="der Pfad einer Datei oder ein Muster wie exports/*.csv",
    )
    return Problem(pattern or '""', what, expected, _nearby(pattern), "no_file")


def _nearby(pattern: str) -> str:
    """What lies in the folder that the pattern names, as a hint."""
    path = Path(pattern).expanduser()
    folder = path if path.is_dir() else path.parent
    if not pattern or not folder.is_dir():
        return ""
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return ", ".join([*names[:NAMES_SHOWN], *(["…"] if len(names) > NAMES_SHOWN else [])])


def _unknown_ending(name: str, path: Path) -> Problem:
    what = Text(en="the kind of file is unknown", de="die Art der Datei ist unbekannt")
    return Problem(name, what, same(", ".join(ENDINGS)), "".join(path.suffixes), "unknown_ending")
