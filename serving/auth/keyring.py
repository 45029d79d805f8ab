"""Every key of the store in memory, read again every few seconds: a request asks no database who its caller is."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from features.errors import OutsideError
from serving.auth.keys import key_hash, key_id_of
from serving.store import KeyRecord
from serving.store.keys import Keys

BETWEEN_NOTES = timedelta(minutes=1)
NOBODYS_HASH = "0" * 64


class KeysUnknownError(OutsideError):
    """The keys could not be read from the store, or not for too long."""


class Keyring:
    """The keys as they were when they were last read; it is asked from the event loop and read in a thread.

    Parameters
    ----------
    keys : Keys
        Where they are stored.
    longest_age_s : float
        Keys that were read longer ago open nothing: they may have been revoked since.
    """

    def __init__(self, keys: Keys, longest_age_s: float) -> None:
        self._keys = keys
        self._longest_age_s = longest_age_s
        self._known: Mapping[str, KeyRecord] | None = None
        self._read_at_s = float("-inf")
        self._used: dict[str, datetime] = {}

    def read(self, now_s: float) -> None:
        """Read the keys from the store; `now_s` counts as the moment. Blocks."""
        self._known = {record.key_id: record for record in self._keys.all()}
        self._read_at_s = now_s

    def age_s(self, now_s: float) -> float:
        """Seconds since the keys were read."""
        return now_s - self._read_at_s

    def holder(self, key: bytes, now_s: float) -> KeyRecord | None:
        """The record of this key; None if there is no such key. Takes as long for an unknown id as for a wrong secret.

        Raises
        ------
        KeysUnknownError
            If the keys could not be read for too long.
        """
        record = self.by_id(key_id_of(key), now_s)
        expected = NOBODYS_HASH if record is None else record.secret_hash
        return record if hmac.compare_digest(key_hash(key), expected) else None

    def by_id(self, key_id: str, now_s: float) -> KeyRecord | None:
        """The record of the key with this id; None if there is no such key.

        Raises
        ------
        KeysUnknownError
            If the keys could not be read for too long.
        """
        known = self._known
        if known is None or self.age_s(now_s) > self._longest_age_s:
            raise KeysUnknownError("the keys could not be read from the store")
        return known.get(key_id)

    def has_usable(self, now: datetime) -> bool:
        """Whether any key opens anything."""
        return any(record.is_usable(now) for record in (self._known or {}).values())

    def note_use(self, record: KeyRecord, now: datetime) -> None:
        """Remember that the key was used; `take_uses` gives it to be stored."""
        self._used[record.key_id] = now

    def take_uses(self) -> dict[str, datetime]:
        """When keys were last used, by key id, where the store does not know it to the minute; each is given once."""
        used, self._used = self._used, {}
        known = self._known or {}
        return {key_id: moment for key_id, moment in used.items() if _is_news(known.get(key_id), moment)}


def _is_news(record: KeyRecord | None, moment: datetime) -> bool:
    return record is not None and (record.last_used_at is None or moment - record.last_used_at >= BETWEEN_NOTES)
