"""Evaluates by itself, again and again, beside the requests; of several workers only one at a time."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError
from serving.logs import log
from serving.monitoring.hysteresis import Patience
from serving.monitoring.watch import Alert, WatchSettings, evaluate_in_turn
from serving.service import Service
from serving.settings import Settings

FIRST_AFTER_S = 60.0
"""The first evaluation after a start waits no longer than this; whether it is somebody's turn is in the store."""


def watch_settings(settings: Settings) -> WatchSettings:
    """What the operator decided about watching."""
    return WatchSettings(
        leads=settings.watch_leads,
        days=settings.watch_days,
        patience=Patience(settings.watch_raise_after, settings.watch_clear_after),
        silent=settings.silent_alerts,
    )


async def keep_watching(service: Service) -> None:
    """Evaluate every `watch_every_s` seconds, until cancelled."""
    wait_s = min(FIRST_AFTER_S, service.settings.watch_every_s)
    while True:
        await asyncio.sleep(wait_s)
        wait_s = service.settings.watch_every_s
        try:
            alerts = await run_in_threadpool(_evaluated, service)
        except LeadQualityError as error:
            # These messages are about files and servers, never about leads.
            log.error("not watched", reason=str(error))
        except Exception:  # scoring goes on; the age of the last evaluation stands in /metrics
            log.exception("not watched")
        else:
            _tell(alerts or [])


def _evaluated(service: Service) -> list[Alert] | None:
    """The alerts, if it was this worker's turn."""
    settings = service.settings
    bundle = service.model.scorer.bundle
    return evaluate_in_turn(
        bundle, service.store.watching, watch_settings(settings), service.clock(), settings.watch_every_s
    )


def _tell(alerts: list[Alert]) -> None:
    """Log what has changed."""
    for alert in alerts:
        if alert.state.raised and alert.state.since == alert.checked_at:
            log.warning("alert raised", alert=alert.name)
        elif not alert.state.raised and alert.was_cleared:
            log.info("alert cleared", alert=alert.name)
