"""Who has signed in to the cockpit: a hash of the token that their browser keeps, until when, and with which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, select

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.tables import sessions
from serving.store.writer import Writer


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as it is stored.

    Attributes
    ----------
    token_hash : str
        SHA-256 of the token, as 64 hexadecimal digits.
    key_id : str or None
        The key that was signed in with; None in the demo, which needs none.
    role : str
        `sales`, `marketing` or `data`.
    expires_at : datetime
        It opens nothing from then on.
    """

    token_hash: str
    key_id: str | None
    role: str
    created_at: datetime
    expires_at: datetime


class Sessions:
    """Sessions in the store. Methods block on the database: call them from a thread, not from the event loop."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def get(self, token_hash: str) -> SessionRecord | None:
        """The session with this token; one that has expired too, as long as it is stored."""
        query = select(sessions).where(sessions.c.token_hash == token_hash)
        with outside(), self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return SessionRecord(**row) if row is not None else None

    def add(self, record: SessionRecord) -> None:
        """Store a new session, and remove those that had expired when it was created."""
        self._writer.write(_insert, record)

    def end(self, token_hash: str) -> None:
        """Remove a session; one that is not there changes nothing."""
        self._writer.write(_delete, token_hash)


def _insert(connection: Connection, records: Sequence[SessionRecord]) -> list[LeadQualityError | None]:
    latest = max(record.created_at for record in records)
    connection.execute(delete(sessions).where(sessions.c.expires_at <= latest))
    connection.execute(insert(sessions), [asdict(record) for record in records])
    return [None] * len(records)


def _delete(connection: Connection, token_hashes: Sequence[str]) -> list[LeadQualityError | None]:
    connection.execute(delete(sessions).where(sessions.c.token_hash.in_(token_hashes)))
    return [None] * len(token_hashes)
