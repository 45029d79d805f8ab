"""Objections: leads whose person does not want to be scored. The first stands until it is withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Engine, delete, select

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.records import Objection
from serving.store.refusals import erased_leads
from serving.store.rows import insert_missing, rows_of, where_in
from serving.store.tables import objections
from serving.store.writer import Writer

STANDING = where_in(select(objections), objections.c.lead_id)


class Objections:
    """Objections in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def object(self, objection: Objection) -> Objection:
        """The objection that stands, committed: this one, or an earlier one. The lead need not have been scored.

        Raises
        ------
        LeadRefusedError
            If the lead was erased: then it is never scored anyway, and nothing about it is stored.
        StoreDownError
            If the database fails; then nothing was acknowledged.
        """
        return self._writer.write(_object, objection)

    def withdraw(self, lead_id: str) -> None:
        """Return when no objection of this lead stands any more.

        Raises
        ------
        StoreDownError
            If the database fails; then nothing was acknowledged.
        """
        self._writer.write(_withdraw, lead_id)

    def of_lead(self, lead_id: str) -> Objection | None:
        """The objection that stands; None if there is none."""
        with outside(), self._engine.connect() as connection:
            return _standing(connection, [lead_id]).get(lead_id)


def _object(connection: Connection, wanted: Sequence[Objection]) -> list[Objection | LeadQualityError]:
    lead_ids = list(dict.fromkeys(objection.lead_id for objection in wanted))
    erased = erased_leads(connection, lead_ids)
    new = [asdict(objection) for objection in wanted if objection.lead_id not in erased]
    if new:
        insert_missing(connection, objections, new)
    standing = _standing(connection, lead_ids)
    return [erased.get(objection.lead_id) or standing[objection.lead_id] for objection in wanted]


def _withdraw(connection: Connection, lead_ids: Sequence[str]) -> list[LeadQualityError | None]:
    connection.execute(delete(objections).where(objections.c.lead_id.in_(lead_ids)))
    return [None] * len(lead_ids)


def _standing(connection: Connection, lead_ids: Sequence[str]) -> dict[str, Objection]:
    found = rows_of(connection, STANDING, lead_ids)
    return {row.lead_id: Objection(**row._mapping) for row in found}
