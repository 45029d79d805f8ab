"""The store as the service uses it: one object, opened by the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from serving.store.engine import open_engine
from serving.store.errors import KeyReusedError, NotMigratedError, outside
from serving.store.migration import HEAD, current_revision, migrate
from serving.store.records import ModelRecord, NewScore, Saved
from serving.store.tables import scores
from serving.store.writer import Writer, stored_answers


class Store:
    """Stored scores. Every method blocks on the database: call it from a thread, not from the event loop.

    Parameters
    ----------
    url : str
        `sqlite:///PATH` or `postgresql+psycopg://...`; nothing is connected before the first call.
    timeout_s : float
        Longest wait for the database.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._engine = open_engine(url, timeout_s)
        self._writer = Writer(self._engine, timeout_s)

    @property
    def migrates_itself(self) -> bool:
        """Whether tables are brought up to date at start: in a file of our own, yes; in a shared database, never."""
        return self._engine.name == "sqlite"

    def migrate(self) -> None:
        """Bring the tables to this release's state; safe to call again, and from several processes at once."""
        with outside():
            migrate(self._engine)

    def check(self) -> None:
        """Return if the store can be written to.

        Raises
        ------
        StoreDownError
            If the database does not answer.
        NotMigratedError
            If its tables are not those of this release.
        """
        with outside():
            revision = current_revision(self._engine)
        if revision != HEAD:
            seen = revision or "none"
            raise NotMigratedError(f"the store is at revision {seen}, not {HEAD}: run python -m serving migrate")

    def save(self, model: ModelRecord, new: Sequence[NewScore]) -> list[Saved]:
        """What is stored for each of `new`, committed; see `Writer.save`."""
        return self._writer.save(model, new)

    def repeated(self, asked: Mapping[str, str]) -> dict[str, Saved]:
        """What is stored already, by request key.

        Parameters
        ----------
        asked : mapping of str to str
            Request key to request hash.

        Raises
        ------
        KeyReusedError
            If a key is stored with another content.
        """
        with outside(), self._engine.connect() as connection:
            stored = stored_answers(connection, list(asked))
        if any(asked[key] != request_hash for key, (request_hash, _) in stored.items()):
            raise KeyReusedError
        return {key: Saved(answer, repeated=True) for key, (_, answer) in stored.items()}

    def latest(self, lead_id: str) -> bytes | None:
        """The lead's answer with the latest as-of date, the one stored last among equals; None if it has none."""
        newest_first = (scores.c.as_of.desc(), scores.c.id.desc())
        query = select(scores.c.answer).where(scores.c.lead_id == lead_id).order_by(*newest_first).limit(1)
        with outside(), self._engine.connect() as connection:
            answer: bytes | None = connection.execute(query).scalar()
        return answer

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()
