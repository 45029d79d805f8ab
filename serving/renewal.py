"""When to look for another model: every so often, at the signal SIGHUP, and when the API is asked to."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError
from serving.in_service import ModelInService
from serving.logs import log
from serving.settings import Settings


class Renewal:
    """Looks for other models in the background; lives in the event loop.

    Parameters
    ----------
    models : sequence of ModelInService
        The one in service, and a challenger in the shadow if there is one, which is opened here.
    """

    def __init__(self, models: Sequence[ModelInService], clock: Callable[[], datetime], settings: Settings) -> None:
        self._models, self._clock = models, clock
        self._check_s, self._retry_s = settings.bundle_check_s, settings.bundle_retry_s
        self._asked = asyncio.Event()

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        for challenger in self._models[1:]:
            await self._look(challenger, asked=True)
        while True:
            asked = await self._wait()
            for model in self._models:
                await self._look(model, asked=asked)

    @contextmanager
    def at_signal(self) -> Iterator[None]:
        """Within the block, SIGHUP makes it look at once."""
        loop, is_main = asyncio.get_running_loop(), threading.current_thread() is threading.main_thread()
        if is_main:
            loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        try:
            yield
        finally:
            if is_main:
                loop.remove_signal_handler(signal.SIGHUP)

    async def _look(self, model: ModelInService, *, asked: bool) -> None:
        try:
            await run_in_threadpool(look, model, self._clock(), asked=asked)
        except Exception:  # whatever it is: if this task ended, no other model would ever be looked for
            log.exception("another model could not be put into service", source=model.source)

    async def _wait(self) -> bool:
        """Wait until it is time to look; whether that was asked for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._period_s()):
                await self._asked.wait()
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    def _period_s(self) -> float | None:
        if not self._check_s:
            return None
        # What did not work may soon: a directory that was still being written, a registry that was away.
        return min(self._check_s, self._retry_s) if any(model.pending for model in self._models) else self._check_s


def take(model: ModelInService, now: datetime, *, asked: bool) -> bool:
    """Whether another model is in service now, which is logged; blocks, and raises as `ModelInService.renew`."""
    if not model.renew(now, asked=asked):
        return False
    named = model.scorer.model_name
    about = {"version": named["version"], "bundle_id": named["bundle_id"]}
    log.info("another model is in service", source=model.source, **about)
    return True


def look(model: ModelInService, now: datetime, *, asked: bool) -> None:
    """Look for another model once, and log what came of it; blocks."""
    known = model.pending
    try:
        take(model, now, asked=asked)
    except LeadQualityError as error:
        if asked or model.pending != known:  # said once, not at every look
            log.error("another model could not be put into service", source=model.source, reason=str(error))


def tell_the_other_workers() -> bool:
    """Make the other processes of this service look, too, if there are any; whether there are.

    The parent passes the signal on to all of its workers: see `serving.workers`.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return False
    os.kill(parent.pid, signal.SIGHUP)
    return True
