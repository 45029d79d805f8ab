"""Finds quotation marks that were opened and never closed: they hide rows without making any row look odd."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FEWEST_COLUMNS = 3  # with two columns every line of prose that holds one comma would look like a row
FEWEST_LINES = 2


def ends_open(cells: pa.Table, text: bytes) -> bool:
    """Whether the text ends inside of a quoted cell, which is then the last cell of the last row."""
    if text.count(b'"') % 2 == 0 or not len(cells):
        return False
    last = cells.column(cells.num_columns - 1)[-1].as_py()
    if not last:
        return (len(text) - len(text.rstrip(b'"'))) % 2 == 1
    return text.endswith(b'"' + last.replace('"', '""').encode())


def swallowing_rows(cells: pa.Table, separator: str) -> Iterator[int]:
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
