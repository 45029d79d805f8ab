"""A real small model, real stores, and the application over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.model.bundle import Bundle, open_bundle
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.postgres import PostgresMissingError, running_postgres
from tests.serving.small_model import definition, write_small_bundle

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def bundle_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_bundle(tmp_path_factory.mktemp("bundles") / "small", definition())


@pytest.fixture(scope="session")
def bundle(bundle_place: Path) -> Bundle:
    return open_bundle(bundle_place)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    try:
        with running_postgres() as url:
            yield url
    except PostgresMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty database of its own."""
    admin = sa.create_engine(
        postgres_server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS leads WITH (FORCE)"))
        connection.execute(sa.text("CREATE DATABASE leads"))
    admin.dispose()
    return postgres_server.rsplit("/", 1)[0] + "/leads"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'scores.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store on either database."""
    store = Store(Settings(database_url=database_url).database_url, timeout_s=5)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def client(bundle: Bundle, sqlite_url: str) -> Iterator[Client]:
    """The application on SQLite, its clock standing at `NOW` until a test moves it."""
    with Client(Settings(database_url=sqlite_url, max_batch_leads=20, max_body_bytes=100_000), bundle, NOW) as client:
        yield client
