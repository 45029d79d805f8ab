"""SQLite's log of writes is emptied of what was removed, without holding up anybody, as soon as no reader needs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving.store import Erasure, Store
from serving.store.engine import open_engine
from serving.store.tables import scores
from tests.serving.store.test_store import MODEL, NOW, SCORE

SECRET = "SECRET-4711"
TIMEOUT_S = 5.0


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url, timeout_s=TIMEOUT_S)
    store.migrate()
    yield store
    store.close()


@contextmanager
def reader(url: str) -> Iterator[None]:
    """Somebody who reads for long, a backup or another process, and so needs the log."""
    engine = open_engine(url, TIMEOUT_S)
    with engine.connect() as connection:
        assert connection.execute(sa.select(scores.c.lead_id)).all()
        yield
    engine.dispose()


def log(place: Path) -> bytes:
    return (place / "scores.db-wal").read_bytes()


def save(store: Store, number: int) -> None:
    store.scores.save(MODEL, [replace(SCORE, request_key=f"n{number}", lead_id=f"L{number}")])


def erase(store: Store) -> None:
    store.erasures.erase(Erasure(SECRET, "r" * 32, NOW, ()))


def test_a_reader_holds_up_neither_an_erasure_nor_who_writes_after_it(
    store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    store.scores.save(MODEL, [replace(SCORE, lead_id=SECRET)])
    with reader(sqlite_url):
        began = time.monotonic()
        erase(store)
        for number in range(20):
            save(store, number)
        assert time.monotonic() - began < TIMEOUT_S / 2
        assert SECRET.encode() in log(tmp_path)


def test_a_log_that_was_needed_is_emptied_by_a_later_commit(store: Store, sqlite_url: str, tmp_path: Path) -> None:
    store.scores.save(MODEL, [replace(SCORE, lead_id=SECRET)])
    with reader(sqlite_url):
        erase(store)
        n_bytes = len(log(tmp_path))
    deadline, number = time.monotonic() + 20, 0
    while SECRET.encode() in log(tmp_path) or len(log(tmp_path)) >= n_bytes:  # a log that is only used again stays long
        assert time.monotonic() < deadline
        save(store, number := number + 1)
        time.sleep(0.05)


def test_a_log_that_was_needed_is_emptied_at_the_close_although_others_have_the_file_open(
    store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    store.scores.save(MODEL, [replace(SCORE, lead_id=SECRET)])
    engine = open_engine(sqlite_url, TIMEOUT_S)
    with engine.connect() as connection:
        assert connection.execute(sa.select(scores.c.lead_id)).all()
        erase(store)
        connection.rollback()
        assert SECRET.encode() in log(tmp_path)
        store.close()
        assert SECRET.encode() not in log(tmp_path)
    engine.dispose()
