"""The service does not start where nobody could use it, or where somebody could who should not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from serving.auth.keys import new_key
from serving.auth.startup import UnsafeStartError, check_settings, check_start, is_weak
from serving.settings import Settings
from serving.store import Store
from tests.serving.conftest import NOW

PLACE = "postgresql://leads:{}@db.example.com/warehouse"
GOOD = "mf7Wq-2Lr9_xTz4"


def codes(settings: Settings, store: Store) -> list[str]:
    try:
        check_start(settings, store, NOW)
    except UnsafeStartError as error:
        return [problem.code for problem in error.problems]
    return []


def test_without_a_key_that_opens_anything_it_does_not_start(sqlite_store: Store, sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url)
    assert codes(settings, sqlite_store) == ["no_usable_key"]
    _, expired = new_key("crm", "crm", created_at=NOW - timedelta(days=2), expires_at=NOW)
    _, revoked = new_key("crm", "crm", created_at=NOW)
    sqlite_store.keys.add(expired)
    sqlite_store.keys.add(replace(revoked, revoked_at=NOW))
    assert codes(settings, sqlite_store) == ["no_usable_key"]
    assert codes(Settings(database_url=sqlite_url, demo=True), sqlite_store) == []
    sqlite_store.keys.add(new_key("crm", "crm", created_at=NOW)[1])
    assert codes(settings, sqlite_store) == []


def test_a_store_that_does_not_answer_is_waited_for() -> None:
    settings = Settings(database_url="postgresql://leads@127.0.0.1:9/none", store_timeout_s=1)
    store = Store(settings.database_url, timeout_s=1)
    assert codes(settings, store) == []
    store.close()


@pytest.mark.parametrize(
    "password",
    "changeme change-me-please secret password123456 postgres Passwort-2026! leads-leads-leads warehouse2026 short-1 "
    "xxxxxxxxxxxxxxxx 123456789012345 %63hangeme-%63hangeme REPLACE_THIS_SECRET".split(),
)
def test_a_password_that_can_be_guessed_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(UnsafeStartError) as raised:
        check_settings(Settings(database_url=PLACE.format(password)))
    assert "LEAD_DATABASE_URL" in raised.value.in_language("en")
    for told in (raised.value.in_language("en"), raised.value.in_language("de")):
        assert password not in told
    with pytest.raises(UnsafeStartError):
        check_settings(Settings(database_url=f"postgresql://leads@/warehouse?host=db.example.com&password={password}"))


@pytest.mark.parametrize(
    "url",
    [
        PLACE.format(GOOD),
        PLACE.format("").replace(":@", "@"),  # a client certificate, or a password file
        "postgresql://leads:postgres@127.0.0.1/leads",  # only who is on this machine could use it
        "postgresql://leads:postgres@localhost:5433/leads",
        "postgresql://leads:postgres@/leads?host=/run/postgresql",
        "sqlite:///scores.db",
    ],
)
def test_a_database_whose_password_guards_it_or_need_not_is_taken(url: str) -> None:
    check_settings(Settings(database_url=url))


def test_a_random_password_is_not_taken_for_a_word() -> None:
    assert not is_weak(GOOD, "leads", "warehouse")
    assert not is_weak("correct horse battery staple")


def test_all_that_is_wrong_is_told_at_once(sqlite_store: Store) -> None:
    assert codes(Settings(database_url=PLACE.format("changeme")), sqlite_store) == ["weak_password", "no_usable_key"]
