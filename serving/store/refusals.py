"""Leads about which nothing new is stored: whose person objected, and which were erased."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select

from serving.store.errors import LeadRefusedError
from serving.store.rows import rows_where_in
from serving.store.tables import erasures, objections


def refused_leads(connection: Connection, lead_ids: Sequence[str]) -> dict[str, LeadRefusedError]:
    """Why a lead may not be scored, for those that may not."""
    ids = list(dict.fromkeys(lead_ids))
    by_hash = {lead_hash(lead_id): lead_id for lead_id in ids}
    objected = rows_where_in(
        connection, select(objections.c.lead_id, objections.c.objected_at), objections.c.lead_id, ids
    )
    erased = rows_where_in(
        connection, select(erasures.c.lead_hash, erasures.c.erased_at), erasures.c.lead_hash, list(by_hash)
    )
    found = {row.lead_id: LeadRefusedError.objected(row.lead_id, row.objected_at) for row in objected}
    for row in erased:
        lead_id = by_hash[row.lead_hash]
        found[lead_id] = LeadRefusedError.erased(lead_id, row.erased_at)
    return found


def lead_hash(lead_id: str) -> str:
    """SHA-256 of a lead's id: what is kept of an erased lead, only to recognise it when it is sent again."""
    return hashlib.sha256(f"lead {lead_id}".encode()).hexdigest()
