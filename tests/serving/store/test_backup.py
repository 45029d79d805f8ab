"""A copy of the store taken while it is written to holds all that was acknowledged, and nothing that was deleted."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving.store import Store, StoreDownError
from serving.store.engine import open_engine
from serving.store.tables import scores
from tests.serving.store.test_store import MODEL, SCORE


def stored_keys(path: Path) -> set[str]:
    engine = open_engine(f"sqlite:///{path}", 5)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        found = set(connection.execute(sa.select(scores.c.request_key)).scalars())
    engine.dispose()
    return found


def test_a_copy_taken_under_load_holds_everything_that_was_acknowledged_before(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'scores.db'}", timeout_s=30)
    store.migrate()
    acknowledged: list[str] = []
    enough, stop = threading.Event(), threading.Event()

    def write() -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            store.scores.save(MODEL, [replace(SCORE, request_key=f"k{number}")])
            acknowledged.append(f"k{number}")
            if number == 50:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert enough.wait(60)
        before = set(acknowledged)
        store.back_up(tmp_path / "copy.db")
    finally:
        stop.set()
        writer.join()
        store.close()
    assert before <= stored_keys(tmp_path / "copy.db") <= set(acknowledged) | {f"k{len(acknowledged)}"}
    restored = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    restored.check()
    assert restored.scores.latest("L1") == SCORE.answer
    restored.close()


def test_a_copy_holds_nothing_that_was_deleted(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'scores.db'}")
    store.migrate()
    store.scores.save(MODEL, [replace(SCORE, answer=b"to be forgotten", lead_id="FORGET-ME")])
    engine = open_engine(f"sqlite:///{tmp_path / 'scores.db'}", 5)
    with engine.begin() as connection:
        for table in ("lead_changes", "leads", "scores"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    engine.dispose()
    store.back_up(tmp_path / "copy.db")
    store.close()
    copied = (tmp_path / "copy.db").read_bytes()
    assert b"to be forgotten" not in copied
    assert b"FORGET-ME" not in copied


def test_a_backup_replaces_nothing_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'scores.db'}")
    store.migrate()
    (tmp_path / "copy.db").write_text("kept")
    with pytest.raises(StoreDownError, match="exists already"):
        store.back_up(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "kept"
    with pytest.raises(StoreDownError, match="the copy failed"):
        store.back_up(tmp_path / "nowhere" / "copy.db")
    store.close()
    assert {place.name for place in tmp_path.iterdir()} <= {"scores.db", "scores.db-wal", "scores.db-shm", "copy.db"}


def test_a_postgresql_store_says_what_copies_it(postgres_url: str, tmp_path: Path) -> None:
    store = Store(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with pytest.raises(StoreDownError, match="pg_dump"):
        store.back_up(tmp_path / "copy.db")
    store.close()
