"""Keys in memory: found in constant time, too old to be trusted at some point, and their use told once a minute."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import FrameType

import pytest

from serving.auth.keyring import Keyring, KeysUnknownError
from serving.auth.keys import Role, new_key
from serving.store import Store
from tests.serving.conftest import NOW


@pytest.fixture
def keyring(sqlite_store: Store, keys: dict[Role, str]) -> Keyring:
    assert keys
    keyring = Keyring(sqlite_store.keys, longest_age_s=60)
    keyring.read(0)
    return keyring


def work(keyring: Keyring, key: str) -> list[str]:
    """Every function, ours and Python's own, that is called to look for a key."""
    calls: list[str] = []

    def called(frame: FrameType, event: str, function: object) -> None:
        if event in ("call", "c_call"):
            calls.append(frame.f_code.co_name if event == "call" else str(getattr(function, "__name__", function)))

    sent = key.encode()
    sys.setprofile(called)
    try:
        keyring.holder(sent, 0)
    finally:
        sys.setprofile(None)
    return calls[: calls.index("setprofile")]


def test_an_unknown_id_a_wrong_secret_and_the_right_one_take_the_same_steps(
    keyring: Keyring, keys: dict[Role, str]
) -> None:
    right, (unknown, _) = keys["crm"], new_key("nobody", "crm", created_at=NOW)
    wrong = right[:-64] + unknown[-64:]
    assert keyring.holder(right.encode(), 0) is not None
    assert keyring.holder(wrong.encode(), 0) is keyring.holder(unknown.encode(), 0) is None
    steps = work(keyring, unknown)
    assert steps == work(keyring, wrong) == work(keyring, right)
    assert "compare_digest" in str(steps)
    assert "sha256" in str(steps)


def test_keys_that_were_read_too_long_ago_open_nothing(keyring: Keyring, keys: dict[Role, str]) -> None:
    assert keyring.holder(keys["crm"].encode(), 60) is not None
    with pytest.raises(KeysUnknownError):
        keyring.holder(keys["crm"].encode(), 60.1)
    keyring.read(60.1)
    assert keyring.holder(keys["crm"].encode(), 60.1) is not None


def test_before_they_are_read_no_key_is_known_to_be_wrong(sqlite_store: Store) -> None:
    with pytest.raises(KeysUnknownError):
        Keyring(sqlite_store.keys, longest_age_s=60).holder(b"lq_", 0)


def test_a_use_is_told_once_and_not_again_within_a_minute(
    keyring: Keyring, sqlite_store: Store, keys: dict[Role, str]
) -> None:
    record = keyring.holder(keys["crm"].encode(), 0)
    assert record is not None
    keyring.note_use(record, NOW)
    uses = keyring.take_uses()
    assert uses == {record.key_id: NOW}
    assert keyring.take_uses() == {}
    sqlite_store.keys.note_uses(uses)
    keyring.read(1)
    for seconds, told in ((59, False), (60, True)):
        later = NOW + timedelta(seconds=seconds)
        keyring.note_use(record, later)
        assert keyring.take_uses() == ({record.key_id: later} if told else {})
