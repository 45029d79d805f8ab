"""What readers of the figures look up for each lead that has changed is kept little, beside the requests."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from serving.logs import log
from serving.store import Store

LOOK_EVERY_S = 10.0


async def keep_folding(store: Store) -> None:
    """Fold what is due, again and again, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await run_in_threadpool(store.figures.fold_what_is_due)
        except Exception:  # whatever it is: if this task ended, figures would become slower and slower
            log.exception("figures are not kept quick")
