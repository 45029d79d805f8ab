"""The columns that figures are counted over, kept by the store, and always those of the leads as they are.

Leads stand in blocks, each at a place of its own. Rewriting a block for every lead that changes would slow down
scoring, so the transaction that changes a lead only notes it in `lead_changes`. A reader takes the blocks and, instead
of what stands there for the leads that were noted, their rows as they are now. Now and then what was noted is put into
the blocks, a part at a time, so that there is never much of it. All of that within transactions: whichever moment a
reader sees, blocks and notes belong together.

    block 0                              lead_changes     what is counted
    L1 won   L2 open  L3 open            L2, L4           L1 won, L3 open (block 0), L2 lost, L4 open (their rows)
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, delete, func, select

from serving.kpis.columns import LeadColumns
from serving.store.blocks import IN_A_BLOCK, ROWS, Block, blocks_of, columns_of
from serving.store.rows import insert_all, insert_or_replace, rows_of, where_in
from serving.store.tables import lead_blocks, lead_changes, lead_places, leads

PART = 512
"""How many changed leads are put into blocks in one transaction: some 20 ms, in which nobody else writes."""
PLACES = where_in(select(lead_places.c.lead_id, lead_places.c.place), lead_places.c.lead_id)
BLOCKS = where_in(select(lead_blocks), lead_blocks.c.block)
VERSIONS = select(lead_blocks.c.block, lead_blocks.c.version).order_by(lead_blocks.c.block)
VERSION_BITS = 62
ROWS_BY_LEAD = where_in(ROWS, leads.c.lead_id)


@dataclass(frozen=True, slots=True)
class Kept:
    """The leads of all blocks as they were when they were read last.

    Attributes
    ----------
    versions : mapping
        Block to version.
    at : ndarray of int
        Of each place, counted over all blocks, where its lead stands in `leads`.
    """

    versions: Mapping[int, int]
    leads: LeadColumns
    at: np.ndarray


def columns(connection: Connection, kept: Kept | None) -> tuple[LeadColumns, Kept]:
    """All leads as they are at the moment that `connection` sees; and what is worth keeping for the next time.

    Parameters
    ----------
    kept : Kept, optional
        From the last time: if no block has changed since, none is read.
    """
    versions = {row.block: row.version for row in connection.execute(VERSIONS)}
    if kept is None or kept.versions != versions:
        kept = _read(connection, versions)
    changed = list(connection.execute(_changed()))
    if not changed:
        return kept.leads, kept
    number = {block: position for position, block in enumerate(versions)}
    places = [
        number[row.place // IN_A_BLOCK] * IN_A_BLOCK + row.place % IN_A_BLOCK
        for row in changed
        if row.place is not None
    ]
    fresh, _ = columns_of(*_written(blocks_of(changed)))
    return kept.leads.but(kept.at[np.array(places, dtype=np.intp)], fresh), kept


def _read(connection: Connection, versions: Mapping[int, int]) -> Kept:
    stored = list(connection.execute(select(lead_blocks).order_by(lead_blocks.c.block)))
    leads_, present = columns_of([row.arrays for row in stored], [row.words for row in stored])
    return Kept(versions, leads_, np.cumsum(present) - 1)


def _written(blocks: Iterable[Block]) -> tuple[list[bytes], list[bytes]]:
    written = [block.written() for block in blocks]
    return [arrays for arrays, _ in written], [words for _, words in written]


def n_changes(connection: Connection) -> int:
    """How many changes were noted and are in no block yet."""
    return int(connection.execute(select(func.count()).select_from(lead_changes)).scalar_one())


def fold(connection: Connection) -> int:
    """How many changes were put into the blocks, the oldest first; 0 if there were none."""
    query = select(lead_changes.c.id, lead_changes.c.lead_id).order_by(lead_changes.c.id).limit(PART)
    noted = list(connection.execute(query))
    if noted:
        lead_ids = list(dict.fromkeys(row.lead_id for row in noted))
        _put(connection, {row.lead_id: row for row in rows_of(connection, ROWS_BY_LEAD, lead_ids)})
        connection.execute(delete(lead_changes).where(lead_changes.c.id <= noted[-1].id))
    return len(noted)


def forget(connection: Connection, lead_ids: Sequence[str]) -> None:
    """Leave nothing of these leads in any block."""
    places = {row.lead_id: row.place for row in rows_of(connection, PLACES, lead_ids)}
    for number, block, of_block in _blocks(connection, places):
        for place in of_block.values():
            block.clear(place)
        _write(connection, number, block)


def _changed() -> Select[Any]:
    """The rows of the leads that were noted, and their places in blocks; None for leads in none."""
    noted = select(lead_changes.c.lead_id).distinct().subquery()
    return (
        ROWS.add_columns(lead_places.c.place)
        .join(noted, noted.c.lead_id == leads.c.lead_id)
        .outerjoin(lead_places, lead_places.c.lead_id == leads.c.lead_id)
    )


def _put(connection: Connection, rows: Mapping[str, Row[Any]]) -> None:
    places = {row.lead_id: row.place for row in rows_of(connection, PLACES, list(rows))}
    new = _new_places(connection, [lead_id for lead_id in rows if lead_id not in places])
    if new:
        insert_all(connection, lead_places, [{"lead_id": lead_id, "place": place} for lead_id, place in new.items()])
    for number, block, of_block in _blocks(connection, places | new):
        for lead_id, place in of_block.items():
            block.put(place, rows[lead_id])
        _write(connection, number, block)


def _new_places(connection: Connection, lead_ids: Iterable[str]) -> dict[str, int]:
    """Places behind all others."""
    last = connection.execute(select(func.max(lead_places.c.place))).scalar()
    return {lead_id: place for place, lead_id in enumerate(lead_ids, 0 if last is None else last + 1)}


def _blocks(connection: Connection, places: Mapping[str, int]) -> Iterator[tuple[int, Block, dict[str, int]]]:
    """Each block that holds one of these places, with its number, and the leads' places within it."""
    by_block: dict[int, dict[str, int]] = defaultdict(dict)
    for lead_id, place in places.items():
        by_block[place // IN_A_BLOCK][lead_id] = place % IN_A_BLOCK
    stored = {row.block: row for row in rows_of(connection, BLOCKS, list(by_block))}
    for number, of_block in sorted(by_block.items()):
        row = stored.get(number)
        yield number, Block.empty() if row is None else Block.read(row.arrays, row.words), of_block


def _write(connection: Connection, number: int, block: Block) -> None:
    if not block.n_leads:
        connection.execute(delete(lead_blocks).where(lead_blocks.c.block == number))
        return
    arrays, words = block.written()
    # Drawn, not counted: a block that was gone meanwhile has no earlier one to count on from.
    version = secrets.randbits(VERSION_BITS)
    row = {"block": number, "n_leads": block.n_leads, "arrays": arrays, "words": words, "version": version}
    insert_or_replace(connection, lead_blocks, [row])
