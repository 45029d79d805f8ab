"""Exports of the stored history: the leads as they are read for one, and the record of which lead went into which.

A lead is recorded before its row is written to a file, in a transaction that also looks whether it may still be
exported. So an erasure either comes first, and the lead stays out, or it comes later and finds the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, insert, select, update

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.refusals import refused_leads
from serving.store.rows import insert_missing
from serving.store.tables import exported_leads, exports, leads, scores
from serving.store.writer import Writer

LEADS_PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead as it stood when it was scored first, and what has become of it since.

    Attributes
    ----------
    as_of, received_at, bundle_id, probability, handover, inputs
        Of the score that was answered first; `inputs` is the JSON of its fields as they came.
    outcome : str or None
        "won", "lost" or "open"; None if none was told.
    """

    lead_id: str
    account_id: str | None
    as_of: datetime
    received_at: datetime
    bundle_id: str
    definition_fingerprint: str
    probability: float
    handover: str
    inputs: bytes
    outcome: str | None
    outcome_at: datetime | None
    outcome_latest_at: datetime | None
    value: float | None
    handed_over_at: datetime | None
    first_contact_at: datetime | None
    verdict: str | None


@dataclass(frozen=True, slots=True)
class NewExport:
    """An export that begins."""

    export_id: str
    exported_at: datetime
    definition_fingerprint: str


class Exports:
    """What was exported. Methods block on the database."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def past_leads(self, per_page: int = LEADS_PER_PAGE) -> Iterator[list[PastLead]]:
        """Every lead that was scored, by pages in the order of ids; never more than a page is held."""
        after = ""
        while page := self._page(after, per_page):
            yield page
            after = page[-1].lead_id

    def begin(self, export: NewExport) -> None:
        """Record an export to which leads will be added."""
        self._writer.write(_begin, export)

    def add(self, export_id: str, lead_ids: Sequence[str]) -> frozenset[str]:
        """Record that these leads go into an export; returns those that may not: objected, or erased meanwhile."""
        return self._writer.write(_add, (export_id, lead_ids))

    def finish(self, export_id: str, n_leads: int) -> None:
        """Record how many leads an export holds."""
        self._writer.write(_finish, (export_id, n_leads))

    def discard(self, export_id: str) -> None:
        """Forget an export whose file was not written."""
        self._writer.write(_discard, export_id)

    def _page(self, after: str, per_page: int) -> list[PastLead]:
        query = _past_leads().where(leads.c.lead_id > after).order_by(leads.c.lead_id).limit(per_page)
        with outside(), self._engine.connect() as connection:
            return [PastLead(*row) for row in connection.execute(query)]


def _past_leads() -> Select[Any]:
    first = (
        scores.c.as_of,
        scores.c.received_at,
        scores.c.bundle_id,
        scores.c.definition_fingerprint,
        scores.c.probability,
        scores.c.handover,
        scores.c.inputs,
    )
    told = (leads.c.outcome, leads.c.outcome_at, leads.c.outcome_latest_at, leads.c.value)
    since = (*told, leads.c.handed_over_at, leads.c.first_contact_at, leads.c.verdict)
    columns: list[Any] = [leads.c.lead_id, leads.c.account_id, *first, *since]
    return select(*columns).join_from(leads, scores, scores.c.request_key == leads.c.first_key)


def _begin(connection: Connection, wanted: Sequence[NewExport]) -> list[LeadQualityError | None]:
    rows = [
        {
            "export_id": each.export_id,
            "exported_at": each.exported_at,
            "definition_fingerprint": each.definition_fingerprint,
            "n_leads": 0,
        }
        for each in wanted
    ]
    connection.execute(insert(exports), rows)
    return [None] * len(rows)


def _add(
    connection: Connection, wanted: Sequence[tuple[str, Sequence[str]]]
) -> list[frozenset[str] | LeadQualityError]:
    results: list[frozenset[str] | LeadQualityError] = []
    for export_id, lead_ids in wanted:
        refused = frozenset(refused_leads(connection, lead_ids))
        rows = [{"export_id": export_id, "lead_id": lead_id} for lead_id in lead_ids if lead_id not in refused]
        if rows:
            insert_missing(connection, exported_leads, rows)
        results.append(refused)
    return results


def _finish(connection: Connection, wanted: Sequence[tuple[str, int]]) -> list[LeadQualityError | None]:
    for export_id, n_leads in wanted:
        connection.execute(update(exports).where(exports.c.export_id == export_id).values(n_leads=n_leads))
    return [None] * len(wanted)


def _discard(connection: Connection, wanted: Sequence[str]) -> list[LeadQualityError | None]:
    for export_id in wanted:
        connection.execute(delete(exported_leads).where(exported_leads.c.export_id == export_id))
        connection.execute(delete(exports).where(exports.c.export_id == export_id))
    return [None] * len(wanted)
