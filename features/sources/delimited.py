"""A text file of cells -> one Arrow table of strings, with the row number of every row.

One pass of Arrow's reader does the work and hands over the rows that have too many or too few cells; Python
looks only at those. Rows without any content are counted but not kept: spreadsheets write them below the data.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from features.errors import HistoryError, Problem
from features.sources import dialect
from features.sources.encoding import to_utf8
from features.sources.odd_rows import OddRows, odd_row_problems
from features.sources.options import ReadOptions
from features.sources.quotes import open_quote_problems
from features.sources.table import in_column
from features.text import Text, whole

LARGEST_ROW_BYTES = 64 * 2**20
SMALLEST_BLOCK_BYTES = 2**20
EMPTY = Text(en="the file is empty", de="die Datei ist leer")
ONLY_HEADER = Text(en="the file has a header and no rows", de="die Datei hat nur eine Kopfzeile")


@dataclass(frozen=True)
class FileTable:
    """One file as read: its columns, the row number of each row, a sentence about how, and which export it is."""

    table: pa.Table
    row: npt.NDArray[np.int64]
    notes: tuple[Text, ...]
    export_id: str = ""


def read_delimited(data: bytes, file: str, options: ReadOptions) -> FileTable:
    """The rows of a text file whose bytes are `data`.

    Raises
    ------
    HistoryError
        With every problem of this file: undecodable bytes, no rows, column names given twice, rows with too many
        or too few cells, quotes that are not closed, a separator that does not divide the rows.
    """
    if not holds_text(data):
        raise HistoryError([no_rows(file, EMPTY)])
    text, encoding = to_utf8(data, options.encoding, file)
    named, text = dialect.directive(text)
    separator = separator_of(text, options.separator or named, file)
    header = next(dialect.rows(dialect.sample(text), separator), None)
    if header is None:
        raise HistoryError([no_rows(file, EMPTY)])
    columns = columns_of(header)
    odd = OddRows()
    cells = _cells(text, separator, len(columns), odd, file)
    problems = [
        *_twice(columns, file),
        *odd_row_problems(odd, len(columns), file),
        *open_quote_problems(cells, odd, text, separator, file),
    ]
    table, row = _filled(cells, columns, odd.other_numbers(len(cells)), options.missing)
    if not len(row) and not problems:
        problems.append(no_rows(file, ONLY_HEADER))
    if problems:
        raise HistoryError(problems)
    table, notes = _without_hollow(table, header, file)
    return FileTable(table, row, (text_note(file, encoding, separator, len(row)), *notes))


def columns_of(header: list[str]) -> list[str]:
    """The columns that a header row names; those without a name are called by their position."""
    return [name.strip().removeprefix("\ufeff") or f"column_{n}" for n, name in enumerate(header, start=1)]


def _without_hollow(table: pa.Table, header: list[str], file: str) -> tuple[pa.Table, list[Text]]:
    """The table without columns that have neither name nor content (a separator ends each line); notes on the rest."""
    unnamed = [position for position, name in enumerate(header) if not name.strip()]
    hollow = [position for position in unnamed if table.column(position).null_count == len(table)]
    kept = [position for position in range(table.num_columns) if position not in hollow]
    return table.select(kept), [_unnamed(file, position + 1) for position in unnamed if position not in hollow]


def holds_text(data: bytes) -> bool:
    """Whether there is anything besides a byte order mark, white space and separators."""
    around = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n;,|"
    return bool(data[:1000].strip(around) or data.strip(around))


def separator_of(text: bytes, declared: str | None, file: str) -> str:
    """The separator of UTF-8 text whose beginning is `text`; raises HistoryError if it does not divide the rows."""
    if declared is not None and (len(declared) != 1 or not declared.isascii() or declared in '"\r\n'):
        what = Text(en="the separator is not one character", de="das Trennzeichen ist nicht genau ein Zeichen")
        expected = Text(en="one ASCII character such as ; , or a tab", de="ein ASCII-Zeichen wie ; , oder Tabulator")
        raise HistoryError([Problem(file, what, expected, repr(declared), "separator")])
    start = dialect.sample(text)
    separator = declared or dialect.find_separator(start)
    if len(next(dialect.rows(start, separator), [])) == 1 and (mark := _missed(start, separator)):
        raise HistoryError([_misjudged(file, separator, mark)])
    return separator


def _missed(start: str, separator: str) -> str | None:
    """The character that divides what `separator` leaves as a single column."""
    found = dialect.find_separator(start)
    n_cells = len(next(dialect.rows(start, found), []))
    return found if found != separator and n_cells > 1 else dialect.overlooked(start)


def _misjudged(file: str, separator: str, mark: str) -> Problem:
    what = Text(
        en=f"the separator {separator!r} leaves one column; {mark!r} seems to divide the rows",
        de=f"das Trennzeichen {separator!r} ergibt nur eine Spalte; {mark!r} scheint die Zeilen zu teilen",
    )
    expected = Text(
        en="several columns; declare the separator of this file",
        de="mehrere Spalten; das Trennzeichen dieser Datei angeben",
    )
    return Problem(file, what, expected, repr(mark), "separator", (1,), 1)


def _cells(text: bytes, separator: str, n_columns: int, odd: OddRows, file: str) -> pa.Table:
    """Every row with the right number of cells, the header included, as strings in columns named by position."""
    names = [str(position) for position in range(n_columns)]
    block_bytes = min(max(len(text) // 8, SMALLEST_BLOCK_BYTES), LARGEST_ROW_BYTES)
    try:
        return pcsv.read_csv(
            pa.BufferReader(text),
            # One thread: only then does Arrow say which row was odd.
            read_options=pcsv.ReadOptions(use_threads=False, column_names=names, block_size=block_bytes),
            parse_options=pcsv.ParseOptions(
                delimiter=separator,
                newlines_in_values=b'"' in text,
                ignore_empty_lines=False,  # they count as rows
                invalid_row_handler=odd,
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as failure:
        what = Text(en="the rows cannot be told apart", de="die Zeilen lassen sich nicht trennen")
        expected = Text(
            en=f"rows of at most {block_bytes:,} bytes with every quote closed",
            de=f"Zeilen mit höchstens {whole(block_bytes, 'de')} Bytes und geschlossenen Anführungszeichen",
        )
        raise HistoryError([Problem(file, what, expected, str(failure)[:200], "unreadable")]) from failure


def _filled(
    cells: pa.Table, columns: list[str], row: npt.NDArray[np.int64], missing: tuple[str, ...]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The table without header and empty rows, cells stripped, nulls for what is missing; and its row numbers."""
    keep = _holding(cells)
    keep[: int(np.argmax(keep)) + 1] = False  # the header is the first row that holds anything
    start = int(np.argmax(keep)) if keep.any() else len(keep)
    table = pa.Table.from_arrays([cleaned_strings(column, missing) for column in cells.columns], names=columns)
    rest = table.slice(start)
    return (rest if keep[start:].all() else rest.filter(pa.array(keep[start:]))), row[keep]


