"""API keys: whom they were given to, what they allow, and the hash of the secret; never the secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.tables import keys
from serving.store.writer import Writer


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key as it is stored.

    Attributes
    ----------
    key_id : str
        16 characters, the part of the key that may be seen.
    secret_hash : str
        SHA-256 of the whole key, as 64 hexadecimal digits.
    client : str
        Which system or team holds it.
    role : str
        `crm`, `sales`, `marketing` or `data`.
    last_used_at : datetime, optional
        To the minute.
    """

    key_id: str
    secret_hash: str
    client: str
    role: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Keys:
    """Keys in the store. Methods block on the database: call them from a thread, not from the event loop."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def all(self) -> list[KeyRecord]:
        """Every key, those that no longer open anything too, by client and age."""
        query = select(keys).order_by(keys.c.client, keys.c.created_at, keys.c.key_id)
        with outside(), self._engine.connect() as connection:
            return [KeyRecord(**row) for row in connection.execute(query).mappings()]

    def add(self, record: KeyRecord) -> None:
        """Store a new key."""
        self._writer.write(_insert, record)

    def revoke(self, key_id: str, moment: datetime) -> bool:
        """Whether there is such a key; it opens nothing from now on. One that was revoked stays revoked since then."""
        return self._writer.write(_revoke, (key_id, moment))

    def note_uses(self, last_used: Mapping[str, datetime]) -> None:
        """Store when keys were last used, by key id; an earlier use than the stored one changes nothing."""
        self._writer.write(_note_uses, last_used)


def _insert(connection: Connection, records: Sequence[KeyRecord]) -> list[LeadQualityError | None]:
    connection.execute(insert(keys), [asdict(record) for record in records])
    return [None] * len(records)


def _revoke(connection: Connection, asked: Sequence[tuple[str, datetime]]) -> list[bool | LeadQualityError]:
    found: list[bool | LeadQualityError] = []
    for key_id, moment in asked:
        this = keys.c.key_id == key_id
        connection.execute(update(keys).where(this, keys.c.revoked_at.is_(None)).values(revoked_at=moment))
        found.append(connection.execute(select(keys.c.key_id).where(this)).first() is not None)
    return found


def _note_uses(connection: Connection, noted: Sequence[Mapping[str, datetime]]) -> list[LeadQualityError | None]:
    later = keys.c.last_used_at.is_(None) | (keys.c.last_used_at < bindparam("moment"))
    statement = update(keys).where(keys.c.key_id == bindparam("key"), later).values(last_used_at=bindparam("moment"))
    uses = [{"key": key_id, "moment": moment} for each in noted for key_id, moment in sorted(each.items())]
    if uses:
        connection.execute(statement, uses)
    return [None] * len(noted)
