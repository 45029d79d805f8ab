"""What watching found."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.definition import LeadDefinition
from serving.monitoring.watch import Alert, alerts_of
from serving.monitoring.words import advice, finding, title
from serving.responses import documented, json_response
from serving.schemas import AlertsAnswer, AlertShown
from serving.scorer import both, in_utc
from serving.service import Service

router = APIRouter(tags=["alerts"])


@router.get(
    "/v1/alerts",
    operation_id="getAlerts",
    summary="Alerts, and what was last found",
    response_model=AlertsAnswer,
    response_description="Every check, those that are raised first.",
    responses=documented("internal", "not_ready", "store_unavailable"),
)
async def get_alerts(request: Request) -> Response:
    """Every check with its state, what was found last, what is tolerated, and what to do.

    Empty until the first evaluation. An alert is raised after several findings over its limit in a row, and cleared
    after several that are within.
    """
    service = Service.of(request)
    definition = service.model.scorer.bundle.definition
    alerts = alerts_of(await run_in_threadpool(service.store.watching.alerts))
    silent = service.settings.silent_alerts
    answer = AlertsAnswer(
        n_raised=sum(alert.state.raised for alert in alerts),
        alerts=[_shown(alert, definition, alert.name in silent) for alert in alerts],
    )
    if alerts:
        answer["checked_at"] = in_utc(max(alert.checked_at for alert in alerts))
    return json_response(answer)


def _shown(alert: Alert, definition: LeadDefinition, silent: bool) -> AlertShown:
    reading, state = alert.reading, alert.state
    shown = AlertShown(
        name=alert.name,
        kind=reading.kind,
        label=both(title(reading, definition)),
        raised=state.raised,
        since=in_utc(state.since),
        silent=silent,
        finding=reading.verdict,
        n=reading.n,
        n_over=state.n_over,
        n_under=state.n_under,
        text=both(finding(reading)),
        advice=both(advice(reading)),
        figures=dict(reading.figures),
    )
    if reading.field:
        shown["field"] = reading.field
    for name, number in (("value", reading.value), ("low", reading.low), ("high", reading.high)):
        if math.isfinite(number):
            shown[name] = number  # type: ignore[literal-required]
    for name, number in zip(("tolerated_low", "tolerated_high"), reading.tolerated, strict=True):
        if math.isfinite(number):
            shown[name] = number  # type: ignore[literal-required]
    return shown
