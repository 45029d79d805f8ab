"""Keys come into force, expire and are revoked while the service runs; whoever asks too often waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from limits import RateLimitItemPerSecond

from serving.auth.access import ANY_KEY
from serving.auth.guard import Guard
from serving.auth.keyring import KeysUnknownError
from serving.auth.keys import Role, new_key
from serving.auth.rates import Rate
from serving.errors import ApiError
from serving.settings import Settings
from serving.store import KeyRecord, Store
from serving.store.engine import open_engine
from serving.store.keys import Keys
from serving.store.log import Log
from serving.store.observer import Nobody
from serving.store.writer import Writer
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.test_readiness import eventually

Start = Callable[..., Client]
DAY = timedelta(days=1)
GOT_IN = 404  # the lead that is asked for does not exist


def ask(client: Client, key: str, **headers: str) -> int:
    return client.get("/v1/leads/L", headers={"X-API-Key": key, **headers}).status_code


def detail(client: Client, key: str) -> str:
    return str(client.get("/v1/leads/L", headers={"X-API-Key": key}).json()["detail"])


def test_a_revoked_key_is_known_to_be_revoked_within_seconds(
    guarded: Start, keys: dict[Role, str], sqlite_store: Store
) -> None:
    client = guarded()
    assert ask(client, keys["crm"]) == GOT_IN
    sqlite_store.keys.revoke(keys["crm"].split("_")[1], NOW)
    assert eventually(lambda: ask(client, keys["crm"]) == 401)
    assert detail(client, keys["crm"]) == "This key was revoked."
    assert ask(client, keys["sales"]) == GOT_IN


def test_only_who_holds_the_secret_learns_that_a_key_was_revoked(
    guarded: Start, keys: dict[Role, str], sqlite_store: Store
) -> None:
    sqlite_store.keys.revoke(keys["crm"].split("_")[1], NOW)
    client = guarded()
    assert detail(client, keys["crm"]) == "This key was revoked."
    assert detail(client, keys["crm"][:-64] + "0" * 64) == "There is no such key."


def test_a_key_expires_at_its_moment(guarded: Start, sqlite_store: Store) -> None:
    key, record = new_key("crm", "crm", created_at=NOW, expires_at=NOW + DAY)
    sqlite_store.keys.add(record)
    client = guarded()
    client.now = NOW + DAY - timedelta(microseconds=1)
    assert ask(client, key) == GOT_IN
    client.now = NOW + DAY
    assert ask(client, key) == 401
    assert detail(client, key) == "This key has expired."


def test_a_new_key_for_the_same_client_works_beside_the_old_one_without_a_restart(
    guarded: Start, keys: dict[Role, str], sqlite_store: Store
) -> None:
    client = guarded()
    key, record = new_key("the crm", "crm", created_at=NOW)
    sqlite_store.keys.add(record)
    assert eventually(lambda: ask(client, key) == GOT_IN)
    assert ask(client, keys["crm"]) == GOT_IN


def test_the_last_use_is_stored_to_the_minute_and_when_the_service_stops(
    guarded: Start, keys: dict[Role, str], sqlite_store: Store
) -> None:
    def last_uses() -> set[object]:
        return {record.last_used_at for record in sqlite_store.keys.all() if record.role == "crm"}

    client = guarded()
    ask(client, keys["crm"])
    assert eventually(lambda: last_uses() == {NOW})
    client.now = NOW + timedelta(seconds=59)
    ask(client, keys["crm"])
    client.now = NOW + timedelta(seconds=60)
    ask(client, keys["crm"])
    assert eventually(lambda: last_uses() == {client.now})
    assert {record.last_used_at for record in sqlite_store.keys.all() if record.role != "crm"} == {None}


def test_a_key_that_asks_too_often_waits_and_no_other_does(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(requests_per_minute=3)
    assert [ask(client, keys["crm"]) for _ in range(4)] == [GOT_IN] * 3 + [429]
    answer = client.get("/v1/leads/L", headers={"X-API-Key": keys["crm"]})
    assert answer.json()["type"] == "urn:lead-quality:problem:too-many-requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert ask(client, keys["sales"]) == GOT_IN
    assert client.get("/healthz").status_code == 200


def test_what_the_role_does_not_allow_counts_too(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(requests_per_minute=2)
    codes = [client.post("/v1/score", headers={"X-API-Key": keys["data"]}).status_code for _ in range(3)]
    assert codes == [403, 403, 429]


def test_after_the_wait_one_may_ask_again() -> None:
    rate = Rate(RateLimitItemPerSecond(2))
    assert [rate.hit("k") for _ in range(3)] == [0, 0, 1]
    assert rate.used_up("k") == 1
    assert eventually(lambda: rate.used_up("k") == 0)
    assert rate.hit("k") == 0


def test_an_address_that_tries_wrong_keys_waits_but_valid_keys_from_there_do_not(
    guarded: Start, keys: dict[Role, str]
) -> None:
    client = guarded(wrong_keys_per_minute=2)
    assert [ask(client, "lq_guess") for _ in range(3)] == [401, 401, 429]
    answer = client.get("/v1/leads/L", headers={"X-API-Key": "lq_guess"})
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert ask(client, keys["crm"]) == GOT_IN
    assert client.get("/v1/leads/L").status_code == 401  # no key is no guess


class FailingOnce(Keys):
    """Keys with a fault of ours, when they are read the second time."""

    n_readings = 0

    def all(self) -> list[KeyRecord]:
        self.n_readings += 1
        if self.n_readings == 2:
            raise ZeroDivisionError
        return super().all()


@pytest.mark.usefixtures("sqlite_store")
def test_a_fault_of_ours_does_not_end_the_reading_of_keys(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, 5)
    writer = Writer(engine, 5, Nobody(), Log(engine))
    keys = FailingOnce(engine, writer)

    async def read_until_they_are_read_again() -> None:
        guard = Guard(Settings(keys_refresh_s=0.01), keys, lambda: NOW)
        await guard.read()
        task = asyncio.create_task(guard.keep())
        async with asyncio.timeout(20):
            while keys.n_readings < 4:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(read_until_they_are_read_again())
    writer.close()
    engine.dispose()


class Seconds:
    """A clock that counts seconds as the test says."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def code(guard: Guard, key: str, address: str = "192.0.2.1") -> int:
    async def asked() -> int:
        try:
            await guard.admit(ANY_KEY, key.encode(), address)
        except ApiError as error:
            return error.kind.status
        return 200

    return asyncio.run(asked())


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def guard(sqlite_store: Store, sqlite_url: str, seconds: Seconds, keys: dict[Role, str]) -> Guard:
    assert keys
    settings = Settings(database_url=sqlite_url, wrong_keys_per_minute=2, keys_refresh_s=5)
    guard = Guard(settings, sqlite_store.keys, lambda: NOW, seconds)
    assert asyncio.run(guard.read())
    return guard


