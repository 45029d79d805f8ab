"""Rows whose number of cells is not the header's: a separator or a quotation mark went astray there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow.csv as pcsv

from features.errors import Problem
from features.sources.table import ROWS_SHOWN, VALUES_SHOWN
from features.text import Text


@dataclass
class OddRows:
    """Collects the rows whose number of cells is not the header's, as Arrow's reader meets them."""

    numbers: list[int] = field(default_factory=list)
    n_cells: list[int] = field(default_factory=list)
    last_text: str = ""

    def __call__(self, row: pcsv.InvalidRow) -> str:
        """Note the row; Arrow goes on without it."""
        self.numbers.append(row.number)
        self.n_cells.append(row.actual_columns)
        self.last_text = row.text
        return "skip"

    def other_numbers(self, n_others: int) -> npt.NDArray[np.int64]:
        """`(n_others,)`, the row numbers of the rows that were not odd."""
        every = np.ones(n_others + len(self.numbers), dtype=bool)
        every[np.asarray(self.numbers, dtype=np.int64) - 1] = False
        return np.flatnonzero(every) + 1


def odd_row_problems(odd: OddRows, n_columns: int, file: str) -> list[Problem]:
    """A problem for the rows with too few cells and one for those with too many."""
    n_cells, numbers = np.asarray(odd.n_cells, dtype=np.int64), np.asarray(odd.numbers, dtype=np.int64)
    kinds = {
        "too_few_cells": (
            n_cells < n_columns,
            Text(en="rows have too few cells", de="Zeilen haben zu wenige Zellen"),
        ),
        "too_many_cells": (
            n_cells > n_columns,
            Text(en="rows have too many cells", de="Zeilen haben zu viele Zellen"),
        ),
    }
    expected = Text(
        en=f"as many cells as the header ({n_columns}); cells that hold the separator stand in quotes",
        de=f"so viele Zellen wie die Kopfzeile ({n_columns}); Zellen mit Trennzeichen stehen in Anführungszeichen",
    )
    return [
        Problem(file, what, expected, _counts(n_cells[mask]), code, _first(numbers[mask]), int(mask.sum()))
        for code, (mask, what) in kinds.items()
        if mask.any()
    ]


def _counts(n_cells: npt.NDArray[np.int64]) -> str:
    return ", ".join(str(n) for n in np.unique(n_cells)[:VALUES_SHOWN])


def _first(numbers: npt.NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers[:ROWS_SHOWN])
