"""Finds quotation marks that were opened and never closed: they hide rows without making any row look odd."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import Problem
from features.sources.odd_rows import OddRows
from features.sources.table import ROWS_SHOWN
from features.text import Text

FEWEST_COLUMNS = 3  # with two columns every line of prose that holds one comma would look like a row
FEWEST_LINES = 2


def open_quote_problems(cells: pa.Table, odd: OddRows, text: bytes, separator: str, file: str) -> list[Problem]:
    """A problem for the rows in which a quotation mark was opened and not closed, if there are any."""
    positions = set(_swallowing_rows(cells, separator))
    if _ends_open(cells, text):
        positions.add(len(cells) - 1)
    row = odd.other_numbers(len(cells))
    numbers = [int(row[position]) for position in sorted(positions)]
    if odd.numbers and odd.last_text.count('"') % 2 == 1 and "\n" in odd.last_text:
        numbers.append(odd.numbers[-1])
    if not numbers:
        return []
    what = Text(
        en="a quotation mark is opened and not closed: the cell swallows the lines after it",
        de="ein Anführungszeichen wird nicht geschlossen: die Zelle verschluckt die folgenden Zeilen",
    )
    expected = Text(
        en='quotes in pairs around a cell, quotes inside of it doubled ("")',
        de='Anführungszeichen paarweise um die Zelle, innere verdoppelt ("")',
    )
    return [Problem(file, what, expected, "", "open_quote", tuple(numbers[:ROWS_SHOWN]), len(numbers))]


def _ends_open(cells: pa.Table, text: bytes) -> bool:
    """Whether the text ends inside of a quoted cell, which is then the last cell of the last row."""
    if text.count(b'"') % 2 == 0 or not len(cells):
        return False
    last = cells.column(cells.num_columns - 1)[-1].as_py()
    if not last:
        return (len(text) - len(text.rstrip(b'"'))) % 2 == 1
    return text.endswith(b'"' + last.replace('"', '""').encode())


def _swallowing_rows(cells: pa.Table, separator: str) -> Iterator[int]:
    """Positions of rows with a cell whose inner lines are all rows: its quote was closed by a later row's."""
    if cells.num_columns < FEWEST_COLUMNS:
        return
    for column in cells.columns:
        positions = np.flatnonzero(np.asarray(pc.match_substring(column, "\n")))
        for position in positions:
            if _holds_rows(column[int(position)].as_py(), separator, cells.num_columns):
                yield int(position)


def _holds_rows(cell: str, separator: str, n_columns: int) -> bool:
    inner = cell.splitlines()[1:-1]
    return len(inner) >= FEWEST_LINES and all(line.count(separator) == n_columns - 1 for line in inner)
