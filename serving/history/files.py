"""Where a history is written to: Parquet or CSV, row by row, whole or not at all.

Parquet keeps every type. CSV is written as the definition says that its exports are written: separator, encoding,
decimal sign. Times stand in it with their offset, and numbers so that no point of theirs can be meant as a thousand's.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from features.definition import LeadDefinition
from features.errors import NotReadyError, OutsideError
from features.exported import BESIDE, KEY, ExportNote
from features.text import Text
from serving.history.rows import Kind, Row

ENDINGS = (".parquet", ".csv")
Columns: TypeAlias = Mapping[str, Kind]
_reads_as_thousands = re.compile(r"-?[1-9][0-9]{0,2}(\.[0-9]{3})+").fullmatch


class Sheet(Protocol):
    """A file that takes rows."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        ...


NO_PYARROW = Text(
    "pyarrow is not installed here; write to a .csv, which training reads as well.",
    "pyarrow ist hier nicht installiert; schreiben Sie eine .csv, das Training liest sie ebenso.",
)


@contextmanager
def new_history(place: Path, columns: Columns, definition: LeadDefinition, note: ExportNote) -> Iterator[Sheet]:
    """A history that takes rows; its file is at `place` when the block ends well, and nowhere otherwise.

    Raises
    ------
    OutsideError
        If the file cannot be written.
    NotReadyError
        If the ending is not known, or it is Parquet and pyarrow is not installed.
    """
    if place.suffix not in ENDINGS:
        raise NotReadyError(
            Text(
                f"{place.name}: a history ends in {' or '.join(ENDINGS)}.",
                f"{place.name}: eine Historie endet auf {' oder '.join(ENDINGS)}.",
            )
        )
    opened: Callable[..., Any] = _parquet if place.suffix == ".parquet" else _csv
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as folder:
            draft = Path(folder) / place.name
            with opened(draft, columns, definition, note) as sheet:
                yield sheet
            _publish(draft, place, note)
    except (OSError, UnicodeEncodeError) as error:
        words = Text(f"{place} was not written: {error}", f"{place} wurde nicht geschrieben: {error}")
        raise OutsideError(words) from error


@contextmanager
def _parquet(draft: Path, columns: Columns, definition: LeadDefinition, note: ExportNote) -> Iterator[Sheet]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise NotReadyError(NO_PYARROW) from error
    types = {
        "text": pa.large_string(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "moment": pa.timestamp("us", tz=definition.read.timezone),
    }
    schema = pa.schema({name: types[kind] for name, kind in columns.items()}, metadata={KEY: note.to_json()})
    with pq.ParquetWriter(draft, schema) as writer:
        yield _Parquet(lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=schema)))


class _Parquet:
    """Rows as one row group each time: so much is held, and no more."""

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._write = write

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            self._write(list(rows))


@contextmanager
def _csv(draft: Path, columns: Columns, definition: LeadDefinition, _: ExportNote) -> Iterator[Sheet]:
    read = definition.read
    with draft.open("w", encoding=read.encoding or "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=read.separator or ",", lineterminator="\n")
        writer.writerow(columns)
        yield _Csv(writer, tuple(columns), definition)


class _Csv:
    """Rows as text."""

    def __init__(self, writer: Any, columns: Sequence[str], definition: LeadDefinition) -> None:
        self._writer, self._columns = writer, columns
        self._decimal, self._zone = definition.read.decimal or ".", ZoneInfo(definition.read.timezone)

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows([self._cell(row[column]) for column in self._columns] for row in rows)

    def _cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return number_cell(value).replace(".", self._decimal)
        return moment_cell(value, self._zone) if isinstance(value, datetime) else str(value)


def number_cell(value: float) -> str:
    """A number as text that reads back to the same bits, and never as grouped thousands.

    >>> number_cell(1.234), number_cell(0.1), number_cell(240.0)
    ('1.2340', '0.1', '240.0')
    """
    text = repr(value)
    return f"{text}0" if _reads_as_thousands(text) else text


def moment_cell(moment: datetime, zone: ZoneInfo) -> str:
    """A moment on the clocks of `zone`, with its offset; in UTC where that offset is not of whole minutes.

    >>> moment_cell(datetime(2026, 1, 31, 8, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    '2026-01-31T09:30:00.000000+01:00'
    """
    text = moment.astimezone(zone).isoformat(timespec="microseconds")
    return text if len(text) == len("2026-01-31T09:30:00.000000+01:00") else _in_utc(moment)


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _publish(draft: Path, place: Path, note: ExportNote) -> None:
    """Move the finished file to its place, after what belongs beside it."""
    if place.suffix == ".csv":
        beside = draft.with_name(draft.name + BESIDE)
        beside.write_text(note.to_json(), encoding="utf-8")
        _flushed(beside).replace(place.with_name(place.name + BESIDE))
    _flushed(draft).replace(place)


def _flushed(file: Path) -> Path:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
    return file
