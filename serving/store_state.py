"""Whether the store can be used, asked of the database once for everybody who wants to know at about the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError
from serving.store import Store

FRESH_S: Final = 1.0
"""Readiness is open to everybody: however often it is asked for, the database is asked no more than this often."""


class StoreState:
    """Knows what is wrong with the store; lives in the event loop, and asks in a thread.

    Parameters
    ----------
    seconds : callable
        A clock that only counts seconds.
    """

    def __init__(self, store: Store, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store, self._seconds = store, seconds
        self._asking = asyncio.Lock()
        self._asked_at_s: float | None = None
        self._error: LeadQualityError | None = None

    async def error(self) -> LeadQualityError | None:
        """Why the store cannot be used, None if it can; known for at most `FRESH_S` seconds."""
        async with self._asking:
            if self._asked_at_s is None or self._seconds() - self._asked_at_s >= FRESH_S:
                self._error = await run_in_threadpool(_error, self._store)
                self._asked_at_s = self._seconds()
        return self._error


def _error(store: Store) -> LeadQualityError | None:
    try:
        store.check()
        store.check_writes()
    except LeadQualityError as error:
        return error
    return None
