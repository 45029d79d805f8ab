"""The character between the cells, found from the first rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

CANDIDATES = (
    "\t",
    ";",
    "|",
    ",",
)  # at equal evidence the earlier wins: commas also stand in numbers and sentences
ROWS_JUDGED = 500
SAMPLE_CHARACTERS = 120_000  # below the csv module's limit for one cell (131,072)
TORN = re.compile(r'[\t;|,]"|"[\t;|,]')  # a quote beside another candidate: that one is the real separator
DIRECTIVE = re.compile(rb'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a separator explains the sample.

    Attributes
    ----------
    n_cells : int
        Cells of the header.
    regular : float
        Share of rows with as many cells as the header, none of them torn out of quotes.
    divided : float
        Share of rows with several cells.
    prose : float
        Share of cells that begin with a space, as after the commas of a sentence.
    """

    separator: str
    n_cells: int
    regular: float
    divided: float
    prose: float

    @property
    def evidence(self) -> tuple[bool, float, float, int]:
        """Sorts fits from worst to best."""
        return self.n_cells > 1, round(self.regular, 2), -round(self.prose, 2), self.n_cells


def directive(data: bytes) -> tuple[str | None, bytes]:
    """The separator that Excel's first line `sep=;` names, if there is one, and the text after that line."""
    match = DIRECTIVE.match(data)
    return (match[1].decode(), data[match.end() :]) if match else (None, data)


def sample(data: bytes) -> str:
    """The first rows of UTF-8 `data`; a last line that was cut off is left out."""
    text = data[: 4 * SAMPLE_CHARACTERS].decode(errors="ignore")
    if len(text) <= SAMPLE_CHARACTERS and len(data) <= 4 * SAMPLE_CHARACTERS:
        return text
    text = text[:SAMPLE_CHARACTERS]
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def rows(text: str, separator: str) -> Iterator[list[str]]:
    """The rows of `text` that hold anything, as lists of cells."""
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, row)))


def find_separator(text: str) -> str:
    """The separator under which most rows have as many cells as the header and no cell holds a stray quote.

    Where none divides the header but one divides most rows, it is that one: then the header is at fault. Where none
    divides either, the file has one column, and a candidate that does not occur keeps it whole (see `overlooked`).
    """
    fits = [_fit(text, separator) for separator in CANDIDATES]
    dividing = [fit for fit in fits if fit.divided >= 0.5]
    if not dividing:
        return next((separator for separator in CANDIDATES if separator not in text), CANDIDATES[0])
    return max(dividing, key=lambda fit: fit.evidence).separator


def overlooked(text: str) -> str | None:
    """A character that divides the only column as evenly as a separator would, or None."""
    lines = [line for line in text.splitlines()[:ROWS_JUDGED] if line]
    marks = dict.fromkeys(mark for mark in lines[0] if not (mark.isalnum() or mark in " _-.()\"'/%"))
    return next((mark for mark in marks if _divides_evenly(lines, mark)), None)


def _divides_evenly(lines: list[str], mark: str) -> bool:
    counts = [line.count(mark) for line in lines]
    return len(lines) > 1 and counts[1:].count(counts[0]) >= 0.9 * len(counts[1:])


def _fit(text: str, separator: str) -> Fit:
    read = list(islice(rows(text, separator), ROWS_JUDGED))
    if not read:
        return Fit(separator, 0, 0.0, 0.0, 0.0)
    n_cells, cells = len(read[0]), [cell for row in read for cell in row]
    regular = sum(len(row) == n_cells and not any(map(TORN.search, row)) for row in read)
    divided, prose = sum(len(row) > 1 for row in read), sum(cell.startswith(" ") for cell in cells)
    return Fit(separator, n_cells, regular / len(read), divided / len(read), prose / len(cells))
