"""What the figures count, read at one moment; serving/store/counted.py says how it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from features.errors import LeadQualityError
from serving.kpis import counting
from serving.kpis.columns import LeadColumns
from serving.kpis.counts import Counts, Selection
from serving.store.counted import PART, Kept, columns, fold, n_changes
from serving.store.errors import outside
from serving.store.writer import Writer

FEW, MANY = 256, 20_000
"""Changes from which they are put away: where figures are read, and where nobody has asked for any since."""


class Figures:
    """Counts over all leads. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer
        self._asked = False
        self._kept: Kept | None = None

    def counts(self, selection: Selection) -> Counts:
        """What has become of the leads of `selection`.

        Raises
        ------
        StoreDownError
            If the database fails.
        """
        return counting.count(self.columns(), selection)

    def probabilities(self, selection: Selection) -> list[float]:
        """What the first scores said of the leads first scored in the period, the highest first."""
        return counting.probabilities(self.columns(), selection)

    def columns(self) -> LeadColumns:
        """All leads, as columns; several counts over them are of the same moment."""
        self._asked = True
        with self._snapshot() as connection:
            leads, self._kept = columns(connection, self._kept)
        return leads

    def n_changes(self) -> int:
        """How many changes of leads every reader looks up."""
        with outside(), self._engine.connect() as connection:
            return n_changes(connection)

    def fold(self) -> int:
        """How many changes readers need not look up any more, a part of all; 0 if there are none.

        Raises
        ------
        StoreDownError
            If the database fails; figures are right all the same.
        """
        return self._writer.write(_fold, None)

    def fold_what_is_due(self) -> None:
        """Fold until few changes are left, part by part: what else is to be written goes in between."""
        if self.n_changes() >= (FEW if self._asked else MANY):
            self._asked = False
            while self.fold() >= PART:
                pass

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees one moment throughout, so that blocks and changes belong together."""
        engine = self._engine
        if engine.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with outside(), engine.connect() as connection:
            yield connection


def _fold(connection: Connection, wanted: Sequence[None]) -> list[int | LeadQualityError]:
    return [fold(connection) for _ in wanted]
