"""The character between the cells, found from the first rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

CANDIDATES = (
    "\t",
    ";",
    "|",
    ",",
)  # at equal evidence the earlier wins: commas also stand in numbers and sentences
ROWS_JUDGED = 500
SAMPLE_CHARACTERS = 120_000  # below the csv module's limit for one cell (131,072)
DIRECTIVE = re.compile(rb'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a separator explains the sample: cells in the header, share of rows with as many, and with several."""

    separator: str
    n_cells: int
    regular: float
    divided: float


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
    return max(dividing, key=lambda fit: (fit.n_cells > 1, round(fit.regular, 2), fit.n_cells)).separator


def overlooked(text: str) -> str | None:
    """A character that divides the only column as evenly as a separator would, or None."""
    lines = [line for line in text.splitlines()[:ROWS_JUDGED] if line]
    marks = dict.fromkeys(mark for mark in lines[0] if not (mark.isalnum() or mark in " _-.()\"'/%"))
    return next((mark for mark in marks if _divides_evenly(lines, mark)), None)


def _divides_evenly(lines: list[str], mark: str) -> bool:
    counts = [line.count(mark) for line in lines]
    return len(lines) > 1 and counts[1:].count(counts[0]) >= 0.9 * len(counts[1:])


def _fit(text: str, separator: str) -> Fit:
    read = [row for row, _ in zip(rows(text, separator), range(ROWS_JUDGED + 1), strict=False)]
    if not read:
        return Fit(separator, 0, 0.0, 0.0)
    n_cells = len(read[0])
    regular = [len(row) == n_cells and not any(map(_is_torn, row)) for row in read]
    return Fit(separator, n_cells, sum(regular) / len(read), sum(len(row) > 1 for row in read) / len(read))


def _is_torn(cell: str) -> bool:
    """Whether a quote stands alone in the cell: a separator inside of quotes was taken for a real one."""
    return cell.count('"') % 2 == 1
