"""That nothing can be written is seen before a lead is sent: on files and servers that may really only be read."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from features.model.bundle import Bundle
from serving.settings import Settings
from serving.store import Store, StoreDownError
from serving.store.engine import WRITES, open_engine
from serving.store_state import FRESH_S
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.test_readiness import LEAD, eventually, reasons


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A migrated SQLite file that nobody has open."""
    place = tmp_path / "scores.db"
    store = Store(f"sqlite:///{place}")
    store.migrate()
    store.close()
    return place


def test_a_file_that_may_only_be_read_is_not_ready(file: Path, bundle: Bundle) -> None:
    url = f"sqlite:///file:{file}?mode=ro&uri=true"  # root may write to every file, so its mode would not do
    with closing(Store(url)) as store:
        with pytest.raises(StoreDownError, match="OperationalError"):
            store.check_writes()
        with Client(Settings(), bundle, NOW, store=store) as client:
            assert set(reasons(client)) == {"store"}
            assert client.get("/v1/leads/L1").status_code == 404  # reading goes on


def test_a_server_that_was_made_read_only_is_not_ready(postgres_url: str, bundle: Bundle) -> None:
    settings = Settings(database_url=postgres_url)
    with closing(Store(settings.database_url)) as store:
        store.migrate()
        store.check_writes()
        engine = sa.create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("ALTER DATABASE leads SET default_transaction_read_only = on"))
        engine.dispose()
    with Client(settings, bundle, NOW) as client:
        assert "the database may only be read" in reasons(client)["store"]
        assert reasons(client, "de")["store"].endswith(": die Datenbank darf nur gelesen werden")
        assert client.post("/v1/score", json=LEAD).status_code == 503


@contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """Files of this process cannot grow beyond the log of the store, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = file.with_name(f"{file.name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        with capture_logs():  # or the limit would be the log's, too
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_seen_after_the_first_write_that_failed_until_one_would_succeed(
    file: Path, bundle: Bundle
) -> None:
    with Client(Settings(database_url=f"sqlite:///{file}"), bundle, NOW) as client:
        assert client.post("/v1/score", json=LEAD).status_code == 200
        with full_disk(file):
            assert client.post("/v1/score", json={**LEAD, "lead_id": "L2"}).status_code == 503
            assert eventually(lambda: client.get("/readyz").status_code == 503, 5 * FRESH_S)
            assert "OperationalError" in reasons(client)["store"]
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/v1/score", json={**LEAD, "lead_id": "L2"}).status_code == 200
        with closing(sqlite3.connect(file)) as connection:
            ((revision,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert client.app.state.service.store.check_writes() is None
        assert revision.isdigit()


def test_while_writes_succeed_asking_commits_nothing_and_does_not_wait_for_a_writer(database_url: str) -> None:
    url = Settings(database_url=database_url).database_url
    with closing(Store(url)) as store:
        store.migrate()
        engine = open_engine(url, 5)
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            before = connection.execute(sa.text(COMMITS[engine.name])).scalar()
            for _ in range(20):
                store.check_writes()
            assert connection.execute(sa.text(COMMITS[engine.name])).scalar() == before
        engine.dispose()


COMMITS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"}
"""What changes with every commit of somebody else that wrote."""
