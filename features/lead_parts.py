"""The leads of an export of any size, part by part: the same leads as `features.history.read_leads` gives at once.

What only the whole export can say is settled first: which decimal sign and which order of day and month a column has,
and which ids stand in it more than once. Then every part is read by the rules of features/history.py.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from features.definition import LeadDefinition
from features.errors import HistoryError, Problem
from features.history import DATES, KNOWN_BEFORE, CountedWords, Reader, Settled, stripped, told
from features.sources.chunks import Chunks, chunks_of
from features.sources.dates import DateEvidence, date_evidence
from features.sources.files import Files
from features.sources.numbers import NumberEvidence, number_evidence
from features.sources.repeats import repeated_texts
from features.sources.table import RawTable, merged
from features.text import Text

ROWS = 50_000


@dataclass(frozen=True)
class LeadParts:
    """An export, ready to be read in parts.

    Attributes
    ----------
    n_leads : int
        Rows of the export.
    """

    definition: LeadDefinition
    chunks: Chunks
    settled: Settled
    rows: int
    counted: Counter[tuple[CountedWords, str]] = field(default_factory=Counter)

    @property
    def n_leads(self) -> int:
        """Rows of the export."""
        return self.chunks.n_rows

    def read(self) -> Iterator[pd.DataFrame]:
        """The leads, at most `rows` at a time, as `read_leads` gives them.

        Raises
        ------
        HistoryError
            After the last row, with every problem of the export; leads that came before are worth nothing then.
        """
        problems: list[Problem] = []
        for table in self.chunks.read(_present(self.definition, self.chunks), self.rows):
            reader = Reader(self.definition, table, settled=self.settled)
            try:
                leads = reader.leads()
            except HistoryError as error:
                problems += error.problems
                continue
            self.counted.update(reader.counted)
            if not problems:
                yield leads
        if problems:
            raise HistoryError(merged(problems))

    def notes(self) -> list[Text]:
        """How the export was read; what is counted by value is complete after the last part."""
        read = self.definition.read
        evidence = {
            **{column: found.note(read.decimal) for column, found in self.settled.numbers.items()},
            **{column: found.note(read.dates) for column, found in self.settled.dates.items()},
        }
        settled = [Text(f"{column}: {note.en}", f"{column}: {note.de}") for column, note in evidence.items() if note]
        return [*self.chunks.notes, *settled, *told(self.counted)]


@contextmanager
def lead_parts(definition: LeadDefinition, files: Files, *, rows: int = ROWS) -> Iterator[LeadParts]:
    """The export, to be read in parts of at most `rows` rows; copies of text files live in a temporary directory.

    Raises
    ------
    HistoryError
        With every problem of the files; problems of single columns come while reading.
    """
    with tempfile.TemporaryDirectory(prefix="leads-") as folder:
        chunks = chunks_of(files, _wanted(definition), Path(folder))
        yield LeadParts(definition, chunks, _settle(definition, chunks, Path(folder), rows), rows)


def _wanted(definition: LeadDefinition) -> list[str]:
    """The columns that leads are read from."""
    roles = definition.columns.named()
    known = [roles[role] for role in KNOWN_BEFORE if role in roles]
    return list(dict.fromkeys([*known, *(agreed.column for agreed in definition.fields.values())]))


def _present(definition: LeadDefinition, chunks: Chunks) -> list[str]:
    return [column for column in _wanted(definition) if column in chunks.columns]


def _settle(definition: LeadDefinition, chunks: Chunks, folder: Path, rows: int) -> Settled:
    """One pass over the columns of text that hold numbers or dates, and one over the ids."""
    found = _Evidence(definition, {kind.name for kind in chunks.kinds if kind.type == "large_string"})
    for table in chunks.read(found.columns(), rows) if found.columns() else ():
        found.add(table)
    ids = definition.columns.named().get("id")
    repeated = frozenset[str]()
    if ids in chunks.columns:
        repeated = repeated_texts(lambda: (stripped(table.frame[ids]) for table in chunks.read([ids], rows)), folder)
    return Settled(chunks.columns, found.numbers, found.dates, repeated, len(chunks.files) > 1)


class _Evidence:
    """What the columns of text say about how their numbers and dates are written."""

    def __init__(self, definition: LeadDefinition, texts: set[str]) -> None:
        self._definition = definition
        roles = definition.columns.named()
        kinds = {role: "date" if role in DATES else "number" for role in ("created", "as_of", "order")}
        named = [(roles[role], kind, None) for role, kind in kinds.items() if role in roles]
        fields = [(agreed.column, agreed.type, agreed) for agreed in definition.fields.values()]
        self._asked = [each for each in (*named, *fields) if each[0] in texts and each[1] in ("number", "date")]
        self.numbers: dict[str, NumberEvidence] = {}
        self.dates: dict[str, DateEvidence] = {}

    def columns(self) -> list[str]:
        """The columns to be looked at."""
        return list(dict.fromkeys(column for column, _, _ in self._asked))

    def add(self, table: RawTable) -> None:
        """Count what the cells of some rows say."""
        reader = Reader(self._definition, table)
        for column, kind, agreed in self._asked:
            cells = reader.cells(column, agreed)
            if kind == "date":
                self.dates[column] = self.dates.get(column, DateEvidence()) + date_evidence(cells)
            else:
                self.numbers[column] = self.numbers.get(column, NumberEvidence()) + number_evidence(cells)