def test_wrong_keys_are_counted_by_address_and_a_network_of_ipv6_is_one(guard: Guard) -> None:
    assert [code(guard, "lq_guess", "2001:db8::1") for _ in range(2)] == [401, 401]
    assert code(guard, "lq_guess", "2001:db8::ffff:2") == 429
    assert code(guard, "lq_guess", "2001:db8:0:1::1") == 401
    assert code(guard, "lq_guess", "192.0.2.1") == 401


def test_guessing_makes_the_keys_be_read_once_a_second_at_most(
    guard: Guard, seconds: Seconds, sqlite_store: Store
) -> None:
    key, record = new_key("crm", "crm", created_at=NOW)
    sqlite_store.keys.add(record)
    seconds.now_s = 1.0
    assert code(guard, key) == 401  # a new key is not known yet, and they were read a second ago
    seconds.now_s = 1.1
    assert code(guard, key) == 200


def test_if_the_store_fails_the_keys_last_read_work_for_a_while_and_then_the_answer_is_503(
    guard: Guard, seconds: Seconds, sqlite_url: str, keys: dict[Role, str]
) -> None:
    seconds.now_s = 2
    assert code(guard, keys["crm"]) == 200
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE keys"))
    engine.dispose()
    seconds.now_s = 60
    assert not asyncio.run(guard.read())
    assert code(guard, keys["crm"]) == 200
    seconds.now_s = 62.1
    with pytest.raises(KeysUnknownError):
        code(guard, keys["crm"])