def _holding(cells: pa.Table) -> npt.NDArray[np.bool_]:
    """Which rows have at least one cell that is not blank."""
    holding = np.zeros(len(cells), dtype=bool)
    for column in cells.columns:
        if holding.all():
            break
        holding |= np.asarray(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(column)), 0))
    return holding


def cleaned_strings(column: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.ChunkedArray:
    """The strings stripped of white space; null where nothing or a declared placeholder is left."""
    stripped = pc.utf8_trim_whitespace(column)
    blank = pc.is_in(stripped, value_set=pa.array(["", *missing], type=stripped.type))
    return pc.if_else(blank, pa.scalar(None, type=stripped.type), stripped)


def _twice(columns: list[str], file: str) -> list[Problem]:
    what = Text(en="the header names this column more than once", de="die Kopfzeile nennt diese Spalte mehrfach")
    expected = Text(en="every column name once", de="jeden Spaltennamen nur einmal")
    return [
        Problem(in_column(file, name), what, expected, f"{n} × {name!r}", "duplicate_column", (1,), 1)
        for name, n in Counter(columns).items()
        if n > 1
    ]


def no_rows(file: str, what: Text) -> Problem:
    """The problem of a file without rows."""
    expected = Text(en="a header and at least one row", de="eine Kopfzeile und mindestens eine Zeile")
    return Problem(file, what, expected, "", "no_rows")


def text_note(file: str, encoding: str, separator: str, n_rows: int) -> Text:
    """How a text file was read."""
    return Text(
        en=f"{file}: {whole(n_rows, 'en')} rows, encoding {encoding}, separator {separator!r}",
        de=f"{file}: {whole(n_rows, 'de')} Zeilen, Kodierung {encoding}, Trennzeichen {separator!r}",
    )


def _unnamed(file: str, position: int) -> Text:
    return Text(
        en=f"{file}: column {position} has no name in the header and is called column_{position}",
        de=f"{file}: Spalte {position} hat in der Kopfzeile keinen Namen und heißt column_{position}",
    )
