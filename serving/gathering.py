"""What the requests of an event loop want stored goes to the store in groups, and comes back in groups.

A transaction costs much more than a row of it, and every change between the thread that writes and the loop costs both.
So a group gathers while the loop has other requests at hand, and goes to the store as soon as it has none: a request
that is alone waits for nobody, and requests that came together share a transaction. While it is written, the next
group gathers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final, TypeAlias

from serving.store import Stored, StoreDownError, WantedScores
from serving.store.writer import HELD_UP

MOST_IN_A_GROUP: Final = 64
LONGEST_S: Final = 0.01
"""How long a group gathers in a loop that always has another request at hand."""

Written: TypeAlias = Future[list[list[Stored] | BaseException]]


class _Group:
    """Scores that are stored together, and the requests that wait for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.closes_at_s = loop.time() + LONGEST_S
        self.wanted: list[WantedScores] = []
        self.waiting: list[asyncio.Future[list[Stored]]] = []

    def add(self, wanted: WantedScores) -> asyncio.Future[list[Stored]]:
        """What becomes of `wanted`."""
        stored = self.loop.create_future()
        self.wanted.append(wanted)
        self.waiting.append(stored)
        return stored

    def tell(self, outcomes: list[list[Stored] | BaseException]) -> None:
        """Tell each request that still waits."""
        for stored, outcome in zip(self.waiting, outcomes, strict=True):
            if stored.done():
                continue
            if isinstance(outcome, BaseException):
                stored.set_exception(outcome)
            else:
                stored.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        """Tell all of them the same."""
        self.tell([error] * len(self.waiting))


class Gathering:
    """Stores scores for requests that wait in an event loop.

    Parameters
    ----------
    submit : callable
        Takes a group to the store, such as `Scores.submit`.
    timeout_s : float
        Longest wait for the store.
    """

    def __init__(self, submit: Callable[[list[WantedScores]], Written], timeout_s: float) -> None:
        self._submit = submit
        self._timeout_s = timeout_s
        self._open: _Group | None = None

    async def stored(self, wanted: WantedScores) -> list[Stored]:
        """What is stored for each score, as `Scores.save` gives it.

        Raises
        ------
        StoreDownError
            If that takes too long; it may still be written then, so the same request has to be sent again.
        LeadQualityError
            As `Scores.save` does.
        """
        group = self._open
        if group is None:
            group = self._open = _Group(asyncio.get_running_loop())
            group.loop.call_soon(self._look, group, 0)
        return await group.add(wanted)

    def _look(self, group: _Group, n_before: int) -> None:
        """Close the group if nothing came since the last look: between two looks the loop takes up what has come."""
        n_wanted = len(group.wanted)
        if n_before < n_wanted < MOST_IN_A_GROUP and group.loop.time() < group.closes_at_s:
            group.loop.call_soon(self._look, group, n_wanted)
            return
        self._open = None
        try:
            written = self._submit(group.wanted)
        except Exception as error:  # whatever it is: nobody else could tell those who wait
            group.fail(error)
            return
        too_late = group.loop.call_later(self._timeout_s, _give_up, group, written)
        written.add_done_callback(partial(_come_back, group, too_late))


def _give_up(group: _Group, written: Written) -> None:
    written.cancel()  # what has begun by now may still be written
    group.fail(StoreDownError(HELD_UP))


def _come_back(group: _Group, too_late: asyncio.TimerHandle, written: Written) -> None:
    """Called in the thread that writes, or where the future was cancelled."""
    if not written.cancelled() and not group.loop.is_closed():
        group.loop.call_soon_threadsafe(_tell, group, too_late, written.result())


def _tell(group: _Group, too_late: asyncio.TimerHandle, outcomes: list[list[Stored] | BaseException]) -> None:
    too_late.cancel()
    group.tell(outcomes)
