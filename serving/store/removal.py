"""Removing leads from every table that knows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, delete, select

from serving.store.counted import forget
from serving.store.rows import ROWS_PER_STATEMENT
from serving.store.tables import lead_changes, lead_places, metadata, scores, shadow_scores

NOT_COUNTED = (lead_changes, lead_places)
"""What only says where the figures keep a lead is removed like everything else, and is no record about anybody."""


def tables_of_leads() -> list[Table]:
    """Every table with rows about single leads, in an order in which they can be emptied."""
    known_by_lead = [table for table in metadata.sorted_tables if "lead_id" in table.columns]
    return [shadow_scores, *reversed(known_by_lead)]


def remove(connection: Connection, lead_ids: Sequence[str], keeping: Sequence[Table] = ()) -> dict[str, int]:
    """How many rows about these leads were removed, by table; tables without any are left out.

    Parameters
    ----------
    keeping : sequence of Table
        Tables whose rows stay.
    """
    removed: dict[str, int] = {}
    for part in _parts(lead_ids):
        forget(connection, part)
        for table in tables_of_leads():
            if table not in keeping:
                removed[table.name] = removed.get(table.name, 0) + _removed(connection, table, part)
    not_counted = {table.name for table in NOT_COUNTED}
    return {name: n for name, n in removed.items() if n and name not in not_counted}


def _removed(connection: Connection, table: Table, lead_ids: Sequence[str]) -> int:
    if table is shadow_scores:
        of_these = select(scores.c.request_key).where(scores.c.lead_id.in_(lead_ids))
        return connection.execute(delete(table).where(table.c.request_key.in_(of_these))).rowcount
    return connection.execute(delete(table).where(table.c.lead_id.in_(lead_ids))).rowcount


def _parts(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lead_ids), ROWS_PER_STATEMENT):
        yield lead_ids[start : start + ROWS_PER_STATEMENT]
