"""A guarded application and a key of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from serving.auth.keys import ROLES, Role, new_key
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW

ROUTINE = {"keys_refresh_s": 0.05}


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """The store of the guarded application, to look at and to change from outside."""
    store = Store(sqlite_url, timeout_s=5)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def keys(sqlite_store: Store) -> dict[Role, str]:
    """A key of each role."""
    made = {}
    for role in ROLES:
        made[role], record = new_key(f"the {role}", role, created_at=NOW)
        sqlite_store.keys.add(record)
    return made


@pytest.fixture
def guarded(sqlite_url: str, keys: dict[Role, str]) -> Iterator[Callable[..., Client]]:
    """Starts a guarded application without a model, as the settings given say."""
    assert keys
    started: list[Client] = []

    def start(**settings: object) -> Client:
        client = Client(Settings(**{"database_url": sqlite_url, **ROUTINE, **settings}), None, NOW, guarded=True)
        started.append(client.__enter__())
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)
