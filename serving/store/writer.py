"""The one way in: every score is written here, and committed before `save` returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.engine import WRITES
from serving.store.errors import KeyReusedError, StoreDownError, outside
from serving.store.records import ModelRecord, NewScore, Saved
from serving.store.tables import models, scores

# Stays below the number of parameters that SQLite (32,766) and PostgreSQL (65,535) take in one statement.
ROWS_PER_STATEMENT = 500


class Writer:
    """Stores scores, each request once. Safe to call from several threads and processes at a time.

    Parameters
    ----------
    timeout_s : float
        Longest wait for other writers of this process.
    """

    def __init__(self, engine: Engine, timeout_s: float) -> None:
        self._engine = engine.execution_options(**{WRITES: True})
        self._timeout_s = timeout_s
        self._known_models: set[str] = set()
        self._lock = threading.Lock()

    def save(self, model: ModelRecord, new: Sequence[NewScore]) -> list[Saved]:
        """What is stored for each of `new`, in their order; all of them are committed together.

        Raises
        ------
        KeyReusedError
            If a key is already stored with another content; then nothing is written.
        StoreDownError
            If the database fails; then nothing was acknowledged, and the same request may be sent again.
        """
        with outside(), self._turn(), self._engine.begin() as connection:
            if model.bundle_id not in self._known_models:
                self._insert_model(connection, model, new[0].received_at)
            saved = self._save(connection, model, new)
        self._known_models.add(model.bundle_id)
        return saved

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite has one writer at a time: threads of this process queue here instead of polling its lock."""
        if self._engine.name != "sqlite":
            yield
            return
        if not self._lock.acquire(timeout=self._timeout_s):
            raise StoreDownError("the database is held up by other writers")
        try:
            yield
        finally:
            self._lock.release()

    def _save(self, connection: Connection, model: ModelRecord, new: Sequence[NewScore]) -> list[Saved]:
        # Sorted, so that two writers of the same requests wait for each other in the same order.
        by_key = {score.request_key: score for score in sorted(new, key=lambda score: score.request_key)}
        inserted = self._insert_scores(connection, model, list(by_key.values()))
        stored = stored_answers(connection, [key for key in by_key if key not in inserted])
        if any(stored[score.request_key][0] != score.request_hash for score in new if score.request_key in stored):
            raise KeyReusedError
        saved = []
        for score in new:
            is_new = score.request_key in inserted
            saved.append(Saved(score.answer if is_new else stored[score.request_key][1], repeated=not is_new))
        return saved

    def _insert_scores(self, connection: Connection, model: ModelRecord, new: Sequence[NewScore]) -> set[str]:
        """The request keys that were not stored before and are now."""
        about = {"bundle_id": model.bundle_id, "definition_fingerprint": model.definition_fingerprint}
        inserted: set[str] = set()
        for start in range(0, len(new), ROWS_PER_STATEMENT):
            rows = [{**asdict(score), **about} for score in new[start : start + ROWS_PER_STATEMENT]]
            statement = self._insert_missing(scores).returning(scores.c.request_key)
            inserted.update(connection.execute(statement, rows).scalars())
        return inserted

    def _insert_model(self, connection: Connection, model: ModelRecord, moment: datetime) -> None:
        connection.execute(self._insert_missing(models), [{**asdict(model), "first_served_at": moment}])

    def _insert_missing(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        if self._engine.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()


def stored_answers(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """Request key to request hash and answer, for keys that are stored."""
    found: dict[str, tuple[str, bytes]] = {}
    for start in range(0, len(keys), ROWS_PER_STATEMENT):
        part = keys[start : start + ROWS_PER_STATEMENT]
        query = select(scores.c.request_key, scores.c.request_hash, scores.c.answer)
        for key, content, answer in connection.execute(query.where(scores.c.request_key.in_(part))):
            found[key] = (content, answer)
    return found
