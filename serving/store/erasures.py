"""Erased leads: gone from every table but one, which knows them by a hash, and keeps the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, func, insert, select

from features.erased import lead_hash
from features.errors import LeadQualityError
from features.text import Text
from serving.store.errors import outside
from serving.store.log import Log
from serving.store.records import Erasure
from serving.store.removal import remove
from serving.store.rows import rows_of, where_in
from serving.store.tables import erasures, exported_leads, exports, leads
from serving.store.writer import Writer

RECEIPTS = where_in(select(erasures.c.lead_hash, erasures.c.receipt), erasures.c.lead_hash)


class Erasures:
    """Erasures in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer, log: Log) -> None:
        self._engine = engine
        self._writer = writer
        self._log = log

    def erase(self, erasure: Erasure) -> bytes:
        """The receipt, as JSON, committed: of this erasure, or of the one that came first. The lead may be unknown.

        Raises
        ------
        StoreDownError
            If the database fails; then nothing was acknowledged, and the same may be asked again.
        """
        receipt = self._writer.write(_erase, erasure)
        self._log.empty()
        return receipt

    def receipt(self, receipt_id: str) -> bytes | None:
        """A receipt as it was given; None if there is none of this name."""
        query = select(erasures.c.receipt).where(erasures.c.receipt_id == receipt_id)
        with outside(), self._engine.connect() as connection:
            receipt: bytes | None = connection.execute(query).scalar()
        return receipt

    def erased_at(self, lead_id: str) -> datetime | None:
        """When the lead was erased; None if it was not."""
        query = select(erasures.c.erased_at).where(erasures.c.lead_hash == lead_hash(lead_id))
        with outside(), self._engine.connect() as connection:
            erased_at: datetime | None = connection.execute(query).scalar()
        return erased_at

    def hashes(self) -> list[str]:
        """`features.erased.lead_hash` of every erased lead."""
        with outside(), self._engine.connect() as connection:
            return list(connection.execute(select(erasures.c.lead_hash)).scalars())


def _erase(connection: Connection, wanted: Sequence[Erasure]) -> list[bytes | LeadQualityError]:
    receipts = _known(connection, [lead_hash(erasure.lead_id) for erasure in wanted])
    for erasure in wanted:
        hashed = lead_hash(erasure.lead_id)
        if hashed not in receipts:
            receipts[hashed] = orjson.dumps(_removed(connection, erasure, hashed))
            row = insert(erasures).values(lead_hash=hashed, receipt_id=erasure.receipt_id, receipt=receipts[hashed])
            connection.execute(row.values(erased_at=erasure.erased_at, key_id=erasure.key_id))
    return [receipts[lead_hash(erasure.lead_id)] for erasure in wanted]


def _known(connection: Connection, hashes: Sequence[str]) -> dict[str, bytes]:
    return {row.lead_hash: row.receipt for row in rows_of(connection, RECEIPTS, hashes)}


def _removed(connection: Connection, erasure: Erasure, hashed: str) -> dict[str, Any]:
    """Remove the lead; the receipt says where it stood, and does not name it."""
    found = select(exports).join(exported_leads).where(exported_leads.c.lead_id == erasure.lead_id)
    in_exports = [
        {"export_id": row.export_id, "exported_at": _in_utc(row.exported_at)}
        for row in connection.execute(found.order_by(exports.c.exported_at))
    ]
    since = connection.execute(select(leads.c.first_scored_at).where(leads.c.lead_id == erasure.lead_id)).scalar()
    removed = remove(connection, [erasure.lead_id])
    return {
        "receipt_id": erasure.receipt_id,
        "lead_hash": hashed,
        "erased_at": _in_utc(erasure.erased_at),
        "removed": [{"table": table, "n": n} for table, n in removed.items()],
        "exports": in_exports,
        **_models(erasure, {export["export_id"] for export in in_exports}, _partly_forgotten(connection, since)),
        "note": {"en": NOT_KNOWN_HERE.en, "de": NOT_KNOWN_HERE.de},
    }


def _models(erasure: Erasure, found: set[str], forgotten: set[str]) -> Mapping[str, Any]:
    """Which of the known models had learnt from an export with the lead, and which from one that may have held it."""
    told: dict[str, list[dict[str, str]]] = {"that_learnt_from_it": [], "that_may_have": [], "that_did_not": []}
    for model in erasure.models:
        learnt_from = set(model.export_ids)
        which = "that_learnt_from_it" if learnt_from & found else "that_did_not"
        if which == "that_did_not" and learnt_from & forgotten:
            which = "that_may_have"
        told[which].append({"bundle_id": model.bundle_id, "name": model.name, "version": model.version})
    return {f"models_{which}": models for which, models in told.items()}


def _partly_forgotten(connection: Connection, since: datetime | None) -> set[str]:
    """The exports that may have held a lead which has been known since then: not all their leads are known any more.

    Of a lead that has been known since before an export, retention has forgotten nothing.
    """
    n_known = func.count(exported_leads.c.lead_id)
    query = select(exports.c.export_id).outerjoin(exported_leads).group_by(exports.c.export_id, exports.c.n_leads)
    if since is not None:
        query = query.where(exports.c.exported_at < since)
    return set(connection.execute(query.having(n_known < exports.c.n_leads)).scalars())


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


NOT_KNOWN_HERE = Text(
    en="Known are the exports of this service, and what the models in service learnt from those. What models learnt "
    "from other files, and what stands in other files and in backups, is not known here: delete the lead there, and "
    "give training the list of python -m serving erased, so that later models leave it out.",
    de="Bekannt sind die Exporte dieses Dienstes und was die Modelle im Einsatz aus ihnen gelernt haben. Was Modelle "
    "aus anderen Dateien gelernt haben und was in anderen Dateien und in Sicherungen steht, ist hier nicht bekannt: "
    "Löschen Sie den Lead dort, und geben Sie dem Training die Liste von python -m serving erased, damit spätere "
    "Modelle ihn auslassen.",
)
