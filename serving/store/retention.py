"""Leads to which nothing has happened for as long as the definition keeps them: they are removed.

What happens to a lead is everything that comes in about it: a score, an outcome, a verdict. Objections stay, because
they are kept for the person's sake; so do erasures, which know nobody. That a lead went into an export is kept for as
long after the export: until then, the receipt of a later erasure can name the models that learnt from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, Select, Table, delete, exists, func, select

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.log import Log
from serving.store.removal import remove
from serving.store.rows import ROWS_PER_STATEMENT, rows_of, where_in
from serving.store.tables import exported_leads, exports, leads, objections, outcomes, scores, verdicts
from serving.store.writer import Writer

PATIENCE_S = 30.0
"""How long emptying SQLite's log is tried: nobody waits for retention, and the process that runs it ends after it."""
HAPPENINGS: tuple[Table, ...] = (scores, outcomes, verdicts)


class Retention:
    """Removes what has been kept for long enough. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer, log: Log) -> None:
        self._engine = engine
        self._writer = writer
        self._log = log

    def n_older(self, than: datetime) -> int:
        """How many leads had nothing happen to them since `than`."""
        query = select(func.count()).select_from(_older(than).subquery())
        with outside(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def remove_older(self, than: datetime) -> dict[str, int]:
        """How many rows were removed, by table, with the leads that had nothing happen to them since `than`.

        With them goes in which exports from before `than` leads stood that are not known any more otherwise. Removed in
        small parts, so that the service goes on writing between them. Waits up to `PATIENCE_S` for readers of the log.

        Raises
        ------
        StoreDownError
            If the database fails; the parts until then are removed.
        """
        removed: Counter[str] = Counter()
        for part in self._parts(than):
            counted: dict[str, int] = self._writer.write(_remove, (part, than))
            removed.update(counted)
        while forgotten := self._writer.write(_forget, than):
            removed[exported_leads.name] += forgotten
        self._log.empty_patiently(PATIENCE_S)
        return dict(removed)

    @property
    def log_holds_removed(self) -> bool:
        """Whether the log of SQLite may still hold what was removed, because somebody reads who began before."""
        return self._log.holds_removed

    def _parts(self, than: datetime) -> Iterator[tuple[str, ...]]:
        while True:
            with outside(), self._engine.connect() as connection:
                part = tuple(row.lead_id for row in connection.execute(_older(than).limit(ROWS_PER_STATEMENT)))
            if not part:
                return
            yield part


def _older(than: datetime) -> Select[tuple[str]]:
    since = [exists().where(table.c.lead_id == leads.c.lead_id, table.c.received_at >= than) for table in HAPPENINGS]
    return select(leads.c.lead_id).where(leads.c.first_scored_at < than, *(~happened for happened in since))


def _remove(
    connection: Connection, wanted: Sequence[tuple[tuple[str, ...], datetime]]
) -> list[dict[str, int] | LeadQualityError]:
    """Looked up again here, where nobody else writes: something may have happened to one of them meanwhile."""
    results: list[dict[str, int] | LeadQualityError] = []
    for lead_ids, than in wanted:
        still = [row.lead_id for row in rows_of(connection, where_in(_older(than), leads.c.lead_id), lead_ids)]
        results.append(remove(connection, still, keeping=[objections, exported_leads]))
    return results


def _forget(connection: Connection, wanted: Sequence[datetime]) -> list[int | LeadQualityError]:
    """Of how many rows it was forgotten in which exports leads stood; at most a part of them at a time."""
    return [_forgotten(connection, than) for than in wanted]


def _forgotten(connection: Connection, than: datetime) -> int:
    old = select(exports.c.export_id).where(exports.c.exported_at < than)
    unknown = ~exists().where(leads.c.lead_id == exported_leads.c.lead_id)
    chosen = select(exported_leads.c.lead_id).where(exported_leads.c.export_id.in_(old), unknown)
    part = list(connection.execute(chosen.distinct().limit(ROWS_PER_STATEMENT)).scalars())
    if not part:
        return 0
    gone = delete(exported_leads).where(exported_leads.c.export_id.in_(old), exported_leads.c.lead_id.in_(part))
    return connection.execute(gone).rowcount
