"""The store on real SQLite and real PostgreSQL."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from serving.settings import Settings
from serving.store import KeyReusedError, ModelRecord, NewScore, NotMigratedError, Store, StoreDownError
from serving.store.engine import open_engine
from serving.store.tables import Moment, metadata, scores

NOW = datetime(2026, 2, 3, 10, 0, 0, 123456, tzinfo=UTC)
MODEL = ModelRecord("abcdef012345", "leads", "3", "leads", 1, "f" * 64, simulated=False)
SCORE = NewScore(
    request_key="k1",
    request_hash="h1",
    lead_id="L1",
    account_id="A",
    as_of=NOW,
    received_at=NOW,
    probability=0.1 + 0.2,
    log_odds=-0.8472978603872037,
    score=30,
    grade="B",
    handover="go",
    inputs=b'{"source":"a\\u0000b"}',
    answer='{"text":"Größe"}'.encode(),
)


def normal(url: str) -> str:
    return Settings(database_url=url).database_url


def rows(database_url: str) -> list[sa.Row[tuple[object, ...]]]:
    engine = open_engine(normal(database_url), 5)
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(scores).order_by(scores.c.id)))
    engine.dispose()
    return found


def test_what_goes_in_comes_out_to_the_last_bit(store: Store, database_url: str) -> None:
    saved = store.scores.save(MODEL, [SCORE])
    assert [(each.answer, each.repeated) for each in saved] == [(SCORE.answer, False)]
    (row,) = rows(database_url)
    for name in ("probability", "log_odds", "as_of", "received_at", "inputs", "answer", "lead_id", "account_id"):
        assert getattr(row, name) == getattr(SCORE, name)
    assert (row.bundle_id, row.definition_fingerprint) == (MODEL.bundle_id, MODEL.definition_fingerprint)


def test_both_ways_of_writing_a_moment_store_the_same(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [SCORE, replace(SCORE, request_key="k2", as_of=NOW.replace(microsecond=0))])
    engine = open_engine(normal(database_url), 5)
    with engine.begin() as connection:
        for moment in (NOW, NOW.replace(microsecond=0)):
            assert connection.execute(sa.select(scores.c.id).where(scores.c.as_of == moment)).one()
        connection.execute(sa.update(scores).values(received_at=scores.c.as_of, as_of=sa.literal(NOW, Moment())))
        kept = connection.execute(sa.text("SELECT DISTINCT as_of FROM scores")).scalars().all()
        told = connection.execute(sa.text("SELECT received_at FROM scores WHERE request_key = 'k1'")).scalars().all()
    engine.dispose()
    assert kept == told


def test_a_repeated_request_gets_the_stored_answer(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [SCORE])
    again = store.scores.save(
        MODEL, [replace(SCORE, answer=b"another"), replace(SCORE, request_key="k2", answer=b"new")]
    )
    assert [(each.answer, each.repeated) for each in again] == [(SCORE.answer, True), (b"new", False)]
    assert len(rows(database_url)) == 2


def test_a_key_with_another_content_writes_nothing_of_its_request(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [SCORE])
    with pytest.raises(KeyReusedError):
        store.scores.save(MODEL, [replace(SCORE, request_key="k0"), replace(SCORE, request_hash="h2")])
    assert [row.request_key for row in rows(database_url)] == ["k1"]


def test_a_batch_larger_than_one_statement_is_stored_whole(store: Store, database_url: str) -> None:
    new = [replace(SCORE, request_key=f"k{number}", answer=str(number).encode()) for number in range(1_203)]
    assert [each.answer for each in store.scores.save(MODEL, new)] == [score.answer for score in new]
    again = store.scores.save(MODEL, [replace(score, answer=b"") for score in new])
    assert [each.answer for each in again] == [score.answer for score in new]
    assert len(rows(database_url)) == 1_203


def test_the_latest_score_has_the_latest_as_of_date_and_among_equals_came_last(store: Store) -> None:
    assert store.scores.latest("L1") is None
    for key, days, answer in [("a", 0, b"first"), ("b", 0, b"second"), ("c", -5, b"older")]:
        moment = NOW + timedelta(days=days)
        store.scores.save(MODEL, [replace(SCORE, request_key=key, as_of=moment, answer=answer)])
    assert store.scores.latest("L1") == b"second"


def test_an_as_of_date_of_another_zone_is_the_same_moment(store: Store, database_url: str) -> None:
    from zoneinfo import ZoneInfo

    store.scores.save(MODEL, [replace(SCORE, as_of=NOW.astimezone(ZoneInfo("Europe/Berlin")))])
    assert rows(database_url)[0].as_of == NOW


def test_writers_at_the_same_time_all_succeed_and_store_each_request_once(database_url: str, store: Store) -> None:
    stores = [store, Store(normal(database_url), timeout_s=30)]  # two processes share a store like this
    ready = threading.Barrier(8)

    def write(worker: int) -> None:
        ready.wait()
        for number in range(15):
            own = replace(SCORE, request_key=f"own-{worker}-{number}")
            shared = [replace(SCORE, request_key=f"shared-{number}-{part}") for part in range(3)]
            turned = shared if worker % 2 else shared[::-1]
            assert len(stores[worker % 2].scores.save(MODEL, [own, *turned])) == 4

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    stores[1].close()
    assert len(rows(database_url)) == 8 * 15 + 15 * 3


@pytest.mark.usefixtures("store")
def test_migrations_make_exactly_the_tables_that_the_code_knows(database_url: str) -> None:
    engine = open_engine(normal(database_url), 5)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_processes_that_migrate_at_the_same_time_do_not_disturb_each_other(database_url: str) -> None:
    stores = [Store(normal(database_url), timeout_s=30) for _ in range(4)]
    ready = threading.Barrier(4)

    def migrate(store: Store) -> None:
        ready.wait()
        store.migrate()
        store.check()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, stores))
    for store in stores:
        store.close()


def test_a_store_without_tables_is_not_ready_and_says_what_to_do(database_url: str) -> None:
    store = Store(normal(database_url))
    with pytest.raises(NotMigratedError, match="python -m serving migrate"):
        store.check()
    store.close()


def test_a_store_of_a_later_release_is_left_alone(store: Store, database_url: str) -> None:
    engine = open_engine(normal(database_url), 5)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(NotMigratedError):
        store.check()
    with pytest.raises(NotMigratedError, match="another release"):
        store.migrate()


def test_a_database_that_fails_is_told_without_what_was_to_be_stored(store: Store, database_url: str) -> None:
    engine = open_engine(normal(database_url), 5)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE scores RENAME TO elsewhere"))
    engine.dispose()
    with pytest.raises(StoreDownError) as raised:
        store.scores.save(MODEL, [replace(SCORE, lead_id="LEAD-77")])
    assert "LEAD-77" not in str(raised.value)
    assert "LEAD-77" not in str(raised.value.__cause__)


def test_a_server_that_is_not_there_is_a_store_that_is_down() -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:9/none", timeout_s=1)
    for call in (
        store.check,
        store.migrate,
        lambda: store.scores.latest("L"),
        lambda: store.scores.save(MODEL, [SCORE]),
    ):
        with pytest.raises(StoreDownError):
            call()
    store.close()


def test_sqlite_waits_for_a_foreign_writer_and_then_gives_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    store, foreign = Store(url, timeout_s=0.2), open_engine(url, 1)
    store.migrate()
    with foreign.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
        with pytest.raises(StoreDownError):
            store.scores.save(MODEL, [SCORE])
    assert not store.scores.save(MODEL, [SCORE])[0].repeated
    foreign.dispose()
    store.close()


def test_writers_that_queue_behind_a_foreign_one_give_up_together_and_not_one_after_the_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    store, foreign = Store(url, timeout_s=0.5), open_engine(url, 1)
    store.migrate()

    def refused(number: int) -> float:
        started = time.monotonic()
        with pytest.raises(StoreDownError):
            store.scores.save(MODEL, [replace(SCORE, request_key=f"k{number}")])
        return time.monotonic() - started

    with foreign.connect() as connection, ThreadPoolExecutor(12) as threads:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
        assert max(threads.map(refused, range(12))) < 12 * 0.5 / 2
    foreign.dispose()
    store.close()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'scores.db'}", 2.5)
    with engine.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 2500}
