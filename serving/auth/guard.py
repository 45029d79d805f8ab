"""Who a caller is, and whether they may ask: the key they sent, its role, and how often they asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from limits import RateLimitItemPerMinute
from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError
from features.text import Text, same
from serving.auth.access import Need
from serving.auth.keyring import Keyring
from serving.auth.keys import state_of
from serving.auth.rates import Rate, caller_of
from serving.errors import ApiError
from serving.logs import log
from serving.settings import Settings
from serving.store import KeyRecord
from serving.store.keys import Keys

LONGEST_AGE_S: Final = 60.0
READINGS_MISSED: Final = 12
"""Keys that were read longer ago, and so many readings missed, open nothing: they may have been revoked since."""

SOONEST_S: Final = 1.0
"""A wrong key makes the keys be read again, since it may be new, but not before they are so old."""

CHALLENGE: Final = 'Bearer realm="lead-quality"'


class Guard:
    """Lets callers in, or says why not. It lives in the event loop, and reads keys in a thread.

    Parameters
    ----------
    keys : Keys
        Where keys are stored.
    clock, seconds : callable
        The current time in UTC, against which keys expire; and a clock that only counts seconds.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._refresh_s = settings.keys_refresh_s
        self._keys = keys
        self._keyring = Keyring(keys, max(LONGEST_AGE_S, READINGS_MISSED * settings.keys_refresh_s))
        self._requests = Rate(RateLimitItemPerMinute(settings.requests_per_minute))
        self._wrong_keys = Rate(RateLimitItemPerMinute(settings.wrong_keys_per_minute))
        self._clock, self._seconds = clock, seconds
        self._reading = asyncio.Lock()

    async def admit(self, need: Need, key: bytes | None, address: str) -> KeyRecord:
        """The key of a caller who may do what needs `need`; the use of the key is noted.

        Parameters
        ----------
        key : bytes or None
            What the caller sent as a key.
        address : str
            The caller's network address.

        Raises
        ------
        ApiError
            401, 403 or 429, with what the caller can do about it.
        KeysUnknownError
            If the keys could not be read for too long.
        """
        record = await self._holder(key, address)
        if wait_s := self._requests.hit(record.key_id):
            raise _too_many(wait_s, TOO_MANY_REQUESTS)
        if record.role not in need.roles:
            raise _forbidden(record.role, need.roles)
        self._keyring.note_use(record, self._clock())
        return record

    async def recognized(self, key: bytes | None, address: str) -> KeyRecord | None:
        """The key of a caller who needs none, if they sent one that opens anything."""
        if key is None:
            return None
        try:
            return await self._holder(key, address)
        except (ApiError, LeadQualityError):
            return None

    async def holder(self, key: bytes, address: str) -> KeyRecord:
        """The record of a key that somebody signs in with; a wrong one counts against their address.

        Raises
        ------
        ApiError
            401 or 429.
        KeysUnknownError
            If the keys could not be read for too long.
        """
        record = await self._holder(key, address)
        self._keyring.note_use(record, self._clock())
        return record

    def signed_in_with(self, key_id: str) -> KeyRecord | None:
        """The key that somebody signed in with, as long as it opens anything; each of their requests counts.

        Raises
        ------
        ApiError
            429 if the key was used too often.
        KeysUnknownError
            If the keys could not be read for too long.
        """
        record = self._keyring.by_id(key_id, self._seconds())
        if record is None or not record.is_usable(self._clock()):
            return None
        if wait_s := self._requests.hit(key_id):
            raise _too_many(wait_s, TOO_MANY_REQUESTS)
        self._keyring.note_use(record, self._clock())
        return record

    def has_usable_keys(self) -> bool:
        """Whether anybody at all can be let in, as far as the keys are known."""
        return self._keyring.has_usable(self._clock())

    async def read(self) -> bool:
        """Read the keys from the store; whether that succeeded."""
        try:
            await run_in_threadpool(self._keyring.read, self._seconds())
        except LeadQualityError as error:
            log.error("keys not read", reason=str(error))  # about the database, never about a key
            return False
        return True

    async def keep(self) -> None:
        """Read the keys again and again, and store when they were used, until cancelled."""
        while True:
            await asyncio.sleep(self._refresh_s)
            try:
                if await self.read():
                    await self.store_uses()
            except Exception:  # whatever it is: if this task ended, nobody would be let in any more
                log.exception("keys not kept")

    async def store_uses(self) -> None:
        """Store when keys were last used."""
        if not (uses := self._keyring.take_uses()):
            return
        try:
            await run_in_threadpool(self._keys.note_uses, uses)
        except LeadQualityError as error:
            log.warning("uses of keys not stored", reason=str(error))

    async def _holder(self, key: bytes | None, address: str) -> KeyRecord:
        """The record of a key that opens something."""
        if key is None:
            raise _unauthorized(MISSING, "")
        record = self._keyring.holder(key, self._seconds())
        if record is None or not record.is_usable(self._clock()):
            record = await self._holder_by_now(key, caller_of(address))
        return record

    async def _holder_by_now(self, key: bytes, caller: str) -> KeyRecord:
        """The same for a key that opened nothing when the keys were last read."""
        if wait_s := self._wrong_keys.used_up(caller):
            raise _too_many(wait_s, TOO_MANY_WRONG_KEYS)
        async with self._reading:
            if self._keyring.age_s(self._seconds()) > SOONEST_S:
                await self.read()
        record = self._keyring.holder(key, self._seconds())
        if record is not None and record.is_usable(self._clock()):
            return record
        self._wrong_keys.hit(caller)
        raise _unauthorized(UNKNOWN if record is None else NO_LONGER[state_of(record, self._clock())], "invalid_token")


def _unauthorized(detail: Text, error: str) -> ApiError:
    challenge = f'{CHALLENGE}, error="{error}"' if error else CHALLENGE
    return ApiError("unauthorized", detail=detail, headers={"WWW-Authenticate": challenge})


def _forbidden(role: str, roles: Iterable[str]) -> ApiError:
    allowed = same(", ".join(roles))
    detail = Text(
        f"This needs a key with one of these roles: {allowed}. Yours has the role {role}.",
        f"Dafür braucht es einen Schlüssel mit einer dieser Rollen: {allowed}. Ihrer hat die Rolle {role}.",
    )
    return ApiError("forbidden", detail=detail)


def _too_many(wait_s: int, detail: Text) -> ApiError:
    return ApiError("too_many_requests", detail=detail, headers={"Retry-After": str(wait_s)})


MISSING = Text(
    "Send your key as Authorization: Bearer lq_… or as X-API-Key: lq_…",
    "Senden Sie Ihren Schlüssel als Authorization: Bearer lq_… oder als X-API-Key: lq_…",
)
UNKNOWN = Text("There is no such key.", "Diesen Schlüssel gibt es nicht.")
NO_LONGER = {
    "expired": Text("This key has expired.", "Dieser Schlüssel ist abgelaufen."),
    "revoked": Text("This key was revoked.", "Dieser Schlüssel wurde widerrufen."),
}
TOO_MANY_REQUESTS = Text(
    "This key was used too often within a minute. Wait for the seconds in Retry-After.",
    "Dieser Schlüssel kam in einer Minute zu oft. Warten Sie die Sekunden ab, die Retry-After nennt.",
)
TOO_MANY_WRONG_KEYS = Text(
    "Too many wrong keys came from this address. Wait for the seconds in Retry-After.",
    "Von dieser Adresse kamen zu viele falsche Schlüssel. Warten Sie die Sekunden ab, die Retry-After nennt.",
)
