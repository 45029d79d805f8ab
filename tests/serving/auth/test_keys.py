"""Keys are random, only their hashes are kept, and the store remembers what became of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from serving.auth.keyring import Keyring
from serving.auth.keys import key_hash, key_id_of, new_key, state_of
from serving.store import Store
from tests.serving.conftest import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_a_key_has_256_random_bits_and_names_its_record() -> None:
    made = [new_key("crm", "crm", created_at=NOW) for _ in range(100)]
    for key, record in made:
        assert re.fullmatch(r"lq_[a-z2-7]{16}_[0-9a-f]{64}", key)
        assert key_id_of(key.encode()) == record.key_id
        assert record.secret_hash == key_hash(key.encode())
    assert len({key.rpartition("_")[2] for key, _ in made}) == len({record.key_id for _, record in made}) == 100


def test_what_is_no_key_names_no_record() -> None:
    key, _ = new_key("crm", "crm", created_at=NOW)
    for text in (
        "",
        "lq_",
        key[:-1],
        key + "0",
        key.upper(),
        f" {key}",
        key.replace("lq_", "xx_"),
        "lq_%00_" + "0" * 64,
    ):
        assert key_id_of(text.encode()) == ""
    assert key_id_of(b"lq_\xff\xfe") == ""


def test_the_database_file_holds_no_secret(sqlite_store: Store, tmp_path: Path) -> None:
    key, record = new_key("our CRM", "crm", created_at=NOW)
    sqlite_store.keys.add(record)
    written = b"".join(file.read_bytes() for file in tmp_path.glob("scores.db*"))
    assert b"our CRM" in written
    assert key.rpartition("_")[2].encode() not in written


def test_a_hash_that_was_moved_to_another_id_opens_nothing(sqlite_store: Store) -> None:
    mine, my_record = new_key("crm", "crm", created_at=NOW)
    _, other = new_key("boss", "data", created_at=NOW)
    sqlite_store.keys.add(replace(other, secret_hash=my_record.secret_hash))
    keyring = Keyring(sqlite_store.keys, longest_age_s=10)
    keyring.read(0)
    forged = mine.replace(my_record.key_id, other.key_id)
    assert keyring.holder(forged.encode(), 0) is None
    assert keyring.holder(mine.encode(), 0) is None


def test_a_key_is_active_until_the_moment_it_expires_or_is_revoked() -> None:
    _, record = new_key("crm", "crm", created_at=NOW, expires_at=NOW + DAY)
    assert state_of(record, NOW + DAY - MINUTE) == "active"
    assert state_of(record, NOW + DAY) == "expired"
    assert state_of(replace(record, revoked_at=NOW), NOW) == "revoked"


def test_the_store_keeps_keys_on_either_database(store: Store) -> None:
    records = [new_key(client, "crm", created_at=NOW, expires_at=NOW + DAY)[1] for client in ("b", "a", "a")]
    for record in records:
        store.keys.add(record)
    assert [record.client for record in store.keys.all()] == ["a", "a", "b"]
    assert {record.key_id: record for record in store.keys.all()} == {record.key_id: record for record in records}


def test_a_revoked_key_stays_revoked_since_the_first_time(store: Store) -> None:
    _, record = new_key("crm", "crm", created_at=NOW)
    store.keys.add(record)
    assert store.keys.revoke(record.key_id, NOW + DAY)
    assert store.keys.revoke(record.key_id, NOW + 2 * DAY)
    assert not store.keys.revoke("a" * 16, NOW)
    assert [kept.revoked_at for kept in store.keys.all()] == [NOW + DAY]


def test_an_earlier_use_does_not_replace_a_later_one(store: Store) -> None:
    _, record = new_key("crm", "crm", created_at=NOW)
    store.keys.add(record)
    for moment in (NOW + DAY, NOW):
        store.keys.note_uses({record.key_id: moment, "a" * 16: moment})
    store.keys.note_uses({})
    assert [kept.last_used_at for kept in store.keys.all()] == [NOW + DAY]
