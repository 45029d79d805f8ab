"""Leads that are refused: whose person objected are not scored any more, and about erased ones nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from features.erased import lead_hash
from serving.store.errors import LeadRefusedError
from serving.store.rows import rows_of, where_in
from serving.store.tables import erasures, objections

OBJECTED = where_in(select(objections.c.lead_id, objections.c.objected_at), objections.c.lead_id)
ERASED = where_in(select(erasures.c.lead_hash, erasures.c.erased_at), erasures.c.lead_hash)


def refused_leads(connection: Connection, lead_ids: Sequence[str]) -> dict[str, LeadRefusedError]:
    """Why a lead may not be scored, for those that may not."""
    ids = list(dict.fromkeys(lead_ids))
    objected = rows_of(connection, OBJECTED, ids)
    found = {row.lead_id: LeadRefusedError.objected(row.lead_id, row.objected_at) for row in objected}
    return found | erased_leads(connection, ids)


def erased_leads(connection: Connection, lead_ids: Sequence[str]) -> dict[str, LeadRefusedError]:
    """That a lead was erased, for those that were: nothing at all is stored about them."""
    by_hash = {lead_hash(lead_id): lead_id for lead_id in lead_ids}
    erased = rows_of(connection, ERASED, list(by_hash))
    return {
        lead_id: LeadRefusedError.erased(lead_id, row.erased_at)
        for row in erased
        for lead_id in [by_hash[row.lead_hash]]
    }
