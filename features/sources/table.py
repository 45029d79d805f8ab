"""What every source yields: rows, and where a person finds each of them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import Problem
from features.text import Text

ROWS_SHOWN = 5
VALUES_SHOWN = 3
CHARACTERS_SHOWN = 40

Positions = npt.NDArray[np.bool_] | npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Place:
    """Where some rows stand in one file.

    Attributes
    ----------
    where : str
        `leads.csv`, or `leads.csv column "closed_at"`.
    rows : tuple of int
        The first few row numbers, ascending, as `RawTable.row` counts them.
    n_rows : int
        How many rows are meant in this file.
    positions : numpy.ndarray of int
        The same rows as positions in `RawTable.frame`, all of them.
    """

    where: str
    rows: tuple[int, ...]
    n_rows: int
    positions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class RawTable:
    """The rows of an export, untouched except that empty cells and declared placeholders are missing.

    Attributes
    ----------
    frame : pandas.DataFrame
        `(n_rows, n_columns)` with a plain range index. From text files every column is `str` with NA for an empty
        cell; Parquet keeps its types (integers and booleans with gaps become `Int64` and `boolean`).
    file : numpy.ndarray of object
        `(n_rows,)`, the name of the file that the row stands in.
    row : numpy.ndarray of int
        `(n_rows,)`, the row number that a spreadsheet shows: the header is row 1, an empty line counts as a row,
        and a record whose quoted cell spans several lines counts once. An Excel `sep=;` line is not counted, as
        Excel does not show it. In Parquet, which has no header row, the first record is row 2 all the same.
    notes : tuple of Text
        One sentence per file: how it was read (encoding, separator, rows) and what was left out.
    exports : tuple of str
        The ids of the service's exports that the rows come from; see `features.exported`.
    n_erased : int
        Rows that were left out because their lead was erased.
    """

    frame: pd.DataFrame
    file: npt.NDArray[np.object_]
    row: npt.NDArray[np.int64]
    notes: tuple[Text, ...] = ()
    exports: tuple[str, ...] = ()
    n_erased: int = 0

    def place(self, column: str | None, positions: Positions) -> tuple[Place, ...]:
        """One `Place` per file that holds any of `positions` (a mask or positions), in the order of reading."""
        chosen = np.flatnonzero(positions) if positions.dtype == np.bool_ else np.sort(positions).astype(np.int64)
        return tuple(self._places(column, chosen.astype(np.int64)))

    def problems(
        self, column: str | None, positions: Positions, *, what: Text, expected: Text, code: str
    ) -> list[Problem]:
        """One `Problem` per file for the rows at `positions`, with the values seen there in `column`."""
        return [
            Problem(place.where, what, expected, self._seen(column, place), code, place.rows, place.n_rows)
            for place in self.place(column, positions)
        ]

    def _places(self, column: str | None, chosen: npt.NDArray[np.int64]) -> Iterator[Place]:
        codes, names = pd.factorize(self.file[chosen])
        for code, name in enumerate(names):
            positions = chosen[codes == code]
            rows = tuple(int(row) for row in self.row[positions[:ROWS_SHOWN]])
            yield Place(in_column(str(name), column), rows, len(positions), positions)

    def _seen(self, column: str | None, place: Place) -> str:
        if column is None or column not in self.frame.columns:
            return ""
        return shown(self.frame[column].iloc[place.positions].dropna().drop_duplicates().head(VALUES_SHOWN + 1))


def merged(problems: Iterable[Problem]) -> list[Problem]:
    """The problems of parts of a file as those of the file: the same fault in the same place is told once."""
    found: dict[tuple[str, Text, str], Problem] = {}
    for problem in problems:
        key = (problem.where, problem.what, problem.code)
        before = found.get(key)
        if before is None:
            found[key] = problem
        elif before.rows != problem.rows:  # a fault of the header is that of every part
            rows = (*before.rows, *problem.rows)[:ROWS_SHOWN]
            found[key] = replace(before, rows=rows, n_rows=before.n_rows + problem.n_rows)
    return list(found.values())


def in_column(file: str, column: str | None) -> str:
    """The place of a column as problems write it."""
    return file if column is None else f'{file} column "{column}"'


def shown(values: pd.Series) -> str:
    """The first few values as a person reads them, long ones shortened, an ellipsis where there are more."""
    words = [repr(value) if isinstance(value, str) else str(value) for value in values.head(VALUES_SHOWN)]
    words = [word if len(word) <= CHARACTERS_SHOWN else word[: CHARACTERS_SHOWN - 1] + "…" for word in words]
    return ", ".join([*words, "…"] if len(values) > VALUES_SHOWN else words)
