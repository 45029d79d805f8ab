"""A real small model, real stores, and the application over them."""

from __future__ import annotations

import shutil
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
MIGRATE_FIRST = frozenset({"store", "client", "sqlite_store"})
"""Fixtures that migrate their database before anything else; a copy of one that is migrated spares each test 80 ms."""


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
def postgres_url(request: pytest.FixtureRequest, postgres_server: str) -> str:
    """A database of its own: migrated if the test asks for what would migrate it first, else empty."""
    template = request.getfixturevalue("migrated_postgres") if is_migrated_first(request) else "template1"
    return _new_database(postgres_server, "leads", template)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same; a file that is not there yet, if it is to be empty."""
    place = tmp_path / "scores.db"
    if is_migrated_first(request):
        shutil.copy(request.getfixturevalue("migrated_sqlite"), place)
    return f"sqlite:///{place}"


def is_migrated_first(request: pytest.FixtureRequest) -> bool:
    """Whether the test takes an application or a store over a database that was migrated before it began."""
    return bool(MIGRATE_FIRST & set(request.fixturenames))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("migrated") / "scores.db"
    _migrate(f"sqlite:///{place}")
    return place


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a database to make others from."""
    _migrate(_new_database(postgres_server, "migrated", "template1"))
    return "migrated"


def _new_database(server: str, name: str, template: str) -> str:
    admin = sa.create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()
    return f"{server.rsplit('/', 1)[0]}/{name}"


def _migrate(url: str) -> None:
    store = Store(Settings(database_url=url).database_url, timeout_s=5)
    store.migrate()
    store.close()


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
